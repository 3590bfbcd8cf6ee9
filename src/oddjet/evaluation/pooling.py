"""Weights of both signs made positive: jets of neighbouring scores share their weight until it is worth a jet.

A sum of generator weights above a cut falls where a jet of negative weight passes, so that an efficiency is not
monotonic and may vanish, or be negative, though background passes. Sharing weight among neighbours keeps every total;
it is cell resampling (Andersen and Maier, Eur. Phys. J. C 82 (2022) 433) in one dimension, the score.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats

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
