"""The summary of all figures of merit: method by figure, averaged over the grid."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from oddjet.evaluation.figures_of_merit import BACKGROUND, GRID, MeritRow
from oddjet.evaluation.summary import SeedAverage, average, label, legend, markdown

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

EXPLANATION = """\
Means over the grid and over seeds. The uncertainty is the error of the test jets (bootstrap of events over the whole
grid, mean over seeds; correlation: of independent quantities) and the standard deviation of the seeds' grid means, in
quadrature. SI is eps_s / sqrt(eps_b), its largest value over cuts that keep a fifth of the signal and ten background
jets; F1 is for equal amounts of signal and background: 2/3 says nothing. "pT planed": background reweighted to the
signal's pT spectrum, so that pT cannot pose as a discovery. The correlation (Spearman) of score and jet mass is
measured on background: a large one sculpts the mass spectrum. A dash stands where a grid point has no value or no
error, because it rests on too few background jets or its scores do not vary.
"""


def write_merit_summary(rows: Sequence[MeritRow], approximate: Sequence[str] = ()) -> str:
    """Write all figures of merit as Markdown: one row a method, one column a figure.

    Parameters
    ----------
    rows : sequence of MeritRow
        All methods, seeds, signals and figures.
    approximate : sequence of str
        Methods whose loss is approximate transport; they are labelled so.
    """
    present = [merit for merit in TITLES if any(row.merit == merit for row in rows)]
    table = [["method", "seeds", *(TITLES[merit] for merit in present)]]
    for method in dict.fromkeys(row.method for row in rows):
        own = [row for row in rows if row.method == method]
        cells = [merit_cell([row for row in own if row.merit == merit]) for merit in present]
        table.append([label(method, approximate), str(len({row.seed for row in own})), *cells])
    title = "# Figures of merit, means over the grid"
    return "\n".join([title, "", *markdown(table), "", EXPLANATION, *legend(approximate)])


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
    text = f"{found.mean:.{digits}f} ± {found.uncertainty:.{digits}f}"
    reached = [row.where for row in own if not math.isnan(row.where)]
    return f"{text} ({statistics.fmean(reached):.2f})" if own[0].merit.startswith("largest") else text
