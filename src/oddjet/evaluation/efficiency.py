"""Figures of merit at a cut on the score: rejection, significance improvement, F1, also in replicas of the jets.

Efficiencies are shares of weight that pass `score >= cut`. Between two cuts the ROC curve is a straight line: jets of
equal score pass by lot, which is the same convention as one half for ties in the AUC. Weights of both signs are first
shared among neighbouring scores (`oddjet.weighted`), for signal as for background, so that efficiencies never
fall, and background that passes has one above 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.weighted import pooled_weights

# No search cuts away more than four fifths of its signal, and what rests on fewer than ten background jets is luck.
SMALLEST_SIGNAL_EFFICIENCY = 0.2
SMALLEST_BACKGROUND = 10.0


class Curve(NamedTuple):
    """ROC curve from the tightest cut to none: signal and background efficiency, background jets passed, (K,) each.

    With weights the jets that passed are what they are worth, (sum w)^2 / sum w^2.
    """

    signal: Floats
    background: Floats
    background_jets: Floats


class Merit(NamedTuple):
    """A figure of merit, and the signal efficiency where it is reached (NaN if it belongs to no cut)."""

    value: float
    where: float


class Ranking:
    """Two samples ranked together once, so that curves with other weights cost one pass.

    Parameters
    ----------
    background, signal : SampleScores
        The two samples.

    Attributes
    ----------
    background, signal : SampleScores
        The same, the largest score first.
    orders : tuple of two ndarray of int
        Which jet of the sample that was given each of these is.
    """

    def __init__(self, background: SampleScores, signal: SampleScores) -> None:
        self.orders = (np.argsort(-background.scores, kind="stable"), np.argsort(-signal.scores, kind="stable"))
        # In one order scores and sums lie side by side in memory: with a million jets other orders are slow.
        self.background, self.signal = (
            SampleScores(sample.name, sample.scores[order], sample.weights[order])
            for sample, order in zip((background, signal), self.orders, strict=True)
        )
        scores = np.concatenate([self.background.scores, self.signal.scores])
        # Position of each jet's score among the distinct ones, the largest first.
        distinct, position = np.unique(-scores, return_inverse=True)
        self._cuts = len(distinct)
        self._background = position[: len(background.scores)]
        self._signal = position[len(background.scores) :]

    def curve(self, background_weights: Floats | None = None, signal_weights: Floats | None = None) -> Curve:
        """Return the ROC curve with the samples' own weights or with others, those of the largest score first.

        Their shapes are (n_background,) and (n_signal,).
        """
        weights = self.background.weights if background_weights is None else background_weights
        background = self._passed(self._background, pooled_weights(self.background.scores, weights))
        weights = self.signal.weights if signal_weights is None else signal_weights
        signal = self._passed(self._signal, pooled_weights(self.signal.scores, weights))
        return Curve(signal / signal[-1], background / background[-1], self._worth(background_weights))

    def _worth(self, drawn: Floats | None) -> Floats:
        """Return how many background jets passed each cut, by their own weights; those not drawn do not count."""
        own = self.background.weights if drawn is None else np.where(drawn != 0, self.background.weights, 0.0)
        passed = self._passed(self._background, pooled_weights(self.background.scores, own))
        squares = self._passed(self._background, np.square(own))
        return np.divide(passed**2, squares, out=np.zeros(len(passed)), where=squares > 0)

    def _passed(self, position: NDArray[np.intp], weights: Floats) -> Floats:
        """Return the sum of weights above each cut, starting with no jet: shape (cuts + 1,)."""
        return np.concatenate([[0.0], np.cumsum(np.bincount(position, weights, minlength=self._cuts))])


def background_efficiency(curve: Curve, at: float) -> float:
    """Return the smallest background efficiency where the signal efficiency is `at`, on the line between two cuts."""
    after = int(np.searchsorted(curve.signal, at, side="left"))
    if after == 0:
        return 0.0
    low, high = curve.signal[after - 1], curve.signal[after]
    share = (at - low) / (high - low)
    return float(curve.background[after - 1] + share * (curve.background[after] - curve.background[after - 1]))


def signal_efficiency(curve: Curve, at: float) -> float:
    """Return the largest signal efficiency where the background efficiency is `at`."""
    after = int(np.searchsorted(curve.background, at, side="right"))
    if after == len(curve.background):
        return float(curve.signal[-1])
    low, high = curve.background[after - 1], curve.background[after]
    share = (at - low) / (high - low)
    return float(curve.signal[after - 1] + share * (curve.signal[after] - curve.signal[after - 1]))


def rejection(curve: Curve, at: float) -> Merit:
    """Return 1 / background efficiency at the signal efficiency `at`; infinite if no background passes."""
    efficiency = background_efficiency(curve, at)
    return Merit(1.0 / efficiency if efficiency > 0 else math.inf, at)


def improvement(curve: Curve, at: float) -> Merit:
    """Return the significance improvement, signal efficiency / sqrt(background efficiency), at a signal efficiency."""
    return Merit(at * math.sqrt(rejection(curve, at).value), at)


def largest_improvement(curve: Curve) -> Merit:
    """Return the largest significance improvement and its signal efficiency.

    Only over cuts that keep a fifth of the signal and ten background jets; NaN if there is none.
    """
    enough = curve.background_jets >= SMALLEST_BACKGROUND * (1.0 - 1e-9)
    allowed = (curve.signal >= SMALLEST_SIGNAL_EFFICIENCY) & enough
    allowed &= curve.background > 0
    if not allowed.any():
        return Merit(math.nan, math.nan)
    values = curve.signal[allowed] / np.sqrt(curve.background[allowed])
    best = int(np.argmax(values))
    return Merit(float(values[best]), float(curve.signal[allowed][best]))


def largest_f1(curve: Curve) -> Merit:
    """Return the largest F1 score for equal amounts of signal and background, and its signal efficiency (at least 0.2).

    F1 = 2 eps_s / (1 + eps_s + eps_b); keeping everything gives 2/3.
    """
    allowed = curve.signal >= SMALLEST_SIGNAL_EFFICIENCY
    signal, background = curve.signal[allowed], curve.background[allowed]
    values = 2.0 * signal / (1.0 + signal + background)
    best = int(np.argmax(values))
    return Merit(float(values[best]), float(signal[best]))


MERITS: Mapping[str, Callable[[Curve], Merit]] = {
    "rejection_at_0.3": lambda curve: rejection(curve, 0.3),
    "rejection_at_0.5": lambda curve: rejection(curve, 0.5),
    "improvement_at_0.3": lambda curve: improvement(curve, 0.3),
    "largest_improvement": largest_improvement,
    "largest_f1": largest_f1,
    "signal_efficiency_at_0.01": lambda curve: Merit(signal_efficiency(curve, 0.01), math.nan),
}


def merit_replicas(ranking: Ranking, background: Iterable[Floats], signal: Iterable[Floats]) -> dict[str, Floats]:
    """Compute every figure of merit in every replica of a bootstrap.

    On average the standard deviations of the replicas are right to 20 % as errors (worst for figures that rest on few
    background jets), in a single sample to a factor of two.

    Parameters
    ----------
    ranking : Ranking
        The two samples.
    background, signal : iterable of ndarray of float64, shapes (n_background,) and (n_signal,)
        How often each jet was drawn in each of R replicas, one after the other, in the order of the ranking:
        `oddjet.evaluation.bootstrap`.

    Returns
    -------
    dict of str to ndarray of float64, shape (R,)
        By the names of `MERITS`; infinite or NaN where a replica has no value, for want of background jets.
    """
    values: dict[str, list[float]] = {name: [] for name in MERITS}
    for counts in zip(background, signal, strict=True):
        samples = zip((ranking.background, ranking.signal), counts, strict=True)
        weights = [sample.weights * drawn for sample, drawn in samples]
        # Of few jets none may be drawn, and of weights of both signs the sum may fall below 0.
        curve = ranking.curve(*weights) if min(one.sum() for one in weights) > 0 else None
        for name, merit in MERITS.items():
            values[name].append(math.nan if curve is None else merit(curve).value)
    return {name: np.array(found) for name, found in values.items()}


# Signal efficiency of the rejection and of the significance improvement in the paper's tables.
AT = 0.3


def event_merits(background: Floats, signal: Floats) -> dict[str, Merit]:
    """Compute AUC, 1/eps_b and SI at eps_s = 0.3, the largest F1 and SI with where, and eps_b at eps_s = 0.3.

    Parameters
    ----------
    background, signal
        Scores, larger is more anomalous; shapes (n,) and (m,).

    Returns
    -------
    By name. The AUC is never flipped; the largest SI is over cuts that keep a fifth of the signal and ten background
    events, the paper asks for the former alone.
    """
    samples = SampleScores("background", background), SampleScores("signal", signal)
    curve = Ranking(*samples).curve()
    return {
        "auc": Merit(compute_auc(*samples).value, math.nan),
        "rejection": rejection(curve, AT),
        "improvement": improvement(curve, AT),
        "largest_f1": largest_f1(curve),
        "largest_improvement": largest_improvement(curve),
        "background_efficiency": Merit(background_efficiency(curve, AT), AT),
    }


def background_curve(background: Floats, signal: Floats, efficiencies: Floats) -> Floats:
    """Give eps_b at each signal efficiency: shape of `efficiencies`."""
    curve = Ranking(SampleScores("background", background), SampleScores("signal", signal)).curve()
    return np.array([background_efficiency(curve, at) for at in efficiencies])
