"""Soft drop with a Cambridge/Aachen clustering of our own.

fastjet's clusters a jet again with a radius, and about one jet in a hundred loses constituents to it. Here the whole
jet is one tree: no distance to the beam exists, so nothing can be lost.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from oddjet.io.root import Particles
from oddjet.jets.clustering import Floats, cartesian

Ints = npt.NDArray[np.int64]


@numba.njit(cache=True)
def _rapidity_of(pz: float, energy: float, pt2: float) -> float:  # pragma: no cover - compiled
    """Rapidity from the larger light-cone component, which does not cancel."""
    transverse_mass2 = max((energy - pz) * (energy + pz), pt2)
    if transverse_mass2 <= 0.0:
        return 0.0
    y = np.log((energy + abs(pz)) / np.sqrt(transverse_mass2))
    return float(y) if pz >= 0 else -float(y)


@numba.njit(cache=True)
def _nearest(slot: int, left: int, y: Floats, phi: Floats, near: Ints, distance2: Floats) -> None:  # pragma: no cover
    """Find the nearest neighbour of one slot among the first `left`."""
    distance2[slot] = np.inf
    near[slot] = slot
    for other in range(left):
        if other != slot:
            dphi = abs(phi[slot] - phi[other])
            if dphi > np.pi:
                dphi = 2 * np.pi - dphi
            d2 = (y[slot] - y[other]) ** 2 + dphi * dphi
            if d2 < distance2[slot]:
                distance2[slot] = d2
                near[slot] = other


@numba.njit(cache=True)
def _closest(left: int, distance2: Floats) -> int:  # pragma: no cover - compiled
    best = 0
    for slot in range(1, left):
        if distance2[slot] < distance2[best]:
            best = slot
    return best


@numba.njit(cache=True)
def _update(
    i: int, j: int, left: int, y: Floats, phi: Floats, near: Ints, distance2: Floats
) -> None:  # pragma: no cover - compiled
    """Mend the nearest neighbours after slot `i` took a merger and slot `left` moved into the freed slot `j`."""
    distance2[i] = np.inf
    near[i] = i
    for slot in range(left):
        if slot == i:
            continue
        if near[slot] == i or near[slot] == j:
            _nearest(slot, left, y, phi, near, distance2)
        elif near[slot] == left:
            near[slot] = j
        dphi = abs(phi[slot] - phi[i])
        if dphi > np.pi:
            dphi = 2 * np.pi - dphi
        d2 = (y[slot] - y[i]) ** 2 + dphi * dphi
        if d2 < distance2[slot]:
            distance2[slot] = d2
            near[slot] = i
        if d2 < distance2[i]:
            distance2[i] = d2
            near[i] = slot


@numba.njit(cache=True)
def _tree(n: int, p: Floats, y: Floats, phi: Floats, parents: Ints) -> None:  # pragma: no cover - compiled
    """Cambridge/Aachen tree of the momenta in rows 0 to n - 1; merger m becomes row n + m.

    Fills rows n to 2 n - 2 of `p` (px, py, pz, E), `y` and `phi`, and the parents of each of these rows.
    """
    node = np.arange(n)
    slot_y = y[:n].copy()
    slot_phi = phi[:n].copy()
    near = np.zeros(n, np.int64)
    distance2 = np.zeros(n)
    for slot in range(n):
        _nearest(slot, n, slot_y, slot_phi, near, distance2)
    for merger in range(n - 1):
        last = n - 1 - merger
        best = _closest(last + 1, distance2)
        i = min(best, near[best])
        j = max(best, near[best])
        row = n + merger
        parents[row, 0] = node[i]
        parents[row, 1] = node[j]
        for c in range(4):
            p[row, c] = p[node[i], c] + p[node[j], c]
        y[row] = _rapidity_of(p[row, 2], p[row, 3], p[row, 0] ** 2 + p[row, 1] ** 2)
        phi[row] = np.arctan2(p[row, 1], p[row, 0])
        node[i], slot_y[i], slot_phi[i] = row, y[row], phi[row]
        node[j], slot_y[j], slot_phi[j] = node[last], slot_y[last], slot_phi[last]
        near[j], distance2[j] = near[last], distance2[last]
        _update(i, j, last, slot_y, slot_phi, near, distance2)


@numba.njit(cache=True)
def _soft_drop_node(
    n: int, p: Floats, y: Floats, phi: Floats, parents: Ints, zcut: float, beta: float, radius: float
) -> int:  # pragma: no cover - compiled
    """Row of the first branching that passes, going down the harder branch; a row below n if none does."""
    row = 2 * n - 2
    while row >= n:
        a, b = parents[row, 0], parents[row, 1]
        pt_a = np.hypot(p[a, 0], p[a, 1])
        pt_b = np.hypot(p[b, 0], p[b, 1])
        cut = zcut
        if beta != 0.0:
            dphi = abs(phi[a] - phi[b])
            dphi = min(dphi, 2 * np.pi - dphi)
            cut *= (np.hypot(y[a] - y[b], dphi) / radius) ** beta
        if min(pt_a, pt_b) > cut * (pt_a + pt_b):
            return int(row)
        row = a if pt_a >= pt_b else b
    return int(row)


@numba.njit(cache=True)
def _soft_drop_mass(
    offsets: Ints, momenta: Floats, zcut: float, beta: float, radius: float
) -> Floats:  # pragma: no cover - compiled
    jets = len(offsets) - 1
    masses = np.zeros(jets)
    largest = 1
    for jet in range(jets):
        largest = max(largest, offsets[jet + 1] - offsets[jet])
    p = np.zeros((2 * largest, 4))
    y = np.zeros(2 * largest)
    phi = np.zeros(2 * largest)
    parents = np.zeros((2 * largest, 2), np.int64)
    for jet in range(jets):
        start = offsets[jet]
        n = offsets[jet + 1] - start
        if n < 2:
            continue
        for i in range(n):
            for c in range(4):
                p[i, c] = momenta[start + i, c]
            y[i] = _rapidity_of(p[i, 2], p[i, 3], p[i, 0] ** 2 + p[i, 1] ** 2)
            phi[i] = np.arctan2(p[i, 1], p[i, 0])
        _tree(n, p, y, phi, parents)
        row = _soft_drop_node(n, p, y, phi, parents, zcut, beta, radius)
        if row >= n:
            pt2 = p[row, 0] ** 2 + p[row, 1] ** 2
            masses[jet] = np.sqrt(max((p[row, 3] - p[row, 2]) * (p[row, 3] + p[row, 2]) - pt2, 0.0))
    return masses


def soft_drop_mass(constituents: Particles, zcut: float, beta: float, radius: float) -> Floats:
    """Mass of each jet after soft drop.

    Parameters
    ----------
    constituents : Particles
        One row a jet.
    zcut, beta : float
        A branching passes if min(pT1, pT2) / (pT1 + pT2) > zcut (Delta R / radius)^beta.
    radius : float
        R0.

    Returns
    -------
    float64 array, shape (jets,)
        GeV; 0 for a jet with fewer than two constituents or of which soft drop leaves a single one.

    References
    ----------
    Larkoski, Marzani, Soyez, Thaler, JHEP 05 (2014) 146.
    """
    momenta = np.stack(cartesian(constituents), axis=1)
    result: Floats = _soft_drop_mass(constituents.offsets, momenta, float(zcut), float(beta), float(radius))
    return result
