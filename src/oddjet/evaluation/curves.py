"""ROC curves, score distributions and what a cut on the score does to the background's mass and pT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.axes import HeatmapSettings, Point, line_of
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import SampleScores
from oddjet.evaluation.backgrounds import TOGETHER
from oddjet.evaluation.bootstrap import EVENT, event_numbers
from oddjet.evaluation.efficiency import Ranking
from oddjet.evaluation.flatness import efficiency_in_bins, equal_bins
from oddjet.evaluation.score_table import data_of, open_scores
from oddjet.titles import Titles

# Background efficiencies at which curves are compared: a signal efficiency below the first rests on too few jets.
EFFICIENCIES = np.geomspace(1e-3, 1.0, 61)
# Background efficiency of the cut whose effect on mass and pT is shown.
CUT = 0.1
# Signals that are drawn in one panel, at most.
SHOWN = 4


@dataclass(frozen=True)
class Shape:
    """Efficiency of a cut for background by a quantity, shape (S, B) for S seeds, with its bins' edges (B + 1)."""

    edges: Floats
    efficiency: Floats
    error: Floats


@dataclass(frozen=True)
class MethodScores:
    """Scores of one method on the test jets.

    Attributes
    ----------
    method : str
    seeds : tuple of int
        One column of scores each.
    points : mapping of str to Point
        Of each signal.
    jets : list of ndarray
        Background first, then the signals in the order of `points`, then data: `EVENT`, pt, mass (GeV), weight, and
        score, shape (n, S).
    data : mapping of str to int
        Position in `jets` of each sample of data.
    background : str
        Sample of the background, or `TOGETHER`.
    """

    method: str
    seeds: tuple[int, ...]
    points: Mapping[str, Point]
    jets: Sequence[NDArray[np.void]]
    scores: Sequence[Floats]
    data: Mapping[str, int] = field(default_factory=dict)
    background: str = TOGETHER

    def sample(self, code: int, column: int) -> SampleScores:
        """Return the scores of one seed for the background (code 0) or a signal."""
        name = "background" if code == 0 else list(self.points)[code - 1]
        return SampleScores(name, self.scores[code][:, column], self.jets[code]["weight"])

    def roc(self, code: int) -> Floats:
        """Return the signal efficiency at `EFFICIENCIES` of each seed for one signal, shape (S, K)."""
        rows = []
        for column in range(len(self.seeds)):
            curve = Ranking(self.sample(0, column), self.sample(code, column)).curve()
            rows.append(np.interp(EFFICIENCIES, curve.background, curve.signal))
        return np.array(rows)

    def mean_roc(self) -> Floats:
        """Return the same averaged over all signals, shape (S, K)."""
        return np.asarray(np.mean([self.roc(code) for code in range(1, len(self.points) + 1)], axis=0))

    def shape(self, quantity: str) -> Shape:
        """Return which share of the background passes a cut that `CUT` of it passes, by mass or pT (GeV).

        The bins hold equal numbers of jets. The error is that of the share in a bin; see `efficiency_in_bins`.
        """
        jets = self.jets[0]
        values, weights = jets[quantity].astype(np.float64), jets["weight"].astype(np.float64)
        edges, events = equal_bins(values), event_numbers(jets)
        pairs = []
        for column in range(len(self.seeds)):
            passed = self.scores[0][:, column] >= cut_at(self.scores[0][:, column], weights, CUT)
            pairs.append(efficiency_in_bins(values, weights, passed, edges, events))
        efficiency, error = zip(*pairs, strict=True)
        return Shape(edges, np.array(efficiency), np.array(error))


def cut_at(scores: Floats, weights: Floats, efficiency: float) -> float:
    """Return the lowest score at or above which at most `efficiency` of the weight lies, at least that of one jet."""
    order = np.argsort(-scores, kind="stable")
    passed = np.maximum.accumulate(np.cumsum(weights[order]) / weights.sum())
    return float(scores[order][max(int(np.searchsorted(passed, efficiency, side="right")) - 1, 0)])


def read_scores(paths: Sequence[Path]) -> dict[str, MethodScores]:
    """Read the score tables of several methods and groups, by method in their order.

    Raises
    ------
    TableError
        A file is no score table.
    EvaluationError
        Two groups of a method hold other jets.
    """
    found: dict[str, MethodScores] = {}
    for path in paths:
        table = open_scores(path, [*EVENT, "pt", "mass", "weight"])
        method, points, against = table.method, table.points, table.backgrounds[0].name
        data = {name: len(points) + 1 + place for place, name in enumerate(data_of(path))}
        places = table.of_samples(len(data))
        jets = [table.rows[own] for own in places]
        columns = [scores for _, scores in table.seeds()]
        scores = [np.column_stack([column[own] for column in columns]) for own in places]
        # All methods score the same jets, as a rule: these are in memory once.
        jets = next((list(one.jets) for one in found.values() if _alike(one.jets, jets)), jets)
        before = found.get(method.name)
        if before is not None:
            if [len(one) for one in jets] != [len(one) for one in before.jets]:
                raise EvaluationError(f"{path}: other jets than in the tables before; score all groups again")
            scores = [np.hstack(pair) for pair in zip(before.scores, scores, strict=True)]
        seeds = (*(before.seeds if before else ()), *method.seeds)
        found[method.name] = MethodScores(method.name, seeds, points, jets, scores, data, against)
    return found


def _alike(first: Sequence[NDArray[np.void]], second: Sequence[NDArray[np.void]]) -> bool:
    return len(first) == len(second) and all(map(np.array_equal, first, second))


def shown_signals(points: Mapping[str, Point], settings: HeatmapSettings, titles: Titles) -> dict[str, str]:
    """Choose at most `SHOWN` signals for one panel, of those of `oddjet.axes.line_of`; name to words for a legend."""
    names = list(line_of(points, settings).signals)
    if len(names) > SHOWN:
        names = [names[round(step * (len(names) - 1) / (SHOWN - 1))] for step in range(SHOWN)]
    return {name: settings.words(points[name]) or titles.sample(name) for name in names}
