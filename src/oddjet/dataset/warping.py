"""Monotone maps that bring a feature near to a normal distribution on the training jets, and their inverses.

They take values that are already standardised (mean 0, deviation 1), so that their numbers have no unit. Nothing is
clipped: a signal jet beyond the training jets stays beyond them.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from oddjet.arrays import Floats
from oddjet.weighted import mean, quantiles

# As many quantiles as scikit-learn's QuantileTransformer takes by default.
QUANTILES = 1000
# Beyond these exponents the Yeo-Johnson map squeezes a tail of infinite length into a bounded interval.
EXPONENTS = (0.0, 2.0)
# Values that quantiles and exponents are fitted on: of more, an even share.
LARGEST_SAMPLE = 200_000


class EvenSample:
    """At most a given number of the rows that go by, evenly spread over all of them, whatever the pieces they come in.

    Parameters
    ----------
    limit : int
        Rows kept.
    """

    def __init__(self, limit: int = LARGEST_SAMPLE) -> None:
        self._limit = limit
        self._stride = 1
        self._seen = 0
        self._pieces: list[Floats] = []

    def add(self, rows: Floats) -> None:
        """Take in rows, shape (n, D)."""
        self._pieces.append(rows[-self._seen % self._stride :: self._stride].copy())
        self._seen += len(rows)
        while -(-self._seen // self._stride) > self._limit:
            self._pieces = [np.concatenate(self._pieces)[::2]]
            self._stride *= 2

    def rows(self) -> Floats:
        """Return what was kept, shape (m, D)."""
        return np.concatenate(self._pieces)


def fit_quantiles(values: Floats, weights: Floats | None = None) -> tuple[float, ...]:
    """Return the quantiles of values (n,) at `QUANTILES` evenly spaced probabilities (k + 1/2) / QUANTILES.

    Weights, shape (n,), are those of `oddjet.weighted.unequal`.
    """
    return tuple(float(value) for value in quantiles(values, _probabilities(), weights))


def to_normal_scores(values: Floats, quantiles: tuple[float, ...]) -> Floats:
    """Map values (n,) to the normal scores of their quantiles, linearly in between, with slope 1 beyond the ends."""
    knots, scores = knots_of(quantiles)
    inside = np.interp(values, knots, scores)
    return np.asarray(inside + np.minimum(values - knots[0], 0.0) + np.maximum(values - knots[-1], 0.0))


def from_normal_scores(scores: Floats, quantiles: tuple[float, ...]) -> Floats:
    """Undo `to_normal_scores`."""
    knots, known = knots_of(quantiles)
    inside = np.interp(scores, known, knots)
    return np.asarray(inside + np.minimum(scores - known[0], 0.0) + np.maximum(scores - known[-1], 0.0))


def _probabilities() -> Floats:
    return (np.arange(QUANTILES) + 0.5) / QUANTILES


def knots_of(quantiles: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Distinct values, ascending, and their normal scores; a value that many jets share has their mean score."""
    normal = NormalDist()
    scores = np.array([normal.inv_cdf(probability) for probability in _probabilities()])
    knots, place, counts = np.unique(np.array(quantiles), return_inverse=True, return_counts=True)
    return knots, np.bincount(place, scores) / counts


def fit_power(values: Floats, weights: Floats | None = None) -> tuple[float, float, float]:
    """Fit a Yeo-Johnson map to values (n,), with weights (n,) of `oddjet.weighted.unequal`, by maximum likelihood.

    Returns
    -------
    tuple of float
        Exponent (within `EXPONENTS`), and mean and deviation of the mapped values.
    """
    from scipy.optimize import minimize_scalar  # slow to import, and needed for this scaling alone

    logarithms = np.sign(values) * np.log1p(np.abs(values))

    def minus_likelihood(exponent: float) -> float:
        variance = _moments(_yeo_johnson(values, exponent), weights)[1]
        # Weights of both signs can leave a variance that is none: there is no such exponent then.
        if not variance > 0:
            return np.inf
        return float(0.5 * np.log(variance) - (exponent - 1.0) * mean(logarithms, weights))

    exponent = float(minimize_scalar(minus_likelihood, bounds=EXPONENTS, method="bounded").x)
    centre, variance = _moments(_yeo_johnson(values, exponent), weights)
    return exponent, centre, float(np.sqrt(variance))


def _moments(values: Floats, weights: Floats | None) -> tuple[float, float]:
    """Return mean and variance."""
    centre = float(mean(values, weights))
    return centre, float(mean((values - centre) ** 2, weights))


def to_power(values: Floats, fitted: tuple[float, ...]) -> Floats:
    """Map values (n,) with what `fit_power` gave: mean 0, deviation 1 on the training jets."""
    exponent, mean, deviation = fitted
    return (_yeo_johnson(values, exponent) - mean) / deviation


def from_power(mapped: Floats, fitted: tuple[float, ...]) -> Floats:
    """Undo `to_power`."""
    exponent, mean, deviation = fitted
    return _inverse_yeo_johnson(mapped * deviation + mean, exponent)


def _yeo_johnson(values: Floats, exponent: float) -> Floats:
    """Power transform of Yeo and Johnson (2000), exponent strictly between 0 and 2."""
    up = ((1.0 + np.maximum(values, 0.0)) ** exponent - 1.0) / exponent
    down = ((1.0 - np.minimum(values, 0.0)) ** (2.0 - exponent) - 1.0) / (2.0 - exponent)
    return np.asarray(np.where(values >= 0, up, -down))


def _inverse_yeo_johnson(mapped: Floats, exponent: float) -> Floats:
    up = (1.0 + exponent * np.maximum(mapped, 0.0)) ** (1.0 / exponent) - 1.0
    down = (1.0 - (2.0 - exponent) * np.minimum(mapped, 0.0)) ** (1.0 / (2.0 - exponent)) - 1.0
    return np.asarray(np.where(mapped >= 0, up, -down))
