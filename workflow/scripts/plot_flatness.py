"""Draw the background efficiency of a cut by mass and pT, with one threshold and with one a pT bin, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.curves import CUT
from oddjet.evaluation.flatness import FlatnessRow
from oddjet.io.csv import read_rows
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, jets_in_words, write_figure
from oddjet.report.flatness_figure import flatness_figure
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/plot_flatness.py --flatness results/jets/flatness.csv \\
      --output flatness.pdf flatness.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--flatness", type=Path, required=True, help="table of measure_flatness (CSV)")
    titles_argument(arguments)
    figure_arguments(arguments)
    given = arguments.parse_args()
    titles = read_titles(given)
    rows = read_rows(given.flatness, FlatnessRow)
    figure = flatness_figure(rows, CUT, titles, given.label)
    note = jets_in_words({"": [row.n_background for row in rows]}, {}) + " Bands: statistical error, mean of the seeds."
    settings = {"label": given.label, "titles": titles.given}
    write_figure("plot_flatness", figure, given.output, settings, [given.flatness], note)


if __name__ == "__main__":
    execute(main)
