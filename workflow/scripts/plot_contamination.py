"""Draw the AUC of each method against the share of signal in its training, as PDF and PNG."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.evaluation.contamination import ContaminationRow, scan_averages
from oddjet.io.atomic import atomic_path
from oddjet.io.csv import read_rows
from oddjet.io.origin import write_origin
from oddjet.plotting.contamination import draw_contamination
from oddjet.plotting.style import save_figure
from oddjet.program import execute, parser

EXAMPLE = """python workflow/scripts/plot_contamination.py --table results/jets/contamination.csv \\
      --output-pdf contamination.pdf --output-png contamination.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--table", type=Path, required=True, help="table of summarize_contamination (CSV)")
    arguments.add_argument("--label", default="Simulation", help="words above the left corner (default: %(default)s)")
    arguments.add_argument("--output-pdf", type=Path, required=True, help="figure to write")
    arguments.add_argument("--output-png", type=Path, required=True, help="the same figure to write")
    given = arguments.parse_args()
    averages = scan_averages(read_rows(given.table, ContaminationRow))
    scan = {
        method: {fraction: (average.mean, average.uncertainty) for fraction, average in found.items()}
        for method, found in averages.items()
    }
    figure = draw_contamination(scan, given.label)
    outputs = [given.output_pdf, given.output_png]
    for output in outputs:
        with atomic_path(output) as path:
            save_figure(figure, path)
    write_origin("plot_contamination", json.dumps({"label": given.label}), [given.table], outputs)


if __name__ == "__main__":
    execute(main)
