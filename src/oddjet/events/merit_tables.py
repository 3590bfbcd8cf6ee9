"""Figures of merit by test set, and their means: the rows that pages and figures are made from."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from oddjet.arrays import Floats
from oddjet.errors import EventError
from oddjet.events.scores import BACKGROUND, EventScoreTable
from oddjet.events.settings import SetsSettings

Merits = Callable[[Floats, Floats], Mapping[str, tuple[float, float]]]
# Significance improvement wanders where little signal is left.
SMALLEST_EFFICIENCY = 0.2


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


def test_sets(table: EventScoreTable, sets: SetsSettings) -> Iterator[tuple[str, int, Floats, Floats]]:
    """Give signal, number of the test set, background scores and signal scores (n, seeds) of every test set.

    Raises
    ------
    EventError
        If a sample has fewer events than the sets take.
    """
    background = table.of(BACKGROUND)
    for name in table.samples[1:]:
        signal = table.of(name)
        for sample, scores in ((BACKGROUND, background), (name, signal)):
            if len(scores) < sets.total:
                raise EventError(
                    f"{table.method}: {len(scores)} scored events of {sample}, {sets.number} sets of {sets.events} "
                    f"need {sets.total}; make more events, or lower events.protocol.sets"
                )
        for number in range(sets.number):
            rows = slice(number * sets.events, (number + 1) * sets.events)
            yield name, number, background[rows], signal[rows]


def set_merits(table: EventScoreTable, sets: SetsSettings, merits: Merits) -> list[SetMerit]:
    """Compute the figures of merit of every test set and seed."""
    return [
        SetMerit(table.method, seed, signal, number, merit, value, where, len(background))
        for signal, number, background, others in test_sets(table, sets)
        for column, seed in enumerate(table.seeds)
        for merit, (value, where) in merits(background[:, column], others[:, column]).items()
    ]


def curve_points(
    table: EventScoreTable, sets: SetsSettings, curve: Callable[[Floats, Floats, Floats], Floats], efficiencies: Floats
) -> list[CurvePoint]:
    """Average ROC and SI curves over test sets and seeds; the standard deviation is that of the sets' seed means."""
    points = []
    found: dict[str, list[Floats]] = {}
    for signal, _, background, others in test_sets(table, sets):
        seeds = range(len(table.seeds))
        found.setdefault(signal, []).append(
            np.stack([curve(background[:, column], others[:, column], efficiencies) for column in seeds])
        )
    for signal, curves in found.items():
        background_efficiencies = np.stack(curves)
        with np.errstate(divide="ignore"):
            improvements = efficiencies / np.sqrt(background_efficiencies)
        for k, efficiency in enumerate(efficiencies):
            rejected = 1.0 - background_efficiencies[:, :, k].mean(1)
            improvement = improvements[:, :, k].mean(1)
            useful = efficiency >= SMALLEST_EFFICIENCY and np.isfinite(improvement).all()
            points.append(
                CurvePoint(
                    table.method,
                    signal,
                    float(efficiency),
                    *_mean_and_sd(rejected.tolist()),
                    *(_mean_and_sd(improvement.tolist()) if useful else (math.nan, math.nan)),
                )
            )
    return points


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
        found[key] = Summary(*_mean_and_sd(values), statistics.fmean(wheres), math.nan)
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


def _mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    if not all(math.isfinite(value) for value in values):
        return (math.inf if math.inf in values else math.nan), math.nan
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else math.nan
