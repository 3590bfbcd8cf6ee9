"""Which share of the background passes a cut on the score, by jet mass and pT: for one threshold, and for one a pT bin.

Thresholds are those of the validation background, efficiencies those of the test background: the same jets would be
flat by construction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.errors import EvaluationError
from oddjet.evaluation.bootstrap import EVENT, event_numbers
from oddjet.evaluation.score_table import open_scores, read_method
from oddjet.evaluation.thresholds import (
    EFFICIENCIES,
    PT_BINS,
    SMALLEST_BACKGROUND,
    Threshold,
    threshold_of_jets,
    thresholds,
)

BINS = 8
QUANTITIES = ("mass", "pt")


@dataclass(frozen=True)
class ThresholdRow:
    """A threshold of one seed of a method; pT in GeV, empty: all jets; `score` empty: fewer than ten jets pass."""

    method: str
    seed: int
    efficiency: float
    pt_min: float | None
    pt_max: float | None
    score: float | None


@dataclass(frozen=True)
class FlatnessRow:
    """Which share of the test background in a bin of a quantity (GeV) passes a cut that `efficiency` of it should pass.

    `one_cut` is the share for one threshold, `cut_by_pt` for the thresholds in bins of pT, each with its error;
    `n_background` is the number of test jets in all bins together.
    """

    method: str
    seed: int
    efficiency: float
    quantity: str
    low: float
    high: float
    one_cut: float
    one_cut_error: float
    cut_by_pt: float
    cut_by_pt_error: float
    n_background: int


def equal_bins(values: Floats) -> Floats:
    """Return the edges of at most `BINS` bins with the same number of values each; raise `EvaluationError` for one."""
    edges: Floats = np.unique(np.quantile(values, np.linspace(0.0, 1.0, BINS + 1)))
    if len(edges) < 2:
        raise EvaluationError(f"all background jets have the value {values[0]:g}")
    return edges


def efficiency_in_bins(
    values: Floats, weights: Floats, passed: NDArray[np.bool_], edges: Floats, events: NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Return the share of weight that passes in each bin of a quantity, and its error, shape (B,) each.

    Events vary, and the jets of one that lie in the same bin together.

    Parameters
    ----------
    values, weights : ndarray, shape (n,)
    passed : ndarray of bool, shape (n,)
    edges : ndarray, shape (B + 1,)
        Ascending; values beyond are counted in the outermost bins.
    events : ndarray of int, shape (n,)
        Which event each jet is of, from 0.
    """
    place, size = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2), len(edges) - 1
    total = np.bincount(place, weights, minlength=size)
    share = np.bincount(place, weights * passed, minlength=size) / total
    off = np.bincount(size * events + place, weights * (passed - share[place]), minlength=size * (events.max() + 1))
    return share, np.sqrt(np.square(off.reshape(-1, size)).sum(axis=0)) / np.abs(total)


def measure_flatness(validation: Sequence[Path], test: Sequence[Path]) -> tuple[list[ThresholdRow], list[FlatnessRow]]:
    """Return the thresholds of all seeds of methods, and the efficiencies that they have on test jets.

    Parameters
    ----------
    validation, test : sequence of Path
        Score tables of the same trainings, in one order; of the latter the background of the training counts alone.

    Raises
    ------
    EvaluationError
        If two tables are of different trainings, or all have too few validation jets for a threshold in each bin of pT.
    """
    cuts: list[ThresholdRow] = []
    rows: list[FlatnessRow] = []
    for before, after in zip(validation, test, strict=True):
        method = read_method(after)
        if read_method(before) != method:
            raise EvaluationError(f"{before} and {after} hold scores of different trainings; score both again")
        (known, chosen), (jets, tested) = (_background(path) for path in (before, after))
        for (seed, own), (_, scores) in zip(chosen, tested, strict=True):
            found = thresholds(known, own)
            cuts += [ThresholdRow(method.name, seed, *astuple(one)) for one in found]
            for efficiency in EFFICIENCIES:
                shares = _efficiencies(jets, scores, found, efficiency)
                rows += [FlatnessRow(method.name, seed, efficiency, *row, len(jets)) for row in shares]
    if not rows:
        least = math.ceil(PT_BINS * SMALLEST_BACKGROUND / max(EFFICIENCIES))
        raise EvaluationError(
            f"thresholds in {PT_BINS} bins of pT take {least} validation jets; give more events, or a larger "
            "dataset.fractions.validation"
        )
    return cuts, rows


def _background(path: Path) -> tuple[NDArray[np.void], Iterator[tuple[int, Floats]]]:
    """Return the background's rows of a score table, and the scores of each seed."""
    table = open_scores(path, [*EVENT, "pt", "mass", "weight"])
    own = table.of_sample(0)
    return table.rows[own], ((seed, scores[own]) for seed, scores in table.seeds())


def _efficiencies(
    jets: NDArray[np.void], scores: Floats, found: Sequence[Threshold], efficiency: float
) -> Iterator[tuple[str, float, float, float, float, float, float]]:
    """Give quantity, edges and both shares with their errors for each bin; nothing where a threshold is unknown."""
    everywhere = next(one.score for one in found if one.efficiency == efficiency and one.pt_min is None)
    by_pt = threshold_of_jets(found, efficiency, jets["pt"])
    if everywhere is None or by_pt is None:
        return
    weights, events = jets["weight"].astype(np.float64), event_numbers(jets)
    for quantity in QUANTITIES:
        values = jets[quantity].astype(np.float64)
        edges = equal_bins(values)
        one = efficiency_in_bins(values, weights, scores > everywhere, edges, events)
        pt = efficiency_in_bins(values, weights, scores > by_pt, edges, events)
        for low, high, *shares in zip(edges[:-1], edges[1:], *one, *pt, strict=True):
            a, a_error, b, b_error = map(float, shares)
            yield quantity, float(low), float(high), a, a_error, b, b_error
