"""Draw what systematic variations change of the AUC of each method, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.variations import VariationRow, mean_shifts
from oddjet.io.csv import read_rows
from oddjet.plotting.variations import draw_variations
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, jets_in_words, write_figure
from oddjet.titles import default_title, read_titles, titles_argument

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
    shifts = {
        titles(name): {default_title(one): shift for one, shift in mean_shifts(rows, name, "auc_shift").items()}
        for name in methods
    }
    figure = draw_variations(shifts, given.label)
    jets = jets_in_words({"": [row.n_background for row in rows]}, {row.signal: row.n_signal for row in rows})
    settings = {"label": given.label, "titles": titles.given}
    note = f"{jets} Mean of the seeds; shaded: envelope of all variations."
    write_figure("plot_variations", figure, given.output, settings, [given.table], note)


if __name__ == "__main__":
    execute(main)
