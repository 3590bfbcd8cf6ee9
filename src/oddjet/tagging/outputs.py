"""Scores as files: a ROOT tree with an entry an event, a friend of what was scored; HDF5 or Parquet, a row a jet."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from oddjet.errors import ConfigError
from oddjet.io.atomic import atomic_path
from oddjet.io.tables import Column, TableWriter
from oddjet.messages import missing_package

SUFFIXES = (".root", ".h5", ".parquet")
TREE = "oddjet"
SOURCE = Column("source", "u4", "1", "Position in the attribute `files` of the file that the jet is of.")
# Of an event, beside its jets.
EVENT = ("run", "luminosityBlock", "event", "entry", "source", "weight")


class Piece(NamedTuple):
    """Scored jets of the events `start` to `stop` of a file: rows with `source`, and the numbers of the events read."""

    start: int
    stop: int
    rows: NDArray[np.void]
    events: Mapping[str, NDArray[Any]]


class Output(ABC):
    """A file of scores that is being written; `open_output` gives one."""

    @abstractmethod
    def add(self, piece: Piece) -> None:
        """Append jets."""


@contextmanager
def open_output(
    path: Path, columns: Sequence[Column], seeds: Sequence[int], attributes: Mapping[str, str]
) -> Iterator[Output]:
    """Open a file of scores by the suffix of its name; it is there when the block ends without an error.

    Raises
    ------
    ConfigError
        The suffix is another, or the package that writes it is missing.
    DiskError
        The disk is full or the folder cannot be written.
    """
    check_suffix(path)
    if path.suffix == ".h5":
        with TableWriter(path, columns, attributes) as table:
            yield _Table(table)
            table.finish()
        return
    flat = flat_columns(columns, seeds)
    with atomic_path(path) as temporary:
        opened = _open_root(temporary, attributes) if path.suffix == ".root" else _open_parquet(temporary, flat)
        with opened as output:
            output.flat = flat
            if isinstance(output, _Parquet):
                output.writer.add_key_value_metadata(dict(attributes))
            yield output


def check_suffix(path: Path) -> None:
    """Raise `ConfigError` for a name whose suffix is none of `SUFFIXES`, or needs a package that is missing."""
    if path.suffix not in SUFFIXES:
        raise ConfigError(f"{path}: scores are written to a file that ends in {', '.join(SUFFIXES)}")
    if path.suffix == ".parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError as error:
            raise ConfigError(f"{path}: {missing_package(error) or error}") from error


def flat_columns(columns: Sequence[Column], seeds: Sequence[int]) -> list[tuple[Column, str, int | None]]:
    """Return each column of one number a jet: its description, the field of the rows, and the seed's place in it."""
    flat: list[tuple[Column, str, int | None]] = []
    for column in columns:
        if column.name != "score":
            flat.append((column, column.name, None))
            continue
        for place, seed in enumerate(seeds):
            flat.append((replace(column, name=f"score_seed{seed}", dtype="f8"), column.name, place))
    return flat


class _Table(Output):
    def __init__(self, table: TableWriter) -> None:
        self._table = table

    def add(self, piece: Piece) -> None:
        self._table.append(piece.rows)


class _Flat(Output):
    """Base of the formats that have a column a seed."""

    flat: list[tuple[Column, str, int | None]]

    def values(self, rows: NDArray[np.void]) -> dict[str, NDArray[Any]]:
        """Return the columns by name."""
        picked = {}
        for column, field, place in self.flat:
            values = rows[field] if place is None else rows[field][:, place]
            picked[column.name] = np.ascontiguousarray(values)
        return picked


class _Root(_Flat):
    def __init__(self, file: Any) -> None:  # noqa: ANN401  uproot has no types
        self._file = file
        self._tree: Any = None

    def add(self, piece: Piece) -> None:
        rows = piece.rows
        counts = np.bincount(rows["entry"] - piece.start, minlength=piece.stop - piece.start)
        # A number of one byte is a letter to ROOT, which a formula cannot compare with a number.
        values = {
            name: array.astype(np.int16) if array.dtype.itemsize == 1 else array
            for name, array in self.values(rows).items()
        }
        # The collection's name stands before each: jet_rank, jet_pt.
        jets = ak.zip({name.removeprefix("jet_"): array for name, array in values.items() if name not in EVENT})
        branches = {**piece.events, "jet": ak.unflatten(jets, counts)}
        if self._tree is None:
            types = {name: one.type if isinstance(one, ak.Array) else one.dtype for name, one in branches.items()}
            self._tree = self._file.mktree(TREE, types)
        self._tree.extend(branches)


class _Parquet(_Flat):
    def __init__(self, writer: Any) -> None:  # noqa: ANN401  pyarrow has no types
        self.writer = writer

    def add(self, piece: Piece) -> None:
        import pyarrow as pa

        self.writer.write_table(pa.table(self.values(piece.rows), schema=self.writer.schema))


@contextmanager
def _open_root(path: Path, attributes: Mapping[str, str]) -> Iterator[_Flat]:
    with uproot.recreate(path) as file:
        file["about"] = json.dumps(dict(attributes))
        yield _Root(file)


@contextmanager
def _open_parquet(path: Path, flat: Sequence[tuple[Column, str, int | None]]) -> Iterator[_Flat]:
    import pyarrow as pa
    from pyarrow import parquet

    fields = [
        pa.field(column.name, pa.from_numpy_dtype(np.dtype(column.dtype)), metadata={"unit": column.unit})
        for column, _, _ in flat
    ]
    with parquet.ParquetWriter(path, pa.schema(fields)) as writer:
        yield _Parquet(writer)
