"""Draw the expected limits of all methods along the axes of the signals, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from oddjet.evaluation.limits import LimitRow, limits_along
from oddjet.io.csv import read_rows
from oddjet.plotting.limits import draw_limits
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, span, write_figure
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/plot_limits.py --limits results/jets/limits/*/limits.csv \\
      --output limits.pdf limits.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--limits", nargs="+", type=Path, required=True, help="limits of all methods (CSV)")
    arguments.add_argument(
        "--luminosity", type=float, default=138.0, help="1/fb, for the heading (default: %(default)s)"
    )
    titles_argument(arguments, samples=True, axes=True)
    figure_arguments(arguments)
    given = arguments.parse_args()
    titles = read_titles(given)
    rows = read_rows(given.limits, LimitRow)
    found, events = limits_along(rows, titles.heatmap, titles), [row.background for row in rows]

    def mean(method: str) -> float:
        medians = [one[2] for places in found.methods[method].values() for one in places.values()]
        return float(np.nanmean(np.log(medians)))

    best = {titles(method): found.methods[method] for method in sorted(found.methods, key=mean)}
    figure = draw_limits(best, found.axis, given.label, f"{given.luminosity:g} fb$^{{-1}}$", found.names)
    settings = {"label": given.label, "titles": titles.given, "luminosity": given.luminosity}
    settings |= {"samples": titles.samples, "heatmap": given.heatmap}
    note = (
        f"Expected background above one cut on the score: {span(map(round, events))} events. Medians of "
        "asymptotic CLs limits, geometric means of the seeds."
    )
    write_figure("plot_limits", figure, given.output, settings, given.limits, note)


if __name__ == "__main__":
    execute(main)
