"""The least distance of each set to many reference sets: exact, with bounds that spare most of the solving."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from oddjet.arrays import Floats, Ints
from oddjet.transport.padded import search_padded
from oddjet.transport.point_sets import PaddedSets, Sets, WeightedSets, check_alike, in_chunks
from oddjet.transport.weighted import search_weighted


class Nearest(NamedTuple):
    """For each set W2^2 to its nearest reference, that one's number, and how many problems were solved: (N,) each."""

    distances: Floats
    references: Ints
    solves: Ints


class References:
    """Reference sets, prepared once for many searches.

    Parameters
    ----------
    sets
        The references, M of them.
    """

    def __init__(self, sets: Sets) -> None:
        self.sets = sets
        self._bounds: tuple[Floats, ...]
        if isinstance(sets, PaddedSets):
            self._bounds = (np.ascontiguousarray(sorted_coordinates(sets).T),)
        else:
            self._bounds = sorted_quantiles(sets)

    @property
    def bytes(self) -> int:
        """Memory that a search needs."""
        own = [value for value in vars(self.sets).values() if isinstance(value, np.ndarray)]
        return sum(array.nbytes for array in (*own, *self._bounds))

    def nearest(self, sets: Sets, threads: int = 1) -> Nearest:
        """Find the nearest reference of every set.

        References are solved in the order of their lower bounds of W2^2, until a bound is above the least distance:
        the value is the one that solving all of them gives, bit for bit.

        Parameters
        ----------
        sets
            N sets of the kind of the references.
        threads
            Threads that share the work; the result does not depend on it.
        """
        check_alike(sets, self.sets)
        found = Nearest(np.empty(len(sets)), np.empty(len(sets), np.int64), np.empty(len(sets), np.int64))

        def search(rows: slice) -> None:
            part = Nearest(found.distances[rows], found.references[rows], found.solves[rows])
            _search(sets[rows], self.sets, self._bounds, part)

        in_chunks(search, len(sets), threads)
        return found


def _search(sets: Sets, references: Sets, bounds: tuple[Floats, ...], found: Nearest) -> None:
    if isinstance(sets, PaddedSets) and isinstance(references, PaddedSets):
        search_padded(
            sets.points,
            sets.norms,
            sets.counts,
            sorted_coordinates(sets),
            references.points,
            references.norms,
            references.counts,
            bounds[0],
            sets.angle,
            found.distances,
            found.references,
            found.solves,
        )
    elif isinstance(sets, WeightedSets) and isinstance(references, WeightedSets):
        search_weighted(
            sets.points,
            sets.weights,
            sets.counts,
            *sorted_quantiles(sets),
            references.points,
            references.weights,
            references.counts,
            bounds[0],
            bounds[1],
            sets.angle,
            found.distances,
            found.references,
            found.solves,
        )


def sorted_coordinates(sets: PaddedSets) -> Floats:
    """Sort each coordinate that is not periodic, points at the origin included: shape (N, axes * S)."""
    axes = [axis for axis in range(sets.points.shape[1]) if axis != sets.angle]
    return np.concatenate([np.sort(sets.points[:, axis], axis=1) for axis in axes], axis=1)


def sorted_quantiles(sets: WeightedSets) -> tuple[Floats, Floats]:
    """Sort each coordinate that is not periodic, with its weights: two arrays of shape (N, axes, S)."""
    axes = [axis for axis in range(sets.points.shape[1]) if axis != sets.angle]
    # Points that are not there come last.
    values = np.where(sets.weights[:, None, :] > 0, sets.points[:, axes], np.inf)
    order = np.argsort(values, axis=-1, kind="stable")
    weights = np.broadcast_to(sets.weights[:, None, :], values.shape)
    return np.take_along_axis(values, order, -1), np.take_along_axis(weights, order, -1)
