"""Draw all methods by their AUC averaged over the signal grid, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.grid import GridRow
from oddjet.evaluation.leaderboard import leaderboard_entries
from oddjet.evaluation.merit import AucRow
from oddjet.io.csv import read_rows
from oddjet.plotting.leaderboard import Entry, draw_leaderboard
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, write_figure

EXAMPLE = """python workflow/scripts/plot_leaderboard.py --leaderboard results/jets/leaderboard.csv \\
      --grid results/jets/grid_means.csv --output-pdf leaderboard.pdf --output-png leaderboard.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--leaderboard", type=Path, required=True, help="AUC of all methods (CSV)")
    arguments.add_argument("--grid", type=Path, required=True, help="their means over the grid (CSV)")
    arguments.add_argument("--merit", type=Path, help="figures of merit of all methods (CSV): adds the planed AUC")
    arguments.add_argument("--ceilings", type=Path, help="AUC of supervised trees (CSV): drawn apart")
    figure_arguments(arguments)
    given = arguments.parse_args()
    merits = [] if given.merit is None else read_rows(given.merit, MeritRow)
    rows, grid = read_rows(given.leaderboard, AucRow), read_rows(given.grid, GridRow)
    entries = [Entry(*values) for values in leaderboard_entries(rows, merits, grid)]
    if given.ceilings is not None:
        ceilings = leaderboard_entries(read_rows(given.ceilings, AucRow), [])
        entries += [Entry(*values, supervised=True) for values in ceilings]
    figure = draw_leaderboard(entries, given.label, grid[0].reference)
    write_figure(
        "plot_leaderboard",
        figure,
        given,
        {"label": given.label},
        [path for path in (given.leaderboard, given.grid, given.merit, given.ceilings) if path is not None],
    )


if __name__ == "__main__":
    execute(main)
