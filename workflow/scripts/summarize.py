"""Put the AUC tables of all methods side by side: one leaderboard, their means over the grid (CSV) and a summary."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.evaluation.grid import GridRow, as_averages, grid_rows
from oddjet.evaluation.merit import AucRow
from oddjet.evaluation.replicas import grid_replicas
from oddjet.evaluation.scores import read_method
from oddjet.evaluation.settings import MeritSettings
from oddjet.evaluation.summary import write_summary
from oddjet.io.atomic import write_text
from oddjet.io.csv import read_rows, write_rows
from oddjet.io.origin import write_origin
from oddjet.program import execute, parser, read_settings, settings_argument

EXAMPLE = """python workflow/scripts/summarize.py --auc results/jets/auc/*.csv --scores results/jets/scores/*/*.h5 \\
      --leaderboard leaderboard.csv --grid grid_means.csv --summary summary.md"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    settings_argument(arguments)
    arguments.add_argument("--auc", nargs="+", type=Path, required=True, help="AUC tables, one a method")
    arguments.add_argument("--scores", nargs="+", type=Path, required=True, help="score tables of the same methods")
    arguments.add_argument("--baselines", nargs="*", default=[], help="methods, the best of which is the reference")
    arguments.add_argument("--approximate", nargs="*", default=[], help="methods whose loss is approximate transport")
    arguments.add_argument("--leaderboard", type=Path, required=True, help="table of all rows to write (CSV)")
    arguments.add_argument("--grid", type=Path, required=True, help="table of means over the grid to write (CSV)")
    arguments.add_argument("--summary", type=Path, required=True, help="summary to write (Markdown)")
    given = arguments.parse_args()
    settings = read_settings(given.settings, MeritSettings)
    rows = read_rows(given.auc, AucRow)
    epochs: dict[str, dict[int, int]] = {}
    for path in given.scores:
        method = read_method(path)
        epochs.setdefault(method.name, {}).update(zip(method.seeds, method.epochs, strict=True))
    means = grid_rows(rows, grid_replicas(given.scores, settings), given.baselines)
    summary = write_summary(rows, as_averages(means), epochs, given.approximate)
    write_rows(given.leaderboard, rows, AucRow)
    write_rows(given.grid, means, GridRow)
    write_text(given.summary, summary)
    record = json.dumps({**settings.model_dump(), "approximate": given.approximate, "baselines": given.baselines})
    write_origin("summarize", record, [*given.auc, *given.scores], [given.leaderboard, given.grid, given.summary])


if __name__ == "__main__":
    execute(main)
