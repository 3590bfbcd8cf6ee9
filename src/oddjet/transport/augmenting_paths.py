"""The assignment problem by shortest augmenting paths from all free rows at once, compiled.

Jonker and Volgenant (1987) search from one free row after the other. Here every free row is the root of a tree and one
search grows them all (Dijkstra with several sources): each tree that reaches a free column gives a path, and paths of
different trees share no vertex, so that one search matches many rows. Its inner loop, over all columns of a row, is
written such that the compiler makes vector code of it: distances are not negative, so their bits are ordered like
integers, and with the number of the column in the lowest bits (a relative change of 1e-11 or less) one minimum of
integers finds both the least distance and its column.
"""

from __future__ import annotations

import numpy as np

from oddjet.arrays import Floats, Ints
from oddjet.kernels import kernel
from oddjet.transport.distances import aligned_distances, distances_between, straightened_distances
from oddjet.transport.simplex import solve

INFINITE_BITS = np.int64(np.float64(np.inf).view(np.int64))
# A search ends when this share of its trees has reached a free column: the last trees would have to grow very large,
# and fewer are left of them once the others are matched.
ENOUGH = 0.3
# The search for all free rows is done again as long as it matches this share of them. Below, their trees are in each
# other's way, and rows are matched one by one.
WORTH = 0.1
# Rows bid for columns before the first search, so often a free row: each bid is cheap, and later ones gain little.
BIDS = 8
# Where more than this share of the rows are nearest to no column, points are congested: of a training's, 0.4 are. Of
# fewer points each problem is solved as it is: it is done before copies have been looked for.
CONGESTED, MANY = 0.8, 512
# A set with at most this share of different points is one of copies.
COPIES = 0.1


def fill_matches(x: Floats, y: Floats, columns: Ints, power: int) -> None:
    """Match two sets of points at the least cost, each seed for itself.

    Not a kernel itself: one that held all of those that it calls would take longer to compile than all of them.

    Parameters
    ----------
    x, y
        Finite points, float64 arrays of shape (S, N, D), contiguous: each other layout would be compiled for.
    columns
        Filled: the y of each x, shape (S, N).
    power
        2: squared Euclidean cost, of aligned points; 1: Euclidean cost.
    """
    n = x.shape[1]
    costs = np.empty((n, n))
    for points, others, match in zip(x, y, columns, strict=True):
        if power == 2:
            aligned_distances(points, others, costs)
        else:
            distances_between(points, others, costs)
            np.sqrt(costs, out=costs)
        if fill_assignment(costs, match, CONGESTED if n >= MANY else 1.0):
            continue
        if not _match_copies(points, others, match, power):
            if power == 2:
                straightened_distances(points, others, costs)
            fill_assignment(costs, match, 1.0)


def _match_copies(x: Floats, y: Floats, match: Ints, power: int) -> bool:
    """Match sets of which one has few different points, by transport between these; False where none has."""
    (sources, source_of, supply), (sinks, sink_of, demand) = _different(x), _different(y)
    n, m = len(sources), len(sinks)
    if n < m:
        # Rows are cheap to search when they are short.
        back = np.empty_like(match)
        if matched := _match_copies(y, x, back, power):
            match[back] = np.arange(len(back))
        return matched
    if m > COPIES * len(y):
        return False
    costs, room = np.empty((n, m)), np.empty((9, n + m), np.int64)
    distances_between(sources, sinks, costs)
    if power == 1:
        np.sqrt(costs, out=costs)
    # Whole numbers: the flows are whole too, and none is rounded.
    flow = np.zeros(n + m)
    mass = np.concatenate([supply, demand]).astype(np.float64)
    if not np.isfinite(solve(n, m, mass, costs, np.empty(n + m), flow, room)):
        return False
    above = room[0]
    child = np.repeat(np.arange(n + m), np.where(above >= 0, flow, 0).astype(np.int64))
    source, sink = np.minimum(child, above[child]), np.maximum(child, above[child]) - n
    units = np.argsort(source, kind="stable"), np.argsort(sink, kind="stable")
    row_of_unit, column_of_unit = np.empty((2, len(x)), np.int64)
    row_of_unit[units[0]] = np.argsort(source_of, kind="stable")
    column_of_unit[units[1]] = np.argsort(sink_of, kind="stable")
    match[row_of_unit] = column_of_unit
    return True


def _different(points: Floats) -> tuple[Floats, Ints, Ints]:
    """Return the different points, which one each is, and how many are the same; all, where few have copies."""
    # Equal points have equal sums.
    if len(np.unique(points.sum(axis=1))) > COPIES * len(points):
        return points, np.arange(len(points)), np.ones(len(points), np.int64)
    found, place, count = np.unique(points, axis=0, return_inverse=True, return_counts=True)
    return np.ascontiguousarray(found), place.ravel(), count


@kernel
def fill_assignment(costs: Floats, match: Ints, most: float) -> bool:
    """Put the column of each row, a permutation of the least total cost, into `match`; costs (N, N), finite.

    Where more than the share `most` of the rows have no column whose least cost is theirs, nothing is solved: False.
    """
    n = len(costs)
    if n < 2:
        match[:] = 0
        return True
    mask = 1
    while mask < n:
        mask *= 2
    mask -= 1
    dual, owner, free = np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64)
    left = _match_column_minima(costs, dual, owner, match, free)
    if left > most * n:
        return False
    left = _bid(costs, dual, owner, match, free, left, mask)
    row_dual = np.empty(n)
    for k in range(left):
        row_dual[free[k]] = _least_reduced(costs[free[k]], dual)
    matched = left
    while left and matched >= WORTH * left:
        before = left
        left = _augment(costs, dual, row_dual, owner, match, free, left, mask)
        matched = before - left
    for k in range(left):
        _augment(costs, dual, row_dual, owner, match, free[k : k + 1], 1, mask)
    return True


@kernel
def _match_column_minima(costs: Floats, dual: Floats, owner: Ints, match: Ints, free: Ints) -> int:
    """Start with the least cost of each column as its dual; match what this allows; number of free rows, in `free`."""
    n = len(costs)
    owner[:] = 0
    dual[:] = np.inf
    for i in range(n):
        row = costs[i]
        for j in range(n):
            better = row[j] < dual[j]
            dual[j] = row[j] if better else dual[j]
            owner[j] = i if better else owner[j]
    minima = np.zeros(n, np.int64)
    match[:] = -1
    for j in range(n):
        i = owner[j]
        minima[i] += 1
        if match[i] < 0:
            match[i] = j
        else:
            owner[j] = -1
    left = 0
    for i in range(n):
        if minima[i] == 0:
            free[left] = i
            left += 1
        elif minima[i] == 1:
            # A row that has no other column to lose keeps its one up to the cost of the next best (reduction transfer).
            j = match[i]
            kept, dual[j] = dual[j], -np.inf
            dual[j] = kept - _least_reduced(costs[i], dual)
    return left


@kernel
def _bid(costs: Floats, dual: Floats, owner: Ints, match: Ints, free: Ints, left: int, mask: int) -> int:
    """Let free rows take their cheapest columns (augmenting row reduction); number of rows still free, in `free`.

    The column's dual falls until the row is indifferent to its second choice; a row that lost it bids next.
    """
    bids, still, k = BIDS * left, 0, 0
    reduced = np.empty(len(costs))
    while k < left:
        row = free[k]
        k += 1
        if bids == 0:
            free[still] = row
            still += 1
            continue
        bids -= 1
        column = _reduce(costs[row], dual, reduced, mask)
        first, reduced[column] = reduced[column], np.inf
        other = _least(reduced, mask)
        gain = reduced[other] - first
        dual[column] -= gain
        if gain <= 0.0 and owner[column] >= 0:
            column = _free_as_near(reduced, owner, first, other)
        loser = owner[column]
        owner[column], match[row] = row, column
        if loser >= 0:
            match[loser] = -1
            if gain > 0.0:
                k -= 1
                free[k] = loser
            else:
                free[still] = loser
                still += 1
    return still


@kernel
def _free_as_near(reduced: Floats, owner: Ints, least: float, column: int) -> int:
    """Return a free column whose reduced cost is the least one, or `column` where there is none.

    Copies of a point have many columns at the least cost: rows that took the first two would only rob each other.
    """
    for j in range(len(reduced)):
        if owner[j] < 0 and reduced[j] <= least:
            return j
    return column


@kernel
def _augment(
    costs: Floats, dual: Floats, row_dual: Floats, owner: Ints, match: Ints, free: Ints, left: int, mask: int
) -> int:
    """Grow a tree from every free row, match those that reach a free column; number of rows still free, in `free`."""
    n = len(costs)
    work, shortest, before = dual.copy(), np.full(n, np.inf), np.empty(n, np.int64)
    root, end = np.empty(n, np.int64), np.full(n, -1, np.int64)
    closed, final = np.empty(n, np.int64), np.empty(n)
    column = 0
    for k in range(left):
        i = free[k]
        root[i] = i
        column = _relax(costs[i], work, -row_dual[i], i, shortest, before, mask)
    reached, n_closed, length = 0, 0, 0.0
    while shortest[column] < np.inf:
        length = shortest[column]
        closed[n_closed], final[n_closed] = column, length
        n_closed += 1
        # From now on no path to it is shorter, and none is asked for.
        shortest[column], work[column] = np.inf, -np.inf
        tree, i = root[before[column]], owner[column]
        if i >= 0:
            root[i] = tree
            offset = length - (costs[i, column] - dual[column])
            column = _relax(costs[i], work, offset, i, shortest, before, mask)
            continue
        if end[tree] < 0:
            end[tree] = column
            reached += 1
            if reached >= ENOUGH * left:
                break
        column = _least(shortest, mask)
    for k in range(n_closed):
        dual[closed[k]] -= length - final[k]
    still = 0
    for k in range(left):
        row = free[k]
        column = end[row]
        if column < 0:
            row_dual[row] += length
            free[still] = row
            still += 1
            continue
        while True:
            i = before[column]
            owner[column] = i
            match[i], column = column, match[i]
            if i == row:
                break
    return still


@kernel
def _relax(row: Floats, work: Floats, offset: float, i: int, shortest: Floats, before: Ints, mask: int) -> int:
    """Shorten the paths to all columns by way of row i; the column that is now the nearest."""
    best = INFINITE_BITS | mask
    for j in range(len(row)):
        path = offset + (row[j] - work[j])
        better = path < shortest[j]
        length = np.float64(path if better else shortest[j])
        shortest[j] = length
        before[j] = i if better else before[j]
        best = min(best, (np.float64(length).view(np.int64) & ~mask) | j)
    return int(best & mask)


@kernel
def _reduce(row: Floats, dual: Floats, reduced: Floats, mask: int) -> int:
    """Fill the reduced costs of a row; the column of the least one."""
    best = INFINITE_BITS | mask
    for j in range(len(row)):
        value = np.float64(row[j] - dual[j])
        reduced[j] = value
        best = min(best, (np.float64(value).view(np.int64) & ~mask) | j)
    return int(best & mask)


@kernel
def _least(shortest: Floats, mask: int) -> int:
    """Column of the smallest value; values not negative."""
    best = INFINITE_BITS | mask
    for j in range(len(shortest)):
        best = min(best, (np.float64(shortest[j]).view(np.int64) & ~mask) | j)
    return int(best & mask)


@kernel
def _least_reduced(row: Floats, dual: Floats) -> float:
    """Smallest reduced cost of a row; reduced costs are not negative."""
    best = INFINITE_BITS
    for j in range(len(row)):
        best = min(best, np.float64(row[j] - dual[j]).view(np.int64))
    return float(np.int64(best).view(np.float64))
