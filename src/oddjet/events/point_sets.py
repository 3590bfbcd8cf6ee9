"""Events as sets of points: the two spaces in which they are transported (Craig, Howard, Li, arXiv 2401.15542)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddjet.events.layout import ETA, MET, PHI, PT, Events
from oddjet.events.settings import GroundSettings
from oddjet.transport.point_sets import PaddedSets, WeightedSets, padded_sets, weighted_sets


def sets_3d(events: Events, ground: GroundSettings, pt_scale: float = 1.0) -> PaddedSets:
    """Take all 19 slots as points (pT / pt_scale, eta, phi) of equal weight, empty ones at the origin.

    Parameters
    ----------
    events
        Shape (N, 19, 4).
    ground
        Whether phi is periodic.
    pt_scale
        GeV of one unit; 1 as in the paper, where pT all but decides alone.
    """
    points = events[..., [PT, ETA, PHI]] / np.array([pt_scale, 1.0, 1.0])
    return padded_sets(points, events[..., PT] > 0, 2 if ground.wrap_phi else -1)


def sets_2d(events: Events, ground: GroundSettings) -> WeightedSets:
    """Take the objects of an event as points (eta, phi) with weights pT / sum pT.

    Parameters
    ----------
    events
        Shape (N, 19, 4); every event has an object.
    ground
        Whether phi is periodic, and whether the missing momentum counts.
    """
    weights = events[..., PT].copy()
    if not ground.met_in_2d:
        weights[:, MET.slots] = 0.0
    return weighted_sets(events[..., [ETA, PHI]], weights, 1 if ground.wrap_phi else -1)


def sorted_pt(events: Events) -> NDArray[np.float64]:
    """Sort the pT of all slots, the largest first, in GeV: shape (N, 19)."""
    return -np.sort(-events[..., PT], axis=1)


def total_pt(events: Events) -> NDArray[np.float64]:
    """Sum pT over all slots, missing momentum included, as the weights of the 2D distance do: GeV, shape (N,)."""
    return np.asarray(events[..., PT].sum(axis=1))


def missing_pt(events: Events) -> NDArray[np.float64]:
    """Give the missing transverse momentum: GeV, shape (N,)."""
    return np.asarray(events[:, MET.start, PT])


def multiplicity(events: Events) -> NDArray[np.float64]:
    """Count the objects of all classes, the missing momentum not among them: shape (N,)."""
    return np.asarray((events[:, MET.stop :, PT] > 0).sum(axis=1), np.float64)
