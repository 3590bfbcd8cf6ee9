"""The mean of the standardised scores of several seeds and methods, and its AUC beside that of other means.

The mean and the standard deviation that standardise a seed's scores are those of the validation jets, as in
`oddjet.detectors.mean`. The difference of two means on the same jets has a paired error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.detectors.mean import background_moments
from oddjet.detectors.opening import KEPT, Method
from oddjet.detectors.protocol import Detector
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.evaluation.bootstrap import Replicas, auc_replicas, standard_error
from oddjet.evaluation.score_table import read_method
from oddjet.evaluation.settings import MeritSettings
from oddjet.io.tables import read_attributes, read_table


class Member(NamedTuple):
    """A group of seeds of a method: who they are, what scores jets, and the score table that it made."""

    method: Method
    scorer: Callable[[NDArray[np.void]], NDArray[np.float64]] | None
    scores: Path


class MeanScores(NamedTuple):
    """Mean of the standardised scores (n,) of all members, and the rows and attributes of the first score table."""

    scores: NDArray[np.float64]
    rows: NDArray[np.void]
    attributes: dict[str, str]


def members_of(models: Sequence[Detector], scores: Sequence[Path], option: str = "--models") -> list[Member]:
    """Pair models with their score tables.

    Parameters
    ----------
    models : sequence of Detector
        From `oddjet.detectors.file.load`; none for one score table with one seed, which is not standardised.
    scores : sequence of Path
        Score tables in the order of the models.
    option : str
        Which option the models were given with, for the message.

    Raises
    ------
    EvaluationError
        If their numbers differ.
    """
    if not models and len(scores) == 1:
        return [Member(read_method(scores[0]), None, scores[0])]
    if len(models) != len(scores):
        raise EvaluationError(
            f"{option}: {len(models)} models and {len(scores)} score tables; give one table a model, in the same order"
        )
    return [
        Member(Method(model.name, model.seeds, model.epochs), model.score, path)
        for model, path in zip(models, scores, strict=True)
    ]


def mean_scores(members: Sequence[Member], background: NDArray[np.void] | None) -> MeanScores:
    """Average the scores of all seeds of all members, each standardised on the same background.

    Parameters
    ----------
    members : sequence of Member
        At least one; all their seeds count the same.
    background : structured ndarray, shape (n,), optional
        Validation jets, which count by their weights. Without them a single seed stays as it is.

    Raises
    ------
    EvaluationError
        A score table is not that of its model, the tables are not about the same jets with the same weights, the scores
        of a seed do not vary on the background, or several seeds have nothing to be standardised by.
    """
    first = members[0].scores
    needed = ["sample", *KEPT, "score"]
    like, known = read_table(first, needed=needed), read_attributes(first)
    total, count = np.zeros(len(like)), sum(len(member.method.seeds) for member in members)
    for member in members:
        table = like if member.scores is first else read_table(member.scores, needed=needed)
        _check_same(member, table, like, known, first)
        scores = table["score"]
        if member.scorer is not None and background is not None:
            weights = background["weight"].astype(np.float64)
            means, deviations = background_moments(member.scorer(background), weights, member.method)
            scores = (scores - means) / deviations
        elif count > 1:
            raise EvaluationError(
                f"{member.scores}: {count} seeds are averaged, and their scores have different scales; give their "
                "models and the validation background, on which each is standardised"
            )
        total += scores.sum(axis=1)
    return MeanScores(total / count, like, known)


def _check_same(
    member: Member, table: NDArray[np.void], like: NDArray[np.void], known: Mapping[str, str], first: Path
) -> None:
    """Raise `EvaluationError` unless the table is the member's, and is about the same jets as the first one."""
    made_by = read_method(member.scores)
    if made_by != member.method:
        raise EvaluationError(
            f"{member.scores}: scores of {made_by.name}, seeds {list(made_by.seeds)}, epochs {list(made_by.epochs)}; "
            f"the model is {member.method.name}, seeds {list(member.method.seeds)}, epochs "
            f"{list(member.method.epochs)}. Give models and scores in the same order, or score again"
        )
    attributes = read_attributes(member.scores)
    same = all(attributes[key] == known[key] for key in ("samples", "points")) and len(table) == len(like)
    if not same or any(not np.array_equal(table[name], like[name]) for name in ("sample", *KEPT)):
        raise EvaluationError(f"{member.scores}: other jets, or other weights, than in {first}; score both again")


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
    names = _names(ours)
    replicas = Replicas([ours.rows[ours.rows["sample"] == code] for code in range(len(names))], settings)
    sides = [_samples(side) for side in (ours, theirs)]
    drawn = [auc_replicas(side, replicas).mean(axis=0) for side in sides]
    one, other = (
        float(np.mean([compute_auc(background_scores, signal).value for signal in signals]))
        for background_scores, *signals in sides
    )
    return Difference(one, other, standard_error(drawn[0] - drawn[1]))


def _names(side: MeanScores) -> list[str]:
    """Return the background and the signals, without data."""
    return ["background", *json.loads(side.attributes["points"])]


def _samples(side: MeanScores) -> list[SampleScores]:
    """Return scores and weights of the background and of each signal."""
    codes = side.rows["sample"]
    return [
        SampleScores(name, side.scores[codes == code], side.rows["weight"][codes == code])
        for code, name in enumerate(_names(side))
    ]
