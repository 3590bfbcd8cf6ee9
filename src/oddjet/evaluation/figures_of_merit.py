"""All figures of merit of a method, from its score tables."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.evaluation.efficiency import MERITS, Ranking, bootstrap_errors
from oddjet.evaluation.merit import SampleScores, compute_auc
from oddjet.evaluation.scores import read_method
from oddjet.evaluation.settings import MeritSettings
from oddjet.evaluation.signals import points_from_json
from oddjet.evaluation.spectra import planing_weights, rank_correlation
from oddjet.evaluation.tables import MeritRow
from oddjet.io.tables import read_attributes, read_table

# Within a sample: its numbers may be those of another event, its place in a file is not.
EVENT = ("source", "entry")


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
        (background reweighted to the signal's pT) and the figures of `oddjet.evaluation.efficiency.MERITS`. Errors of
        the AUCs are DeLong's, the others are bootstrapped over events, with the same random numbers for every method.

    Raises
    ------
    TableError, MeritError
        If the file is not a score table, or a sample is empty.
    """
    method = read_method(path)
    points = points_from_json(read_attributes(path)["points"])
    table = read_table(path, [*EVENT, "sample", "pt", "mass", "weight", "score"])
    jets = [table[table["sample"] == code] for code in range(len(points) + 1)]
    events = [_event_numbers(part) for part in jets]
    rows = []
    for column, seed in enumerate(method.seeds):
        background = _sample("background", jets[0], jets[0]["score"][:, column])
        correlation = rank_correlation(background, _sample("background", jets[0], jets[0]["mass"]))
        nowhere = (math.nan, math.nan)
        rows.append(
            MeritRow(method.name, seed, "background", *nowhere, "score_mass_correlation", *correlation, math.nan)
        )
        for index, name in enumerate(points, start=1):
            signal = _sample(name, jets[index], jets[index]["score"][:, column])
            generator = np.random.default_rng([settings.seed, index])
            ranking = Ranking(background, signal)
            errors = bootstrap_errors(ranking, (events[0], events[index]), settings.replicas, generator)
            found = {merit: (*function(ranking.curve()), errors[merit]) for merit, function in MERITS.items()}
            weights = planing_weights(
                _sample("background", jets[0], jets[0]["pt"]),
                _sample(name, jets[index], jets[index]["pt"]),
                settings.planing_bins,
            )
            planed = compute_auc(SampleScores("background", background.scores, weights), signal)
            start = (method.name, seed, name, *points[name])
            rows.append(MeritRow(*start, "auc", *compute_auc(background, signal), math.nan))
            rows.append(MeritRow(*start, "auc_planed", *planed, math.nan))
            rows += [MeritRow(*start, merit, value, error, where) for merit, (value, where, error) in found.items()]
    return rows


def _sample(name: str, jets: NDArray[np.void], values: NDArray[np.float64]) -> SampleScores:
    return SampleScores(name, values, jets["weight"])


def _event_numbers(jets: NDArray[np.void]) -> NDArray[np.intp]:
    """Return for each jet the number of its event, from 0."""
    return np.unique(jets[list(EVENT)], return_inverse=True)[1]
