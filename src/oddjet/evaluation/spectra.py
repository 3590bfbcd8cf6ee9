"""What a score may owe to kinematics: planing in pT, and the correlation of score and mass."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from oddjet.evaluation.merit import SampleScores

Floats: TypeAlias = NDArray[np.float64]

# With fewer background jets a bin is merged with its neighbour: a weight is then no better than its Poisson error.
SMALLEST_BIN = 10


def planing_weights(background: SampleScores, signal: SampleScores, bins: int = 10) -> Floats:
    """Return weights with which the background has the signal's spectrum.

    Parameters
    ----------
    background, signal : SampleScores
        Samples whose `scores` are the values to plane, pT in GeV.
    bins : int
        Bins of equal signal weight; neighbours are merged until each holds ten background jets.

    Returns
    -------
    ndarray of float64, shape (n_background,)
        The background's weights times the ratio of the two spectra, bin by bin.
    """
    edges = _signal_quantiles(signal, bins)
    while len(edges):
        counts = np.bincount(np.digitize(background.scores, edges), minlength=len(edges) + 1)
        thinnest = int(np.argmin(counts))
        if counts[thinnest] >= SMALLEST_BIN:
            break
        # The edge towards the smaller neighbour goes.
        left = counts[thinnest - 1] if thinnest > 0 else np.inf
        right = counts[thinnest + 1] if thinnest < len(edges) else np.inf
        edges = np.delete(edges, thinnest - 1 if left <= right else thinnest)
    where = np.digitize(background.scores, edges)
    wanted = np.bincount(np.digitize(signal.scores, edges), signal.weights, len(edges) + 1) / signal.weights.sum()
    present = np.bincount(where, background.weights, len(edges) + 1) / background.weights.sum()
    return np.asarray(background.weights * (wanted / present)[where])


def rank_correlation(first: SampleScores, second: SampleScores) -> tuple[float, float]:
    """Return Spearman's correlation of two quantities of the same jets, and its error if they were independent.

    Ranks are shares of weight below (ties: half), so weights count. The error is 1 / sqrt(n_eff - 1).
    """
    ranks = [sample.share_below(sample.scores) for sample in (first, second)]
    shares = first.weights / first.weights.sum()
    centred = [rank - np.sum(shares * rank) for rank in ranks]
    covariance = np.sum(shares * centred[0] * centred[1])
    norm = np.sqrt(np.sum(shares * centred[0] ** 2) * np.sum(shares * centred[1] ** 2))
    effective = 1.0 / np.sum(shares**2)
    return float(covariance / norm), float(1.0 / np.sqrt(max(effective - 1.0, 1.0)))


def _signal_quantiles(signal: SampleScores, bins: int) -> Floats:
    """Return the inner edges of bins with equal signal weight."""
    order = np.argsort(signal.scores, kind="stable")
    shares = np.cumsum(signal.weights[order]) / signal.weights.sum()
    positions = np.searchsorted(shares, np.arange(1, bins) / bins)
    edges: Floats = np.unique(signal.scores[order][np.minimum(positions, len(order) - 1)])
    return edges
