"""Soft drop, on a Cambridge/Aachen tree without a radius.

fastjet's clusters a jet again with a radius, and about one jet in a hundred loses constituents to it. Here the whole
jet is one tree: no distance to the beam exists, so nothing can be lost.
"""

from __future__ import annotations

import numpy as np

from oddjet.arrays import Floats, Ints
from oddjet.jets.clustering import Trees
from oddjet.kernels import kernel


@kernel
def _soft_drop_row(
    root: int, first: int, p: Floats, y: Floats, phi: Floats, parents: Ints, zcut: float, beta: float, radius: float
) -> int:  # pragma: no cover - compiled
    """Row of the first branching that passes, going down the harder branch; a constituent's row if none does."""
    row = root
    while parents[row, 0] >= 0:
        a = first + parents[row, 0]
        b = first + parents[row, 1]
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


@kernel
def _soft_drop_mass(
    offsets: Ints, p: Floats, y: Floats, phi: Floats, parents: Ints, zcut: float, beta: float, radius: float
) -> Floats:  # pragma: no cover - compiled
    masses = np.zeros(len(offsets) - 1)
    for jet in range(len(masses)):
        first = offsets[jet]
        root = offsets[jet + 1] - 1
        if root <= first:
            continue
        row = _soft_drop_row(root, first, p, y, phi, parents, zcut, beta, radius)
        if parents[row, 0] >= 0:
            pt2 = p[row, 0] ** 2 + p[row, 1] ** 2
            masses[jet] = np.sqrt(max((p[row, 3] - p[row, 2]) * (p[row, 3] + p[row, 2]) - pt2, 0.0))
    return masses


def soft_drop_mass(trees: Trees, zcut: float, beta: float, radius: float) -> Floats:
    """Mass of each jet after soft drop.

    Parameters
    ----------
    trees : Trees
        Cambridge/Aachen.
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
    masses: Floats = _soft_drop_mass(
        trees.offsets, trees.momenta, trees.y, trees.phi, trees.parents, float(zcut), float(beta), float(radius)
    )
    return masses


@kernel
def _lund_multiplicity(
    offsets: Ints, p: Floats, y: Floats, phi: Floats, parents: Ints, kt_min: float
) -> Floats:  # pragma: no cover - compiled
    counts = np.zeros(len(offsets) - 1)
    for jet in range(len(counts)):
        first = offsets[jet]
        if offsets[jet + 1] == first:
            continue
        counts[jet] = 1.0
        for row in range(first, offsets[jet + 1]):
            if parents[row, 0] < 0:
                continue
            a = first + parents[row, 0]
            b = first + parents[row, 1]
            dphi = abs(phi[a] - phi[b])
            dphi = min(dphi, 2 * np.pi - dphi)
            softer = min(np.hypot(p[a, 0], p[a, 1]), np.hypot(p[b, 0], p[b, 1]))
            if softer * np.hypot(y[a] - y[b], dphi) > kt_min:
                counts[jet] += 1.0
    return counts


def lund_multiplicity(trees: Trees, kt_min: float) -> Floats:
    """Count the subjets of each jet: one, and one more for each branching of the tree above a kT.

    Parameters
    ----------
    trees : Trees
        Cambridge/Aachen; every branching counts, not only those along the harder branch.
    kt_min : float
        A branching counts if min(pT1, pT2) Delta R > kt_min (GeV).

    Returns
    -------
    float64 array, shape (jets,)
        0 for a jet without constituents.

    References
    ----------
    Medves, Soto-Ontoso, Soyez, JHEP 04 (2023) 104 (for jets; JHEP 10 (2022) 156 is of e+e- events).
    """
    counts: Floats = _lund_multiplicity(trees.offsets, trees.momenta, trees.y, trees.phi, trees.parents, float(kt_min))
    return counts
