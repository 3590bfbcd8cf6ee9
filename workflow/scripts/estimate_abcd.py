"""Choose the least correlated pair of methods on validation background, and test an ABCD estimate with it."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.abcd import ClosureRow, PairRow, estimate_abcd
from oddjet.evaluation.settings import AbcdSettings
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, read_settings, settings_argument

EXAMPLE = """python workflow/scripts/estimate_abcd.py --validation results/jets/validation_scores/*/*.h5 \\
      --test results/jets/scores/*/*.h5 --pairs pairs.csv --closure closure.csv"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    for name, what in (("validation", "validation background"), ("test", "test background and signals")):
        arguments.add_argument(f"--{name}", nargs="+", type=Path, required=True, help=f"scores of {what}, all methods")
    arguments.add_argument("--pairs", type=Path, required=True, help="distance correlation of all pairs to write (CSV)")
    arguments.add_argument("--closure", type=Path, required=True, help="closure of the chosen pair to write (CSV)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, AbcdSettings)
    pairs, closure = estimate_abcd(given.validation, given.test, settings)
    write_rows(given.pairs, pairs, PairRow)
    write_rows(given.closure, closure, ClosureRow)
    inputs = [*given.validation, *given.test]
    write_origin("estimate_abcd", settings.model_dump_json(), inputs, [given.pairs, given.closure])


if __name__ == "__main__":
    execute(main)
