"""The table of negative samples by epoch and seed, in scaled features."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import EvaluationError
from oddjet.io.tables import read_table

# (seed, epoch) to samples, shape (N, D).
Samples: TypeAlias = dict[tuple[int, int], NDArray[np.float32]]


def read_negatives(paths: Iterable[Path], names: Iterable[str]) -> Samples:
    """Read the tables of all groups of a method: (seed, epoch) to samples, shape (N, D), features in the given order.

    Raises
    ------
    EvaluationError
        If there is no sample.
    TableError
        If a table cannot be read.
    """
    names, found = list(names), {}
    for path in paths:
        rows = read_table(path, ["seed", "epoch", *names])
        keys = np.stack([rows["seed"], rows["epoch"]], axis=1)
        # Rows of a seed and epoch stand together: cut where the pair changes.
        edges = [0, *(np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1).tolist(), len(rows)]
        for start, stop in pairwise(edges):
            part = rows[start:stop]
            if len(part):
                key = int(part["seed"][0]), int(part["epoch"][0])
                found[key] = np.stack([part[name] for name in names], axis=1)
    if not found:
        raise EvaluationError("no negative sample in the tables; run sample_negatives on a training that did not fail")
    return found
