"""Draw the AUC of one method over the signal grid, as PDF and PNG."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.evaluation.merit import AucRow
from oddjet.evaluation.summary import average_over_points
from oddjet.io.atomic import atomic_path
from oddjet.io.csv import read_rows
from oddjet.io.origin import write_origin
from oddjet.plotting.heatmap import draw_heatmap
from oddjet.plotting.style import save_figure
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/plot_heatmap.py --auc results/jets/auc/wnae.csv \\
      --output-pdf heatmap.pdf --output-png heatmap.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--auc", type=Path, required=True, help="AUC table of one method (CSV)")
    arguments.add_argument("--title", help="words before the seeds above the right corner (default: the method)")
    arguments.add_argument("--label", default="Simulation", help="words above the left corner (default: %(default)s)")
    arguments.add_argument("--output-pdf", type=Path, required=True, help="figure to write")
    arguments.add_argument("--output-png", type=Path, required=True, help="the same figure to write")
    given = arguments.parse_args()
    rows = read_rows(given.auc, AucRow)
    cells = average_over_points(rows)
    figure = draw_heatmap(
        {point: (cell.mean, cell.uncertainty) for point, cell in cells.items()},
        given.title or rows[0].method,
        len({row.seed for row in rows}),
        given.label,
    )
    for output in (given.output_pdf, given.output_png):
        with atomic_path(output) as path:
            save_figure(figure, path)
    settings = json.dumps({"label": given.label, "title": given.title})
    write_origin("plot_heatmap", settings, [given.auc], [given.output_pdf, given.output_png])


if __name__ == "__main__":
    execute(main)
