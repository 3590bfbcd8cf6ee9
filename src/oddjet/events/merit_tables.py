"""Figures of merit by test set, and their means: the rows that pages and figures are made from."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# The first sample of a score table.
BACKGROUND = "background"


@dataclass(frozen=True)
class SetMerit:
    """One figure of merit of one test set (or fold); `where` is the signal efficiency, NaN where there is none.

    `n_background` is the number of background events in the set.
    """

    method: str
    seed: int
    signal: str
    set: int
    merit: str
    value: float
    where: float
    n_background: int


@dataclass(frozen=True)
class CurvePoint:
    """Mean and standard deviation over test sets at one signal efficiency: of 1 - eps_b, and of SI (NaN below 0.2)."""

    method: str
    signal: str
    signal_efficiency: float
    rejected: float
    rejected_sd: float
    improvement: float
    improvement_sd: float


@dataclass(frozen=True)
class Latency:
    """What a score costs on one core: time in microseconds an event, memory in bytes that must be kept."""

    method: str
    microseconds: float
    bytes: int
    what: str


class Summary(NamedTuple):
    """Mean and standard deviation over test sets; mean of `where`; error by the counted background alone, or NaN."""

    mean: float
    sd: float
    where: float
    counting: float


def summarise(rows: Iterable[SetMerit]) -> dict[tuple[str, str, str], Summary]:
    """Average over test sets: by (method, signal, merit). Seeds are averaged first, within a set.

    The counting error is that of all sets together: of eps_b at eps_s = 0.3 binomial, carried over to 1/eps_b and SI.
    """
    grouped: dict[tuple[str, str, str], dict[int, list[SetMerit]]] = {}
    for row in rows:
        grouped.setdefault((row.method, row.signal, row.merit), {}).setdefault(row.set, []).append(row)
    found = {}
    for key, by_set in grouped.items():
        values = [statistics.fmean(row.value for row in same) for same in by_set.values()]
        wheres = [row.where for same in by_set.values() for row in same]
        found[key] = Summary(*mean_and_sd(values), statistics.fmean(wheres), math.nan)
    for (method, signal, merit), summary in found.items():
        relative = _relative_counting_error(grouped.get((method, signal, "background_efficiency"), {}))
        power = {"rejection": 1.0, "improvement": 0.5, "background_efficiency": 1.0}.get(merit, math.nan)
        found[method, signal, merit] = summary._replace(counting=summary.mean * power * relative)
    return found


def _relative_counting_error(by_set: Mapping[int, Sequence[SetMerit]]) -> float:
    """Binomial error of eps_b over eps_b, of all sets together."""
    rows = [same[0] for same in by_set.values()]
    total = sum(row.n_background for row in rows)
    share = statistics.fmean(row.value for row in rows) if rows else 0.0
    return math.sqrt((1.0 - share) / (share * total)) if share > 0 else math.nan


def mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation; NaN for one of a single value, and for both of values that are not finite.

    Where one is infinite, so is the mean.
    """
    if not all(math.isfinite(value) for value in values):
        return (math.inf if math.inf in values else math.nan), math.nan
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else math.nan
