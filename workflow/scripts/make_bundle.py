"""Publish a method: an ONNX graph, thresholds, a card and check jets; nothing is written unless all scores agree."""

from __future__ import annotations

from pathlib import Path

from oddjet.bundle.make import Tables, make_bundle
from oddjet.detectors.file import load
from oddjet.evaluation.signals import parse_signals
from oddjet.program import execute, parser
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/make_bundle.py --method ae --models results/jets/models/ae/seeds-1-2/model.pt \\
      --validation results/jets/dataset/validation.h5 --test results/jets/dataset/test.h5 --output-dir bundle \\
      --signals svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--method", required=True, help="its name")
    arguments.add_argument("--models", nargs="+", type=Path, required=True, help="model.pt of all groups or members")
    arguments.add_argument("--mean", action="store_true", help="standardise each seed, as a mean of methods does")
    arguments.add_argument("--validation", type=Path, required=True, help="background that gives the thresholds")
    arguments.add_argument("--test", type=Path, required=True, help="test part of the background")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE[,FILE]", help="feature tables")
    arguments.add_argument("--points", metavar="JSON", help="name to {axis: value}, where a name says none")
    arguments.add_argument("--output-dir", type=Path, required=True, help="folder of the bundle")
    given = arguments.parse_args()
    signals = parse_signals(given.signals, given.points)
    detectors = [load(path) for path in given.models]
    inputs = [*given.models, given.validation, given.test, *(path for signal in signals for path in signal.files)]
    modules = {module for detector in detectors for module in detector.card.modules}
    about = attributes("make_bundle", "{}", inputs, *sorted(modules))
    tables = Tables(given.validation, given.test, signals)
    make_bundle(given.method, detectors, tables, given.output_dir, about, mean=given.mean)


if __name__ == "__main__":
    execute(main)
