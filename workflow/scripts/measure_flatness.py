"""Measure how flat cuts on a score leave the background's mass and pT, with one threshold and with one a pT bin."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.flatness import FlatnessRow, ThresholdRow, measure_flatness
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/measure_flatness.py --validation results/jets/validation_scores/ae/seeds-1-2.h5 \\
      --test results/jets/scores/ae/seeds-1-2.h5 --thresholds thresholds.csv --flatness flatness.csv"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    for name, what in (("validation", "validation background"), ("test", "test background and signals")):
        arguments.add_argument(f"--{name}", nargs="+", type=Path, required=True, help=f"score tables of {what}")
    arguments.add_argument("--thresholds", type=Path, required=True, help="thresholds to write (CSV)")
    arguments.add_argument("--flatness", type=Path, required=True, help="efficiencies by mass and pT to write (CSV)")
    given = arguments.parse_args()
    cuts, rows = measure_flatness(given.validation, given.test)
    write_rows(given.thresholds, cuts, ThresholdRow)
    write_rows(given.flatness, rows, FlatnessRow)
    inputs = [*given.validation, *given.test]
    write_origin("measure_flatness", "{}", inputs, [given.thresholds, given.flatness])


if __name__ == "__main__":
    execute(main)
