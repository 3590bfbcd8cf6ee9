"""Numba kernels for substructure: energy correlators and jet shape.

All angles are in (rapidity, azimuth) as in fastjet, but for the jet axes, which CMS defines in (pseudorapidity,
azimuth). Each kernel takes flat arrays of constituents and `offsets`, jet i being ``offsets[i]`` to ``offsets[i + 1]``;
each has a plain twin in the tests.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from oddjet.arrays import Floats
from oddjet.io.candidates import Particles
from oddjet.kernels import kernel
from oddjet.lanes import fused


@kernel
def _pairs(
    n: int, root: Floats, y: Floats, phi: Floats, beta: float, matrix: Floats, sums: Floats
) -> tuple[float, float]:  # pragma: no cover - compiled
    """Sum z z R and z z R^beta over pairs; fills row i of `matrix` with sqrt(z_i z_j) R_ij^beta, j > i.

    The sums are kept a column j each, in two rows of `sums`, and are added at the end: vector code in one order.
    """
    sums[:, :n] = 0.0
    linear, raised = sums[0], sums[1]
    for i in range(n):
        row = matrix[i]
        for j in range(i + 1, n):
            dphi = abs(phi[j] - phi[i])
            dphi = min(dphi, 2 * np.pi - dphi)
            dy = y[j] - y[i]
            row[j] = np.sqrt(dy * dy + dphi * dphi)
            weight = root[i] * root[j]
            linear[j] += weight * weight * row[j]
        if beta == 0.5:
            for j in range(i + 1, n):
                row[j] = np.sqrt(row[j])
        elif beta != 1.0:
            for j in range(i + 1, n):
                row[j] = row[j] ** beta
        for j in range(i + 1, n):
            weight = root[i] * root[j]
            raised[j] += weight * weight * row[j]
            row[j] *= weight
    return linear[:n].sum(), raised[:n].sum()


@kernel
def _triangles(n: int, matrix: Floats, sums: Floats) -> float:  # pragma: no cover - compiled
    """Sum over triples of the product of three entries of an upper triangle.

    Row i times its own entries gives a row, whose product with row i is the sum over triangles with i; a column each in
    `sums`, as for the pairs. Four rows j at a time: the row is loaded and stored a quarter as often. The lower triangle
    is zero, so what an earlier, larger jet left to the right of column n meets zeros.
    """
    total, inner = sums[0], sums[1]
    total[:n] = 0.0
    for i in range(n):
        inner[:n] = 0.0
        for j in range(i + 1, n, 4):
            a, b, c, d = matrix[i, j], matrix[i, j + 1], matrix[i, j + 2], matrix[i, j + 3]
            for k in range(j + 1, n):
                pair = fused(b, matrix[j + 1, k], a * matrix[j, k])
                inner[k] += fused(d, matrix[j + 3, k], fused(c, matrix[j + 2, k], pair))
        for k in range(i + 2, n):
            total[k] = fused(matrix[i, k], inner[k], total[k])
    whole: float = total[:n].sum()
    return whole


@kernel
def _correlators(
    offsets: npt.NDArray[np.int64], pt: Floats, y: Floats, phi: Floats, beta: float
) -> tuple[Floats, Floats, Floats]:  # pragma: no cover - compiled
    """Sum over pairs of z z R and z z R^beta, and over triples of z z z (R R R)^beta."""
    jets = len(offsets) - 1
    linear = np.zeros(jets)
    e2 = np.zeros(jets)
    e3 = np.zeros(jets)
    largest = 0
    for jet in range(jets):
        largest = max(largest, offsets[jet + 1] - offsets[jet])
    matrix = np.zeros((largest + 4, largest + 4))
    sums = np.zeros((2, largest))
    root = np.zeros(largest)
    for jet in range(jets):
        a = offsets[jet]
        b = offsets[jet + 1]
        n = b - a
        total = pt[a:b].sum()
        for i in range(n):
            root[i] = np.sqrt(pt[a + i] / total)
        linear[jet], e2[jet] = _pairs(n, root, y[a:b], phi[a:b], beta, matrix, sums)
        e3[jet] = _triangles(n, matrix, sums)
    return linear, e2, e3


def correlators(constituents: Particles, y: Floats, beta: float) -> tuple[Floats, Floats, Floats]:
    """Energy correlation functions of each jet.

    Parameters
    ----------
    constituents : Particles
        One row a jet.
    y : float64 array, shape (particles,)
        Rapidity.
    beta : float
        Angular exponent of e2 and e3.

    Returns
    -------
    e2 with exponent 1, e2 and e3 with exponent `beta` : float64 arrays, shape (jets,)
        Normalised to the scalar sum of the constituents' pT; pairs i < j, triples i < j < k.

    References
    ----------
    Larkoski, Salam, Thaler, JHEP 06 (2013) 108.
    """
    result: tuple[Floats, Floats, Floats] = _correlators(
        constituents.offsets, constituents.pt, y, constituents.phi, float(beta)
    )
    return result


@kernel
def _shape(
    offsets: npt.NDArray[np.int64], pt: Floats, eta: Floats, phi: Floats
) -> tuple[Floats, Floats, Floats]:  # pragma: no cover - compiled
    jets = len(offsets) - 1
    major = np.zeros(jets)
    minor = np.zeros(jets)
    ptd = np.zeros(jets)
    for jet in range(jets):
        start = offsets[jet]
        stop = offsets[jet + 1]
        if start == stop:
            continue
        sum_pt = 0.0
        sum_w = 0.0
        mean_eta = 0.0
        mean_phi = 0.0
        # Azimuths relative to the first constituent: the seam at pi is never inside a jet then.
        for i in range(start, stop):
            w = pt[i] * pt[i]
            dphi = (phi[i] - phi[start] + np.pi) % (2 * np.pi) - np.pi
            sum_pt += pt[i]
            sum_w += w
            mean_eta += w * (eta[i] - eta[start])
            mean_phi += w * dphi
        mean_eta /= sum_w
        mean_phi /= sum_w
        m11 = 0.0
        m22 = 0.0
        m12 = 0.0
        for i in range(start, stop):
            w = pt[i] * pt[i]
            deta = eta[i] - eta[start] - mean_eta
            dphi = (phi[i] - phi[start] + np.pi) % (2 * np.pi) - np.pi - mean_phi
            m11 += w * deta * deta
            m22 += w * dphi * dphi
            m12 += w * deta * dphi
        m11 /= sum_w
        m22 /= sum_w
        m12 /= sum_w
        half_trace = 0.5 * (m11 + m22)
        root = np.hypot(0.5 * (m11 - m22), m12)
        large = half_trace + root
        major[jet] = np.sqrt(large)
        # The product of the eigenvalues is the determinant: no cancellation for thin jets.
        if large > 0:
            minor[jet] = np.sqrt(max((m11 * m22 - m12 * m12) / large, 0.0))
        ptd[jet] = np.sqrt(sum_w) / sum_pt
    return major, minor, ptd


def shape(constituents: Particles) -> tuple[Floats, Floats, Floats]:
    """Axis major, axis minor and pTD of each jet.

    Parameters
    ----------
    constituents : Particles
        One row a jet.

    Returns
    -------
    axis_major, axis_minor, ptd : float64 arrays, shape (jets,)
        Square roots of the eigenvalues of the pT^2-weighted covariance in (eta, phi), and sqrt(sum pT^2) / sum pT.

    References
    ----------
    CMS-PAS-JME-13-002.
    """
    result: tuple[Floats, Floats, Floats] = _shape(
        constituents.offsets, constituents.pt, constituents.eta, constituents.phi
    )
    return result
