"""Means over the grid: each method with the error of the jets and the spread of its seeds, and against a baseline.

The error of a mean AUC is that of a bootstrap of events over the whole grid (`oddjet.evaluation.bootstrap`). The
difference of two methods has an error of its own from the same replicas, for they score the same jets.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oddjet.arrays import Floats
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.backgrounds import TOGETHER, by_background, single
from oddjet.evaluation.bootstrap import standard_error
from oddjet.evaluation.summary import SeedAverage, average
from oddjet.report.markdown import with_errors

# In place of a name: the run has no baseline.
NO_BASELINE = "none"


@dataclass(frozen=True)
class GridRow:
    """The mean AUC of one method over the grid and its seeds against a background, and its difference from a baseline.

    `error` is that of the test jets (bootstrap of events over the whole grid), `spread` the standard deviation over
    seeds. `reference` is the baseline, and `difference_error` the error of the test jets from the same replicas.
    """

    method: str
    seeds: int
    auc: float
    error: float
    spread: float
    reference: str
    difference: float
    difference_error: float
    background: str = TOGETHER


def grid_rows(
    rows: Sequence[AucRow], replicas: Mapping[str, Mapping[str, Floats]], baselines: Sequence[str] = ()
) -> list[GridRow]:
    """Average every method over the grid and its seeds, and set it against the best baseline, for each background.

    Parameters
    ----------
    rows : sequence of AucRow
        All methods, seeds and signals.
    replicas : mapping of str to mapping of str to ndarray of float64, shape (R,)
        Of each background and method's mean, from `oddjet.evaluation.bootstrap.grid_replicas`.
    baselines : sequence of str
        Methods among which the one with the highest mean is the reference. It is the highest on these jets: the best of
        several baselines is too high by a little, and a difference to it too low.

    Returns
    -------
    list of GridRow
        In the order of the backgrounds, that of the training first, and of the methods; NaN where a seed has no AUC,
        and as the difference of the reference itself.

    Raises
    ------
    EvaluationError
        If a method has no replicas.
    """
    return [
        row
        for background, own in by_background(rows).items()
        for row in _against(background, own, replicas.get(background, {}), baselines)
    ]


def _against(
    background: str, rows: Sequence[AucRow], replicas: Mapping[str, Floats], baselines: Sequence[str]
) -> list[GridRow]:
    """Average the rows of one background."""
    means: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        means[row.method][row.seed].append(row.auc)
    averages: dict[str, SeedAverage] = {}
    for method, by_seed in means.items():
        if method not in replicas:
            raise EvaluationError(
                f"method {method} has AUCs against {background} and no score table; give those of all methods"
            )
        values = [statistics.fmean(aucs) for aucs in by_seed.values()]
        averages[method] = average(values, [standard_error(replicas[method])] * len(values))
    known = [name for name in baselines if name in averages and not math.isnan(averages[name].mean)]
    best = max(known, key=lambda name: averages[name].mean, default="")
    found = []
    for method, one in averages.items():
        difference, error = math.nan, math.nan
        if best and method != best and not math.isnan(one.mean):
            difference = one.mean - averages[best].mean
            error = standard_error(replicas[method] - replicas[best])
        numbers = one.seeds, one.mean, one.statistical, one.spread
        found.append(GridRow(method, *numbers, best or NO_BASELINE, difference, error, background))
    return found


def as_averages(rows: Sequence[GridRow]) -> dict[str, dict[str, SeedAverage]]:
    """Return mean, error of the jets and spread of the seeds by background and method."""
    return {
        background: {row.method: SeedAverage(row.auc, row.error, row.spread, row.seeds) for row in own}
        for background, own in by_background(rows).items()
    }


def worst_background(rows: Sequence[GridRow], method: str) -> GridRow | None:
    """Return the row with the lowest mean AUC of a method against a single sample; None if one has no AUC."""
    own = {row.background: row for row in rows if row.method == method}
    found = [own[name] for name in single(own)]
    if not found or any(math.isnan(row.auc) for row in found):
        return None
    return min(found, key=lambda row: row.auc)


def difference(row: GridRow) -> str:
    """Write the difference from the reference with its paired error: a dash for itself, nothing where there is none."""
    if row.reference == NO_BASELINE:
        return ""
    return with_errors(row.difference, row.difference_error, form="+.3f")
