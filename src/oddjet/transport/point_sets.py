"""Many small sets of points and the exact W2^2 between them, compiled and threaded."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats, Ints
from oddjet.errors import TransportError
from oddjet.transport.padded import fill_padded
from oddjet.transport.weighted import fill_weighted

# Sets that one thread takes at a time.
CHUNK = 64


@dataclass(frozen=True)
class PaddedSets:
    """Sets of S points of equal weight 1/S; those that a set does not have lie at the origin.

    Attributes
    ----------
    points
        Coordinates, shape (N, D, S), in the order of falling norm; zeros at the end.
    counts
        Points that are there, shape (N,).
    norms
        Squared distances of the points from the origin, shape (N, S).
    angle
        Coordinate that is periodic by 2 pi, or -1.
    """

    points: Floats
    counts: Ints
    norms: Floats
    angle: int = -1

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, rows: slice | NDArray[Any]) -> PaddedSets:
        return PaddedSets(self.points[rows], self.counts[rows], self.norms[rows], self.angle)


@dataclass(frozen=True)
class WeightedSets:
    """Sets of up to S points with weights that add up to one.

    Attributes
    ----------
    points, weights
        Coordinates (N, D, S) and weights (N, S), points that are there first, then zeros.
    counts
        Points that are there, at least one: shape (N,).
    angle
        Coordinate that is periodic by 2 pi, or -1.
    """

    points: Floats
    weights: Floats
    counts: Ints
    angle: int = -1

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, rows: slice | NDArray[Any]) -> WeightedSets:
        return WeightedSets(self.points[rows], self.weights[rows], self.counts[rows], self.angle)


Sets = PaddedSets | WeightedSets


def padded_sets(points: Floats, present: NDArray[np.bool_], angle: int = -1) -> PaddedSets:
    """Make sets of equal weights.

    Parameters
    ----------
    points
        Coordinates, shape (N, S, D); what stands where `present` is false counts as the origin.
    present
        Which points are there, shape (N, S).
    angle
        Coordinate that is periodic by 2 pi; -1: none.

    Raises
    ------
    TransportError
        If a coordinate is not finite or the shapes do not fit.
    """
    kept = _checked(points, present)
    squares = np.square(kept)
    if angle >= 0:
        squares[..., angle] = np.square(np.angle(np.exp(1j * kept[..., angle])))
    norms = squares.sum(-1)
    order = np.argsort(np.where(present, -norms, 1.0), axis=1, kind="stable")
    return PaddedSets(_ordered(kept, order), present.sum(1), np.take_along_axis(norms, order, 1), angle)


def weighted_sets(points: Floats, weights: Floats, angle: int = -1) -> WeightedSets:
    """Make sets of weighted points; a point of weight zero is not there.

    Parameters
    ----------
    points, weights
        Coordinates (N, S, D) and weights (N, S), normalised here.
    angle
        Coordinate that is periodic by 2 pi; -1: none.

    Raises
    ------
    TransportError
        If a coordinate or a weight is not finite, a weight negative, a set empty, or the shapes do not fit.
    """
    given = np.asarray(weights, np.float64)
    bad = ~(np.isfinite(given).all(-1) & (given >= 0).all(-1) & (given.sum(-1) > 0))
    if bad.any():
        raise TransportError(
            f"set {int(np.argmax(bad))} of {len(bad)}: its weights must be finite, not negative and not all zero"
        )
    kept = _checked(points, given > 0)
    order = np.argsort(given <= 0, axis=1, kind="stable")
    ordered = np.take_along_axis(given / given.sum(-1, keepdims=True), order, 1)
    return WeightedSets(_ordered(kept, order), ordered, (given > 0).sum(1), angle)


def _checked(points: Floats, present: NDArray[np.bool_]) -> Floats:
    """Return the points with zeros where none is, or refuse them."""
    given = np.asarray(points, np.float64)
    if given.ndim != 3 or given.shape[:2] != present.shape:
        raise TransportError(
            f"points have shape {given.shape}, not (sets, points, coordinates) as {present.shape} asks"
        )
    kept = np.where(present[..., None], given, 0.0)
    bad = ~np.isfinite(kept).all((1, 2))
    if bad.any():
        raise TransportError(f"set {int(np.argmax(bad))} of {len(bad)} has a coordinate that is not finite")
    return kept


def _ordered(points: Floats, order: Ints) -> Floats:
    """Reorder points (N, S, D), one coordinate after the other: shape (N, D, S)."""
    return np.ascontiguousarray(np.take_along_axis(points, order[..., None], axis=1).transpose(0, 2, 1))


def distance_matrix(first: Sets, second: Sets, threads: int = 1) -> Floats:
    """Compute the exact W2^2 of every set to every other one.

    Parameters
    ----------
    first, second
        N and M sets of one kind, of as many slots, coordinates and the same periodic one.
    threads
        Threads that share the work; the result does not depend on it.

    Returns
    -------
    float64 array of shape (N, M).

    Raises
    ------
    TransportError
        If the two do not fit together.
    """
    check_alike(first, second)
    distances = np.empty((len(first), len(second)))

    def fill(rows: slice) -> None:
        _fill(first[rows], second, distances[rows])

    in_chunks(fill, len(first), threads)
    return distances


def _fill(x: Sets, y: Sets, distances: Floats) -> None:
    if isinstance(x, PaddedSets) and isinstance(y, PaddedSets):
        fill_padded(x.points, x.norms, x.counts, y.points, y.norms, y.counts, x.angle, distances)
    elif isinstance(x, WeightedSets) and isinstance(y, WeightedSets):
        fill_weighted(x.points, x.weights, x.counts, y.points, y.weights, y.counts, x.angle, distances)


def distances_within(sets: Sets, threads: int = 1) -> Floats:
    """Compute the exact W2^2 between all pairs of sets once: a symmetric (N, N) array with a diagonal of zeros."""
    distances = np.zeros((len(sets), len(sets)))

    def fill(rows: slice) -> None:
        distances[rows, rows.start :] = distance_matrix(sets[rows], sets[rows.start :])

    in_chunks(fill, len(sets), threads)
    upper = np.triu(distances, 1)
    return upper + upper.T


def check_alike(first: Sets, second: Sets) -> None:
    """Refuse sets between which no distance is defined (TransportError)."""
    shapes = first.points.shape[1:], second.points.shape[1:]
    if type(first) is not type(second) or shapes[0] != shapes[1] or first.angle != second.angle:
        raise TransportError(
            f"no distance between {type(first).__name__} of points {shapes[0]} and {type(second).__name__} of "
            f"{shapes[1]}, periodic in {first.angle} and {second.angle}"
        )


def in_chunks(function: Callable[[slice], None], total: int, threads: int) -> None:
    """Call `function` with slices that cover 0 to `total`, in several threads; the kernels let go of the GIL."""
    slices = [slice(start, min(start + CHUNK, total)) for start in range(0, total, CHUNK)]
    if threads == 1:
        for rows in slices:
            function(rows)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(function, slices))
