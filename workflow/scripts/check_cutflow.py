"""Check that the cutflow of every feature table adds up, merge them by sample, and list the skipped files."""

from __future__ import annotations

from pathlib import Path

from oddjet.io.atomic import write_text
from oddjet.io.origin import write_origin
from oddjet.jets.cutflow import check_bad_files, check_enough, merge_sample, processed, report
from oddjet.jets.settings import FeatureSettings
from oddjet.program import execute, parser, read_settings, settings_argument

EXAMPLE = (
    "python workflow/scripts/check_cutflow.py --folder results/tables --parts top=0000,0001 --backgrounds top "
    "--cutflow results/jets/cutflow.json --bad-files results/jets/bad_files.json "
    "--blocks results/jets/luminosity_blocks.json"
)


def main() -> None:
    """Read the arguments, check, and write the JSON files."""
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--folder", required=True, type=Path, help="where the tables SAMPLE/PART.h5 are")
    # Names of parts, not of files: a command line has 128 kB, and a sample can have thousands.
    arguments.add_argument("--parts", required=True, nargs="+", metavar="SAMPLE=PART[,PART...]")
    arguments.add_argument("--backgrounds", nargs="*", default=[], help="samples that must have a jet")
    arguments.add_argument("--signals", nargs="*", default=[], help="samples that must have --minimum-signal-jets")
    arguments.add_argument("--minimum-signal-jets", type=int, default=1)
    arguments.add_argument("--cutflow", required=True, type=Path, help="JSON to write: the cutflow of each sample")
    arguments.add_argument("--bad-files", required=True, type=Path, help="JSON to write: the skipped files")
    arguments.add_argument("--blocks", required=True, type=Path, help="JSON to write: luminosity blocks of data")
    given = arguments.parse_args()
    settings = read_settings(given.settings, FeatureSettings)
    tables = {}
    for item in given.parts:
        name, _, parts = item.partition("=")
        tables[name] = [given.folder / name / f"{part}.h5" for part in parts.split(",")]
    samples = {name: merge_sample(name, paths) for name, paths in tables.items()}
    outputs = [given.cutflow, given.bad_files, given.blocks]
    for path, text in zip(outputs, (*report(samples), processed(tables)), strict=True):
        write_text(path, text)
    for name, (_, bad) in samples.items():
        check_bad_files(name, bad, len(tables[name]), settings.max_bad_fraction)
    check_enough(samples, given.backgrounds, given.signals, given.minimum_signal_jets)
    inputs = [path for paths in tables.values() for path in paths]
    write_origin("check_cutflow", settings.model_dump_json(), inputs, outputs)


if __name__ == "__main__":
    execute(main)
