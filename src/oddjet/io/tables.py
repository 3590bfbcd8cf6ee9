"""HDF5 tables: one structured dataset with units, and named arrays beside it; whole or refused.

The layout follows the tables that ATLAS flavour tagging trains from (umami-hep/salt): one compound dataset.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import h5py
import numpy as np
from numpy.typing import NDArray

from oddjet.errors import TableError
from oddjet.io.atomic import discard, sync, sync_folder, temporary_of, writing
from oddjet.io.hdf5 import attributes_of, close_hdf5, open_hdf5, require_space, write_attributes

Item = TypeVar("Item")

SCHEMA_VERSION = "1"
DATASET = "jets"
# 4096 rows of about 80 bytes are one chunk of 300 kB: small enough for random batches, large enough to compress.
CHUNK_ROWS = 4096
# What is read piece by piece has this number of rows in memory, some 100 MB.
ROWS_AT_A_TIME = 1 << 20
# Of an array beside the rows: elements, where it has one dimension.
CHUNK_ELEMENTS = 65536


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name
        Name of the field in the structured dataset.
    dtype
        NumPy type string, `"f4"`, `"u8"`, or with a shape, `"(2,)f8"`.
    unit
        `"GeV"`, `"rad"` or `"1"`.
    description
        One sentence.
    """

    name: str
    dtype: str
    unit: str
    description: str


class TableWriter:
    """Append rows to a table that appears under its name only when `finish` was called.

    Parameters
    ----------
    path
        The file to write; missing folders above it are made.
    columns
        The columns in the order in which they are stored.
    attributes
        Plain strings stored at the root of the file; `finish` can add more.
    arrays
        Type strings of arrays of one dimension that lie beside the rows, by name; `extend` fills them.

    Examples
    --------
    >>> with TableWriter(path, [Column("pt", "f4", "GeV", "Transverse momentum.")]) as table:  # doctest: +SKIP
    ...     table.append(rows)
    ...     table.finish({"cutflow": "[]"})
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[Column],
        attributes: Mapping[str, str] | None = None,
        arrays: Mapping[str, str] | None = None,
    ) -> None:
        self._path = path
        self._columns = tuple(columns)
        self._dtype = np.dtype([(column.name, column.dtype) for column in columns])
        self._finished = False
        with writing(path):
            self._temporary = temporary_of(path)
            self._file = open_hdf5(self._temporary, "w")
            self._dataset = self._file.create_dataset(
                DATASET,
                (0,),
                self._dtype,
                maxshape=(None,),
                chunks=(CHUNK_ROWS,),
                compression="gzip",
                compression_opts=4,
                shuffle=True,
            )
            self._arrays = {
                name: self._file.create_dataset(
                    name, (0,), dtype, maxshape=(None,), chunks=(CHUNK_ELEMENTS,), compression="gzip", shuffle=True
                )
                for name, dtype in (arrays or {}).items()
            }
        own = {"schema_version": SCHEMA_VERSION, "columns": json.dumps([asdict(column) for column in columns])}
        write_attributes(self._file, {**own, **(attributes or {})})

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._finished:
            self._discard()

    def append(self, array: NDArray[np.void]) -> None:
        """Add rows.

        Parameters
        ----------
        array
            Structured array, shape (n,), with the fields of the table in any order.

        Raises
        ------
        TableError
            A field is missing or too many, or a value is not finite (the message names the column and the row).
        DiskError
            The disk takes no more.
        """
        names = array.dtype.names or ()
        if set(names) != set(self._dtype.names or ()):
            raise TableError(
                f"{self._path}: the rows have the columns {sorted(names)}, the table {sorted(self._dtype.names or ())}."
            )
        rows = np.empty(len(array), self._dtype)
        for column in self._columns:
            values = array[column.name]
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                row = len(self._dataset) + int(np.argwhere(~np.isfinite(values))[0][0])
                raise TableError(
                    f"{self._path}: column '{column.name}' is not finite in row {row}; nothing is filled in."
                )
            rows[column.name] = values
        start = len(self._dataset)
        require_space(self._path, rows.nbytes)
        with writing(self._path):
            self._dataset.resize(start + len(rows), axis=0)
            self._dataset[start:] = rows

    def extend(self, name: str, values: NDArray[np.generic]) -> int:
        """Add to an array beside the rows, shape (n,); return its length before. Raises `DiskError`."""
        require_space(self._path, values.nbytes)
        dataset = self._arrays[name]
        start = len(dataset)
        with writing(self._path):
            dataset.resize(start + len(values), axis=0)
            dataset[start:] = values
        return start

    def finish(self, attributes: Mapping[str, str] | None = None) -> None:
        """Mark the table complete, sync it, read its size back and give it its name.

        Raises
        ------
        TableError
            The written file does not read back.
        DiskError
            The disk takes no more.
        """
        rows = len(self._dataset)
        with writing(self._path):
            write_attributes(self._file, attributes or {})
            self._file.attrs["rows"] = rows
            self._file.attrs["complete"] = True
            self._close()
            sync(self._temporary)
        try:
            # The last chunk is the one that a full disk would have cut.
            with _open(self._temporary) as file:
                file[DATASET][-CHUNK_ROWS:]
        except (OSError, TableError) as error:
            self._discard()
            raise TableError(f"{self._path}: the file does not read back ({error}). Check the disk.") from error
        with writing(self._path):
            self._temporary.replace(self._path)
        discard(self._temporary)
        sync_folder(self._path.parent)
        self._finished = True

    def _close(self) -> None:
        close_hdf5(self._file, (self._dataset, *self._arrays.values()))

    def _discard(self) -> None:
        discard(self._temporary)
        with suppress(OSError, RuntimeError):
            self._close()


def write_table(path: Path, columns: Sequence[Column], array: NDArray[np.void], attributes: Mapping[str, str]) -> None:
    """Write a table at once; see `TableWriter`."""
    with TableWriter(path, columns, attributes) as table:
        table.append(array)
        table.finish()


def read_table(path: Path, columns: Sequence[str] | None = None, *, needed: Sequence[str] = ()) -> NDArray[np.void]:
    """Read a table.

    Parameters
    ----------
    path
        The file.
    columns
        The columns to read; all when left out.
    needed
        Columns that must be among all.

    Returns
    -------
    numpy.ndarray
        Structured array, shape (rows,).

    Raises
    ------
    TableError
        The file is missing, not a table, incomplete, of another schema version, or lacks a column.
    """
    with _open(path) as file, _damage_named(path):
        _check_columns(path, file[DATASET], needed)
        return _finite(path, np.asarray(_fields(path, file[DATASET], columns)[:]))


def read_array(path: Path, name: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
    """Read elements `start` to `stop` of an array beside the rows of a table.

    Raises
    ------
    TableError
        As `read_table`, or the table has no such array.
    """
    with _open(path) as file, _damage_named(path):
        if name not in file:
            raise TableError(f"{path}: holds no array '{name}'; give a table of the stage that makes it")
        return np.asarray(file[name][start:stop])


def iterate_table(
    path: Path, columns: Sequence[str] | None, rows: int, *, needed: Sequence[str] = ()
) -> Iterator[NDArray[np.void]]:
    """Read a table in pieces of a given number of rows; raises `TableError` as `read_table` does."""
    with _open(path) as file:
        dataset = file[DATASET]
        _check_columns(path, dataset, needed)
        for start in range(0, len(dataset), rows):
            with _damage_named(path):
                part = np.asarray(_fields(path, dataset, columns)[start : start + rows])
            yield _finite(path, part, start)


def read_field(path: Path, name: str, place: int) -> NDArray[Any]:
    """Read one of the values that a column has in each row, shape (rows,); raises `TableError` as `read_table` does."""
    found = np.empty(count_rows(path), _field_type(path, name))
    start = 0
    for part in iterate_table(path, [name], ROWS_AT_A_TIME):
        found[start : start + len(part)] = part[name][:, place]
        start += len(part)
    return found


def _field_type(path: Path, name: str) -> np.dtype[Any]:
    with _open(path) as file:
        _check_columns(path, file[DATASET], [name])
        return np.dtype(file[DATASET].dtype[name].base)


def _finite(path: Path, rows: NDArray[np.void], start: int = 0) -> NDArray[np.void]:
    """Return rows, the first of which is row `start`, if all are finite: none else was ever written."""
    for name in rows.dtype.names or ():
        if rows[name].dtype.kind == "f" and not (sound := np.isfinite(rows[name])).all():
            row = start + int(np.argwhere(~sound)[0][0])
            raise TableError(
                f"{path}: damaged: column '{name}' is not finite in row {row}. Delete it and run the stage that makes "
                "it."
            )
    return rows


def count_rows(path: Path) -> int:
    """Count the rows of a table; raises `TableError` as `read_table` does."""
    with _open(path) as file:
        return len(file[DATASET])


def _fields(path: Path, dataset: Any, columns: Sequence[str] | None) -> Any:  # noqa: ANN401  h5py has no types
    if columns is None:
        return dataset
    _check_columns(path, dataset, columns)
    return dataset.fields(list(columns))


def _check_columns(path: Path, dataset: Any, names: Sequence[str]) -> None:  # noqa: ANN401  as above
    missing = [name for name in names if name not in dataset.dtype.names]
    if missing:
        raise TableError(
            f"{path}: column '{missing[0]}' is missing; the table has {', '.join(dataset.dtype.names)}. "
            "Give a table of the stage that makes it; a feature: add it to `features` in the config, or take it out of "
            "the list that asks for it."
        )


def read_attributes(path: Path) -> dict[str, str]:
    """Read the attributes of a table as strings; raises `TableError` as `read_table` does."""
    with _open(path) as file, _damage_named(path):
        return {name: str(value) for name, value in attributes_of(file).items()}


def read_attribute(path: Path, name: str) -> str:
    """Read one attribute of a table; raises `TableError` as `read_table` does, or where there is none."""
    attributes = read_attributes(path)
    if name not in attributes:
        raise TableError(f"{path}: has no attribute {name!r}: a table of another kind or version. Make it again.")
    return attributes[name]


def read_json(path: Path, name: str) -> Any:  # noqa: ANN401  whatever the JSON holds
    """Read an attribute of a table that is JSON; raises `TableError` that names the file and the attribute."""
    text = read_attribute(path, name)
    with damage_of(path, name):
        return json.loads(text)


@contextmanager
def damage_of(path: Path, name: str) -> Iterator[None]:
    """Say of an attribute that it is damaged, and whose it is, where its content has not the form that is read."""
    try:
        yield
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise TableError(f"{path}: its attribute {name!r} is damaged ({what}). Make the table again.") from error


def read_list(path: Path, name: str, kind: type[Item]) -> list[Item]:
    """Read an attribute of a table that is a JSON list of `kind`; raises `TableError` as `read_json` does."""
    found = read_json(path, name)
    with damage_of(path, name):
        if not isinstance(found, list) or not all(isinstance(item, kind) for item in found):
            raise TypeError(f"{found!r} is no list of {kind.__name__}")
        return found


def read_columns(path: Path) -> list[Column]:
    """Read the columns of a table with their units; raises `TableError` as `read_table` does."""
    with damage_of(path, "columns"):
        return [Column(**column) for column in read_json(path, "columns")]


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Turn what h5py raises about a damaged file, an exception of another kind each time, into a `TableError`."""
    try:
        yield
    except TableError:
        raise
    except Exception as error:
        raise TableError(
            f"{path}: damaged ({type(error).__name__}: {' '.join(str(error).split())[:200]}). Delete it and run the "
            "stage that makes it."
        ) from error


def _open(path: Path) -> h5py.File:
    if not path.is_file():
        raise TableError(f"{path}: no such file. Run the stage that makes it.")
    try:
        file = open_hdf5(path)
    except OSError as error:
        raise TableError(
            f"{path}: not a readable HDF5 file ({error}). Give a table that a stage wrote; one that is damaged is made "
            "again when it is deleted."
        ) from error
    try:
        with _damage_named(path):
            reason = _why_unusable(file)
    except TableError:
        file.close()
        raise
    if reason:
        file.close()
        raise TableError(f"{path}: {reason}")
    return file


def _why_unusable(file: h5py.File) -> str | None:
    attributes = attributes_of(file)
    if DATASET not in file and "complete" not in attributes:
        return "no table of oddjet. Give one that a stage wrote."
    if DATASET not in file or not attributes.get("complete", False):
        return "the table is incomplete: its writing was interrupted. Delete it and run the stage that makes it."
    version = attributes.get("schema_version", "none")
    if version != SCHEMA_VERSION:
        return f"the table has schema version {version}, not {SCHEMA_VERSION}. Make it again."
    if file[DATASET].dtype.names is None:
        return "not a table: it has no columns. Give one that a stage of oddjet wrote."
    if len(file[DATASET]) != attributes["rows"]:
        return f"the table has {len(file[DATASET])} rows and was written with {attributes['rows']}. Make it again."
    try:
        written = np.dtype([(column["name"], column["dtype"]) for column in json.loads(attributes["columns"])])
    except (KeyError, TypeError, ValueError):
        return None  # said where the attribute is read
    if file[DATASET].dtype != written:
        return "its columns are not those that it was written with. Make it again."
    return None
