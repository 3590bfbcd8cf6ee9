"""Transport costs with their gradients, compiled: the potential of the second set of weights, on all its points.

By the envelope theorem the derivative of the least cost by a weight is that point's dual potential. The simplex gives
potentials f of the first set's points that have a weight; those of the second are their c-transform,
g(y) = min over x of c(x, y) - f(x), which is defined on points without weight, too, and there says what the first grain
of weight would cost. Where the cost is a metric, what both sets have on the same point is taken off before; the
potential of that point then is minus its own c-transform, which is optimal for the whole problem (f = -g there).
"""

from __future__ import annotations

import numpy as np

from oddjet.arrays import Floats, Ints
from oddjet.kernels import compiled, kernel
from oddjet.transport.simplex import VECTOR_MATH, solve


@compiled(fastmath=VECTOR_MATH)
def _lower(values: Floats, costs: Floats, potential: float) -> None:  # pragma: no cover - compiled
    """Lower values to cost minus potential; a loop of its own, of which the compiler makes vector code."""
    for j in range(len(values)):
        values[j] = min(values[j], costs[j] - potential)


@kernel
def _occupied(weights: Floats, where: Ints, shares: Floats) -> tuple[int, float]:  # pragma: no cover - compiled
    """List the points with a weight above 0 and their shares of the sum; give their number and the sum."""
    count, total = 0, 0.0
    for j in range(len(weights)):
        if weights[j] > 0.0:
            where[count], shares[count] = j, weights[j]
            count += 1
            total += weights[j]
    for place in range(count):
        shares[place] /= total
    return count, total


@kernel
def _take_off_common(
    where: Ints, shares: Floats, n: int, others: Ints, other_shares: Floats, m: int
) -> None:  # pragma: no cover - compiled
    """Take what two sets have on the same point off the shares of both; points are listed in ascending order."""
    i = j = 0
    while i < n and j < m:
        if where[i] == others[j]:
            common = min(shares[i], other_shares[j])
            shares[i] -= common
            other_shares[j] -= common
            i, j = i + 1, j + 1
        elif where[i] < others[j]:
            i += 1
        else:
            j += 1


@kernel
def _left(shares: Floats, count: int, kept: Ints) -> int:  # pragma: no cover - compiled
    """List the places whose share is above 0; give their number."""
    left = 0
    for place in range(count):
        if shares[place] > 0.0:
            kept[left] = place
            left += 1
    return left


@kernel
def _solved(
    costs: Floats,
    shares: Floats,
    rows: Ints,
    n: int,
    others: Ints,
    other_shares: Floats,
    columns: Ints,
    m: int,
    potentials: Floats,
) -> float:  # pragma: no cover - compiled
    """Solve for what is left of both sets: the cost, and the potentials of the first set's `rows`.

    `costs` has a row for each point of the first set that has a weight and a column for each point of the second.
    """
    # Rows of the simplex are cheap to search when they are short: the larger set takes the place of the sources.
    swapped = n < m
    sources, sinks = max(n, m), min(n, m)
    mass, table = np.empty(n + m), np.empty((sources, sinks))
    for i in range(n):
        mass[m + i if swapped else i] = shares[rows[i]]
    for j in range(m):
        mass[j if swapped else n + j] = other_shares[columns[j]]
    for i in range(n):
        for j in range(m):
            price = costs[rows[i], others[columns[j]]]
            if swapped:
                table[j, i] = price
            else:
                table[i, j] = price
    duals, flow, room = np.empty(n + m), np.empty(n + m), np.empty((9, n + m), np.int64)
    cost = solve(sources, sinks, mass, table, duals, flow, room)
    for i in range(n):
        potentials[rows[i]] = duals[m + i if swapped else i]
    return cost


@kernel
def _transport(
    costs: Floats,
    where: Ints,
    shares: Floats,
    n: int,
    others: Ints,
    other_shares: Floats,
    m: int,
    metric: bool,
    slopes: Floats,
) -> float:  # pragma: no cover - compiled
    """Least cost between two sets of shares, and the potential of the second set on all its points."""
    rows, columns, potentials = np.empty(n, np.int64), np.empty(m, np.int64), np.empty(n)
    cost = 0.0
    if metric:
        _take_off_common(where, shares, n, others, other_shares, m)
    n_left, m_left = _left(shares, n, rows), _left(other_shares, m, columns)
    if n_left > 0 and m_left > 0:
        cost = _solved(costs, shares, rows, n_left, others, other_shares, columns, m_left, potentials)
    slopes[:] = np.inf
    if metric:
        for i in range(n_left if m_left > 0 else 0):
            _lower(slopes, costs[rows[i]], potentials[rows[i]])
        for i in range(n):
            potentials[i] = -slopes[where[i]] if n_left > 0 and m_left > 0 else 0.0
    for i in range(n):
        _lower(slopes, costs[i], potentials[i])
    return cost


@kernel
def _by_weight(slopes: Floats, others: Ints, shares: Floats, m: int, total: float) -> None:  # pragma: no cover
    """Turn potentials into derivatives by weights that are divided by their sum."""
    mean = 0.0
    for j in range(m):
        mean += shares[j] * slopes[others[j]]
    for j in range(len(slopes)):
        slopes[j] = (slopes[j] - mean) / total


@kernel
def _grid_costs(table: Floats, where: Ints, count: int, costs: Floats) -> None:  # pragma: no cover - compiled
    """Costs of some pixels to all: parts of a table by the distance in rows and columns, from -(P - 1) to P - 1."""
    pixels = (len(table) + 1) // 2
    for i in range(count):
        row, column = where[i] // pixels, where[i] % pixels
        for there in range(pixels):
            begin = pixels - 1 - column
            costs[i, there * pixels : (there + 1) * pixels] = table[pixels - 1 + there - row, begin : begin + pixels]


@kernel
def _point_costs(
    points: Floats, where: Ints, count: int, others: Floats, power: float, costs: Floats
) -> None:  # pragma: no cover - compiled
    """Costs of some points to all others: Euclidean distances to a power."""
    for i in range(count):
        for j in range(len(others)):
            square = 0.0
            for axis in range(points.shape[1]):
                step = points[where[i], axis] - others[j, axis]
                square += step * step
            distance = np.sqrt(square)
            if power == 0.5:
                costs[i, j] = np.sqrt(distance)
            elif power == 1.0:
                costs[i, j] = distance
            elif power == 2.0:
                costs[i, j] = square
            else:
                costs[i, j] = distance**power


@kernel
def transport_gradients(
    first: Floats,
    second: Floats,
    points: Floats,
    others: Floats,
    table: Floats,
    power: float,
    metric: bool,
    costs: Floats,
    gradients: Floats,
) -> None:  # pragma: no cover - compiled
    """Solve the transport problems of pairs of weighted sets, each divided by its sum.

    Parameters
    ----------
    first, second : float64 arrays, shapes (n, k) and (n, m)
        Weights; those at or below 0 count as none. Each row has one above 0.
    points, others : float64 arrays, shapes (1 or n, k, axes) and (1 or n, m, axes)
        Where the weights are; not read if there is a `table`.
    table : float64 array, shape (2 P - 1, 2 P - 1), or (0, 0)
        Cost between pixels of a grid of P x P by the distance in rows and in columns; then k = m = P^2.
    power : float
        Of the distance between points, which is the cost.
    metric : bool
        The cost is a metric, and both sets lie on the same points.
    costs : float64 array, shape (n,)
        Filled; NaN where the simplex went in circles.
    gradients : float64 array, shape (n, m)
        Filled: derivatives of the costs by the second weights.
    """
    k, m = first.shape[1], second.shape[1]
    where, shares, others_where, other_shares = np.empty(k, np.int64), np.empty(k), np.empty(m, np.int64), np.empty(m)
    left_shares = np.empty(m)
    prices = np.empty((0, m))
    for image in range(len(first)):
        count, _ = _occupied(first[image], where, shares)
        other_count, total = _occupied(second[image], others_where, other_shares)
        left_shares[:other_count] = other_shares[:other_count]
        if len(prices) < count:
            prices = np.empty((count, m))
        if len(table):
            _grid_costs(table, where, count, prices)
        else:
            here, there = points[image if len(points) > 1 else 0], others[image if len(others) > 1 else 0]
            _point_costs(here, where, count, there, power, prices)
        costs[image] = _transport(
            prices, where, shares, count, others_where, left_shares, other_count, metric, gradients[image]
        )
        _by_weight(gradients[image], others_where, other_shares, other_count, total)
