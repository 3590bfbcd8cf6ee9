"""The command `oddjet`: score files, measure jets, look at configurations, detectors and costs."""

from __future__ import annotations

import ast
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from oddjet.program import dressed, execute, parser, read_settings, settings_argument

if TYPE_CHECKING:
    from oddjet.detectors.registry import Kind

CONFIG_EXAMPLE = """oddjet config new my.yaml
  oddjet config check my.yaml
  oddjet config show features.pt_min my.yaml"""


class Command(NamedTuple):
    """A command: its words and an example that works, what adds its options, and what runs it."""

    description: str
    example: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], None]


def score_arguments(arguments: ArgumentParser) -> None:
    """Add the options."""
    arguments.add_argument("files", nargs="+", metavar="FILE", help="ROOT files, globs, folders, lists or addresses")
    arguments.add_argument("--detector", type=Path, required=True, metavar="model.pt", help="what a training wrote")
    arguments.add_argument(
        "--to",
        type=Path,
        default=Path("scores.root"),
        metavar="FILE",
        help="scores.root (a friend tree with an entry an event), .h5 or .parquet (a row a jet); default: %(default)s",
    )
    arguments.add_argument("--pt-min", type=float, metavar="GEV", help="leave out jets of at most this pT")
    settings_argument(arguments)


def run_score(given: Namespace) -> None:
    """Score."""
    from oddjet.jets.settings import FeatureSettings
    from oddjet.provenance.attributes import file_digest
    from oddjet.tagging.files import score_files
    from oddjet.tagging.tagger import load

    settings = None if given.settings is None else read_settings(given.settings, FeatureSettings)
    tagger = load(given.detector, settings, given.pt_min)
    about = {"detector": str(given.detector), "detector_sha256": file_digest(given.detector)}
    counts = score_files(tagger, given.files, given.to, about)
    print(f"{given.to}: {counts.jets} jets of {counts.events} events, {counts.in_window} of them in the window")


def features_arguments(arguments: ArgumentParser) -> None:
    """Add the options."""
    arguments.add_argument("file", nargs="?", metavar="FILE", help="ROOT file: a path or an address")
    arguments.add_argument("--to", type=Path, default=Path("jets.h5"), metavar="FILE", help="default: %(default)s")
    arguments.add_argument("--list", action="store_true", help="print the registry of features and stop")
    settings_argument(arguments)


def run_features(given: Namespace) -> None:
    """Extract, or list the registry."""
    from oddjet.errors import ConfigError
    from oddjet.jets.extract import extract_features
    from oddjet.jets.features import describe_registry
    from oddjet.jets.settings import FeatureSettings

    if given.list:
        sys.stdout.write(describe_registry())
        return
    if given.file is None:
        raise ConfigError("FILE: name a ROOT file, or ask for --list")
    if given.to.suffix not in (".h5", ".hdf5"):
        raise ConfigError(f"--to: features are written as HDF5, to a file that ends in .h5, not {given.to.name}")
    settings = read_settings(given.settings, FeatureSettings)
    told = {"settings": settings.model_dump_json(), "inputs": "{}", "sample": Path(given.file).stem}
    cutflow = extract_features(given.file, given.to, settings, attributes=told)
    print(f"{given.to}: {cutflow.jets_passed} jets of {cutflow.events_read} events")


def check_arguments(arguments: ArgumentParser) -> None:
    """Add the options."""
    words = "as given to snakemake --configfile, in its order"
    arguments.add_argument("configfiles", nargs="+", type=Path, metavar="CONFIG", help=words)


def run_check(given: Namespace) -> None:
    """Check."""
    from oddjet.inputs import check_configuration

    print("\n".join(check_configuration(given.configfiles)))


def config_arguments(arguments: ArgumentParser) -> None:
    """Add the three commands."""
    commands = arguments.add_subparsers(dest="action", metavar="ACTION", required=True)
    new = commands.add_parser(
        "new", help="write one to start from", **dressed("Write one to start from.", CONFIG_EXAMPLE)
    )
    new.add_argument("file", nargs="?", type=Path, default=Path("config.yaml"), help="default: %(default)s")
    words = "say whether its keys and values fit, without looking for files"
    check = commands.add_parser("check", help=words, **dressed(words, CONFIG_EXAMPLE))
    check.add_argument("configfiles", nargs="+", type=Path, metavar="CONFIG")
    words = "what a key means, its default, and its value in a configuration"
    show = commands.add_parser("show", help=words, **dressed(words, CONFIG_EXAMPLE))
    show.add_argument("key", help="dotted, for example features.pt_min")
    show.add_argument("configfiles", nargs="*", type=Path, metavar="CONFIG")


def run_config(given: Namespace) -> None:
    """Do what is asked."""
    from oddjet.config import load_config
    from oddjet.config_template import describe_key, write_template
    from oddjet.configfile import read_configuration

    if given.action == "new":
        write_template(given.file)
        print(f"{given.file}: edit samples and methods, then: oddjet check {given.file}")
        return
    if given.action == "check":
        config = load_config(read_configuration(given.configfiles))
        print(f"fits: {len(config.all_samples())} samples, {len(config.methods)} methods")
        return
    values = load_config(read_configuration(given.configfiles)).values() if given.configfiles else None
    print(describe_key(given.key, values))


def detectors_arguments(arguments: ArgumentParser) -> None:
    """Add the options."""
    arguments.add_argument("kind", nargs="?", help="show the settings of this kind alone")


def run_detectors(given: Namespace) -> None:
    """List."""
    from oddjet.detectors.registry import kind_named, kinds

    if given.kind is None:
        # Those of whole events, and of files of images, are named by their settings and not by their kind.
        named = [kind for kind in kinds().values() if kind.table in ("columns", "images")]
        shared = Counter(kind.settings_path for kind in named)
        for kind in named:
            print(f"{kind.name:22s} {_words(kind, shared=shared[kind.settings_path] > 1)}")
        return
    kind = kind_named(given.kind)
    print(f"{kind.name}: {' '.join((kind.settings.__doc__ or '').split())} Module {kind.module}.")
    for name, field in kind.settings.model_fields.items():
        default = "required" if field.is_required() else f"default {field.get_default(call_default_factory=True)!r}"
        print(f"  {name}: {field.description or ''} ({default})")


def _words(kind: Kind, *, shared: bool) -> str:
    """Return the first line about a kind: of its settings, or of its module where several kinds share the settings."""
    text = kind.settings.__doc__
    if shared:
        # Read and not imported: the module brings torch along.
        spec = find_spec(kind.module)
        text = (
            ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) if spec and spec.origin else ""
        )
    return (text or "").strip().splitlines()[0] if text else ""


def forecast_arguments(arguments: ArgumentParser) -> None:
    """Add the options."""
    arguments.add_argument("configfiles", nargs="+", type=Path, metavar="CONFIG", help="of the run to come")
    arguments.add_argument(
        "--results",
        type=Path,
        default=Path("results"),
        metavar="FOLDER",
        help="of the earlier run (default: %(default)s)",
    )
    arguments.add_argument("--snakefile", type=Path, default=Path("Snakefile"), help="default: %(default)s")
    arguments.add_argument("--cores", type=int, default=8, help="for the wall time (default: %(default)s)")


def run_forecast(given: Namespace) -> None:
    """Forecast."""
    from oddjet.errors import ConfigError
    from oddjet.forecast import make_forecast

    if given.cores < 1:
        raise ConfigError(f"--cores: at least 1 is wanted, not {given.cores}")
    print(make_forecast(given.configfiles, given.results, given.snakefile, given.cores))


# In the order of `--help`. What is slow to import is imported where a command runs.
COMMANDS = {
    "score": Command(
        """Score the jets of ROOT files with a trained detector.

The files may be of any layout that is read, local or remote (root://, https://). Jets are made as those that the
detector was trained on; one outside of its window of pT and eta has in_window 0: its score is an extrapolation.""",
        """oddjet score 'data/*.root' --detector results/jets/models/wnae/seeds-1-2/model.pt --to scores.root
  oddjet score root://eospublic.cern.ch//eos/file.root --detector model.pt --to scores.parquet --pt-min 200""",
        score_arguments,
        run_score,
    ),
    "features": Command(
        "Cluster the candidates of a ROOT file into jets and write their features as an HDF5 table.",
        "oddjet features events.root --to jets.h5 --settings '{\"pt_min\": 300}'",
        features_arguments,
        run_features,
    ),
    "check": Command(
        "Say whether a configuration fits and its files are there, as the workflow checks before the first job.",
        "oddjet check config/config.yaml",
        check_arguments,
        run_check,
    ),
    "config": Command(
        "Write a new configuration, say whether one fits, or show a key: what it means and its value.",
        CONFIG_EXAMPLE,
        config_arguments,
        run_config,
    ),
    "detectors": Command(
        "List the kinds of detectors, those of other installed packages among them.",
        "oddjet detectors",
        detectors_arguments,
        run_detectors,
    ),
    "forecast": Command(
        "Forecast jobs, core hours, memory, disk and wall time of a run from the benchmarks of an earlier one.",
        "oddjet forecast config/config.yaml --results results --cores 64",
        forecast_arguments,
        run_forecast,
    ),
}


EXAMPLE = "oddjet score events.root --detector results/jets/models/wnae/seeds-1-2/model.pt --to scores.root"


def main() -> None:
    """Read the command line and run the command."""
    program = parser(__doc__ or "", EXAMPLE)
    program.prog = "oddjet"
    commands = program.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        words = command.description
        own = commands.add_parser(
            name, prog=f"oddjet {name}", help=words.split(".")[0], **dressed(words, command.example)
        )
        command.add_arguments(own)
    given = program.parse_args()
    COMMANDS[given.command].run(given)


def program() -> None:
    """Run the command as a program: errors made by oddjet are one message and status 1."""
    try:
        execute(main)
    except BrokenPipeError:  # `oddjet detectors | head`
        sys.stderr.close()
        sys.exit(1)


if __name__ == "__main__":
    program()
