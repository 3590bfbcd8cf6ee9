"""Sequential recombination (anti-kT, Cambridge/Aachen, kT): the kernel below clustering, soft drop and subjet axes.

fastjet (Cacciari, Salam, PLB 641 (2006) 57) shows that only the geometrical nearest neighbour of each particle can be
the partner in the smallest distance d_ij = min(w_i, w_j) Delta R_ij^2, w = pT^(2 power). So each particle keeps its
nearest neighbour within R, and a step costs O(n) of vector code. Energy scheme: momenta add.


Two tricks make the loops vector code. Squared distances are never negative, so they are ordered like the integers of
the same bits; with the slot number in the lowest bits (a relative change of 1e-12 or less) one minimum of integers
gives both the smallest distance and whose it is. And slots come in blocks of eight, the unused ones far away.
"""

from __future__ import annotations

import numpy as np

from oddjet.arrays import Floats, Ints
from oddjet.kernels import compiled, kernel

ANTI_KT, CAMBRIDGE_AACHEN, KT = -1, 0, 1

# Two particles exactly back to back merge into one without transverse momentum, in GeV^2.
TINY = 1e-290
# Rapidity of an unused slot: its square is finite.
FAR = 1e150
BLOCK = 8
NONE, LOST = -1, -2
INFINITE_BITS = np.int64(np.float64(np.inf).view(np.int64))

# Distances are never NaN here (momenta are checked before), so comparisons may be reordered, which changes no number.
VECTOR_MATH = {"nnan", "nsz"}


@kernel
def rapidity_of(pz: float, energy: float, pt2: float) -> float:  # pragma: no cover - compiled
    """Rapidity from the larger light-cone component, which does not cancel."""
    transverse_mass2 = max((energy - pz) * (energy + pz), pt2)
    if transverse_mass2 <= 0.0:
        return 0.0
    y = np.log((energy + abs(pz)) / np.sqrt(transverse_mass2))
    return float(y) if pz >= 0.0 else -float(y)


@compiled(fastmath=VECTOR_MATH)
def _nearest(slot: int, blocks: int, y: Floats, phi: Floats, mask: int, d2: Floats) -> int:  # pragma: no cover
    """Nearest other slot; fills `d2` with the squared distances (0 to the slot itself)."""
    y0 = y[slot]
    phi0 = phi[slot]
    best = INFINITE_BITS
    for other in range(blocks * BLOCK):
        dphi = abs(phi[other] - phi0)
        dphi = min(dphi, 2 * np.pi - dphi)
        dy = y[other] - y0
        squared = np.float64(dy * dy + dphi * dphi)
        d2[other] = squared
        key = (squared.view(np.int64) & ~mask) | other
        best = min(best, INFINITE_BITS if other == slot else key)
    return int(best & mask)


@kernel
def _least(blocks: int, bits: Ints, mask: int) -> int:  # pragma: no cover - compiled
    """Slot of the smallest distance, from the bits of the distances."""
    best = INFINITE_BITS | mask
    for slot in range(blocks * BLOCK):
        best = min(best, (bits[slot] & ~mask) | slot)
    return int(best & mask)


@kernel
def _mark(blocks: int, i: int, j: int, last: int, near: Ints) -> int:  # pragma: no cover - compiled
    """Mark the slots whose neighbour `i` or `j` is gone as LOST and count them; slot `last` is now called `j`."""
    count = 0
    for slot in range(blocks * BLOCK):
        other = near[slot]
        gone = (other == i) | (other == j)
        count += 1 if gone else 0
        other = j if other == last else other
        near[slot] = LOST if gone else other
    return count


@compiled(fastmath=VECTOR_MATH)
def _adopt_near(blocks: int, i: int, d2: Floats, near2: Floats, near: Ints) -> None:  # pragma: no cover - compiled
    """Make slot `i`, at squared distances `d2`, the neighbour of those to whom it is nearer than the old one."""
    for slot in range(blocks * BLOCK):
        near[slot] = i if d2[slot] < near2[slot] else near[slot]


@compiled(fastmath=VECTOR_MATH)
def _adopt_distance(
    blocks: int, weight_i: float, d2: Floats, weight: Floats, near2: Floats, dij: Floats
) -> None:  # pragma: no cover - compiled
    """Do the same for the distances; a loop of its own because the compiler vectorises the two apart only."""
    for slot in range(blocks * BLOCK):
        squared = d2[slot]
        nearer = squared < near2[slot]
        distance = squared * min(weight[slot], weight_i)
        dij[slot] = distance if nearer else dij[slot]
        near2[slot] = squared if nearer else near2[slot]


@kernel
def _attach(
    slot: int, other: int, d2: Floats, r2: float, weight: Floats, near: Ints, near2: Floats, dij: Floats
) -> None:  # pragma: no cover - compiled
    """Give a slot its nearest neighbour, or none beyond R."""
    w = weight[slot]
    squared = d2[other]
    if squared < r2 and other != slot:
        w = min(w, weight[other])
    else:
        other = NONE
        squared = r2
    near[slot] = other
    near2[slot] = squared
    dij[slot] = squared * w


@kernel
def _weight(pt2: float, power: int) -> float:  # pragma: no cover - compiled
    if power == 0:
        return 1.0
    return pt2 if power > 0 else 1.0 / max(pt2, TINY)


@kernel
def _mask_of(room: int) -> int:  # pragma: no cover - compiled
    """Return the lowest bits that can number the slots."""
    mask = 1
    while mask < room:
        mask *= 2
    return mask - 1


@kernel
def _find_anew(
    lost: int,
    but: int,
    blocks: int,
    y: Floats,
    phi: Floats,
    mask: int,
    d2: Floats,
    r2: float,
    weight: Floats,
    near: Ints,
    near2: Floats,
    dij: Floats,
) -> None:  # pragma: no cover - compiled
    """Find a neighbour for each of the slots that lost theirs, but for one that gets another one anyway."""
    slot = 0
    while lost > 0:
        while near[slot] != LOST:
            slot += 1
        lost -= 1
        near[slot] = NONE
        if slot != but:
            other = _nearest(slot, blocks, y, phi, mask, d2)
            _attach(slot, other, d2, r2, weight, near, near2, dij)


@kernel
def recombine(
    n: int, p: Floats, y: Floats, phi: Floats, power: int, r2: float, parents: Ints
) -> int:  # pragma: no cover - compiled
    """Cluster one event.

    Parameters
    ----------
    n : int
        Number of particles, at least 1.
    p, y, phi : float64 arrays, shapes (>= 2 n - 1, 4), (>= 2 n - 1,), (>= 2 n - 1,)
        Rows 0 to n - 1: (px, py, pz, E) in GeV, rapidity and azimuth of the particles. Filled for each merger.
    power : int
        -1 anti-kT, 0 Cambridge/Aachen, 1 kT.
    r2 : float
        Squared radius; infinite for a tree without beam.
    parents : int64 array, shape (>= 2 n - 1, 2)
        Filled with the two rows that each merger came from. A row that is no parent ended as a jet.

    Returns
    -------
    int
        Number of rows: particles and mergers, in the order in which they were made.
    """
    blocks = (n + BLOCK - 1) // BLOCK
    room = blocks * BLOCK
    mask = _mask_of(room)
    node = np.arange(room)
    slot_y = np.full(room, FAR)
    slot_phi = np.zeros(room)
    weight = np.ones(room)
    near = np.full(room, NONE)
    near2 = np.zeros(room)
    dij = np.full(room, np.inf)
    bits = dij.view(np.int64)
    d2 = np.empty(room)
    for slot in range(n):
        slot_y[slot] = y[slot]
        slot_phi[slot] = phi[slot]
        weight[slot] = _weight(p[slot, 0] ** 2 + p[slot, 1] ** 2, power)
    for slot in range(n):
        other = _nearest(slot, blocks, slot_y, slot_phi, mask, d2)
        _attach(slot, other, d2, r2, weight, near, near2, dij)
    row = n
    for left in range(n - 1, 0, -1):
        i = _least(blocks, bits, mask)
        j = near[i]
        merges = j != NONE
        if merges:
            if j < i:
                i, j = j, i
            _merge(row, node[i], node[j], p, y, phi, parents)
            node[i], slot_y[i], slot_phi[i] = row, y[row], phi[row]
            weight[i] = _weight(p[row, 0] ** 2 + p[row, 1] ** 2, power)
            row += 1
        else:
            i, j = LOST, i
        # The last slot fills the hole; `_mark` renames it in the pointers of the others.
        node[j], slot_y[j], slot_phi[j], weight[j] = node[left], slot_y[left], slot_phi[left], weight[left]
        near[j], near2[j], dij[j] = near[left], near2[left], dij[left]
        slot_y[left], near[left], near2[left], dij[left] = FAR, NONE, 0.0, np.inf
        blocks = (left + BLOCK - 1) // BLOCK
        lost = _mark(blocks, i, j, left, near)
        _find_anew(lost, i, blocks, slot_y, slot_phi, mask, d2, r2, weight, near, near2, dij)
        if merges:
            other = _nearest(i, blocks, slot_y, slot_phi, mask, d2)
            _adopt_near(blocks, i, d2, near2, near)
            _adopt_distance(blocks, weight[i], d2, weight, near2, dij)
            _attach(i, other, d2, r2, weight, near, near2, dij)
    return row


@kernel
def _merge(
    row: int, a: int, b: int, p: Floats, y: Floats, phi: Floats, parents: Ints
) -> None:  # pragma: no cover - compiled
    """Fill `row` with the sum of rows `a` and `b`."""
    parents[row, 0] = a
    parents[row, 1] = b
    for c in range(4):
        p[row, c] = p[a, c] + p[b, c]
    y[row] = rapidity_of(p[row, 2], p[row, 3], p[row, 0] ** 2 + p[row, 1] ** 2)
    phi[row] = np.arctan2(p[row, 1], p[row, 0])


@kernel
def _sort_by_pt(first: int, stop: int, index: Ints, pt: Floats) -> None:  # pragma: no cover - compiled
    """Order ``index[first:stop]`` by falling `pt` (insertion: these lists are short)."""
    for right in range(first + 1, stop):
        moving = index[right]
        place = right
        while place > first and pt[index[place - 1]] < pt[moving]:
            index[place] = index[place - 1]
            place -= 1
        index[place] = moving


@kernel
def _label(
    n: int, rows: int, pt: Floats, parents: Ints, pt_min: float, found: Ints, label: Ints
) -> int:  # pragma: no cover - compiled
    """List in `found` the rows of jets above `pt_min` in falling pT, and give each particle its jet's place or -1."""
    label[:rows] = 0
    for row in range(n, rows):
        label[parents[row, 0]] = -1
        label[parents[row, 1]] = -1
    jets = 0
    for row in range(rows):
        if label[row] == 0 and pt[row] > pt_min:
            found[jets] = row
            jets += 1
        label[row] = -1
    _sort_by_pt(0, jets, found, pt)
    for place in range(jets):
        label[found[place]] = place
    for row in range(rows - 1, n - 1, -1):
        label[parents[row, 0]] = label[row]
        label[parents[row, 1]] = label[row]
    return jets


@kernel
def anti_kt(
    offsets: Ints, momenta: Floats, y: Floats, phi: Floats, radius: float, pt_min: float
) -> tuple[Ints, Floats, Ints, Ints]:  # pragma: no cover - compiled
    """Event, momentum and number of constituents of each jet, and the constituents' positions, all in order."""
    total = len(y)
    largest = 1
    for event in range(len(offsets) - 1):
        largest = max(largest, offsets[event + 1] - offsets[event])
    p = np.empty((2 * largest, 4))
    row_pt = np.empty(2 * largest)
    row_y = np.empty(2 * largest)
    row_phi = np.empty(2 * largest)
    parents = np.empty((2 * largest, 2), np.int64)
    label = np.empty(2 * largest, np.int64)
    found = np.empty(2 * largest, np.int64)
    member_pt = np.empty(total)
    jet_event = np.empty(total, np.int64)
    jet_momenta = np.empty((total, 4))
    jet_counts = np.zeros(total, np.int64)
    members = np.empty(total, np.int64)
    jets = 0
    filled = 0
    for event in range(len(offsets) - 1):
        start = offsets[event]
        n = offsets[event + 1] - start
        if n == 0:
            continue
        for row in range(n):
            for c in range(4):
                p[row, c] = momenta[start + row, c]
            row_y[row] = y[start + row]
            row_phi[row] = phi[start + row]
        rows = recombine(n, p, row_y, row_phi, ANTI_KT, radius * radius, parents)
        for row in range(rows):
            row_pt[row] = np.sqrt(p[row, 0] * p[row, 0] + p[row, 1] * p[row, 1])
            if row < n:
                member_pt[start + row] = row_pt[row]
        for place in range(_label(n, rows, row_pt, parents, pt_min, found, label)):
            jet_event[jets] = event
            for c in range(4):
                jet_momenta[jets, c] = p[found[place], c]
            first = filled
            for row in range(n):
                if label[row] == place:
                    members[filled] = start + row
                    filled += 1
            _sort_by_pt(first, filled, members, member_pt)
            jet_counts[jets] = filled - first
            jets += 1
    return jet_event[:jets], jet_momenta[:jets], jet_counts[:jets], members[:filled]


@kernel
def grow_trees(
    offsets: Ints, tree_offsets: Ints, momenta: Floats, y: Floats, phi: Floats, power: int
) -> tuple[Floats, Floats, Floats, Ints]:  # pragma: no cover - compiled
    """Momenta, rapidity, azimuth and parents of every row of every jet's tree; see `clustering.Trees`."""
    rows = tree_offsets[-1]
    tree_p = np.empty((rows, 4))
    tree_y = np.empty(rows)
    tree_phi = np.empty(rows)
    parents = np.full((rows, 2), -1)
    for jet in range(len(offsets) - 1):
        start = offsets[jet]
        n = offsets[jet + 1] - start
        if n == 0:
            continue
        first = tree_offsets[jet]
        last = tree_offsets[jet + 1]
        for i in range(n):
            for c in range(4):
                tree_p[first + i, c] = momenta[start + i, c]
            tree_y[first + i] = y[start + i]
            tree_phi[first + i] = phi[start + i]
        recombine(n, tree_p[first:last], tree_y[first:last], tree_phi[first:last], power, np.inf, parents[first:last])
    return tree_p, tree_y, tree_phi, parents
