"""Draw the AUC of one method over the signal grid, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.merit import AucRow
from oddjet.evaluation.summary import average_over_points
from oddjet.io.csv import read_rows
from oddjet.plotting.heatmap import draw_heatmap
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, write_figure

EXAMPLE = """python workflow/scripts/plot_heatmap.py --auc results/jets/auc/wnae.csv \\
      --output-pdf heatmap.pdf --output-png heatmap.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--auc", type=Path, required=True, help="AUC table of one method (CSV)")
    arguments.add_argument("--title", help="words before the seeds above the right corner (default: the method)")
    figure_arguments(arguments)
    given = arguments.parse_args()
    rows = read_rows(given.auc, AucRow)
    cells = average_over_points(rows)
    figure = draw_heatmap(
        {point: (cell.mean, cell.uncertainty) for point, cell in cells.items()},
        given.title or rows[0].method,
        len({row.seed for row in rows}),
        given.label,
    )
    write_figure("plot_heatmap", figure, given, {"label": given.label, "title": given.title}, [given.auc])


if __name__ == "__main__":
    execute(main)
