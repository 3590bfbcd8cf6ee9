"""Rows of a part of the dataset that are of some of its background samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import DatasetError
from oddjet.io.tables import count_rows, damage_of, iterate_table, read_json, read_table
from oddjet.messages import not_among

SOURCE = "source"


def sources_of(path: Path, samples: Sequence[str]) -> list[int]:
    """Return the values of the column `source` of samples, `qcd_*` for several, in a table of build_dataset.

    Raises
    ------
    DatasetError
        If the table holds none of a name.
    TableError
        If it is no table of build_dataset.
    """
    found = read_json(path, "sources")
    with damage_of(path, "sources"):
        names = [str(sample) for sample, _ in found]
    for pattern in samples:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise DatasetError(f"{path}: background: {not_among(pattern, dict.fromkeys(names))}")
    return [place for place, name in enumerate(names) if any(fnmatchcase(name, pattern) for pattern in samples)]


def rows_of(path: Path, table: NDArray[np.void], samples: Sequence[str] | None) -> NDArray[np.void]:
    """Return the rows of some samples, or of all (None), among rows (n,) of a table with the column `source`."""
    return table if samples is None else table[np.isin(table[SOURCE], sources_of(path, samples))]


def iterate_of(
    path: Path, columns: Sequence[str], rows: int, samples: Sequence[str] | None
) -> Iterator[NDArray[np.void]]:
    """Read a table in pieces of `rows` rows, those of some samples or of all (None); raises as `sources_of`."""
    for piece in iterate_table(path, _with_source(columns, samples), rows):
        yield rows_of(path, piece, samples)


def read_of(path: Path, columns: Sequence[str], samples: Sequence[str] | None) -> NDArray[np.void]:
    """Read the rows of some samples, or of all (None); raises as `sources_of`."""
    return rows_of(path, read_table(path, _with_source(columns, samples)), samples)


def count_of(path: Path, samples: Sequence[str] | None) -> int:
    """Count the rows of some samples, or of all (None); raises as `sources_of`."""
    return count_rows(path) if samples is None else len(read_of(path, [SOURCE], samples))


def _with_source(columns: Sequence[str], samples: Sequence[str] | None) -> list[str]:
    return list(columns) if samples is None else list(dict.fromkeys([*columns, SOURCE]))
