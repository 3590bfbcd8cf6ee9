"""One entry a method for the leaderboard figure."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from oddjet.evaluation.merit_summary import average_merit
from oddjet.evaluation.summary import average_over_grid, average_over_seeds, check_same_jets
from oddjet.evaluation.tables import AucRow, MeritRow


class LeaderboardEntry(NamedTuple):
    """A method's grid mean and uncertainty, its AUC by r_inv (mean over masses), and its planed grid mean if known."""

    method: str
    mean: float
    uncertainty: float
    by_fraction: dict[float, float]
    planed: tuple[float, float] | None


def leaderboard_entries(rows: Sequence[AucRow], merits: Sequence[MeritRow]) -> list[LeaderboardEntry]:
    """Average the tables of all methods.

    Parameters
    ----------
    rows : sequence of AucRow
        All methods, seeds and signals.
    merits : sequence of MeritRow
        Figures of merit; those named `auc_planed` are used. May be empty.

    Raises
    ------
    SummaryError
        If the methods were scored on different jets, or rows are missing or come twice.
    """
    check_same_jets(rows)
    fractions = {row.signal: row.r_inv for row in rows if not math.isnan(row.r_inv)}
    cells, grid = average_over_seeds(rows), average_over_grid(rows)
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
                grid[method].mean,
                grid[method].uncertainty,
                by_fraction,
                None if planed is None else (planed.mean, planed.uncertainty),
            )
        )
    return entries
