"""Publish a method: an ONNX graph, thresholds, a card and check jets; nothing is written unless all scores agree."""

from __future__ import annotations

import importlib
from pathlib import Path

from oddjet.bundle.make import Tables, make_bundle
from oddjet.detectors.file import load
from oddjet.detectors.opening import Given
from oddjet.detectors.registry import read_method
from oddjet.errors import ConfigError
from oddjet.evaluation.signals import parse_signals
from oddjet.messages import missing_package
from oddjet.program import execute, parser, settings_argument
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/make_bundle.py --method ae --models results/jets/models/ae/seeds-1-2/model.pt \\
      --validation results/jets/dataset/validation.h5 --test results/jets/dataset/test.h5 --output-dir bundle \\
      --signals svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5"""
IMAGES = "oddjet.bundle.images"  # by name, so that its code counts for methods of images alone


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--method", required=True, help="its name")
    arguments.add_argument("--models", nargs="+", type=Path, required=True, help="model.pt of all groups or members")
    arguments.add_argument("--mean", action="store_true", help="standardise each seed, as a mean of methods does")
    arguments.add_argument(
        "--images", nargs="*", type=Path, default=[], help="images of all jets, for a method of them"
    )
    arguments.add_argument("--seeds", type=int, nargs="*", default=[], help="of a method of images")
    settings_argument(arguments)
    arguments.add_argument("--validation", type=Path, required=True, help="background that gives the thresholds")
    arguments.add_argument("--test", type=Path, required=True, help="test part of the background")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE[,FILE]", help="feature tables")
    arguments.add_argument("--points", metavar="JSON", help="name to {axis: value}, where a name says none")
    arguments.add_argument("--output-dir", type=Path, required=True, help="folder of the bundle")
    given = arguments.parse_args()
    tables = Tables(given.validation, given.test, parse_signals(given.signals, given.points))
    inputs = [*given.models, *given.images, given.validation, given.test]
    inputs += [path for signal in tables.signals for path in signal.files]
    if given.images:
        of, files = read_method(given.settings), (tuple(given.models), tuple(given.images))
        seen = Given(given.method, of, given.test, tuple(given.seeds), files[0], images=files[1])
        try:
            opened, graph = importlib.import_module(IMAGES).open_vaes(seen)
        except ImportError as error:
            raise ConfigError(f"no bundle: {missing_package(error) or error}") from error
        detectors, modules = [opened], {IMAGES}
    else:
        detectors, graph = [load(path) for path in given.models], None
        modules = {module for detector in detectors for module in detector.card.modules}
    about = attributes("make_bundle", given.settings or "{}", inputs, *sorted(modules))
    make_bundle(given.method, detectors, tables, given.output_dir, about, mean=given.mean, graph=graph)


if __name__ == "__main__":
    execute(main)
