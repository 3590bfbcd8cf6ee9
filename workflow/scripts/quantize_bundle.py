"""Publish an autoencoder with weights and activations of 8 bits, with AUC and time beside those of full precision."""

from __future__ import annotations

from pathlib import Path

from oddjet.bundle.make import Tables
from oddjet.detectors.file import load
from oddjet.errors import ConfigError
from oddjet.evaluation.signals import parse_signals
from oddjet.messages import missing_package
from oddjet.program import execute, parser
from oddjet.provenance.attributes import attributes

EXAMPLE = """python workflow/scripts/quantize_bundle.py --method ae \\
      --models results/jets/models/ae/seeds-1-2/model.pt --validation results/jets/dataset/validation.h5 \\
      --test results/jets/dataset/test.h5 --output-dir bundle \\
      --signals svj_mphi-2000_rinv-0p3=results/tables/svj_mphi-2000_rinv-0p3/0000.h5"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--method", required=True, help="its name")
    arguments.add_argument("--models", nargs="+", type=Path, required=True, help="model.pt of all groups")
    arguments.add_argument("--validation", type=Path, required=True, help="background that gives ranges and thresholds")
    arguments.add_argument("--test", type=Path, required=True, help="test part of the background")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE[,FILE]", help="feature tables")
    arguments.add_argument("--points", metavar="JSON", help="name to {axis: value}, where a name says none")
    arguments.add_argument("--output-dir", type=Path, required=True, help="folder of the bundle")
    given = arguments.parse_args()
    try:
        from oddjet.bundle.quantized import make_quantized
    except ImportError as error:
        raise ConfigError(f"no bundle: {missing_package(error) or error}") from error
    signals = parse_signals(given.signals, given.points)
    detectors = [load(path) for path in given.models]
    inputs = [*given.models, given.validation, given.test, *(path for signal in signals for path in signal.files)]
    modules = {module for detector in detectors for module in detector.card.modules}
    about = attributes("quantize_bundle", "{}", inputs, *sorted(modules))
    make_quantized(given.method, detectors, Tables(given.validation, given.test, signals), given.output_dir, about)


if __name__ == "__main__":
    execute(main)
