"""Bootstrap of the test jets: how much a mean over the grid, and the difference of two methods, would vary with others.

A replica gives every event a weight from Poisson(1). All signals of a replica have the same background, and all methods
the same replicas, so the errors hold what AUCs share: the background within a grid, all jets in a difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import SampleScores
from oddjet.evaluation.score_table import open_scores
from oddjet.evaluation.settings import MeritSettings

# Within a sample: the numbers of an event may be those of another one, its place in a file is not.
EVENT = ("source", "entry")
# 1.6 MB for 200 replicas.
EVENTS_AT_A_TIME = 1000


def event_numbers(jets: NDArray[np.void]) -> NDArray[np.intp]:
    """Return which event of its sample each jet is of, shape (n,), counted from 0."""
    return np.asarray(np.unique(jets[list(EVENT)], return_inverse=True)[1])


class Replicas:
    """Poisson weights of the events of several samples.

    Parameters
    ----------
    samples : sequence of structured ndarray
        Jets of the background and of each signal, with the columns `EVENT`. Jets of an event get the same weights.
    settings : MeritSettings
        Number of replicas and the seed of the random numbers: the same jets always get the same weights.
    """

    def __init__(self, samples: Sequence[NDArray[np.void]], settings: MeritSettings) -> None:
        self.size = settings.replicas
        generator = np.random.default_rng(settings.seed)
        self._events = [event_numbers(jets) for jets in samples]
        self._drawn = [_poisson(generator, int(events.max(initial=-1)) + 1, self.size) for events in self._events]

    def each(self, sample: int, order: NDArray[np.intp] | None = None) -> Iterator[Floats]:
        """Give the weights of a sample's jets, or of those in `order`, in one replica after the other: shape (n,)."""
        events = self._events[sample] if order is None else self._events[sample][order]
        for drawn in self._drawn[sample]:
            yield drawn[events].astype(np.float64)


def _poisson(generator: np.random.Generator, events: int, replicas: int) -> NDArray[np.uint8]:
    """Draw weights, shape (replicas, events), those of an event one after the other.

    In pieces, and the same as at once: the generator gives eight bytes for each.
    """
    drawn = np.empty((replicas, events), np.uint8)
    for start in range(0, events, EVENTS_AT_A_TIME):
        part = drawn[:, start : start + EVENTS_AT_A_TIME]
        part[:] = generator.poisson(1.0, part.shape[::-1]).T
    return drawn


def standard_error(values: Floats) -> float:
    """Return the standard deviation over replicas; NaN if one of them has no value."""
    return float(np.std(values, ddof=1)) if np.isfinite(values).all() else math.nan


def auc_replicas(samples: Sequence[SampleScores], replicas: Replicas, codes: Sequence[int] | None = None) -> Floats:
    """Compute the AUC of each signal in every replica.

    Parameters
    ----------
    samples : sequence of SampleScores
        Background and signals, jet by jet those of `replicas`.
    replicas : Replicas
    codes : sequence of int, optional
        Which samples of the replicas they are; left out: all, in order.

    Returns
    -------
    ndarray of float64, shape (signals, replicas)
        NaN where the weights of a replica do not add up to something positive.
    """
    codes = range(len(samples)) if codes is None else codes
    background, *signals = samples
    order = np.argsort(background.scores, kind="stable")
    ranked = background.scores[order]
    scores = np.concatenate([signal.scores for signal in signals])
    left, right = (np.searchsorted(ranked, scores, side=side) for side in ("left", "right"))
    starts = np.cumsum([0, *(len(signal.scores) for signal in signals[:-1])])
    own, below = background.weights[order], np.zeros(len(ranked) + 1)
    signal_weights = np.concatenate([signal.weights for signal in signals])
    found = np.empty((len(signals), replicas.size))
    each = (replicas.each(codes[0], order), *map(replicas.each, codes[1:]))
    for replica, (known, *drawn) in enumerate(zip(*each, strict=True)):
        np.cumsum(own * known, out=below[1:])
        weights = signal_weights * np.concatenate(drawn)
        wins = np.add.reduceat(weights * (below[left] + below[right]), starts)
        totals = 2.0 * np.add.reduceat(weights, starts) * below[-1]
        found[:, replica] = np.divide(wins, totals, out=np.full(wins.shape, np.nan), where=totals > 0)
    return found


def grid_replicas(paths: Iterable[Path], settings: MeritSettings) -> dict[str, dict[str, Floats]]:
    """Compute the mean AUC of each method over the grid and its seeds in every replica, against each background.

    Parameters
    ----------
    paths : iterable of Path
        Score tables of all methods and groups of seeds.
    settings : MeritSettings
        See `Replicas`.

    Returns
    -------
    dict of str to dict of str to ndarray of float64, shape (replicas,)
        Background, that of the training first, to method to its means.

    Raises
    ------
    EvaluationError
        If two tables are not about the same jets with the same weights.
        If a sample is empty.
    """
    sums: dict[str, dict[str, Floats]] = {}
    seeds: dict[str, int] = {}
    shared: tuple[Path, list[str], NDArray[np.void], Replicas] | None = None
    for path in paths:
        table = open_scores(path, [*EVENT, "weight"])
        method, signals, backgrounds = table.method, list(table.points), table.backgrounds
        # Backgrounds after the first one come last: their number changes no replica of the others.
        places = [*table.of_samples(), *(one.places(table.rows) for one in backgrounds[1:])]
        names = [backgrounds[0].name, *signals, *(one.name for one in backgrounds[1:])]
        if shared is None:
            shared = path, names, table.rows, Replicas([table.rows[own] for own in places], settings)
        first, known, like, replicas = shared
        if names != known or not np.array_equal(table.rows, like):
            raise EvaluationError(f"{path}: other jets, or other weights, than in {first}; score both again")
        weights = table.rows["weight"]
        for _, scores in table.seeds():
            samples = [SampleScores(name, scores[own], weights[own]) for name, own in zip(names, places, strict=True)]
            for place in (0, *range(len(signals) + 1, len(names))):
                codes = [place, *range(1, len(signals) + 1)]
                means = auc_replicas([samples[code] for code in codes], replicas, codes).mean(axis=0)
                own = sums.setdefault(names[place], {})
                own[method.name] = own.get(method.name, np.zeros(settings.replicas)) + means
        seeds[method.name] = seeds.get(method.name, 0) + len(method.seeds)
    return {
        background: {method: total / seeds[method] for method, total in own.items()} for background, own in sums.items()
    }
