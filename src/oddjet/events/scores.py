"""The score tables of whole events as they are read back: by sample, in the order of the events' files.

`oddjet.evaluation.scores` writes them: one row an event with its `sample`, its `row` in its file and the `score` of
each seed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import EventError, TableError
from oddjet.io.tables import read_attributes, read_list, read_table

BACKGROUND = "background"


class EventScoreTable:
    """Scores of one method as read back, of all its groups of seeds.

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
        self._path, self.method, self.samples = paths[0], method_of(paths[0]), _samples(paths[0])
        seeds, scores = list[int](), []
        for path in paths:
            if (method_of(path), _samples(path)) != (self.method, self.samples):
                raise TableError(f"{path}: another method, or other samples, than in {paths[0]}; score again")
            seeds += read_list(path, "seeds", int)
            table = read_table(path, ["sample", "row", "score"])
            table = table[np.lexsort((table["row"], table["sample"]))]
            scores.append(np.asarray(table["score"], dtype=np.float64).reshape(len(table), -1))
        if len({len(one) for one in scores}) > 1:
            raise TableError(f"{paths[-1]}: other events than in {paths[0]}; score both again")
        self.seeds, self._sample, self._scores = tuple(seeds), table["sample"], np.concatenate(scores, axis=1)
        if self._scores.shape[1] != len(seeds):
            raise TableError(
                f"{paths[0]}: {len(seeds)} seeds and {self._scores.shape[1]} columns of scores; score again"
            )

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


def score_tables(paths: Iterable[Path]) -> list[EventScoreTable]:
    """Read score tables, the groups of a method together, in the order in which the methods come first."""
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(method_of(path), []).append(path)
    return [EventScoreTable(*group) for group in groups.values()]


def method_of(path: Path) -> str:
    """Return the method of a score table; raise `TableError` for another one."""
    attributes = read_attributes(path)
    if "method" not in attributes:
        raise TableError(f"{path}: no attribute 'method'; give a table of event scores")
    return attributes["method"]


def _samples(path: Path) -> tuple[str, ...]:
    return tuple(read_list(path, "samples", str))
