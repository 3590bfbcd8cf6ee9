"""Figures of merit of whole events in one test set, and their curve at given signal efficiencies."""

from __future__ import annotations

import math

import numpy as np

from oddjet.arrays import Floats
from oddjet.evaluation.efficiency import (
    Merit,
    Ranking,
    background_efficiency,
    improvement,
    largest_f1,
    largest_improvement,
    rejection,
)
from oddjet.evaluation.merit import SampleScores, compute_auc

# Signal efficiency of the rejection and of the significance improvement in the paper's tables.
AT = 0.3


def event_merits(background: Floats, signal: Floats) -> dict[str, Merit]:
    """Compute AUC, 1/eps_b and SI at eps_s = 0.3, the largest F1 and SI with where, and eps_b at eps_s = 0.3.

    Parameters
    ----------
    background, signal
        Scores, larger is more anomalous; shapes (n,) and (m,).

    Returns
    -------
    By name. The AUC is never flipped; the largest SI is over cuts that keep a fifth of the signal and ten background
    events, the paper asks for the former alone.
    """
    samples = SampleScores("background", background), SampleScores("signal", signal)
    curve = Ranking(*samples).curve()
    return {
        "auc": Merit(compute_auc(*samples).value, math.nan),
        "rejection": rejection(curve, AT),
        "improvement": improvement(curve, AT),
        "largest_f1": largest_f1(curve),
        "largest_improvement": largest_improvement(curve),
        "background_efficiency": Merit(background_efficiency(curve, AT), AT),
    }


def background_curve(background: Floats, signal: Floats, efficiencies: Floats) -> Floats:
    """Give eps_b at each signal efficiency: shape of `efficiencies`."""
    curve = Ranking(SampleScores("background", background), SampleScores("signal", signal)).curve()
    return np.array([background_efficiency(curve, at) for at in efficiencies])
