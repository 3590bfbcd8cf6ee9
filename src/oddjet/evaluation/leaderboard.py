"""One entry a method for the leaderboard figure."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.evaluation.grid import GridRow, as_averages, difference
from oddjet.evaluation.merit import AucRow
from oddjet.evaluation.merit_summary import average_merit
from oddjet.evaluation.summary import average_over_grid, average_over_seeds, check_same_jets


class LeaderboardEntry(NamedTuple):
    """What the figure shows of a method.

    Its mean over the grid and uncertainty (jets and seeds), its AUC by r_inv (mean over masses), its planed mean over
    the grid if known, and its difference from the reference with the paired error, in words.
    """

    method: str
    mean: float
    uncertainty: float
    by_fraction: dict[float, float]
    planed: tuple[float, float] | None
    difference: str


def leaderboard_entries(
    rows: Sequence[AucRow], merits: Sequence[MeritRow], grid: Sequence[GridRow] = ()
) -> list[LeaderboardEntry]:
    """Average the tables of all methods.

    Parameters
    ----------
    rows : sequence of AucRow
        All methods, seeds and signals.
    merits : sequence of MeritRow
        Figures of merit; those named `auc_planed` are used. May be empty.
    grid : sequence of GridRow
        Means over the grid of the same methods; of one that is not among them there are AUCs alone (the supervised
        ceilings), and the error is an upper bound.

    Raises
    ------
    EvaluationError
        If the methods were scored on different jets, or rows are missing or come twice.
    """
    check_same_jets(rows)
    fractions = {row.signal: row.r_inv for row in rows if not math.isnan(row.r_inv)}
    cells, means = average_over_seeds(rows), {**average_over_grid(rows), **as_averages(grid)}
    differences = {row.method: difference(row) for row in grid}
    entries = []
    for method, averages in cells.items():
        values: dict[float, list[float]] = defaultdict(list)
        for signal, average in averages.items():
            if signal in fractions:
                values[fractions[signal]].append(average.mean)
        by_fraction = {r_inv: statistics.fmean(values[r_inv]) for r_inv in sorted(values)}
        own = [row for row in merits if row.method == method and row.merit == "auc_planed"]
        planed = average_merit(own) if own else None
        entries.append(
            LeaderboardEntry(
                method,
                means[method].mean,
                means[method].uncertainty,
                by_fraction,
                None if planed is None else (planed.mean, planed.uncertainty),
                differences.get(method, ""),
            )
        )
    return entries
