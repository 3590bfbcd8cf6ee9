"""Histograms of the score: the events of each sample of a score table in bins, by each of their weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.evaluation.score_table import ScoreTable, data_of
from oddjet.settings import VARIED, weight_columns

PER_FEMTOBARN = 1000.0  # 1/pb


class Events(NamedTuple):
    """Events of one sample: scores, shape (n,), and weights in pb, shape (n,)."""

    scores: NDArray[np.float64]
    weights: NDArray[np.float64]


class Yields(NamedTuple):
    """Expected events in each bin, shape (B,), and the root of their summed squared weights, shape (B,)."""

    events: NDArray[np.float64]
    errors: NDArray[np.float64]


def samples_of(
    table: ScoreTable, test_share: float, factors: Mapping[str, float], luminosity: float
) -> dict[str, tuple[NDArray[np.intp], float]]:
    """Return which rows of a score table are of each sample, and the factor that brings their weights to pb.

    The background of the training comes first, then signals, data (events, whatever the luminosity), the single samples
    of the background, and those that train nothing where `factors` has them; see `method_limits`.
    """
    _, *others = table.backgrounds
    coded = {name: code for code, name in enumerate([*table.points, *data_of(table.path)], start=1)}
    known = {**dict.fromkeys(coded, 1 / (luminosity * PER_FEMTOBARN)), **factors}
    found = {"background": (table.of_sample(0), 1 / test_share)}
    found |= {name: (table.of_sample(code), known[name]) for name, code in coded.items()}
    for one in others:
        if one.sample == 0 or one.name in factors:
            factor = 1 / test_share if one.sample == 0 else factors[one.name]
            found[one.name] = one.places(table.rows), factor
    return found


def histograms_of(
    rows: NDArray[np.void],
    scores: Floats,
    samples: Mapping[str, tuple[NDArray[np.intp], float]],
    edges: Floats,
    luminosity: float,
) -> dict[str, Yields]:
    """Return the histogram of each sample, and of each varied weight as `SAMPLE_VARIATION`."""
    found = {}
    for name, (own, factor) in samples.items():
        jets, values = rows[own], scores[own]
        for weight in weight_columns(rows.dtype.names or ()):
            words = "" if weight == "weight" else f"_{weight.removeprefix(VARIED)}"
            found[name + words] = histogram(events_of(jets, values, factor, weight), edges, luminosity)
    return found


def events_of(jets: NDArray[np.void], scores: Floats, factor: float, weight: str = "weight") -> Events:
    """Return the events of one sample's rows of a score table.

    Parameters
    ----------
    jets : ndarray
        Structured, shape (n,), with `source`, `entry` and `weight`.
    scores : ndarray of float64, shape (n,)
        Of one seed.
    factor : float
        On the weights: what brings them to pb.
    weight : str
        Column of the weights.
    """
    weights, inverse = event_weights(jets, weight)
    highest = np.full(len(weights), -np.inf)
    np.maximum.at(highest, inverse, scores)
    return Events(highest, weights * factor)


def event_weights(jets: NDArray[np.void], weight: str = "weight") -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the weight of each event, shape (m,), and which event each jet is of, shape (n,)."""
    keys = np.stack([jets["source"].astype(np.int64), jets["entry"].astype(np.int64)], axis=1)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return jets[weight][first].astype(np.float64), inverse.reshape(-1)


def histogram(events: Events, edges: NDArray[np.float64], luminosity: float) -> Yields:
    """Return what is expected in each bin at a luminosity (1/fb), of either sign."""
    scale = luminosity * PER_FEMTOBARN
    sums = np.histogram(events.scores, edges, weights=events.weights)[0] * scale
    squares = np.histogram(events.scores, edges, weights=np.square(events.weights))[0] * scale**2
    return Yields(sums, np.sqrt(squares))
