"""Draw the AUC of each training against each background for one signal, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.matrix import MatrixRow
from oddjet.io.csv import read_rows
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, write_figure
from oddjet.report.matrix_figure import matrix_figure
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/plot_matrix.py --table results/matrix/matrix.csv \\
      --output matrix.pdf matrix.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--table", type=Path, required=True, help="table of tabulate_matrix (CSV)")
    arguments.add_argument("--signal", help="signal of the figure (default: the first)")
    titles_argument(arguments, methods=False, samples=True, axes=True)
    figure_arguments(arguments)
    given = arguments.parse_args()
    titles = read_titles(given)
    figure, note = matrix_figure(read_rows(given.table, MatrixRow), titles, given.label, given.signal)
    settings = {"label": given.label, "signal": given.signal, "samples": titles.samples, **titles.record()}
    write_figure("plot_matrix", figure, given.output, settings, [given.table], note)


if __name__ == "__main__":
    execute(main)
