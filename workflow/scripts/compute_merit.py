"""Compute all figures of merit of one method from its scores: rejection, improvement, F1, planed AUC, sculpting."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.figures_of_merit import MeritRow, merit_rows
from oddjet.evaluation.settings import MeritSettings
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, progress, read_settings, settings_argument

EXAMPLE = "python workflow/scripts/compute_merit.py --scores results/jets/scores/ae/*.h5 --output merit.csv"


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument(
        "--scores", nargs="+", type=Path, required=True, help="score tables of one method, a group each"
    )
    arguments.add_argument(
        "--output", type=Path, required=True, help="table to write (CSV), one row a seed, signal, figure"
    )
    given = arguments.parse_args()
    settings = read_settings(given.settings, MeritSettings)
    tables = progress(given.scores, total=len(given.scores), description="figures of merit of score tables")
    write_rows(given.output, [row for path in tables for row in merit_rows(path, settings)], MeritRow)
    write_origin("compute_merit", settings.model_dump_json(), given.scores, [given.output])


if __name__ == "__main__":
    execute(main)
