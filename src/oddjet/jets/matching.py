"""Truth matching: which jets lie near a parton of the hard process."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from oddjet.io.records import Particles
from oddjet.jets.clustering import Jets
from oddjet.jets.recombination import Floats


def delta_phi(first: Floats, second: Floats) -> Floats:
    """Difference of two azimuths in [-pi, pi), radians."""
    difference: Floats = (first - second + np.pi) % (2 * np.pi) - np.pi
    return difference


def matched(jets: Jets, partons: Particles, radius: float) -> npt.NDArray[np.bool_]:
    """Whether a parton of the jet's event lies within `radius` in (eta, phi).

    Parameters
    ----------
    jets : Jets
    partons : Particles
        One row an event of the chunk.
    radius : float
        Largest Delta R, exclusive.

    Returns
    -------
    bool array, shape (jets,)
    """
    counts = partons.counts()[jets.event]
    jet = np.repeat(np.arange(len(jets)), counts)
    within = np.arange(len(jet)) - np.repeat(np.cumsum(counts) - counts, counts)
    parton = partons.offsets[jets.event[jet]] + within
    distance = np.hypot(jets.eta[jet] - partons.eta[parton], delta_phi(jets.phi[jet], partons.phi[parton]))
    found = np.zeros(len(jets), bool)
    found[jet[distance < radius]] = True
    return found
