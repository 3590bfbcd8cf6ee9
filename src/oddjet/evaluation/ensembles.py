"""Ensembles: the mean of the standardised scores of several seeds and methods, a score table as any other.

The mean and the standard deviation that standardise a seed's scores are those of the validation jets: background that
trained no weights, that is not the background which is tested on, and that holds no signal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.detectors.protocol import Detector
from oddjet.errors import EvaluationError
from oddjet.evaluation.scores import KEPT, Method, Scorer, read_method
from oddjet.io.tables import TableWriter, read_attributes, read_columns, read_table

# An ensemble is one model, to which no seed and no epoch belongs.
SEEDS, EPOCHS = (0,), (0,)


class Member(NamedTuple):
    """A group of seeds of a method: who they are, what scores jets, and the score table that it made."""

    method: Method
    scorer: Scorer | None
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


def score_ensemble(
    name: str, members: Sequence[Member], background: Path, output: Path, attributes: Mapping[str, str]
) -> None:
    """Average the standardised scores of all members and write them as the score table of a method.

    Parameters
    ----------
    name : str
        Of the ensemble.
    members : sequence of Member
        All seeds of all members count the same.
    background : Path
        Validation part of the background, which gives the means and deviations; no signal.
    output : Path
        Score table: all columns but `score` are those of the members' tables, weights included; `score` has shape (1,).
    attributes : mapping of str to str
        Provenance.

    Raises
    ------
    EvaluationError
        If a score table is not that of its model, the tables are not about the same jets with the same weights, or the
        scores of a seed do not vary on the background.
    """
    scores, like, known = mean_scores(members, read_table(background))
    first = members[0].scores
    columns = [replace(c, dtype="(1,)f8") if c.name == "score" else c for c in read_columns(first)]
    rows = np.zeros(len(like), dtype=[(column.name, column.dtype) for column in columns])
    for column in columns:
        rows[column.name] = scores[:, None] if column.name == "score" else like[column.name]
    own = {"method": name, "seeds": json.dumps(SEEDS), "epochs": json.dumps(EPOCHS)}
    kept = {key: known[key] for key in ("samples", "points")}
    with TableWriter(output, columns, {**attributes, **own, **kept}) as writer:
        writer.append(rows)
        writer.finish()


def mean_scores(members: Sequence[Member], background: NDArray[np.void] | None) -> MeanScores:
    """Average the scores of all seeds of all members, each standardised on the same background.

    This is what an ensemble is, wherever one is scored or compared.

    Parameters
    ----------
    members : sequence of Member
        At least one; all their seeds count the same.
    background : structured ndarray, shape (n,), optional
        Validation jets, which count by their weights. Without them a single seed stays as it is.

    Raises
    ------
    EvaluationError
        See `score_ensemble`; or several seeds have nothing to be standardised by.
    """
    first = members[0].scores
    like, known = read_table(first), read_attributes(first)
    total, count = np.zeros(len(like)), sum(len(member.method.seeds) for member in members)
    for member in members:
        table = like if member.scores is first else read_table(member.scores)
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


def background_moments(
    scores: NDArray[np.float64], weights: NDArray[np.float64], method: Method
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the weighted mean and standard deviation of each seed's scores.

    Parameters
    ----------
    scores : ndarray of float64, shape (n, S)
        Of background jets.
    weights : ndarray of float64, shape (n,)
        Of the same jets; single ones may be negative, their sum may not.
    method : Method
        Whose seeds they are, for the message.

    Returns
    -------
    Means and standard deviations, shape (S,) each.

    Raises
    ------
    EvaluationError
        If the weights do not add up to something positive, a mean or deviation is not finite, or a deviation is 0.
    """
    if not 0 < weights.sum() < np.inf:
        raise EvaluationError(
            f"method {method.name}: the weights of {len(weights)} background jets add up to {weights.sum():g}, not "
            "above 0: no score can be standardised; look at the generator weights of the validation jets"
        )
    with np.errstate(all="ignore"):
        means = weights @ scores / weights.sum()
        deviations = np.sqrt(weights @ (scores - means) ** 2 / weights.sum())
    for seed, mean, deviation in zip(method.seeds, means, deviations, strict=True):
        if not (np.isfinite(mean) and np.isfinite(deviation) and deviation > 0):
            raise EvaluationError(
                f"method {method.name}, seed {seed}: its scores of {len(scores)} background jets have mean {mean:g} "
                f"and deviation {deviation:g}, so they cannot be standardised; look at its training history, or take "
                "the method out of the ensemble"
            )
    return means, deviations


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
