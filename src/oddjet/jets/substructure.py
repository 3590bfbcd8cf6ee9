"""Numba kernels for substructure: energy correlators and jet shape.

All angles are in (rapidity, azimuth) as in fastjet, but for the jet axes, which CMS defines in (pseudorapidity,
azimuth). Each kernel takes flat arrays of constituents and `offsets`, jet i being ``offsets[i]`` to ``offsets[i + 1]``;
each has a plain twin in the tests.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from oddjet.io.records import Particles
from oddjet.jets.recombination import Floats


@numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _correlators(
    offsets: npt.NDArray[np.int64], pt: Floats, y: Floats, phi: Floats, beta: float
) -> tuple[Floats, Floats, Floats]:  # pragma: no cover - compiled
    """Sum over pairs of z z R, of z z R^beta, and over triples of z z z (R R R)^beta."""
    jets = len(offsets) - 1
    linear = np.zeros(jets)
    e2 = np.zeros(jets)
    e3 = np.zeros(jets)
    largest = 0
    for jet in range(jets):
        largest = max(largest, offsets[jet + 1] - offsets[jet])
    # Row i holds sqrt(z_i z_j) R_ij^beta: the product over a triangle is the term of e3.
    matrix = np.zeros((largest, largest))
    root = np.zeros(largest)
    for jet in range(jets):
        start = offsets[jet]
        n = offsets[jet + 1] - start
        total = 0.0
        for i in range(n):
            total += pt[start + i]
        for i in range(n):
            root[i] = np.sqrt(pt[start + i] / total)
        sum_linear = 0.0
        sum_e2 = 0.0
        for i in range(n):
            for j in range(i + 1, n):
                dphi = abs(phi[start + i] - phi[start + j])
                if dphi > np.pi:
                    dphi = 2 * np.pi - dphi
                dy = y[start + i] - y[start + j]
                distance = np.sqrt(dy * dy + dphi * dphi)
                power = np.sqrt(distance) if beta == 0.5 else distance**beta
                zz = root[i] * root[j]
                sum_linear += zz * zz * distance
                sum_e2 += zz * zz * power
                matrix[i, j] = zz * power
        sum_e3 = 0.0
        for i in range(n):
            for j in range(i + 1, n):
                inner = 0.0
                for k in range(j + 1, n):
                    inner += matrix[i, k] * matrix[j, k]
                sum_e3 += matrix[i, j] * inner
        linear[jet] = sum_linear
        e2[jet] = sum_e2
        e3[jet] = sum_e3
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


@numba.njit(cache=True)
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
