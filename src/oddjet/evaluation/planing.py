"""What a score may owe to kinematics: planing in pT, and the correlation of score and mass."""

from __future__ import annotations

import math

import numpy as np

from oddjet.arrays import Floats
from oddjet.evaluation.auc import SampleScores
from oddjet.weighted import pooled_weights

# A bin that is worth fewer background jets is merged with its neighbour: a weight is no better than its Poisson error.
SMALLEST_BIN = 10


def planing_weights(background: SampleScores, signal: SampleScores, bins: int = 10) -> Floats:
    """Return weights with which the background has the signal's spectrum.

    Parameters
    ----------
    background, signal : SampleScores
        Samples whose `scores` are the values to plane, pT in GeV. Signal weights of both signs are shared among
        neighbours first (`oddjet.weighted`).
    bins : int
        Bins of equal signal weight; neighbours are merged until the background of each has a positive weight and is
        worth ten jets, (sum w)^2 / sum w^2. Where all of it is worth less, one bin remains, and nothing is planed.

    Returns
    -------
    ndarray of float64, shape (n_background,)
        The background's weights times the ratio of the two spectra, bin by bin.
    """
    signal_weights = pooled_weights(signal.scores, signal.weights)
    edges = _signal_quantiles(signal.scores, signal_weights, bins)
    while len(edges):
        worth = _worth_of_bins(background, edges)
        thinnest = int(np.argmin(worth))
        if worth[thinnest] >= SMALLEST_BIN * (1.0 - 1e-9):
            break
        # The edge towards the smaller neighbour goes.
        left = worth[thinnest - 1] if thinnest > 0 else np.inf
        right = worth[thinnest + 1] if thinnest < len(edges) else np.inf
        edges = np.delete(edges, thinnest - 1 if left <= right else thinnest)
    where = np.digitize(background.scores, edges)
    wanted = np.bincount(np.digitize(signal.scores, edges), signal_weights, len(edges) + 1) / signal_weights.sum()
    present = np.bincount(where, background.weights, len(edges) + 1) / background.weights.sum()
    return np.asarray(background.weights * (wanted / present)[where])


def _worth_of_bins(background: SampleScores, edges: Floats) -> Floats:
    """Return what the jets of each bin are worth, shape (len(edges) + 1,): below 0 where their weight is."""
    where, size = np.digitize(background.scores, edges), len(edges) + 1
    sums, squares = (np.bincount(where, weights, size) for weights in (background.weights, background.weights**2))
    return np.divide(sums * np.abs(sums), squares, out=np.zeros(size), where=squares > 0)


def rank_correlation(first: SampleScores, second: SampleScores) -> tuple[float, float]:
    """Return Spearman's correlation of two quantities of the same jets, and its error if they were independent.

    Ranks are shares of weight below (ties: half), so weights count. The error is 1 / sqrt(n_eff - 1). NaN where a
    quantity has one value alone, or weights of both signs leave no correlation.
    """
    ranks = [sample.share_below(sample.scores) for sample in (first, second)]
    shares = first.weights / first.weights.sum()
    centred = [rank - np.sum(shares * rank) for rank in ranks]
    covariance = np.sum(shares * centred[0] * centred[1])
    variances = [float(np.sum(shares * one**2)) for one in centred]
    # One value for all jets, or weights of both signs that are worth few of them.
    if min(variances) <= 0:
        return math.nan, math.nan
    value = float(covariance / math.sqrt(variances[0] * variances[1]))
    error = 1.0 / math.sqrt(max(first.worth - 1.0, 1.0))
    return (value, error) if abs(value) <= 1.0 + 1e-9 else (math.nan, math.nan)


def _signal_quantiles(values: Floats, weights: Floats, bins: int) -> Floats:
    """Return the inner edges of bins with equal weight, none of which is negative."""
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(weights[order]) / weights.sum()
    positions = np.searchsorted(shares, np.arange(1, bins) / bins)
    edges: Floats = np.unique(values[order][np.minimum(positions, len(order) - 1)])
    return edges
