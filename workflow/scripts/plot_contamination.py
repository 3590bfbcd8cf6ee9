"""Draw the AUC of each method against the share of signal in its training, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

from oddjet.evaluation.backgrounds import label_of, of_training
from oddjet.evaluation.contamination import ContaminationRow, scan_averages
from oddjet.io.csv import read_rows
from oddjet.plotting.contamination import draw_contamination
from oddjet.program import execute, parser
from oddjet.report.figures import errors_in_words, figure_arguments, jets_of_rows, write_figure
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/plot_contamination.py --table results/jets/contamination.csv \\
      --output contamination.pdf contamination.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--table", type=Path, required=True, help="table of summarize_contamination (CSV)")
    titles_argument(arguments)
    figure_arguments(arguments)
    given = arguments.parse_args()
    titles = read_titles(given)
    rows = read_rows(given.table, ContaminationRow)
    own = of_training(rows)
    averages = scan_averages(rows)
    scan = {
        titles(method): {fraction: (average.mean, average.uncertainty) for fraction, average in found.items()}
        for method, found in averages.items()
    }
    figure = draw_contamination(scan, given.label, label_of(own[0].background, titles, several=False))
    settings = {"label": given.label, "titles": titles.given}
    note = f"{jets_of_rows(own, titles)} {errors_in_words(len({row.seed for row in rows}))}"
    write_figure("plot_contamination", figure, given.output, settings, [given.table], note)


if __name__ == "__main__":
    execute(main)
