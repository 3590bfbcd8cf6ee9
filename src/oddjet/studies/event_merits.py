"""Figures of merit of the scores of whole events, by test set: from score tables to the rows of tables and figures.

One row of a score table is an event, with its `sample`, its `row` in its file and the `score` of each seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.errors import EventError, TableError
from oddjet.evaluation.efficiency import background_curve, event_merits
from oddjet.evaluation.score_table import ScoreTable, open_scores, read_method
from oddjet.events.merit_tables import BACKGROUND, CurvePoint, SetMerit, mean_and_sd
from oddjet.events.settings import SetsSettings

# Significance improvement wanders where little signal is left.
SMALLEST_EFFICIENCY = 0.2


class EventScores:
    """Scores of one method by sample, of all its groups of seeds.

    Attributes
    ----------
    method
        Name of the method.
    seeds
        One a column of the scores.
    samples
        Names of the samples, the background first.
    """

    def __init__(self, *paths: Path) -> None:
        """Read the tables of a method, a group each; raises `TableError` for others, and where they do not fit."""
        tables = [open_scores(path, ["row"]) for path in paths]
        self._path, self.method, self.samples = paths[0], tables[0].method.name, _samples(tables[0])
        seeds, columns = list[int](), []
        events = np.sort(tables[0].rows, order=("sample", "row"))
        for table in tables:
            if (table.method.name, _samples(table)) != (self.method, self.samples):
                raise TableError(f"{table.path}: another method, or other samples, than in {paths[0]}; score again")
            order = np.lexsort((table.rows["row"], table.rows["sample"]))
            if not np.array_equal(table.rows[order], events):
                raise TableError(f"{table.path}: other events than in {paths[0]}; score both again")
            for seed, scores in table.seeds():
                seeds.append(seed)
                columns.append(scores[order])
        if len(set(seeds)) < len(seeds):
            raise TableError(f"{paths[0]}: the seeds {seeds} of its groups hold one twice; give each table once")
        self.seeds, self._sample, self._scores = tuple(seeds), events["sample"], np.stack(columns, 1)

    def of(self, sample: str) -> NDArray[np.float64]:
        """Give the scores of a sample, shape (n, S), in the order of its input file.

        Raises
        ------
        EventError
            There is no such sample in the table.
        """
        if sample not in self.samples:
            raise EventError(f"{self._path}: no sample '{sample}'; there are {', '.join(self.samples)}.")
        return np.asarray(self._scores[self._sample == self.samples.index(sample)])


def scores_by_method(paths: Iterable[Path]) -> list[EventScores]:
    """Read score tables, the groups of a method together, in the order in which the methods come first."""
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(read_method(path).name, []).append(path)
    return [EventScores(*group) for group in groups.values()]


def _samples(table: ScoreTable) -> tuple[str, ...]:
    return (BACKGROUND, *table.points)


def test_sets(table: EventScores, sets: SetsSettings) -> Iterator[tuple[str, int, Floats, Floats]]:
    """Give signal, number of the test set, background scores and signal scores (n, seeds) of every test set.

    Raises
    ------
    EventError
        If a sample has fewer events than the sets take.
    """
    background = table.of(BACKGROUND)
    for name in table.samples[1:]:
        signal = table.of(name)
        for sample, scores in ((BACKGROUND, background), (name, signal)):
            if len(scores) < sets.total:
                raise EventError(
                    f"{table.method}: {len(scores)} scored events of {sample}, {sets.number} sets of {sets.events} "
                    f"need {sets.total}; make more events, or lower events.protocol.sets"
                )
        for number in range(sets.number):
            rows = slice(number * sets.events, (number + 1) * sets.events)
            yield name, number, background[rows], signal[rows]


def set_merits(table: EventScores, sets: SetsSettings) -> list[SetMerit]:
    """Compute the figures of merit of every test set and seed."""
    return [
        SetMerit(table.method, seed, signal, number, merit, value, where, len(background))
        for signal, number, background, others in test_sets(table, sets)
        for column, seed in enumerate(table.seeds)
        for merit, (value, where) in event_merits(background[:, column], others[:, column]).items()
    ]


def curve_points(table: EventScores, sets: SetsSettings, efficiencies: Floats) -> list[CurvePoint]:
    """Average ROC and SI curves over test sets and seeds; the standard deviation is that of the sets' seed means."""
    points = []
    found: dict[str, list[Floats]] = {}
    for signal, _, background, others in test_sets(table, sets):
        seeds = range(len(table.seeds))
        found.setdefault(signal, []).append(
            np.stack([background_curve(background[:, column], others[:, column], efficiencies) for column in seeds])
        )
    for signal, curves in found.items():
        background_efficiencies = np.stack(curves)
        with np.errstate(divide="ignore"):
            improvements = efficiencies / np.sqrt(background_efficiencies)
        for k, efficiency in enumerate(efficiencies):
            rejected = 1.0 - background_efficiencies[:, :, k].mean(1)
            improvement = improvements[:, :, k].mean(1)
            useful = efficiency >= SMALLEST_EFFICIENCY and np.isfinite(improvement).all()
            points.append(
                CurvePoint(
                    table.method,
                    signal,
                    float(efficiency),
                    *mean_and_sd(rejected.tolist()),
                    *(mean_and_sd(improvement.tolist()) if useful else (math.nan, math.nan)),
                )
            )
    return points
