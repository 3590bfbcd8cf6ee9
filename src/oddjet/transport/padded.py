"""Transport between small sets of points of equal weight, padded with points at the origin, compiled."""

from __future__ import annotations

import numpy as np

from oddjet.arrays import Floats, Ints
from oddjet.kernels import kernel

TWO_PI = 2.0 * np.pi
# A bound may exceed its distance by the rounding of a sum of a hundred squares, never by this share.
ROUNDING = 1e-11


@kernel
def squared_distances_to(point: Floats, others: Floats, m: int, angle: int, distances: Floats) -> None:
    """Put the squared distances of a point (D,) to m others (D, S) into `distances`; `angle` has the period 2 pi."""
    distances[:m] = 0.0
    for axis in range(len(point)):
        value, row = point[axis], others[axis]
        if axis == angle:
            for j in range(m):
                difference = value - row[j]
                difference -= TWO_PI * np.round(difference / TWO_PI)
                distances[j] += difference * difference
        else:
            for j in range(m):
                difference = value - row[j]
                distances[j] += difference * difference


@kernel
def squared_distance(x: Floats, i: int, y: Floats, j: int, angle: int) -> float:
    """Squared distance of point i of x to point j of y, both (D, S)."""
    total = 0.0
    for axis in range(x.shape[0]):
        difference = x[axis, i] - y[axis, j]
        if axis == angle:
            difference -= TWO_PI * np.round(difference / TWO_PI)
        total += difference * difference
    return total


@kernel
def gains(x: Floats, x_norms: Floats, n: int, y: Floats, y_norms: Floats, m: int, angle: int, costs: Floats) -> bool:
    """Put |x - y|^2 - |x|^2 - |y|^2 into costs[:n, :m]; say whether none is above zero. Points as in `PaddedSets`."""
    for i in range(n):
        squared_distances_to(x[:, i], y, m, angle, costs[i])
        for j in range(m):
            costs[i, j] -= x_norms[i] + y_norms[j]
    all_pay = True
    for i in range(n):
        for j in range(m):
            all_pay &= costs[i, j] <= 0.0
    return all_pay


@kernel
def first_duals(x_norms: Floats, n: int, y_norms: Floats, m: int, size: int, dual: Floats) -> None:
    """Fill the column duals of transport by the distance from the origin alone, which sorting solves.

    Both sides are ordered by falling norm. Along a line duals may fall from one column to the next by 2 x (y - y') with
    any x between those of the two matched points; here their mean.
    """
    for j in range(m, size):
        dual[j] = 0.0
    here = 0.0
    for j in range(m - 1, -1, -1):
        above = np.sqrt(y_norms[j]) - (np.sqrt(y_norms[j + 1]) if j + 1 < m else 0.0)
        between = (np.sqrt(x_norms[j]) if j < n else 0.0) + (np.sqrt(x_norms[j + 1]) if j + 1 < n else 0.0)
        here -= above * between
        dual[j] = here


@kernel
def assign_columns(
    costs: Floats, size: int, owner: Ints, match: Ints, duals: Floats, steps: Floats, back: Ints
) -> None:
    """Solve the assignment of costs[:size, :size] by shortest augmenting paths from given column duals.

    Parameters
    ----------
    owner, match
        Filled: row of each column, column of each row.
    duals
        duals[1, :size]: any start; the nearer to the optimum, the fewer searches. duals[0] is filled.
    steps, back
        Scratch, shapes (2, >= size) and (2, >= size).
    """
    row_dual, dual = duals[0], duals[1]
    for k in range(size):
        owner[k] = -1
        match[k] = -1
    for i in range(size):
        # Where a row has several columns to choose from, the one of its own number is first asked.
        least, there = costs[i, i] - dual[i], i
        for j in range(size):
            if costs[i, j] - dual[j] < least:
                least, there = costs[i, j] - dual[j], j
        row_dual[i] = least
        if owner[there] < 0:
            owner[there], match[i] = i, there
    for i in range(size):
        if match[i] < 0:
            augment(costs, i, size, owner, match, duals, steps, back)


@kernel
def augment(
    costs: Floats, row: int, size: int, owner: Ints, match: Ints, duals: Floats, steps: Floats, back: Ints
) -> None:
    """Match one more row by the cheapest alternating path, and move the duals along (Jonker and Volgenant 1987)."""
    row_dual, dual = duals[0], duals[1]
    shortest, before, open_columns = steps[0], back[0], back[1]
    for j in range(size):
        shortest[j] = np.inf
        open_columns[j] = j
    remaining, current, length, end = size, row, 0.0, -1
    while end < 0:
        least, position = np.inf, -1
        offset = length - row_dual[current]
        for k in range(remaining):
            j = open_columns[k]
            path = offset + costs[current, j] - dual[j]
            if path < shortest[j]:
                shortest[j] = path
                before[j] = current
            if shortest[j] < least or (shortest[j] == least and owner[j] < 0):
                least, position = shortest[j], k
        length = least
        column = open_columns[position]
        remaining -= 1
        open_columns[position] = open_columns[remaining]
        open_columns[remaining] = column
        current = owner[column]
        if current < 0:
            end = column
    # The columns that were closed lie behind the open ones; the last of them is the end.
    for k in range(remaining + 1, size):
        j = open_columns[k]
        row_dual[owner[j]] += length - shortest[j]
        dual[j] -= length - shortest[j]
    row_dual[row] += length
    while True:
        i = before[end]
        owner[end] = i
        match[i], end = end, match[i]
        if i == row:
            break


@kernel
def padded_transport(
    x: Floats,
    x_norms: Floats,
    n: int,
    y: Floats,
    y_norms: Floats,
    m: int,
    angle: int,
    costs: Floats,
    duals: Floats,
    steps: Floats,
    marks: Ints,
) -> float:
    """W2^2 between two sets of points of equal weight, of which the first n and m are not at the origin.

    Points at the origin are alike and as far from any other as its norm says. With the costs |x - y|^2 - |x|^2 - |y|^2
    those between them and anything are zero, and of all these equal points only so many need to take part as may have
    a match: none beyond the larger of n and m, unless some match of two others costs more than it saves.

    Parameters
    ----------
    x, y, x_norms, y_norms, angle
        As in `PaddedSets`: points (D, S), norms (S,), in the order of falling norm.
    costs, duals, steps, marks
        Scratch: (S, S), (2, S), (2, S), (4, S).
    """
    if n > m:
        x, x_norms, n, y, y_norms, m = y, y_norms, m, x, x_norms, n
    slots: int = x.shape[1]
    size = m
    if not gains(x, x_norms, n, y, y_norms, m, angle, costs):
        size += min(n, slots - m)
        costs[:n, m:size] = 0.0
    costs[n:size, :size] = 0.0
    first_duals(x_norms, n, y_norms, m, size, duals[1])
    owner, match = marks[0], marks[1]
    assign_columns(costs, size, owner, match, duals, steps, marks[2:])
    # Summed anew, without the differences of large numbers above.
    total = 0.0
    for j in range(m):
        if owner[j] < n:
            total += squared_distance(x, owner[j], y, j, angle)
        else:
            total += y_norms[j]
    for j in range(m, size):
        total += x_norms[owner[j]] if owner[j] < n else 0.0
    return total / slots


@kernel
def fill_padded(
    x: Floats, x_norms: Floats, n: Ints, y: Floats, y_norms: Floats, m: Ints, angle: int, distances: Floats
) -> None:
    """Put W2^2 of every x to every y into `distances`; arrays as in `PaddedSets`."""
    slots = x.shape[2]
    costs, marks = np.empty((slots, slots)), np.empty((4, slots), np.int64)
    duals, steps = np.empty((2, slots)), np.empty((2, slots))
    for i in range(len(n)):
        for j in range(len(m)):
            distances[i, j] = padded_transport(
                x[i], x_norms[i], n[i], y[j], y_norms[j], m[j], angle, costs, duals, steps, marks
            )


@kernel
def sorted_bounds(values: Floats, references: Floats, slots: int, bounds: Floats) -> None:
    """Bound one set against many, all of `slots` points of equal weight.

    Parameters
    ----------
    values
        Coordinates of the one set, sorted axis by axis, one after the other: shape (axes * slots,).
    references
        The same of the others, one a column: shape (axes * slots, M).
    bounds
        Filled, shape (M,).
    """
    bounds[:] = 0.0
    for k in range(len(values)):
        value, row = values[k], references[k]
        for reference in range(len(bounds)):
            difference = value - row[reference]
            bounds[reference] += difference * difference
    for reference in range(len(bounds)):
        bounds[reference] /= slots


@kernel
def promising(bounds: Floats, first: int, least: float) -> Ints:
    """Order the references other than `first` whose bound lies below `least`, by their bounds."""
    chosen = np.flatnonzero(bounds * (1.0 - ROUNDING) <= least)
    chosen = chosen[chosen != first]
    ordered: Ints = chosen[np.argsort(bounds[chosen], kind="mergesort")]
    return ordered


@kernel
def search_padded(
    x: Floats,
    x_norms: Floats,
    n: Ints,
    x_sorted: Floats,
    y: Floats,
    y_norms: Floats,
    m: Ints,
    y_sorted: Floats,
    angle: int,
    distances: Floats,
    references: Ints,
    solves: Ints,
) -> None:
    """Search the nearest y of every x; arrays as in `PaddedSets` and `sorted_bounds`."""
    slots = x.shape[2]
    costs, marks = np.empty((slots, slots)), np.empty((4, slots), np.int64)
    duals, steps = np.empty((2, slots)), np.empty((2, slots))
    bounds = np.empty(len(m))
    for i in range(len(n)):
        sorted_bounds(x_sorted[i], y_sorted, slots, bounds)
        best = int(np.argmin(bounds))
        first = best
        least = padded_transport(
            x[i], x_norms[i], n[i], y[best], y_norms[best], m[best], angle, costs, duals, steps, marks
        )
        solved = 1
        for j in promising(bounds, first, least):
            if bounds[j] * (1.0 - ROUNDING) > least:
                break
            value = padded_transport(x[i], x_norms[i], n[i], y[j], y_norms[j], m[j], angle, costs, duals, steps, marks)
            solved += 1
            if value < least:
                least = value
                best = j
        distances[i], references[i], solves[i] = least, best, solved
