"""From the constituents of jets to sparse images: centre, rotate, flip, pixelate, normalise, in this order.

The recipe is that of arXiv:2110.06948, section 2 (after Macaluso and Shih, arXiv:1803.00107): everything happens to the
constituents; pixels come last.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.io.candidates import Particles

# Rounding of the rotation must not decide in which pixel a constituent on an edge lies (the only one of a jet lies at
# the origin, where four pixels meet).
DIGITS = 9


def aligned(constituents: Particles) -> tuple[Floats, Floats]:
    """Centre, rotate and flip each jet.

    Parameters
    ----------
    constituents : Particles
        One row a jet.

    Returns
    -------
    x, y : float64 arrays, shape (particles,)
        Positions in (eta, phi) about the pT-weighted centroid, turned so that the first principal axis of the
        pT-weighted second moments is vertical (y), and flipped so that the right (x > 0) and the upper half hold
        the larger part of the pT.
    """
    rows, jets, pt = constituents.rows(), len(constituents), constituents.pt
    total = _summed(rows, pt, jets)
    # Azimuths relative to the first constituent, so that the seam at pi is never inside a jet.
    reference = constituents.phi[np.minimum(constituents.offsets[:-1], len(pt) - 1)] if len(pt) else np.zeros(jets)
    y = (constituents.phi - reference[rows] + np.pi) % (2 * np.pi) - np.pi
    x = constituents.eta - _summed(rows, pt * constituents.eta, jets, total)[rows]
    y = y - _summed(rows, pt * y, jets, total)[rows]
    xx, xy, yy = (_summed(rows, pt * product, jets, total) for product in (x * x, x * y, y * y))
    # The principal axis has the angle t with tan(2 t) = 2 xy / (xx - yy); it is turned by pi / 2 - t.
    turn = 0.5 * np.pi - 0.5 * np.arctan2(2 * xy, xx - yy)
    cosine, sine = np.cos(turn)[rows], np.sin(turn)[rows]
    x, y = (np.round(cosine * x - sine * y, DIGITS), np.round(sine * x + cosine * y, DIGITS))
    return _flipped(rows, pt, x, jets), _flipped(rows, pt, y, jets)


def pixelate(
    constituents: Particles, x: Floats, y: Floats, pixels: int, side: float
) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.float32], Floats]:
    """Fill the pixels and divide by the image's sum.

    Parameters
    ----------
    constituents : Particles
        One row a jet.
    x, y : float64 arrays, shape (particles,)
        From `aligned`.
    pixels : int
        Pixels a side.
    side : float
        Side of the square about the origin; what lies outside is dropped.

    Returns
    -------
    indptr : int64 array, shape (jets + 1,)
        Pixels of jet i: `indptr[i]` to `indptr[i + 1]`.
    pixel : uint16 array, shape (occupied,)
        row * pixels + column, ascending in each jet; rows go up with y (phi), columns with x (eta).
    value : float32 array, shape (occupied,)
        Share of the image's pT; those of a jet add up to 1.
    inside : float64 array, shape (jets,)
        Share of the jet's pT that lies in the image; an image without any has no pixel.
    """
    rows, jets = constituents.rows(), len(constituents)
    column, row = (np.floor((position + 0.5 * side) * (pixels / side)).astype(np.int64) for position in (x, y))
    kept = (column >= 0) & (column < pixels) & (row >= 0) & (row < pixels) & (constituents.pt > 0)
    key = rows[kept] * pixels**2 + row[kept] * pixels + column[kept]
    occupied, place = np.unique(key, return_inverse=True)
    pt = _summed(place, constituents.pt[kept], len(occupied))
    jet = occupied // pixels**2
    total = _summed(jet, pt, jets)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(jet, minlength=jets)))).astype(np.int64)
    everything = _summed(rows, constituents.pt, jets)
    inside = np.divide(total, everything, out=np.zeros(jets), where=everything > 0)
    return indptr, (occupied % pixels**2).astype(np.uint16), (pt / total[jet]).astype(np.float32), inside


def _summed(rows: NDArray[np.int64], values: Floats, jets: int, total: Floats | None = None) -> Floats:
    """Sum the values of each jet, or average them where the sum of the weights is given."""
    summed = np.bincount(rows, weights=values, minlength=jets).astype(np.float64)
    return summed if total is None else np.divide(summed, total, out=np.zeros(jets), where=total > 0)


def _flipped(rows: NDArray[np.int64], pt: Floats, position: Floats, jets: int) -> Floats:
    """Mirror a coordinate of the jets that have more pT on its negative side."""
    balance = _summed(rows, pt * np.sign(position), jets)
    return np.where(balance < 0, -1.0, 1.0)[rows] * position
