"""Draw the AUC of the scores of whole events against what they cost on one core."""

from __future__ import annotations

from pathlib import Path

from oddjet.events.figures import costs, sets_in_words
from oddjet.events.merit_tables import Latency, SetMerit, summarise
from oddjet.io.csv import read_rows
from oddjet.plotting.events import draw_costs
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, write_figure
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/plot_event_latency.py --latency latency.csv --merit merit.csv \\
      --output latency.pdf latency.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--latency", type=Path, required=True, help="costs of the scores (CSV)")
    arguments.add_argument("--merit", type=Path, required=True, help="figures of merit by test set (CSV)")
    figure_arguments(arguments)
    titles_argument(arguments)
    given = arguments.parse_args()
    titles = read_titles(given)
    merits = read_rows(given.merit, SetMerit)
    shown = costs(read_rows(given.latency, Latency), summarise(merits), titles)
    figure = draw_costs(shown, given.label)
    write_figure(
        "plot_event_latency",
        figure,
        given.output,
        {"label": given.label, "titles": titles.given},
        [given.latency, given.merit],
        f"{sets_in_words(merits)} Bars: standard deviation over the sets, mean over the signals.",
    )


if __name__ == "__main__":
    execute(main)
