"""Compute the AUC and all figures of merit of one method from its scores: rejection, improvement, F1, sculpting."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.figures_of_merit import MeritRow, merit_rows
from oddjet.evaluation.scores import auc_rows
from oddjet.evaluation.settings import MeritSettings
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, progress, read_settings, settings_argument

EXAMPLE = "python workflow/scripts/evaluate.py --scores results/jets/scores/ae/*.h5 --auc auc.csv --merit merit.csv"


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument(
        "--scores", nargs="+", type=Path, required=True, help="score tables of one method, a group each"
    )
    arguments.add_argument("--auc", type=Path, required=True, help="table to write (CSV), one row a seed and signal")
    arguments.add_argument(
        "--merit", type=Path, required=True, help="table to write (CSV), one row a seed, signal and figure of merit"
    )
    given = arguments.parse_args()
    settings = read_settings(given.settings, MeritSettings)
    auc: list[AucRow] = []
    merit: list[MeritRow] = []
    for path in progress(given.scores, total=len(given.scores), description="AUC and figures of merit"):
        auc += auc_rows(path)
        merit += merit_rows(path, settings)
    write_rows(given.auc, auc, AucRow)
    write_rows(given.merit, merit, MeritRow)
    for output in (given.auc, given.merit):
        write_origin("evaluate", settings.model_dump_json(), given.scores, [output])


if __name__ == "__main__":
    execute(main)
