"""Cuts on a score at fixed background efficiencies, over all jets and in bins of pT."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.weighted import quantiles, unequal

EFFICIENCIES = (0.1, 0.01, 0.001)
PT_BINS = 4
# A threshold that fewer background jets pass is luck.
SMALLEST_BACKGROUND = 10


@dataclass(frozen=True)
class Threshold:
    """The score that a share of the background exceeds.

    Attributes
    ----------
    efficiency
        That share.
    pt_min, pt_max
        Of the jets, in GeV; None: all jets.
    score
        None where fewer than `SMALLEST_BACKGROUND` jets would pass.
    """

    efficiency: float
    pt_min: float | None
    pt_max: float | None
    score: float | None


def thresholds(jets: NDArray[np.void], scores: Floats) -> list[Threshold]:
    """Return the thresholds of all jets, then those in bins of pT with the same number of jets each.

    Parameters
    ----------
    jets : structured ndarray, shape (n,)
        Background with pt (GeV) and weight.
    scores : ndarray, shape (n,)
    """
    edges = np.quantile(jets["pt"], np.linspace(0, 1, PT_BINS + 1))
    edges[-1] = np.nextafter(edges[-1], math.inf)
    everywhere: list[tuple[float | None, float | None]] = [(None, None)]
    found = []
    for low, high in everywhere + list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        inside = np.ones(len(jets), bool) if low is None else (jets["pt"] >= low) & (jets["pt"] < high)
        weights = unequal(np.asarray(jets["weight"][inside], np.float64))
        for efficiency in EFFICIENCIES:
            enough = efficiency * inside.sum() >= SMALLEST_BACKGROUND
            cut = float(quantiles(scores[inside], 1 - efficiency, weights)) if enough else None
            found.append(Threshold(efficiency, low, high, cut))
    return found


def threshold_of_jets(found: Sequence[Threshold], efficiency: float, pt: Floats) -> Floats | None:
    """Return the threshold of each jet, by its pT; None where one of the bins has none.

    Parameters
    ----------
    found : sequence of Threshold
        From `thresholds`.
    efficiency : float
        One of `EFFICIENCIES`.
    pt : ndarray, shape (n,)
        In GeV; a jet beyond all bins is taken to be in the nearest one.
    """
    bins = [one for one in found if one.efficiency == efficiency and one.pt_min is not None]
    scores = [one.score for one in bins if one.score is not None]
    if len(scores) < len(bins):
        return None
    inner = [one.pt_min for one in bins[1:]]
    return np.asarray(scores, np.float64)[np.searchsorted(np.asarray(inner, np.float64), pt, side="right")]
