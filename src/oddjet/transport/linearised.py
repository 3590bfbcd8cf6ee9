"""Linearised optimal transport (Cai et al., arXiv 2008.08604): sets as vectors whose Euclidean distance stands for W2.

Each set of S points is carried to one template of S points by its optimal permutation, once; two sets are then compared
point by point in the template's order. That is the cost of one plan between them, so it is never below the exact W2^2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from oddjet.arrays import Floats, Ints
from oddjet.transport.assignment import assign, squared_distances
from oddjet.transport.point_sets import PaddedSets


class LinearNearest(NamedTuple):
    """For each set the linearised W2^2 to its nearest reference, and that one's number: (N,) each."""

    distances: Floats
    references: Ints


def barycentre(sets: PaddedSets, rounds: int = 10) -> Floats:
    """Find S points whose mean W2^2 to the sets is least nearby: the template of a linearisation.

    Each round moves every point to the mean of those that it is matched with (free-support barycentre, Cuturi and
    Doucet 2014). It starts from the means of the points in the order of falling norm, so that the points that most sets
    do not have are told apart as far as the sets allow.

    Parameters
    ----------
    sets
        The sets, none of their coordinates periodic.
    rounds
        Rounds at most; it ends when nothing moves.

    Returns
    -------
    Points of shape (S, D).
    """
    template: Floats = sets.points.mean(0).T
    for _ in range(rounds):
        moved: Floats = embed(sets, template).mean(0).reshape(template.shape)
        if np.allclose(moved, template, rtol=0, atol=1e-12):
            break
        template = moved
    return template


def embed(sets: PaddedSets, template: Floats) -> Floats:
    """Order the points of every set as the template's: shape (N, S * D), rows whose squared distance / S is the cost.

    Parameters
    ----------
    sets
        N sets of S points.
    template
        Shape (S, D).
    """
    points = sets.points.transpose(0, 2, 1)
    order = assign(squared_distances(template[None], points))
    ordered: Floats = np.take_along_axis(points, order[..., None], axis=1).reshape(len(points), -1)
    return ordered


def nearest_embedded(vectors: Floats, references: Floats, slots: int) -> LinearNearest:
    """Find for every vector the nearest reference by squared Euclidean distance over `slots`.

    Parameters
    ----------
    vectors, references
        Shapes (N, K) and (M, K), of `embed`.
    slots
        Points a set, S.
    """
    found = np.empty(len(vectors), np.int64)
    norms = 0.5 * np.square(references).sum(-1)
    for start in range(0, len(vectors), 256):
        rows = slice(start, start + 256)
        found[rows] = np.argmin(norms - vectors[rows] @ references.T, axis=1)
    return LinearNearest(np.square(vectors - references[found]).sum(-1) / slots, found)
