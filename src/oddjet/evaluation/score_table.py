"""A score table, read a seed at a time: of the scores one column is in memory, of the rest what was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.axes import Point
from oddjet.detectors.opening import Method
from oddjet.errors import TableError
from oddjet.evaluation.backgrounds import Background, read_backgrounds
from oddjet.evaluation.signals import read_points
from oddjet.io.tables import read_attributes, read_columns, read_field, read_list, read_table


@dataclass(frozen=True)
class ScoreTable:
    """Rows of a score table, and where their scores are read from.

    Attributes
    ----------
    path
        The file.
    method, points, backgrounds
        What made the scores; point of each signal; backgrounds, that of the training first.
    rows
        The columns that were asked for, and `sample`; structured array, shape (n,).
    """

    path: Path
    method: Method
    points: Mapping[str, Point]
    backgrounds: Sequence[Background]
    rows: NDArray[np.void]

    def of_sample(self, code: int) -> NDArray[np.intp]:
        """Return which rows are of a sample: 0 is the background of the training, then signals, then data."""
        return np.flatnonzero(self.rows["sample"] == code)

    def of_samples(self, more: int = 0) -> list[NDArray[np.intp]]:
        """Return which rows are of each sample: the background of the training, all signals, and `more` after them."""
        return [self.of_sample(code) for code in range(1 + len(self.points) + more)]

    def seeds(self) -> Iterator[tuple[int, Floats]]:
        """Read the scores of each seed, shape (n,); raise `TableError` as `read_table` does."""
        for column, seed in enumerate(self.method.seeds):
            yield seed, read_field(self.path, "score", column)


def open_scores(path: Path, columns: Sequence[str]) -> ScoreTable:
    """Read the columns of a score table, and none of its scores.

    Raises
    ------
    TableError
        The file is no score table, or lacks a column.
    """
    method, points, backgrounds = read_method(path), read_points(path), read_backgrounds(path)
    rows = read_table(path, list(dict.fromkeys(["sample", *columns])))
    return ScoreTable(path, method, points, backgrounds, rows)


def read_method(path: Path) -> Method:
    """Read from a score table which method, seeds and epochs made it; raise `TableError` for another table."""
    attributes = read_attributes(path)
    missing = [key for key in ("method", "seeds", "epochs", "samples", "points") if key not in attributes]
    if missing:
        raise TableError(f"{path}: no attribute '{missing[0]}'; give a table that score wrote")
    seeds, epochs = (tuple(read_list(path, key, int)) for key in ("seeds", "epochs"))
    width = _score_width(path)
    if not len(seeds) == len(epochs) == width:
        raise TableError(
            f"{path}: {len(seeds)} seeds, {len(epochs)} epochs and {width} columns of scores do not fit; score again"
        )
    samples, points = read_list(path, "samples", str), read_points(path)
    known = [*points, *data_of(path)]
    if samples[1 : len(known) + 1] != known:
        raise TableError(f"{path}: its samples {samples} and points, of {list(points)}, do not fit; score again")
    return Method(attributes["method"], seeds, epochs)


def data_of(path: Path) -> list[str]:
    """Return the samples of data of a score table, which come behind the signals."""
    return read_list(path, "data", str) if "data" in read_attributes(path) else []


def epochs_by_method(paths: Iterable[Path]) -> dict[str, dict[int, int]]:
    """Read from score tables which epoch was chosen for each seed of each method."""
    epochs: dict[str, dict[int, int]] = {}
    for method in map(read_method, paths):
        epochs.setdefault(method.name, {}).update(zip(method.seeds, method.epochs, strict=True))
    return epochs


def _score_width(path: Path) -> int:
    """Count the columns of scores."""
    dtypes = [np.dtype(column.dtype) for column in read_columns(path) if column.name == "score"]
    return dtypes[0].shape[0] if dtypes and dtypes[0].shape else 0
