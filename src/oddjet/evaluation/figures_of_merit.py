"""All figures of merit of a method, from its score tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.axes import Point
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.evaluation.backgrounds import TOGETHER
from oddjet.evaluation.bootstrap import EVENT, Replicas, auc_replicas, standard_error
from oddjet.evaluation.efficiency import MERITS, Ranking, merit_replicas
from oddjet.evaluation.planing import planing_weights, rank_correlation
from oddjet.evaluation.score_table import open_scores
from oddjet.evaluation.settings import MeritSettings
from oddjet.io.tables import read_columns

# Signals of a MeritRow that are none: the background alone, and the mean over all signals.
BACKGROUND, GRID = "background", "mean over grid"
# What the names of AUCs begin with that are planed in other columns than pT.
PLANED = "auc_planed_in_"


@dataclass(frozen=True)
class MeritRow:
    """One figure of merit of one method, seed and signal.

    `where` is the signal efficiency at which it is reached; it, and an error that cannot be given, are NaN (empty in
    the file). Figures of the background alone have the signal `background` and no point, the mean of a figure over
    all signals has the signal `mean over grid`. `background` is that of the training.
    """

    method: str
    seed: int
    signal: str
    point: Point
    merit: str
    value: float
    error: float
    where: float
    background: str = TOGETHER


def merit_rows(path: Path, settings: MeritSettings) -> list[MeritRow]:
    """Compute all figures of merit of a score table.

    Parameters
    ----------
    path : Path
        Score table of one group of seeds.
    settings : MeritSettings
        Bootstrap and planing.

    Returns
    -------
    list of MeritRow
        By seed: `score_mass_correlation` on the background (Spearman), then for each signal `auc`, `auc_planed`
        (background reweighted to the signal's pT), `auc_planed_in_COLUMN` for each of `settings.planed` that the table
        has, and the figures of `oddjet.evaluation.efficiency.MERITS`, then their means over all signals, which are
        named `GRID`. Errors of the AUCs of a signal are DeLong's; all others are
        those of a bootstrap of events, with the same background for all signals and the same weights for every method.

    Raises
    ------
    TableError, EvaluationError
        If the file is not a score table, or a sample is empty.
    """
    columns = {column.name for column in read_columns(path)}
    more = [name for name in settings.planed if name in columns]
    table = open_scores(path, [*EVENT, "pt", "mass", "weight", *more])
    method, points, against = table.method, table.points, table.backgrounds[0].name
    places = table.of_samples()
    jets = [table.rows[own] for own in places]
    replicas = Replicas(jets, settings)
    rows = []
    for seed, scores in table.seeds():
        background = _sample("background", jets[0], scores[places[0]])
        correlation = rank_correlation(background, _sample("background", jets[0], jets[0]["mass"]))
        found = {("background", "score_mass_correlation"): Figure(*correlation, math.nan)}
        drawn: dict[str, list[Floats]] = {}
        signals = {name: _sample(name, jets[code], scores[places[code]]) for code, name in enumerate(points, start=1)}
        # All at once: the background of a replica is added up once.
        areas = auc_replicas([background, *signals.values()], replicas) if signals else np.empty((0, replicas.size))
        for code, (name, signal) in enumerate(signals.items(), start=1):
            planed = {
                merit: planing_weights(
                    _sample("background", jets[0], jets[0][column]),
                    _sample(name, jets[code], jets[code][column]),
                    settings.planing_bins,
                )
                for merit, column in {"auc_planed": "pt", **{planed_in(column): column for column in more}}.items()
            }
            for merit, (figure, values) in _figures(
                background, signal, planed, areas[code - 1], replicas, code
            ).items():
                found[name, merit] = figure
                drawn.setdefault(merit, []).append(values)
        found |= {(GRID, merit): _over_grid(merit, found, values) for merit, values in drawn.items()}
        rows += [
            MeritRow(method.name, seed, name, points.get(name, {}), merit, *figure, against)
            for (name, merit), figure in found.items()
        ]
    return rows


def planed_in(column: str) -> str:
    """Name the AUC for which the background is reweighted to the signal's spectrum of a column."""
    return f"{PLANED}{column}"


class Figure(NamedTuple):
    """A figure of merit with its error, and the signal efficiency where it is reached (NaN if it belongs to no cut)."""

    value: float
    error: float
    where: float


def _figures(
    background: SampleScores,
    signal: SampleScores,
    planed: Mapping[str, Floats],
    areas: Floats,
    replicas: Replicas,
    code: int,
) -> dict[str, tuple[Figure, Floats]]:
    """Compute each figure of one signal, and its values in all replicas, shape (R,); `areas` are those of the AUC."""
    found = {"auc": (Figure(*compute_auc(background, signal), math.nan), areas)}
    for name, weights in planed.items():
        samples = SampleScores(f"background, {name}", background.scores, weights), signal
        found[name] = Figure(*compute_auc(*samples), math.nan), auc_replicas(samples, replicas, (0, code))[0]
    ranking = Ranking(background, signal)
    known, tested = (replicas.each(sample, order) for sample, order in zip((0, code), ranking.orders, strict=True))
    drawn, curve = merit_replicas(ranking, known, tested), ranking.curve()
    for name, merit in MERITS.items():
        value, where = merit(curve)
        found[name] = Figure(value, standard_error(drawn[name]), where), drawn[name]
    return found


def _over_grid(merit: str, found: Mapping[tuple[str, str], Figure], values: Sequence[Floats]) -> Figure:
    """Return the mean of a figure over all signals, with the error of the mean."""
    own = [figure for (_, name), figure in found.items() if name == merit]
    with np.errstate(invalid="ignore"):
        error = standard_error(np.mean(values, axis=0))
    return Figure(
        statistics.fmean(figure.value for figure in own), error, statistics.fmean(figure.where for figure in own)
    )


def _sample(name: str, jets: NDArray[np.void], values: NDArray[np.float64]) -> SampleScores:
    return SampleScores(name, values, jets["weight"])
