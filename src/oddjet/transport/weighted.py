"""Transport between small sets of weighted points, compiled: the network simplex, and bounds that spare it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats, Ints
from oddjet.kernels import kernel
from oddjet.transport.padded import ROUNDING, promising, squared_distances_to
from oddjet.transport.simplex import solve


@kernel
def weighted_transport(
    x: Floats,
    x_weights: Floats,
    n: int,
    y: Floats,
    y_weights: Floats,
    m: int,
    angle: int,
    costs: Floats,
    masses: Floats,
    room: Floats,
    marks: Ints,
) -> float:
    """W2^2 between the first n and m of points (D, S) with weights (S,) that add up to one.

    Scratch: costs (S, S), masses (2 S,), room (2, 2 S), marks (9, 2 S).
    """
    for i in range(n):
        squared_distances_to(x[:, i], y, m, angle, costs[i])
        masses[i] = x_weights[i]
    for j in range(m):
        masses[n + j] = y_weights[j]
    return solve(n, m, masses, costs, room[0], room[1], marks)


@kernel
def fill_weighted(
    x: Floats, x_weights: Floats, n: Ints, y: Floats, y_weights: Floats, m: Ints, angle: int, distances: Floats
) -> None:
    """Put W2^2 of every x to every y into `distances`; arrays as in `WeightedSets`."""
    slots = x.shape[2]
    costs, masses = np.empty((slots, slots)), np.empty(2 * slots)
    room, marks = np.empty((2, 2 * slots)), np.empty((9, 2 * slots), np.int64)
    for i in range(len(n)):
        for j in range(len(m)):
            distances[i, j] = weighted_transport(
                x[i], x_weights[i], n[i], y[j], y_weights[j], m[j], angle, costs, masses, room, marks
            )


@kernel
def quantile_distance(x: Floats, x_weights: Floats, n: int, y: Floats, y_weights: Floats, m: int) -> float:
    """W2^2 in one dimension between n and m sorted values whose weights add up to one."""
    i, j, total = 0, 0, 0.0
    left, right = x_weights[0], y_weights[0]
    while i < n and j < m:
        difference = x[i] - y[j]
        if left <= right:
            total += left * difference * difference
            right -= left
            i += 1
            if i < n:
                left = x_weights[i]
        else:
            total += right * difference * difference
            left -= right
            j += 1
            if j < m:
                right = y_weights[j]
    return total


@kernel
def quantile_bounds(
    values: Floats,
    weights: Floats,
    n: int,
    references: Floats,
    reference_weights: Floats,
    counts: NDArray[np.int64],
    bounds: Floats,
) -> None:
    """Bound one set of weighted points against many.

    Parameters
    ----------
    values, weights
        Sorted coordinates of the one set's n points and their weights in that order, shapes (axes, S).
    references, reference_weights, counts
        The same of the others, shapes (M, axes, S), (M, axes, S) and (M,).
    bounds
        Filled, shape (M,).
    """
    for reference in range(len(bounds)):
        total = 0.0
        for axis in range(values.shape[0]):
            total += quantile_distance(
                values[axis],
                weights[axis],
                n,
                references[reference, axis],
                reference_weights[reference, axis],
                counts[reference],
            )
        bounds[reference] = total


@kernel
def search_weighted(
    x: Floats,
    x_weights: Floats,
    n: Ints,
    x_sorted: Floats,
    x_masses: Floats,
    y: Floats,
    y_weights: Floats,
    m: Ints,
    y_sorted: Floats,
    y_masses: Floats,
    angle: int,
    distances: Floats,
    references: Ints,
    solves: Ints,
) -> None:
    """Search the nearest y of every x; arrays as in `WeightedSets` and `quantile_bounds`."""
    slots = x.shape[2]
    costs, masses = np.empty((slots, slots)), np.empty(2 * slots)
    room, marks = np.empty((2, 2 * slots)), np.empty((9, 2 * slots), np.int64)
    bounds = np.empty(len(m))
    for i in range(len(n)):
        quantile_bounds(x_sorted[i], x_masses[i], n[i], y_sorted, y_masses, m, bounds)
        best = int(np.argmin(bounds))
        first = best
        least = weighted_transport(
            x[i], x_weights[i], n[i], y[best], y_weights[best], m[best], angle, costs, masses, room, marks
        )
        solved = 1
        for j in promising(bounds, first, least):
            if bounds[j] * (1.0 - ROUNDING) > least:
                break
            value = weighted_transport(
                x[i], x_weights[i], n[i], y[j], y_weights[j], m[j], angle, costs, masses, room, marks
            )
            solved += 1
            if value < least:
                least = value
                best = j
        distances[i], references[i], solves[i] = least, best, solved
