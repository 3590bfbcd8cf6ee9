"""Ensembles compared on the same jets: AUC over the grid, and the difference of two with its paired error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import EvaluationError
from oddjet.evaluation.ensembles import MeanScores, Member, mean_scores
from oddjet.evaluation.merit import SampleScores, compute_auc
from oddjet.evaluation.replicas import Replicas, auc_replicas, standard_error
from oddjet.evaluation.scores import KEPT
from oddjet.evaluation.settings import MeritSettings


class Difference(NamedTuple):
    """Mean AUC over the grid of two ensembles, and the error of their difference."""

    first: float
    second: float
    error: float


def ensemble_auc(members: Sequence[Member], background: NDArray[np.void] | None) -> dict[str, float]:
    """Compute the AUC of an ensemble, as `oddjet.evaluation.ensembles.mean_scores` makes it, by signal."""
    background_scores, *signals = _samples(mean_scores(members, background))
    return {signal.name: compute_auc(background_scores, signal).value for signal in signals}


def paired_difference(
    first: Sequence[Member], second: Sequence[Member], background: NDArray[np.void] | None, settings: MeritSettings
) -> Difference:
    """Compare two ensembles on the same jets, by a bootstrap of events that is the same for both.

    Parameters
    ----------
    first, second : sequence of Member
        The two sides.
    background : structured ndarray, shape (n,), optional
        Validation jets; see `mean_scores`.
    settings : MeritSettings
        Number of replicas and the seed of their random numbers.

    Raises
    ------
    EvaluationError
        If they were not scored on the same jets with the same weights.
        See `mean_scores`.
    """
    ours, theirs = (mean_scores(members, background) for members in (first, second))
    identity = ["sample", *KEPT]
    if len(ours.rows) != len(theirs.rows) or not np.array_equal(ours.rows[identity], theirs.rows[identity]):
        raise EvaluationError("the two sides were not scored on the same jets: no paired comparison")
    names = json.loads(ours.attributes["samples"])
    replicas = Replicas([ours.rows[ours.rows["sample"] == code] for code in range(len(names))], settings)
    sides = [_samples(side) for side in (ours, theirs)]
    drawn = [auc_replicas(side, replicas).mean(axis=0) for side in sides]
    one, other = (
        float(np.mean([compute_auc(background_scores, signal).value for signal in signals]))
        for background_scores, *signals in sides
    )
    return Difference(one, other, standard_error(drawn[0] - drawn[1]))


def _samples(side: MeanScores) -> list[SampleScores]:
    """Return scores and weights of the background and of each signal."""
    codes = side.rows["sample"]
    return [
        SampleScores(name, side.scores[codes == code], side.rows["weight"][codes == code])
        for code, name in enumerate(json.loads(side.attributes["samples"]))
    ]
