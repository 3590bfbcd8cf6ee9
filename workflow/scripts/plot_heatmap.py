"""Draw the AUC of one method over the signal grid, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.auc import AucRow
from oddjet.io.csv import read_rows
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, selection_argument, write_figure
from oddjet.report.method_figures import heatmap_of
from oddjet.titles import read_titles, titles_argument

EXAMPLE = "python workflow/scripts/plot_heatmap.py --auc results/jets/auc/wnae.csv --output heatmap.pdf heatmap.png"


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--auc", type=Path, required=True, help="AUC table of one method (CSV)")
    arguments.add_argument("--title", help="title of the method, above the right corner (default: its name's words)")
    titles_argument(arguments, methods=False, samples=True, axes=True)
    selection_argument(arguments)
    figure_arguments(arguments)
    given = arguments.parse_args()
    rows, titles = read_rows(given.auc, AucRow), read_titles(given)
    title = given.title or titles(rows[0].method)
    figure = heatmap_of(rows, title, titles, given.label, selection=given.selection)
    settings = {"label": given.label, "title": given.title, "samples": titles.samples, "heatmap": given.heatmap}
    settings["selection"] = given.selection
    write_figure("plot_heatmap", figure, given.output, settings, [given.auc])


if __name__ == "__main__":
    execute(main)
