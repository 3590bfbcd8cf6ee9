"""A background estimate from two scores that are nearly independent of each other (ABCD, arXiv:2111.06417).

Cuts on both scores divide the jets into A (above both), B and C (above one), D (above none). If the scores of
background jets are independent, A holds B C / D of them. The pair is the one of all methods with the smallest distance
correlation on validation background; the closure is that of test background, alone and with signal in all regions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.axes import Point
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import SampleScores
from oddjet.evaluation.bootstrap import EVENT, event_numbers
from oddjet.evaluation.curves import MethodScores, read_scores
from oddjet.evaluation.distance_correlation import centered_distances, distance_correlation
from oddjet.evaluation.settings import AbcdSettings
from oddjet.weighted import quantiles, unequal

SEED = 1


@dataclass(frozen=True)
class PairRow:
    """Distance correlation of the scores of two methods on validation background, the smallest first.

    `shuffled` is the same after the second method's scores were dealt out at random: what independent scores of so
    many jets have.
    """

    first: str
    second: str
    distance_correlation: float
    shuffled: float
    jets: int


@dataclass(frozen=True)
class ClosureRow:
    """The estimate of one pair for one signal, with cuts that `efficiency` of the background pass, one on each score.

    `a` to `d` are the weights of test background by region, `estimate` is b c / d. `closure` is the estimate over `a`,
    1 if it is right. `closure_with_signal` is the estimate over the same `a` when there is as much signal in A as
    background: what signal in B, C and D makes of it. `signal_efficiency` is the share of the signal in A,
    `n_background` the number of test jets in all regions.
    """

    first: str
    second: str
    signal: str
    point: Point
    efficiency: float
    n_background: int
    a: float
    b: float
    c: float
    d: float
    estimate: float
    closure: float
    closure_error: float
    signal_efficiency: float
    closure_with_signal: float
    closure_with_signal_error: float


class Regions(NamedTuple):
    """Weights of A, B, C and D, shape (4,), and their covariance, shape (4, 4)."""

    weights: Floats
    covariance: Floats

    @property
    def estimate(self) -> float:
        """Return b c / d; NaN where a region has no weight."""
        b, c, d = self.weights[1:]
        return float(b * c / d) if min(b, c, d) > 0 else math.nan


def pairs_of(validation: Mapping[str, MethodScores], jets: int) -> list[PairRow]:
    """Return the distance correlation of every pair of methods, on background alone, the smallest first.

    A method's score is the mean over its seeds. A cut sees no more of it than the order of the jets, so the correlation
    is that of the shares of background below (ties: half).

    Parameters
    ----------
    validation : mapping of str to MethodScores
        By method, of the same jets in the same order; their background is used alone.
    jets : int
        How many at most, evenly spread over the table.

    Raises
    ------
    EvaluationError
        If there are fewer than two methods, or two hold scores of different jets.
    """
    if len(validation) < 2:
        raise EvaluationError(f"an ABCD estimate needs two methods, not {len(validation)}; add one to the analysis")
    _same_jets(validation, "validation")
    background = next(iter(validation.values())).jets[0]
    chosen = np.unique(np.linspace(0, len(background) - 1, min(jets, len(background))).astype(int))
    weights = background["weight"][chosen].astype(np.float64)
    shares, order = weights / weights.sum(), np.random.default_rng(SEED).permutation(len(chosen))
    centered, shuffled = {}, {}
    for name, one in validation.items():
        sample = SampleScores(name, mean_score(one, 0)[chosen], weights)
        ranks = sample.share_below(sample.scores)
        centered[name], shuffled[name] = centered_distances(ranks, shares), ranks[order]
    rows = []
    for first, second in combinations(validation, 2):
        found = distance_correlation(centered[first], centered[second], shares)
        floor = distance_correlation(centered[first], centered_distances(shuffled[second], shares), shares)
        rows.append(PairRow(first, second, found, floor, len(chosen)))
    return sorted(rows, key=lambda row: math.inf if math.isnan(row.distance_correlation) else row.distance_correlation)


def _same_jets(methods: Mapping[str, MethodScores], what: str) -> None:
    """Refuse methods whose tables hold other jets, or the same in another order."""
    like, *others = ([part[[*EVENT, "pt", "weight"]] for part in one.jets] for one in methods.values())
    for name, jets in zip(list(methods)[1:], others, strict=True):
        if len(jets) != len(like) or not all(map(np.array_equal, jets, like)):
            raise EvaluationError(f"{name}: scores of other {what} jets than the first method; score both again")


def mean_score(method: MethodScores, code: int) -> Floats:
    """Return the mean over the seeds of the scores of one sample, shape (n,)."""
    return np.asarray(method.scores[code].mean(axis=1))


def regions(scores: tuple[Floats, Floats], cuts: tuple[float, float], jets: NDArray[np.void]) -> Regions:
    """Return the weights of A (both scores above their cuts), B (the first alone), C (the second alone) and D.

    Events vary, and all jets of one together: the covariance is the sum over events of the products of what each has in
    two regions.

    Parameters
    ----------
    scores : two ndarray, shape (n,)
    cuts : two float
    jets : structured ndarray, shape (n,)
        With `weight` and the columns `EVENT`.
    """
    first, second = (score > cut for score, cut in zip(scores, cuts, strict=True))
    place = np.where(first, np.where(second, 0, 1), np.where(second, 2, 3))
    events = event_numbers(jets)
    count = int(events.max(initial=-1)) + 1
    sums = np.bincount(4 * events + place, jets["weight"].astype(np.float64), minlength=4 * count).reshape(count, 4)
    return Regions(sums.sum(axis=0), sums.T @ sums)


def closure_rows(
    pair: tuple[str, str],
    validation: Mapping[str, MethodScores],
    test: Mapping[str, MethodScores],
    efficiencies: Sequence[float],
) -> list[ClosureRow]:
    """Return the closure of a pair for each signal and cut; the cuts are those of the validation background."""
    rows = []
    first, second = (test[name] for name in pair)
    jets = len(first.jets[0])
    for efficiency in efficiencies:
        cuts = tuple(_cut(validation[name], efficiency) for name in pair)
        background, *signals = (
            regions(
                (mean_score(first, code), mean_score(second, code)),
                (cuts[0], cuts[1]),
                first.jets[code],
            )
            for code in range(len(first.points) + 1)
        )
        for (name, point), signal in zip(first.points.items(), signals, strict=True):
            rows.append(ClosureRow(*pair, name, point, efficiency, jets, *_closure(background, signal)))
    return rows


def _cut(method: MethodScores, efficiency: float) -> float:
    weights = unequal(method.jets[0]["weight"].astype(np.float64))
    return float(quantiles(mean_score(method, 0), 1 - efficiency, weights))


def _closure(background: Regions, signal: Regions) -> tuple[float, ...]:
    """Return the numbers of a row from `a` on."""
    a = float(background.weights[0])
    closure = _over_truth(background, a, background.covariance)
    share = float(signal.weights[0] / signal.weights.sum())
    mixed = math.nan, math.nan
    if a > 0 and signal.weights[0] > 0:
        factor = a / float(signal.weights[0])
        both = Regions(background.weights + factor * signal.weights, factor**2 * signal.covariance)
        mixed = _over_truth(both, a, background.covariance, both.covariance)
    return (*map(float, background.weights), background.estimate, *closure, share, *mixed)


def _over_truth(found: Regions, a: float, background: Floats, signal: Floats | None = None) -> tuple[float, float]:
    """Return the estimate over what background has in A, and its error from the covariances (4, 4) of both samples."""
    if not (a > 0 and found.estimate > 0):
        return math.nan, math.nan
    b, c, d = found.weights[1:]
    slopes = np.array([-1 / a, 1 / b, 1 / c, -1 / d])
    variance = slopes @ background @ slopes
    if signal is not None:
        # Signal in A is none of the truth.
        variance += slopes[1:] @ signal[1:, 1:] @ slopes[1:]
    value = found.estimate / a
    return value, value * math.sqrt(variance)


def estimate_abcd(
    validation: Sequence[Path], test: Sequence[Path], settings: AbcdSettings
) -> tuple[list[PairRow], list[ClosureRow]]:
    """Choose a pair on validation background and test it: both from score tables of all methods.

    Raises
    ------
    EvaluationError
        There are fewer than two methods, the tables are of different trainings, or no pair has a correlation.
    TableError
        A file is no score table.
    """
    known, tested = read_scores(validation), read_scores(test)
    for name, one in tested.items():
        if name not in known or known[name].seeds != one.seeds:
            raise EvaluationError(f"{name}: validation and test scores are of different seeds; score both again")
    _same_jets(tested, "test")
    pairs = pairs_of({name: known[name] for name in tested}, settings.jets)
    if math.isnan(pairs[0].distance_correlation):
        raise EvaluationError("no pair of methods has a distance correlation: all scores of a method are the same")
    return pairs, closure_rows((pairs[0].first, pairs[0].second), known, tested, settings.efficiencies)
