"""Draw one of the paper's figures that show no data: 1 (blindness), 6 (mode collapse), 8 (how a WNAE is trained)."""

from __future__ import annotations

import json
from pathlib import Path

from oddjet.io.atomic import atomic_path
from oddjet.io.origin import write_origin
from oddjet.plotting.sketches import draw_sketch
from oddjet.plotting.style import save_figure
from oddjet.program import execute, parser

EXAMPLE = "python workflow/scripts/plot_sketch.py --figure 8 --output-pdf 8.pdf --output-png 8.png"


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--figure", required=True, help="number in the analysis summary: 1, 6 or 8")
    arguments.add_argument("--output-pdf", type=Path, required=True, help="figure to write")
    arguments.add_argument("--output-png", type=Path, required=True, help="the same figure to write")
    given = arguments.parse_args()
    figure = draw_sketch(given.figure)
    for output in (given.output_pdf, given.output_png):
        with atomic_path(output) as path:
            save_figure(figure, path)
    write_origin("plot_sketch", json.dumps({"figure": given.figure}), [], [given.output_pdf, given.output_png])


if __name__ == "__main__":
    execute(main)
