"""Exact optimal transport between sets of points with equal weights: an assignment problem.

Between two sets of n points, each of weight 1/n, some optimal plan is a permutation (Birkhoff), so the network simplex
of general transport is not needed: shortest augmenting paths (`oddjet.transport.augmenting_paths`) find the same cost
many times faster.

Between two laws with negative parts (`oddjet.transport.laws`) these change sides: P+ - P- is the same law as Q+ - Q-
exactly where P+ + Q- and Q+ + P- are the same, and both of these are sets of equal weight and size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats, Ints
from oddjet.errors import TransportError
from oddjet.transport.augmenting_paths import fill_assignment, fill_matches
from oddjet.transport.laws import Law


def squared_distances(x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]]) -> Floats:
    """Squared Euclidean distance of every x to every y.

    Parameters
    ----------
    x, y
        Points, shapes (..., N, D) and (..., M, D).

    Returns
    -------
    float64 array of shape (..., N, M), never negative.

    Raises
    ------
    TransportError
        Points of another shape, or of unequal dimensions.
    """
    if np.ndim(x) < 2 or np.ndim(y) < 2 or np.shape(x)[-1] != np.shape(y)[-1]:
        raise TransportError(
            f"no distances between points of the shapes {np.shape(x)} and {np.shape(y)}; they must be (N, D) and "
            "(M, D), of one dimension D"
        )
    # Products of float64 numbers about a common centre: |x|^2 + |y|^2 - 2 x.y cancels, and by far less when the points
    # are near the origin.
    first, second = np.asarray(x, np.float64), np.asarray(y, np.float64)
    centre = first.mean(axis=-2, keepdims=True) if first.shape[-2] else 0.0
    first, second = first - centre, second - centre
    distances: Floats = np.matmul(first, np.swapaxes(second, -1, -2))
    distances *= -2.0
    distances += (first**2).sum(-1)[..., :, None]
    distances += (second**2).sum(-1)[..., None, :]
    return np.maximum(distances, 0.0, out=distances)


def assign(costs: Floats) -> Ints:
    """Solve assignment problems exactly.

    Parameters
    ----------
    costs
        Cost of matching row i with column j, shape (N, N), or (S, N, N) for S problems.

    Returns
    -------
    Column of each row, shape (N,) or (S, N): a permutation with the least total cost.

    Raises
    ------
    TransportError
        The matrices are not square, or a cost is not finite (a solver may never return on those).
    """
    array = np.ascontiguousarray(costs, dtype=np.float64)
    if array.ndim not in (2, 3) or array.shape[-1] != array.shape[-2]:
        raise TransportError(f"assignment needs square cost matrices, not an array of shape {array.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(index) for index in np.argwhere(~finite)[0])
        raise TransportError(f"assignment: cost {array[where]} at {where} is not finite; check the points")
    columns = np.empty(array.shape[:-1], np.int64)
    problems, matches = (array, columns) if array.ndim == 3 else (array[None], columns[None])
    for problem, match in zip(problems, matches, strict=True):
        fill_assignment(problem, match, 1.0)
    return columns


def wasserstein(
    x: NDArray[np.floating[Any]],
    y: NDArray[np.floating[Any]],
    *,
    power: int = 2,
    x_weights: Floats | None = None,
    y_weights: Floats | None = None,
) -> float:
    """Wasserstein distance to its power, W_p^p, exact: the least mean of |x - y|^p over all couplings.

    Parameters
    ----------
    x, y
        Points, shapes (N, D) and (M, D).
    power
        1: Euclidean cost; 2: squared Euclidean cost, no root taken (the WNAE's loss).
    x_weights, y_weights
        Weights of the points, each normalised here; left out: equal weights.

    Raises
    ------
    TransportError
        Points of another shape or of unequal dimensions, empty sets, points or weights that are not finite, negative
        weights, another power than 1 or 2.
    """
    if np.ndim(x) != 2 or np.ndim(y) != 2:
        raise TransportError(
            f"wasserstein: points of the shapes {np.shape(x)} and {np.shape(y)}; they must be (N, D) and (M, D)"
        )
    if power not in (1, 2):
        raise TransportError(f"wasserstein: power is 1 or 2, not {power}")
    if not len(x) or not len(y):
        raise TransportError(f"wasserstein: no points to move ({len(x)} and {len(y)})")
    costs = squared_distances(x, y)
    if power == 1:
        costs = np.sqrt(costs)
    if len(x) == len(y) and x_weights is None and y_weights is None:
        if not np.isfinite(costs).all():
            assign(costs)  # which says where
        first, second = (np.array(points, np.float64, order="C")[None] for points in (x, y))
        columns = np.empty((1, len(x)), np.int64)
        fill_matches(first, second, columns, power)
        return float(costs[np.arange(len(x)), columns[0]].mean())
    return float((plan(costs, x_weights, y_weights) * costs).sum())


def plan(costs: Floats, row_weights: Floats | None = None, column_weights: Floats | None = None) -> Floats:
    """Optimal transport plan between weighted sets, by POT's network simplex.

    Parameters
    ----------
    costs
        Cost matrix, shape (N, M).
    row_weights, column_weights
        Weights, shapes (N,) and (M,), normalised here; left out: equal weights.

    Returns
    -------
    Plan of shape (N, M) whose rows and columns sum to the normalised weights.

    Raises
    ------
    TransportError
        Costs that are no matrix, costs or weights that are not finite, negative weights, or weights of the wrong
        length.
    """
    import ot  # slow to import, and needed for unequal sets only

    if np.ndim(costs) != 2:
        raise TransportError(f"transport plan: costs have the shape {np.shape(costs)}; they must be (N, M)")
    if not np.isfinite(costs).all():
        raise TransportError("transport plan: a cost is not finite; check the points")
    masses = [
        _normalised(row_weights, costs.shape[0], "row weights"),
        _normalised(column_weights, costs.shape[1], "column weights"),
    ]
    result: Floats = ot.emd(masses[0], masses[1], np.ascontiguousarray(costs), numItermax=10_000_000)
    return result


def _normalised(weights: Floats | None, n: int, name: str) -> Floats:
    if weights is None:
        return np.full(n, 1.0 / n)
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (n,):
        raise TransportError(f"transport plan: {name} have shape {array.shape}, the cost matrix asks for {(n,)}")
    if not np.isfinite(array).all() or (array < 0).any() or array.sum() <= 0:
        raise TransportError(f"transport plan: {name} must be finite, not negative, and not all zero")
    normalised: Floats = array / array.sum()
    return normalised


def law_distance(first: Law, second: Law, power: int = 2) -> float:
    """Measure W_p^p a net jet between two laws of the same net size; without negative parts it is `wasserstein`."""
    ours = np.concatenate([first.positive, second.negative])
    theirs = np.concatenate([second.positive, first.negative])
    return wasserstein(ours, theirs, power=power) * (len(ours) / first.net)


def distance_of_samples(laws: Sequence[Law], power: int = 2) -> list[float]:
    """Measure each sample's distance to the next one, in a ring: what finite samples of one law are apart."""
    return [law_distance(law, laws[(index + 1) % len(laws)], power) for index, law in enumerate(laws)]
