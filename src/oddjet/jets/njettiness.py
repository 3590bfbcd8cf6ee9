"""N-subjettiness as CMS computes it: exclusive kT axes and one pass of minimisation.

The minimisation is Weiszfeld's for the weighted sum of distances, with each constituent counted for its nearest axis.
Its constants are those of fjcontrib's Nsubjettiness (OnePass_KT_Axes), so that the same local minimum is found.
"""

from __future__ import annotations

import numpy as np

from oddjet.arrays import Floats, Ints
from oddjet.errors import JetError
from oddjet.io.candidates import Particles
from oddjet.jets.clustering import Trees
from oddjet.kernels import kernel

# Mean movement of the axes in a step below which they rest, softening of the distances, and most steps.
ACCURACY = 1e-4
MOST_STEPS = 1000
MOST_AXES = 4


@kernel
def _exclusive_axes(
    n: int, order: int, y: Floats, phi: Floats, parents: Ints, axes: Floats
) -> None:  # pragma: no cover - compiled
    """Axes of the last `order` clusters of a tree: undo the mergers from the last one on."""
    last = 2 * n - 2
    count = 1
    rows = np.full(order, last)
    while count < order:
        top = 0
        for k in range(1, count):
            if rows[k] > rows[top]:
                top = k
        rows[count] = parents[rows[top], 1]
        rows[top] = parents[rows[top], 0]
        count += 1
    for k in range(order):
        axes[k, 0] = y[rows[k]]
        axes[k, 1] = phi[rows[k]]


@kernel
def _step(
    n: int, order: int, pt: Floats, y: Floats, phi: Floats, axes: Floats, sums: Floats
) -> float:  # pragma: no cover - compiled
    """Move each axis to the mean of its constituents, weighted with pT over distance; returns the mean movement."""
    sums[:order] = 0.0
    for i in range(n):
        nearest = np.inf
        k = 0
        shift = 0.0
        for axis in range(order):
            dphi = phi[i] - axes[axis, 1]
            if dphi > np.pi:
                dphi -= 2 * np.pi
            elif dphi < -np.pi:
                dphi += 2 * np.pi
            d2 = (y[i] - axes[axis, 0]) ** 2 + dphi * dphi
            if d2 < nearest:
                nearest = d2
                k = axis
                shift = dphi
        weight = pt[i] / np.sqrt(nearest + ACCURACY * ACCURACY)
        sums[k, 0] += weight * (y[i] - axes[k, 0])
        sums[k, 1] += weight * shift
        sums[k, 2] += weight
    moved = 0.0
    for k in range(order):
        if sums[k, 2] > 0.0:
            dy = sums[k, 0] / sums[k, 2]
            dphi = sums[k, 1] / sums[k, 2]
            axes[k, 0] += dy
            axes[k, 1] += dphi
            if axes[k, 1] > np.pi:
                axes[k, 1] -= 2 * np.pi
            elif axes[k, 1] < -np.pi:
                axes[k, 1] += 2 * np.pi
            moved += np.sqrt(dy * dy + dphi * dphi)
    return moved / order


@kernel
def _tau(n: int, order: int, pt: Floats, y: Floats, phi: Floats, axes: Floats) -> float:  # pragma: no cover - compiled
    """Sum of pT times the distance to the nearest axis, over the sum of pT."""
    total = 0.0
    norm = 0.0
    for i in range(n):
        nearest = np.inf
        for axis in range(order):
            dphi = abs(phi[i] - axes[axis, 1])
            dphi = min(dphi, 2 * np.pi - dphi)
            nearest = min(nearest, (y[i] - axes[axis, 0]) ** 2 + dphi * dphi)
        total += pt[i] * np.sqrt(nearest)
        norm += pt[i]
    return total / norm


@kernel
def _njettiness(
    offsets: Ints, tree_offsets: Ints, orders: Ints, pt: Floats, y: Floats, phi: Floats, parents: Ints
) -> Floats:  # pragma: no cover - compiled
    jets = len(offsets) - 1
    axes = np.empty((MOST_AXES, 2))
    sums = np.empty((MOST_AXES, 3))
    result = np.zeros((len(orders), jets))
    for jet in range(jets):
        n = offsets[jet + 1] - offsets[jet]
        part = pt[offsets[jet] : offsets[jet + 1]]
        rows = slice(tree_offsets[jet], tree_offsets[jet + 1])
        tree_y = y[rows]
        tree_phi = phi[rows]
        for index, order in enumerate(orders):
            if n > order:
                _exclusive_axes(n, order, tree_y, tree_phi, parents[rows], axes)
                for _ in range(MOST_STEPS):
                    if _step(n, order, part, tree_y, tree_phi, axes, sums) <= ACCURACY:
                        break
                result[index, jet] = _tau(n, order, part, tree_y, tree_phi, axes)
    return result


def njettiness(constituents: Particles, kt_trees: Trees, orders: tuple[int, ...], radius: float) -> Floats:
    """N-subjettiness with beta 1, normalised to R0 times the scalar sum of pT.

    Parameters
    ----------
    constituents : Particles
        One row a jet; rows may be empty.
    kt_trees : Trees
        Of the same jets.
    orders : tuple of int
        The N; each from 1 to `MOST_AXES`.
    radius : float
        R0.

    Returns
    -------
    float64 array, shape (len(orders), jets)
        tau_N, and 0 for a jet with at most N constituents, each of which then is its own axis.

    Raises
    ------
    JetError
        An N out of range.

    References
    ----------
    Thaler, Van Tilburg, JHEP 03 (2011) 015 and JHEP 02 (2012) 093; the choices are those of CMSSW.
    """
    if not orders or not all(1 <= order <= MOST_AXES for order in orders):
        raise JetError(f"N of N-subjettiness must be 1 to {MOST_AXES}, not {orders}")
    values: Floats = _njettiness(
        constituents.offsets,
        kt_trees.offsets,
        np.array(orders, np.int64),
        constituents.pt,
        kt_trees.y,
        kt_trees.phi,
        kt_trees.parents,
    )
    return values / radius
