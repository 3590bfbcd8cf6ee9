"""Exact transport between weighted sets: the network simplex method on the tree of a transportation problem, compiled.

A basis of n sources and m sinks is a spanning tree of n + m - 1 arcs. The first one sends what is most remote to the
nearest that has room; each step brings in the arc with the most negative reduced cost of a few rows (rows in turn), and
shifts the potentials of the part of the tree that the leaving arc cuts off. For the points of a jet image this takes a
few dozen steps.
"""

from __future__ import annotations

import numpy as np

from oddjet.arrays import Floats, Ints
from oddjet.kernels import compiled, kernel

NONE = -1
# Reduced costs above minus so much times the largest cost count as 0: rounding, not an improvement.
TOLERANCE = 1e-13
# Far more steps than any problem takes: a tie could make the method go in circles.
STEPS_A_NODE = 100
# Rows that are searched for the next arc: of many sources a share, since each step then shifts many potentials.
ROWS_A_STEP, SHARE_OF_ROWS = 4, 40
# Costs are finite here (they are checked before), so comparisons may be reordered, which changes no number.
VECTOR_MATH = {"nnan", "nsz"}


@kernel
def _farthest_first(n: int, m: int, cost: Floats, sequence: Ints) -> None:  # pragma: no cover - compiled
    """Order sources and sinks by their mean cost, the largest first; equal ones stay in order (merge sort)."""
    mean = np.zeros(n + m)
    for i in range(n):
        for j in range(m):
            mean[i] += cost[i, j]
            mean[n + j] += cost[i, j]
    for node in range(n + m):
        mean[node] /= m if node < n else n
        sequence[node] = node
    merged = np.empty(n + m, np.int64)
    length = 1
    while length < n + m:
        for begin in range(0, n + m, 2 * length):
            middle, end = min(begin + length, n + m), min(begin + 2 * length, n + m)
            a, b = begin, middle
            for place in range(begin, end):
                if a < middle and (b >= end or mean[sequence[a]] >= mean[sequence[b]]):
                    merged[place] = sequence[a]
                    a += 1
                else:
                    merged[place] = sequence[b]
                    b += 1
        sequence[: n + m] = merged
        length *= 2


@kernel
def _nearest(node: int, n: int, cost: Floats, alive: Ints, count: int) -> int:  # pragma: no cover - compiled
    """Place in `alive`, the nodes that are left on the other side, of the one with the least cost."""
    best, least = 0, np.inf
    for place in range(count):
        value = cost[node, alive[place] - n] if node < n else cost[alive[place], node - n]
        if value < least:
            best, least = place, value
    return best


@kernel
def _start(
    n: int,
    m: int,
    mass: Floats,
    cost: Floats,
    parent: Ints,
    flow: Floats,
    order: Ints,
    sequence: Ints,
    left: Ints,
    place_of: Ints,
) -> None:  # pragma: no cover - compiled
    """Make a spanning tree: node by node, the most remote first, all goes to the nearest that has room.

    Each allocation crosses out one node, whose parent is the other end of the arc; `order` lists the nodes as they are
    crossed out, the root last. `mass` is used up; `left`, shape (2, n + m), is room for the nodes of either side, and
    `place_of`, shape (n + m,), for their places in it.
    """
    _farthest_first(n, m, cost, sequence)
    count = np.array((n, m))
    for node in range(n + m):
        if node < n:
            left[0, node], place_of[node] = node, node
        else:
            left[1, node - n], place_of[node] = node, node - n
    crossed = 0
    gone = np.zeros(n + m, np.bool_)
    for position in range(n + m):
        node = sequence[position]
        own = 1 if node >= n else 0
        while not gone[node]:
            other = left[1 - own, _nearest(node, n, cost, left[1 - own], count[1 - own])]
            if count[1 - own] == 1 or (count[own] > 1 and mass[node] <= mass[other]):
                child, mother, side = node, other, own
            else:
                child, mother, side = other, node, 1 - own
            parent[child], flow[child] = mother, max(mass[child], 0.0)
            mass[mother] -= mass[child]
            order[crossed] = child
            gone[child] = True
            crossed += 1
            count[side] -= 1
            place, last = place_of[child], left[side, count[side]]
            left[side, place], place_of[last] = last, place
            if crossed == n + m - 1:
                parent[mother] = NONE
                order[crossed] = mother
                return


@kernel
def _link(child: int, mother: int, first: Ints, after: Ints, before: Ints) -> None:  # pragma: no cover - compiled
    """Put a node in front of its parent's children."""
    other = first[mother]
    after[child], before[child] = other, NONE
    if other != NONE:
        before[other] = child
    first[mother] = child


@kernel
def _unlink(child: int, mother: int, first: Ints, after: Ints, before: Ints) -> None:  # pragma: no cover - compiled
    """Take a node out of its parent's children."""
    left, right = before[child], after[child]
    if left == NONE:
        first[mother] = right
    else:
        after[left] = right
    if right != NONE:
        before[right] = left


@kernel
def _push(i: int, j: int, n: int, parent: Ints, flow: Floats, depth: Ints) -> tuple[int, bool]:  # pragma: no cover
    """Send as much as possible round the circle that the arc i -> j closes.

    Returns the node whose arc to its parent is emptied, and whether it lies on the side of i.
    """
    least, leaving, on_side_of_i = np.inf, NONE, False
    a, b = i, j
    while a != b:
        if depth[a] >= depth[b]:
            # Towards i the circle runs down: it empties arcs of sources.
            if a < n and flow[a] < least:
                least, leaving, on_side_of_i = flow[a], a, True
            a = parent[a]
        else:
            if b >= n and flow[b] <= least:
                least, leaving, on_side_of_i = flow[b], b, False
            b = parent[b]
    a, b = i, j
    while a != b:
        if depth[a] >= depth[b]:
            flow[a] += -least if a < n else least
            a = parent[a]
        else:
            flow[b] += -least if b >= n else least
            b = parent[b]
    flow[leaving] = least
    return leaving, on_side_of_i


@kernel
def _rehang(
    end: int, other: int, leaving: int, parent: Ints, flow: Floats, first: Ints, after: Ints, before: Ints
) -> None:  # pragma: no cover - compiled
    """Hang the part below `leaving` on `other` by its node `end`; the arcs between turn round."""
    above, carried = other, flow[leaving]
    node = end
    while True:
        mother, own = parent[node], flow[node]
        _unlink(node, mother, first, after, before)
        parent[node], flow[node] = above, carried
        _link(node, above, first, after, before)
        if node == leaving:
            return
        above, carried, node = node, own, mother


@kernel
def _shift(
    top: int, n: int, change: float, potential: Floats, depth: Ints, parent: Ints, first: Ints, after: Ints
) -> None:  # pragma: no cover - compiled
    """Add `change` to the potentials of nodes like `top` (source or sink) below it, and subtract it from the others."""
    signed = change if top < n else -change
    node = top
    while True:
        depth[node] = depth[parent[node]] + 1
        potential[node] += signed if node < n else -signed
        if first[node] != NONE:
            node = first[node]
            continue
        while node != top and after[node] == NONE:
            node = parent[node]
        if node == top:
            return
        node = after[node]


@kernel
def _measure(
    n: int, m: int, cost: Floats, potential: Floats, order: Ints, parent: Ints, depth: Ints
) -> float:  # pragma: no cover - compiled
    """Fill potentials and depths from the root down; give the largest cost of an arc of the tree."""
    largest = 0.0
    for position in range(n + m - 1, -1, -1):
        node = order[position]
        above = parent[node]
        if above == NONE:
            potential[node] = 0.0
            depth[node] = 0
            continue
        price = cost[node, above - n] if node < n else cost[above, node - n]
        largest = max(largest, price)
        potential[node] = price - potential[above]
        depth[node] = depth[above] + 1
    return largest


@compiled(fastmath=VECTOR_MATH)
def _least_of_row(m: int, costs: Floats, potentials: Floats) -> float:  # pragma: no cover - compiled
    """Least cost minus potential of a row; a loop of its own, of which the compiler makes vector code."""
    least = np.inf
    for j in range(m):
        least = min(least, costs[j] - potentials[j])
    return least


@kernel
def _entering(
    n: int, m: int, row: int, rows: int, threshold: float, cost: Floats, potential: Floats
) -> tuple[int, int, float]:  # pragma: no cover - compiled
    """Find the best arc of the next `rows`: source, sink, reduced cost; source NONE if none is below `threshold`."""
    source, change = NONE, threshold
    for step in range(min(rows, n)):
        i = (row + step) % n
        reduced = _least_of_row(m, cost[i], potential[n:]) - potential[i]
        if reduced < change:
            source, change = i, reduced
    sink, least = 0, np.inf
    if source != NONE:
        for j in range(m):
            if cost[source, j] - potential[n + j] < least:
                sink, least = j, cost[source, j] - potential[n + j]
    return source, n + sink, change


@kernel
def solve(
    n: int, m: int, mass: Floats, cost: Floats, potential: Floats, flow: Floats, room: Ints
) -> float:  # pragma: no cover - compiled
    """Least cost of moving what the sources have to the sinks.

    Parameters
    ----------
    n, m : int
        Sources and sinks, at least 1 each.
    mass : float64 array, shape (>= n + m,)
        Of the sources, then of the sinks: not negative, with equal sums (to rounding); used up.
    cost : float64 array, shape (>= n, >= m)
    potential, flow : float64 arrays, shape (>= n + m,) each
        Room; `potential` holds the dual solution at the end, sources first.
    room : int64 array, shape (9, >= n + m)
        Room.

    Returns
    -------
    float
        The cost; NaN if the method went in circles.
    """
    parent, first, after, before, depth, order = room[0], room[1], room[2], room[3], room[4], room[5]
    _start(n, m, mass, cost, parent, flow, order, room[6], room[7:9], first)
    threshold = -TOLERANCE * _measure(n, m, cost, potential, order, parent, depth)
    first[: n + m] = NONE
    for node in range(n + m):
        if parent[node] != NONE:
            _link(node, parent[node], first, after, before)
    clean, row, steps = 0, 0, 0
    rows = max(ROWS_A_STEP, n // SHARE_OF_ROWS)
    while clean < n:
        source, sink, change = _entering(n, m, row, rows, threshold, cost, potential)
        row = (row + rows) % n
        clean += rows
        if source != NONE:
            leaving, on_side_of_source = _push(source, sink, n, parent, flow, depth)
            end, other = (source, sink) if on_side_of_source else (sink, source)
            _rehang(end, other, leaving, parent, flow, first, after, before)
            _shift(end, n, change, potential, depth, parent, first, after)
            clean = 0
            steps += 1
            if steps > STEPS_A_NODE * (n + m):
                return np.nan
    total = 0.0
    for node in range(n + m):
        above = parent[node]
        if above != NONE:
            total += flow[node] * (cost[node, above - n] if node < n else cost[above, node - n])
    return total


@kernel
def _merge(
    p1: Ints, v1: Floats, p2: Ints, v2: Floats, cancel: bool, where: Ints, mass: Floats, demand: Floats
) -> tuple[int, int]:  # pragma: no cover - compiled
    """Lay sources and sinks of two images out; with `cancel` common mass is left out. Returns their numbers.

    Sources fill `where` from the front, sinks from the middle on (with their masses in `demand`).
    """
    half = len(where) // 2
    n = m = a = b = 0
    while a < len(p1) or b < len(p2):
        if b == len(p2) or (a < len(p1) and p1[a] < p2[b]):
            where[n], mass[n] = p1[a], v1[a]
            n, a = n + 1, a + 1
        elif a == len(p1) or p2[b] < p1[a]:
            where[half + m], demand[m] = p2[b], v2[b]
            m, b = m + 1, b + 1
        else:
            common = min(v1[a], v2[b]) if cancel else 0.0
            if v1[a] > common:
                where[n], mass[n] = p1[a], v1[a] - common
                n += 1
            if v2[b] > common:
                where[half + m], demand[m] = p2[b], v2[b] - common
                m += 1
            a, b = a + 1, b + 1
    return n, m


@kernel
def transport_costs(
    first: tuple[Ints, Ints, Floats],
    second: tuple[Ints, Ints, Floats],
    pairs: Ints,
    table: Floats,
    cancel: bool,
    costs: Floats,
) -> None:  # pragma: no cover - compiled
    """Solve the transport problem of many pairs of sparse images.

    Parameters
    ----------
    first, second : tuple
        (indptr, pixel, value) of images of as many pixels as `table` has; see `SparseImages`.
    pairs : int64 array, shape (k, 2)
        Row of the first images and row of the second images.
    table : float64 array, shape (pixels, pixels)
        Ground cost by the distance in rows and in columns.
    cancel : bool
        Leave what both have on a pixel where it is; exact for a ground cost that is a metric.
    costs : float64 array, shape (k,)
        Filled; NaN where the method went in circles.
    """
    indptr1, pixel1, value1 = first
    indptr2, pixel2, value2 = second
    pixels = len(table)
    half = max(np.max(np.diff(indptr1)), np.max(np.diff(indptr2)))
    where = np.empty(2 * half, np.int64)
    room = np.empty((9, 2 * half), np.int64)
    mass, demand, potential, flow = np.empty(2 * half), np.empty(half), np.empty(2 * half), np.empty(2 * half)
    cost = np.empty((half, half))
    for k in range(len(pairs)):
        one = slice(indptr1[pairs[k, 0]], indptr1[pairs[k, 0] + 1])
        two = slice(indptr2[pairs[k, 1]], indptr2[pairs[k, 1] + 1])
        n, m = _merge(pixel1[one], value1[one], pixel2[two], value2[two], cancel, where, mass, demand)
        if n == 0 or m == 0:
            costs[k] = 0.0
            continue
        # Rows are cheap to search when they are short: the larger set takes the place of the sources.
        swapped = n < m
        if swapped:
            for i in range(n - 1, -1, -1):
                mass[m + i] = mass[i]
            mass[:m] = demand[:m]
        else:
            mass[n : n + m] = demand[:m]
        for i in range(n):
            row, column = where[i] // pixels, where[i] % pixels
            for j in range(m):
                other = where[half + j]
                price = table[abs(row - other // pixels), abs(column - other % pixels)]
                if swapped:
                    cost[j, i] = price
                else:
                    cost[i, j] = price
        costs[k] = solve(max(n, m), min(n, m), mass, cost, potential, flow, room)
