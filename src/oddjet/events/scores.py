"""The table in which every score of whole events is kept, whatever computed it.

One HDF5 table (`oddjet.io.tables`) a score, `results/events/scores/{method}.h5`, one row an event:

| column | type | meaning |
|---|---|---|
| sample | i2 | position in the attribute `samples`; 0 is the background |
| row | i8 | row of the event in its input file |
| score | (S,)f8 | anomaly score, larger is more anomalous; a column for each of the S `seeds` |

Attributes: `method`, `samples` (JSON list: "background", then the signals), `seeds` (JSON list; `[0]` where the score
has no randomness), and the provenance of `oddjet.provenance.attributes`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import EventError, TableError
from oddjet.io.tables import Column, TableWriter, read_attributes, read_list, read_table

BACKGROUND = "background"


class ScoreTable:
    """Scores of one method as read back.

    Attributes
    ----------
    method
        Name of the method.
    seeds
        One a column of the scores.
    samples
        Names of the samples, the background first.
    """

    def __init__(self, path: Path) -> None:
        """Read `path`; raises `TableError` when it is not such a table."""
        attributes = read_attributes(path)
        if "method" not in attributes:
            raise TableError(f"{path}: no attribute 'method'; give a table of event scores")
        self.method = attributes["method"]
        self.seeds = tuple(read_list(path, "seeds", int))
        self.samples = tuple(read_list(path, "samples", str))
        self._path = path
        self._table = read_table(path, ["sample", "row", "score"])

    def of(self, sample: str) -> NDArray[np.float64]:
        """Give the scores of a sample, shape (n, S), in the order of its input file.

        Raises
        ------
        EventError
            There is no such sample in the table.
        """
        if sample not in self.samples:
            raise EventError(f"{self._path}: no sample '{sample}'; there are {', '.join(self.samples)}.")
        chosen = self._table[self._table["sample"] == self.samples.index(sample)]
        ordered = chosen[np.argsort(chosen["row"], kind="stable")]
        return np.asarray(ordered["score"], dtype=np.float64).reshape(len(ordered), len(self.seeds))


def write_scores(
    path: Path,
    method: str,
    scores: Mapping[str, NDArray[np.float64]],
    attributes: Mapping[str, str],
    seeds: Sequence[int] = (0,),
) -> None:
    """Write the scores of a method.

    Parameters
    ----------
    path
        The table to write.
    method
        Name of the method.
    scores
        By sample, the background (`BACKGROUND`) first: shape (n,) or (n, S), larger is more anomalous, in the order of
        the input file.
    attributes
        Provenance.
    seeds
        One for each of the S columns; left out: one score without randomness.

    Raises
    ------
    EventError
        The background does not come first, or scores are not finite or not of shape (n, S).
    """
    if next(iter(scores), None) != BACKGROUND:
        raise EventError(f"{method}: the scores of the sample '{BACKGROUND}' must come first, got {list(scores)}.")
    columns = score_columns(len(seeds))
    dtype = np.dtype([(column.name, column.dtype) for column in columns])
    more = {"method": method, "samples": json.dumps(list(scores)), "seeds": json.dumps(list(seeds))}
    with TableWriter(path, columns, {**attributes, **more}) as table:
        for code, (sample, values) in enumerate(scores.items()):
            table.append(_rows(method, sample, code, np.asarray(values, np.float64), dtype, len(seeds)))
        table.finish()


def score_columns(seeds: int) -> list[Column]:
    """Give the columns of a table with so many seeds."""
    return [
        Column("sample", "i2", "1", "position in the attribute `samples`; 0 is the background"),
        Column("row", "i8", "1", "row of the event in its input file"),
        Column("score", f"({seeds},)f8", "1", "anomaly score of each seed; larger is more anomalous"),
    ]


def _rows(
    method: str, sample: str, code: int, values: NDArray[np.float64], dtype: np.dtype[np.void], seeds: int
) -> NDArray[np.void]:
    scores = values[:, None] if values.ndim == 1 else values
    if scores.ndim != 2 or scores.shape[1] != seeds:
        raise EventError(f"{method}, sample {sample}: scores of shape {values.shape} for {seeds} seeds.")
    bad = np.flatnonzero(~np.isfinite(scores).all(axis=1))
    if len(bad):
        raise EventError(
            f"{method}, sample {sample}: {len(bad)} of {len(scores)} scores are not finite, the first in row {bad[0]}."
        )
    rows = np.zeros(len(scores), dtype=dtype)
    rows["sample"] = code
    rows["row"] = np.arange(len(scores))
    rows["score"] = scores
    return rows
