"""Draw all methods side by side: leaderboard, ROC curves, and what a cut does to the background, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

from oddjet.errors import FigureError
from oddjet.program import execute, parser, progress
from oddjet.report.comparison_figures import FIGURES, Compared
from oddjet.report.figures import by_name, figure_arguments, write_figure
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/plot_comparison.py --scores results/jets/scores/*/*.h5 \\
      --leaderboard results/jets/leaderboard.csv --grid results/jets/grid_means.csv --merit results/jets/merit.csv \\
      --output leaderboard.pdf roc.pdf sculpting.pdf"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--scores", nargs="+", type=Path, required=True, help="score tables of all methods")
    arguments.add_argument("--leaderboard", type=Path, required=True, help="AUC of all methods (CSV)")
    arguments.add_argument("--grid", type=Path, required=True, help="their means over the grid (CSV)")
    arguments.add_argument("--merit", type=Path, required=True, help="figures of merit of all methods (CSV)")
    arguments.add_argument("--ceilings", type=Path, help="AUC of supervised trees (CSV): drawn apart")
    titles_argument(arguments, samples=True, axes=True)
    figure_arguments(arguments, written=f"figures to write, by their names: {', '.join(FIGURES)}.pdf or .png")
    given = arguments.parse_args()
    titles = read_titles(given)
    tables = given.leaderboard, given.grid, given.merit, given.ceilings
    found = Compared(given.scores, *tables, titles)
    figures = by_name(given.output)
    if unknown := sorted(set(figures) - set(FIGURES)):
        raise FigureError(f"{unknown[0]}: no figure has this name; there are {', '.join(FIGURES)}")
    for name, outputs in progress(figures.items(), total=len(figures), description="figures of all methods"):
        settings = {"label": given.label, "titles": titles.given, "samples": titles.samples, "heatmap": given.heatmap}
        write_figure("plot_comparison", FIGURES[name](found, given.label), outputs, settings, found.files())


if __name__ == "__main__":
    execute(main)
