"""Draw the distance correlation of all pairs of methods and the closure of the chosen one, as PDF and PNG."""

from __future__ import annotations

from pathlib import Path

from oddjet.axes import HeatmapSettings
from oddjet.evaluation.abcd import ClosureRow, PairRow
from oddjet.evaluation.curves import shown_signals
from oddjet.io.csv import read_rows
from oddjet.plotting.abcd import Closure, draw_abcd
from oddjet.program import execute, parser
from oddjet.report.figures import figure_arguments, write_figure
from oddjet.titles import read_titles, titles_argument

EXAMPLE = """python workflow/scripts/plot_abcd.py --pairs results/jets/abcd/pairs.csv \\
      --closure results/jets/abcd/closure.csv --output abcd.pdf abcd.png"""


def main() -> None:
    arguments = parser(__doc__ or "", EXAMPLE)
    arguments.add_argument("--pairs", type=Path, required=True, help="distance correlations of estimate_abcd (CSV)")
    arguments.add_argument("--closure", type=Path, required=True, help="closure of estimate_abcd (CSV)")
    titles_argument(arguments)
    figure_arguments(arguments)
    given = arguments.parse_args()
    titles = read_titles(given)
    pairs, rows = read_rows(given.pairs, PairRow), read_rows(given.closure, ClosureRow)
    correlations = {(titles(row.first), titles(row.second)): row.distance_correlation for row in pairs}
    shown = shown_signals({row.signal: row.point for row in rows}, HeatmapSettings(), titles)
    one = [row for row in rows if row.signal == rows[0].signal]
    alone = Closure(*zip(*((row.efficiency, row.closure, row.closure_error) for row in one), strict=True))
    signals = {}
    for name, words in shown.items():
        own = ((r.efficiency, r.closure_with_signal, r.closure_with_signal_error) for r in rows if r.signal == name)
        signals[f"S = B in A, {words}"] = Closure(*zip(*own, strict=True))
    chosen = f"{titles(pairs[0].first)} and {titles(pairs[0].second)}"
    figure = draw_abcd(correlations, pairs[0].shuffled, alone, signals, given.label, chosen)
    jets = f"{pairs[0].jets} validation jets. Closure: {rows[0].n_background} test jets"
    note = f"Background. Distance correlation: {jets}, statistical error."
    settings = {"label": given.label, "titles": titles.given}
    write_figure("plot_abcd", figure, given.output, settings, [given.pairs, given.closure], note)


if __name__ == "__main__":
    execute(main)
