"""Draw one of the paper's figures that show no data: 1 (blindness), 6 (mode collapse), 8 (how a WNAE is trained)."""

from __future__ import annotations

from oddjet.plotting.sketches import draw_sketch
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, write_figure

EXAMPLE = "python workflow/scripts/plot_sketch.py --figure 8 --output 8.pdf 8.png"


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--figure", required=True, help="number in the analysis summary: 1, 6 or 8")
    figure_arguments(arguments, label=False)
    given = arguments.parse_args()
    figure = draw_sketch(given.figure)
    write_figure("plot_sketch", figure, given.output, {"figure": given.figure}, [])


if __name__ == "__main__":
    execute(main)
