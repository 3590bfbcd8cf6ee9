"""Draw what systematic variations change of the AUC of each method, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.variations import VariationRow, mean_shifts
from oddjet.io.csv import read_rows
from oddjet.plotting.variations import draw_variations
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, write_figure
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/plot_variations.py --table results/jets/variations.csv \\
      --output variations.pdf variations.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--table", type=Path, required=True, help="table of compare_variations (CSV)")
    titles_argument(arguments)
    figure_arguments(arguments)
    given = arguments.parse_args()
    titles, rows = read_titles(given), read_rows(given.table, VariationRow)
    methods = dict.fromkeys(row.method for row in rows)
    figure = draw_variations({titles(name): mean_shifts(rows, name, "auc_shift") for name in methods}, given.label)
    write_figure("plot_variations", figure, given.output, {"label": given.label, "titles": titles.given}, [given.table])


if __name__ == "__main__":
    execute(main)
