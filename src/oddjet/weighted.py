"""Means, quantiles and draws of jets that do not count the same: one place for what an event's weight does to them.

Weights may have both signs, as those of NLO generators have: a sum over many jets is then still that of the physical
distribution. Equal weights give the plain numbers of NumPy, to the last bit.

A sum of such weights above a cut on a score falls where a jet of negative weight passes, so that an efficiency is not
monotonic and may vanish, or be negative, though background passes. Sharing weight among neighbouring scores keeps every
total; it is cell resampling (Andersen and Maier, Eur. Phys. J. C 82 (2022) 433) in one dimension, the score.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats, Reals
from oddjet.errors import DatasetError

Weights: TypeAlias = NDArray[np.floating[Any]]


def unequal(weights: Weights | None) -> Floats | None:
    """Return weights (n,) in float64, or None if there are none or all are equal: every jet then counts the same."""
    if weights is None or not len(weights) or bool((weights == weights[0]).all()):
        return None
    return np.asarray(weights, dtype=np.float64)


def check_weights(weights: Weights, what: str, *, signed: bool = True) -> None:
    """Raise `DatasetError` where no sample has such weights.

    Parameters
    ----------
    weights : ndarray, shape (n,)
    what : str
        Begins the message: whose weights, and who asks.
    signed : bool
        Whether single weights may be negative; their sum never may.
    """
    exact = np.asarray(weights, dtype=np.float64)
    total, negative = float(exact.sum()), int(np.count_nonzero(exact < 0))
    if not 0 < total < np.inf:
        raise DatasetError(f"{what}: the weights of {len(exact)} jets add up to {total:g}, not to a number above 0")
    if negative and not signed:
        raise DatasetError(
            f"{what}: {negative} of {len(exact)} jets have negative weights, and it cannot use them; take the method "
            "off the config, or give a sample without negative weights"
        )


def effective_number(weights: Weights) -> float:
    """Return the number of equally weighted jets that are worth as much, (sum w)^2 / sum w^2 (Kish 1965)."""
    exact = np.asarray(weights, dtype=np.float64)
    return float(exact.sum() ** 2 / np.sum(exact**2))


def mean(values: NDArray[np.floating[Any]], weights: Floats | None) -> Any:  # noqa: ANN401  a number or an array
    """Return the mean of values (n, ...) over their first axis; weights (n,) as `unequal` gives them."""
    return values.mean(axis=0) if weights is None else np.tensordot(weights, values, axes=(0, 0)) / weights.sum()


def quantiles(values: Reals, probabilities: NDArray[np.float64] | float, weights: Reals | None) -> Floats:
    """Return quantiles of values (n,) at probabilities (k,); weights (n,) as `unequal` gives them.

    A value stands at the share of weight below it plus half its own, linearly in between. Of weights of both signs that
    share goes up and down; the mean of the largest so far and the smallest yet to come takes its place.
    """
    if weights is None:
        return np.asarray(np.quantile(values, probabilities))
    order = np.argsort(values, kind="stable")
    sorted_weights = weights[order]
    share = (np.cumsum(sorted_weights) - 0.5 * sorted_weights) / sorted_weights.sum()
    rising = 0.5 * (np.maximum.accumulate(share) + np.minimum.accumulate(share[::-1])[::-1])
    return np.asarray(np.interp(probabilities, rising, values[order]))


def draw(weights: Weights, limit: int, seed: int) -> NDArray[np.intp]:
    """Draw jets by the size of their weights, as many as the weights are worth.

    Parameters
    ----------
    weights : ndarray, shape (n,)
        Of a negative one its size counts; whoever draws carries the sign.
    limit : int
        Largest number to draw.
    seed : int

    Returns
    -------
    ndarray of int, shape (m,)
        Ascending rows, m = min(limit, `effective_number` of the sizes). A jet comes as often as its share of m says,
        rounded up or down at random (systematic sampling, Madow 1949): jets of the largest weight come once or
        twice, and a sample of few heavy jets is not copied over and over.

    Raises
    ------
    DatasetError
        If the sizes do not add up to a finite number above 0.
    """
    sizes = np.abs(np.asarray(weights, dtype=np.float64))
    check_weights(sizes, "a draw by weight")
    generator = np.random.default_rng(seed)
    # By size, so that light jets together get their share, and at random among equals: neighbours in the table would
    # otherwise keep one another out.
    order = generator.permutation(len(sizes))
    order = order[np.argsort(sizes[order], kind="stable")]
    reached = np.cumsum(sizes[order])
    count = max(1, min(limit, int(effective_number(sizes) + 1e-6)))
    marks = (generator.random() + np.arange(count)) * (reached[-1] / count)
    places = np.minimum(np.searchsorted(reached, marks, side="right"), len(sizes) - 1)
    return np.sort(order[places])


# Of sums of weights, so that rounding parts no block.
ROUNDING = 1e-12


def pooled_weights(scores: NDArray[np.floating[Any]], weights: Floats) -> Floats:
    """Share weights among jets of neighbouring scores until none is negative.

    The distinct scores are the leaves of a binary tree from the largest one on. A block of leaves is parted into its
    two halves where each half is worth a jet: sum w >= sqrt(sum w^2), n_eff = (sum w)^2 / sum w^2 of at least 1. In a
    block that is not parted each jet gets the block's weight in proportion to its own |w|. A positive weight alone is
    worth a jet, so weights without a sign stay as they are, to the last bit.

    The sum of weights above a cut is then monotonic, positive once a weight passes, and unbiased where the share of
    negative weights does not depend on the score: exchanging two halves, which parts the same blocks, shifts as much up
    as down. Where it does depend, the sum is that of the share averaged within a block.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        Larger passes earlier.
    weights : ndarray of float64, shape (n,)
        Of either sign, with a sum above 0.

    Returns
    -------
    ndarray of float64, shape (n,)
        None negative, with the same sum.
    """
    if not len(weights) or weights.min() >= 0:
        return weights
    distinct, leaf = np.unique(-scores, return_inverse=True)
    totals, squares = (np.bincount(leaf, values).astype(np.float64) for values in (weights, weights**2))
    block = _blocks(totals, squares, len(distinct))[leaf]
    # Equal scores that are a block of their own are pooled too where one of them is negative; their sum stays.
    sums, sizes = np.bincount(block, weights), np.bincount(block, np.abs(weights))
    touched = np.zeros(len(sums), dtype=bool)
    touched[block[weights < 0]] = True
    shares = np.divide(sums, sizes, out=np.zeros(len(sums)), where=sizes > 0)
    return np.where(touched[block], np.abs(weights) * np.maximum(shares, 0.0)[block], weights)


def _blocks(sums: Floats, squares: Floats, leaves: int) -> NDArray[np.intp]:
    """Return the number of the block of each leaf, shape (leaves,), from its sums of weights and of their squares."""
    levels = [sums]
    parted: list[NDArray[np.bool_]] = []
    while len(levels[-1]) > 1:
        worth = levels[-1] * (1.0 + ROUNDING) >= np.sqrt(squares)
        starts = np.arange(0, len(levels[-1]), 2)
        parted.append(np.logical_and.reduceat(worth, starts))
        squares = np.add.reduceat(squares, starts)
        levels.append(np.add.reduceat(levels[-1], starts))
    # From the top: a leaf goes down the tree as long as all blocks above it are parted.
    first, moving, where = np.zeros(leaves, dtype=np.intp), np.ones(leaves, dtype=bool), np.arange(leaves)
    for level in range(len(parted), 0, -1):
        moving &= parted[level - 1][where >> level]
        first[moving] = (where[moving] >> (level - 1)) << (level - 1)
    return np.asarray(np.unique(first, return_inverse=True)[1], dtype=np.intp)
