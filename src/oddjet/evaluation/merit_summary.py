"""The summary of all figures of merit: method by figure, averaged over the grid."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from oddjet.evaluation.backgrounds import TOGETHER
from oddjet.evaluation.figures_of_merit import BACKGROUND, GRID, PLANED, MeritRow
from oddjet.evaluation.summary import SeedAverage, average
from oddjet.report.markdown import markdown_table, with_errors
from oddjet.titles import Titles

TITLES = {
    "auc": "AUC",
    "auc_planed": "AUC, pT planed",
    "rejection_at_0.3": "1/eps_b at eps_s 0.3",
    "rejection_at_0.5": "1/eps_b at eps_s 0.5",
    "improvement_at_0.3": "SI at eps_s 0.3",
    "largest_improvement": "largest SI (at eps_s)",
    "largest_f1": "largest F1 (at eps_s)",
    "signal_efficiency_at_0.01": "eps_s at eps_b 0.01",
    "score_mass_correlation": "correlation of score and mass",
}

# Behind which the planed AUCs of other columns stand.
PLANED_IN_PT = "auc_planed"

EXPLANATION = """\
Means over the grid and over seeds. The uncertainty is the error of the test jets (bootstrap of events over the whole
grid, mean over seeds; correlation: of independent quantities) and the standard deviation of the seeds' grid means, in
quadrature. SI is eps_s / sqrt(eps_b), its largest value over cuts that keep a fifth of the signal and ten background
jets; F1 is for equal amounts of signal and background: 2/3 says nothing. "pT planed": background reweighted to the
signal's pT spectrum, so that pT cannot pose as a discovery (so with the other columns of merit.planed). The correlation
(Spearman) of score and jet mass is measured on background: a large one sculpts the mass spectrum. A dash stands where
a grid point has no value or no error, because it rests on too few background jets or its scores do not vary.
"""


def write_merit_summary(rows: Sequence[MeritRow], titles: Titles | None = None) -> str:
    """Write all figures of merit as Markdown: one row a method, one column a figure.

    Parameters
    ----------
    rows : sequence of MeritRow
        All methods, seeds, signals and figures.
    titles : Titles
        Of the methods; those whose loss is approximate transport are labelled so.
    """
    titles = titles or Titles()
    present = shown_merits(rows)
    table = [["method", "seeds", *present.values()]]
    for method in dict.fromkeys(row.method for row in rows):
        own = [row for row in rows if row.method == method]
        cells = [merit_cell([row for row in own if row.merit == merit]) for merit in present]
        table.append([titles.in_table(method), str(len({row.seed for row in own})), *cells])
    (background,) = {row.background for row in rows}
    title = "# Figures of merit, means over the grid" + ("" if background == TOGETHER else f", against {background}")
    return "\n".join([title, "", *markdown_table(table), "", EXPLANATION, *titles.notes()])


def shown_merits(rows: Sequence[MeritRow]) -> dict[str, str]:
    """Return the figures that rows have, in the order of tables, and their titles."""
    found = {row.merit for row in rows}
    planed = {merit: f"AUC, {merit.removeprefix(PLANED)} planed" for merit in sorted(found) if merit.startswith(PLANED)}
    shown: dict[str, str] = {}
    for merit, title in TITLES.items():
        shown |= {merit: title} if merit in found else {}
        shown |= planed if merit == PLANED_IN_PT else {}
    return shown


def average_merit(rows: Sequence[MeritRow]) -> SeedAverage:
    """Average one figure of one method over seeds, of its means over the grid; NaN if a value is missing."""
    own = over_grid(rows)
    return average([row.value for row in own], [row.error for row in own])


def over_grid(rows: Sequence[MeritRow]) -> list[MeritRow]:
    """Keep what holds for all signals: means over the grid, and figures of the background alone."""
    return [row for row in rows if row.signal in (GRID, BACKGROUND)]


def merit_cell(rows: Sequence[MeritRow]) -> str:
    """Write one figure of one method: mean ± uncertainty, with the mean signal efficiency if it is a largest value."""
    own = over_grid(rows)
    if not own or not all(math.isfinite(row.value) and math.isfinite(row.error) for row in own):
        return "-"
    found = average_merit(own)
    # Two significant digits of the uncertainty, but never more than three behind the point.
    digits = min(3, max(0, 1 - math.floor(math.log10(found.uncertainty)))) if found.uncertainty > 0 else 3
    text = with_errors(found.mean, found.uncertainty, form=f".{digits}f")
    reached = [row.where for row in own if not math.isnan(row.where)]
    return f"{text} ({statistics.fmean(reached):.2f})" if own[0].merit.startswith("largest") else text
