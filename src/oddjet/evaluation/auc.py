"""The area under the ROC curve with weights, ties and an uncertainty.

AUC = P(score of a signal jet > score of a background jet) + P(equal) / 2. It is never flipped: a method that finds
signal jets less anomalous than background jets gets an AUC below 0.5. Where the scores or the weights hold no answer it
is no number: `undefined` says why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.axes import Point
from oddjet.errors import EvaluationError

# With so large a share of both samples at one score the rest are a few odd jets, and 0.5 without an error would stand.
ONE_SCORE = 0.99


class Auc(NamedTuple):
    """An area under the ROC curve and its statistical standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class AucRow:
    """One AUC on the test jets; an axis of the signals' points is a column of the file, empty where a signal has none.

    `background` is a sample, or all samples of the training together (`oddjet.evaluation.backgrounds.TOGETHER`).
    """

    method: str
    seed: int
    signal: str
    point: Point
    auc: float
    auc_error: float
    n_signal: int
    n_background: int
    background: str = "background"


class SampleScores:
    """Scores of one sample, checked.

    Parameters
    ----------
    name : str
        Name of the sample, for error messages.
    scores : ndarray, shape (n,)
        Larger is more anomalous.
    weights : ndarray, shape (n,), optional
        Event weights; one each if not given. Single weights may be negative (NLO samples), their sum may not.

    Attributes
    ----------
    scores, weights : ndarray of float64, shape (n,)
        The scores and the weights.

    Raises
    ------
    EvaluationError
        If there are fewer than two jets, the shapes differ, a score or weight is not finite, or the weights do not
        add up to something positive.
    """

    def __init__(
        self, name: str, scores: NDArray[np.floating[Any]], weights: NDArray[np.floating[Any]] | None = None
    ) -> None:
        self.name = name
        self.scores = np.asarray(scores, dtype=np.float64)
        given = np.ones(len(self.scores)) if weights is None else np.asarray(weights, dtype=np.float64)
        if self.scores.ndim != 1 or self.scores.shape != given.shape:
            raise EvaluationError(
                f"{name}: scores have shape {self.scores.shape}, weights {given.shape}; both must be (n,)"
            )
        if len(given) < 2:
            raise EvaluationError(
                f"{name}: {len(given)} scored jet(s), at least 2 are needed; give more events or files, or loosen the "
                "cuts"
            )
        for what, values, where in (
            ("scores", self.scores, "the features and the training history of this method"),
            ("weights", given, "the generator weights and the cross section of this sample"),
        ):
            bad = int(np.count_nonzero(~np.isfinite(values)))
            if bad:
                raise EvaluationError(f"{name}: {bad} of {len(values)} {what} are not finite; look at {where}")
        if given.sum() <= 0:
            raise EvaluationError(f"{name}: the weights of {len(given)} jets add up to {given.sum():g}, not above 0")
        self.weights = given
        if self.worth < 1.0 + 1e-9:
            raise EvaluationError(
                f"{name}: the weights of {len(given)} jets are worth {self.worth:.2g} jets; look at the weights"
            )

    @cached_property
    def worth(self) -> float:
        """How many jets of equal weight say as much: (sum w)^2 / sum w^2."""
        return float(self.weights.sum() ** 2 / np.sum(self.weights**2))

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the sorted scores (n,) and the sum of weights before each of n + 1 positions."""
        order = np.argsort(self.scores, kind="stable")
        return self.scores[order], np.concatenate([[0.0], np.cumsum(self.weights[order])])

    def share_below(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return, for each value, the share of this sample's weight below it plus half the share equal to it."""
        scores, before = self._sorted
        left = before[np.searchsorted(scores, values, side="left")]
        right = before[np.searchsorted(scores, values, side="right")]
        return np.asarray(0.5 * (left + right) / before[-1])


def compute_auc(background: SampleScores, signal: SampleScores) -> Auc:
    """Compute the AUC of signal against background, with its statistical error.

    The error follows DeLong, DeLong and Clarke-Pearson (Biometrics 44 (1988) 837): the variance of the placements of
    the signal jets among the background, plus that of the background jets among the signal. With weights w the variance
    of a weighted mean of placements v is sum w^2 (v - AUC)^2 / (sum w)^2, times n_eff / (n_eff - 1) with
    n_eff = (sum w)^2 / sum w^2; equal weights give DeLong's formula. Jets are taken as independent, the two jets of an
    event included.

    Parameters
    ----------
    background, signal : SampleScores
        The two samples.

    Returns
    -------
    Auc
        Value, never flipped, and standard error. Full separation has the error 0. Both are NaN where `undefined` gives
        a reason.
    """
    return _judge(background, signal)[0]


def undefined(background: SampleScores, signal: SampleScores) -> str | None:
    """Say why the AUC is NaN, or return None: one score for nearly all jets, or signed weights that leave no share."""
    return _judge(background, signal)[1]


def _judge(background: SampleScores, signal: SampleScores) -> tuple[Auc, str | None]:
    """Return the AUC, or NaN with the reason."""
    values, counts = np.unique(background.scores, return_counts=True)
    common = values[np.argmax(counts)]
    alike = [int(np.count_nonzero(sample.scores == common)) for sample in (background, signal)]
    sizes = len(background.scores), len(signal.scores)
    if all(count >= ONE_SCORE * size for count, size in zip(alike, sizes, strict=True)):
        reason = (
            f"{alike[0]} of {sizes[0]} background and {alike[1]} of {sizes[1]} signal jets have the score {common:g}"
        )
        return Auc(math.nan, math.nan), reason
    signal_placements = background.share_below(signal.scores)
    background_placements = 1.0 - signal.share_below(background.scores)
    value = float(np.sum(signal.weights * signal_placements) / np.sum(signal.weights))
    # Sums of positive weights leave the range by their rounding alone.
    if not -1e-9 <= value <= 1.0 + 1e-9:
        reason = (
            f"weights of both signs give {value:.3f}: {sizes[0]} background jets are worth {background.worth:.3g} and "
            f"{sizes[1]} signal jets {signal.worth:.3g}"
        )
        return Auc(math.nan, math.nan), reason
    variance = _variance_of_mean(signal_placements, signal.weights, value)
    variance += _variance_of_mean(background_placements, background.weights, value)
    return Auc(value, float(np.sqrt(variance))), None


def _variance_of_mean(values: NDArray[np.float64], weights: NDArray[np.float64], mean: float) -> float:
    """Return the variance of a weighted mean, estimated from the values themselves."""
    squares = (weights / weights.sum()) ** 2
    return float(np.sum(squares * (values - mean) ** 2) / (1.0 - np.sum(squares)))
