"""Draw the paper's figures 1 and 2: ROC and SI curves of the scores by optimal transport, for every signal."""

from __future__ import annotations

from pathlib import Path

from oddjet.events.figures import CURVES, curve_panels, sets_in_words
from oddjet.events.merit_tables import CurvePoint, SetMerit, summarise
from oddjet.io.csv import read_rows
from oddjet.plotting.events import draw_curves
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, write_figure
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/plot_event_curves.py --curves curves.csv --merit merit.csv --kind roc \\
      --output roc.pdf roc.png"""
QUANTITIES = {"roc": r"background rejection $1 - \epsilon_b$", "si": r"SI $= \epsilon_s / \sqrt{\epsilon_b}$"}


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--curves", type=Path, required=True, help="curves of all scores (CSV)")
    arguments.add_argument("--merit", type=Path, required=True, help="figures of merit by test set (CSV)")
    arguments.add_argument("--kind", choices=sorted(QUANTITIES), required=True, help="figure 1 (roc) or 2 (si)")
    arguments.add_argument("--methods", nargs="+", default=list(CURVES), help="scores (default: the paper's)")
    figure_arguments(arguments)
    titles_argument(arguments)
    given = arguments.parse_args()
    titles = read_titles(given)
    merits = read_rows(given.merit, SetMerit)
    summaries = summarise(merits)
    panels = curve_panels(read_rows(given.curves, CurvePoint), summaries, given.methods, given.kind, titles)
    figure = draw_curves(panels, given.label, QUANTITIES[given.kind], given.kind)
    write_figure(
        "plot_event_curves",
        figure,
        given.output,
        {"kind": given.kind, "methods": given.methods, "titles": titles.given, "label": given.label},
        [given.curves, given.merit],
        f"{sets_in_words(merits)} Bands: standard deviation over the sets.",
    )


if __name__ == "__main__":
    execute(main)
