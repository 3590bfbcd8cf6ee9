"""Put all methods side by side: AUC and figures of merit as tables (CSV) and to read (Markdown), with a leaderboard."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.bootstrap import grid_replicas
from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.grid import GridRow, as_averages, grid_rows
from oddjet.evaluation.leaderboard_table import write_leaderboard
from oddjet.evaluation.merit_summary import write_merit_summary
from oddjet.evaluation.score_table import epochs_by_method
from oddjet.evaluation.settings import MeritSettings
from oddjet.evaluation.summary import write_summary
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, read_settings, settings_argument
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/summarize.py --auc results/jets/auc/*.csv --merit results/jets/merit/*.csv \\
      --scores results/jets/scores/*/*.h5 --ceilings results/jets/ceilings.csv --folder summary"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    for name, what in (("auc", "AUC tables, one a method"), ("merit", "tables of figures of merit, one a method")):
        arguments.add_argument(f"--{name}", nargs="+", type=Path, required=True, help=what)
    arguments.add_argument("--scores", nargs="+", type=Path, required=True, help="score tables of the same methods")
    arguments.add_argument("--ceilings", type=Path, help="AUC of supervised trees (CSV), for the leaderboard")
    arguments.add_argument("--baselines", nargs="*", default=[], help="methods, the best of which is the reference")
    titles_argument(arguments, approximate=True, axes=True)
    arguments.add_argument("--folder", type=Path, required=True, help="where the tables are written")
    given = arguments.parse_args()
    titles, settings = read_titles(given), read_settings(given.settings, MeritSettings)
    rows, merits = read_rows(given.auc, AucRow), read_rows(given.merit, MeritRow)
    ceilings = [] if given.ceilings is None else read_rows(given.ceilings, AucRow)
    means = grid_rows(rows, grid_replicas(given.scores, settings), given.baselines)
    pages = {
        "summary.md": write_summary(rows, as_averages(means), epochs_by_method(given.scores), titles),
        "merit.md": write_merit_summary(merits, titles),
        "leaderboard.md": write_leaderboard(rows, means, merits, ceilings, titles),
    }
    write_rows(given.folder / "leaderboard.csv", rows, AucRow)
    write_rows(given.folder / "grid_means.csv", means, GridRow)
    write_rows(given.folder / "merit.csv", merits, MeritRow)
    for name, text in pages.items():
        write_text(given.folder / name, text)
    record = json.dumps({**settings.model_dump(), **titles.record(), "baselines": given.baselines})
    inputs = [*given.auc, *given.merit, *given.scores, *([given.ceilings] if given.ceilings else [])]
    outputs = [given.folder / name for name in ("leaderboard.csv", "grid_means.csv", "merit.csv", *pages)]
    write_origin("summarize", record, inputs, outputs)


if __name__ == "__main__":
    execute(main)
