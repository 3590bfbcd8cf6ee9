"""Compute figures of merit and curves of all scores of whole events, by test set."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from oddjet.events.merit_tables import CurvePoint, SetMerit
from oddjet.events.settings import ProtocolSettings
from oddjet.io.csv import write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, progress, read_settings, settings_argument
from oddjet.studies.event_merits import curve_points, scores_by_method, set_merits

EXAMPLE = """python workflow/scripts/compare_event_scores.py --scores results/events/scores/*/*.h5 \\
      --merit merit.csv --curves curves.csv"""
EFFICIENCIES = np.linspace(0.01, 1.0, 100)


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument(
        "--scores", nargs="+", type=Path, required=True, help="score tables, of every method all groups"
    )
    arguments.add_argument("--merit", type=Path, required=True, help="figures of merit by test set, to write (CSV)")
    arguments.add_argument("--curves", type=Path, required=True, help="ROC and SI curves, to write (CSV)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, ProtocolSettings)
    merits: list[SetMerit] = []
    points: list[CurvePoint] = []
    tables = scores_by_method(given.scores)
    for table in progress(tables, total=len(tables), description="figures of merit of scores"):
        merits += set_merits(table, settings.sets)
        points += curve_points(table, settings.sets, EFFICIENCIES)
    write_rows(given.merit, merits, SetMerit)
    write_rows(given.curves, points, CurvePoint)
    write_origin("compare_event_scores", settings.model_dump_json(), given.scores, [given.merit, given.curves])


if __name__ == "__main__":
    execute(main)
