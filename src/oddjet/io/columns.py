"""Single columns of a chunk, checked before use: one number an event, or one list of numbers an event."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from oddjet.arrays import Floats, Ints
from oddjet.errors import DamagedFileError, SelectionError, UnreadableFileError

# Weights are stored as float32, after a factor of the sample's.
WEIGHT_LIMIT = 1e30


def stored_name(name: str, branches: Collection[str]) -> str | None:
    """Name under which `branches` holds `name`: an RNTuple may keep `PFCands_pt` as field `pt` of `PFCands`."""
    if name in branches:
        return name
    nested = name.replace("_", ".", 1)
    return nested if nested in branches else None


def has(branches: Collection[str], *names: str) -> bool:
    """Tell whether all of `names` are there."""
    return all(stored_name(name, branches) is not None for name in names)


class Columns:
    """The columns of one chunk of a file.

    Parameters
    ----------
    path : str
        For messages.
    chunk : ak.Array
        One record an event.
    """

    def __init__(self, path: str, chunk: ak.Array) -> None:
        self.path = path
        self._chunk = chunk

    def __len__(self) -> int:
        return len(self._chunk)

    def where(self, keep: npt.NDArray[np.bool_]) -> Columns:
        """Keep the events where `keep`, a bool array of shape (events,), is true."""
        return Columns(self.path, self._chunk[keep])

    def holds(self, name: str) -> bool:
        """Tell whether there is such a column."""
        return stored_name(name, self._chunk.fields) is not None

    def only(self, names: Collection[str]) -> Columns:
        """Keep these columns alone."""
        return Columns(self.path, self._chunk[[str(stored_name(name, self._chunk.fields)) for name in names]])

    def values(self, name: str) -> npt.NDArray[Any] | ak.Array:
        """Give the column for an expression: numbers, shape (events,), or a list of them an event.

        Whole numbers are int64 and others float64, so that no difference or sum of small types wraps.

        Raises
        ------
        SelectionError
            It holds no numbers, or lists of lists.
        """
        column = ak.from_regular(self._column(name), axis=None)
        layout = _plain(column)
        lists = layout.minmax_depth == (2, 2) and layout.is_list
        inner = _projected(layout.content if lists else layout)
        if not (lists or layout.minmax_depth == (1, 1)) or not inner.is_numpy or inner.data.dtype.kind not in "biuf":
            raise SelectionError(
                f"{name} is of the type {_short(column)}; a cut or a column is made of numbers, one an "
                "event or a list of them"
            )
        kind = inner.data.dtype.kind
        column = column if kind == "b" else ak.values_astype(column, np.float64 if kind == "f" else np.int64)
        return column if lists else np.asarray(ak.to_numpy(column))

    def _column(self, name: str) -> ak.Array:
        stored = stored_name(name, self._chunk.fields)
        if stored is not None:
            return self._chunk[stored]
        collection, field = name.split("_", 1)
        return self._chunk[collection, field]

    def lists(self, name: str) -> tuple[Ints, npt.NDArray[Any]]:
        """Give the lengths of the events' lists, int64 of shape (events,), and their numbers, one after the other.

        Raises
        ------
        UnreadableFileError
            It is another shape or type: one number an event, a list of lists, strings.
        """
        column = self._column(name)
        layout = _plain(column)
        if layout.minmax_depth != (2, 2) or not layout.is_list or not _is_numeric(layout.content):
            raise UnreadableFileError(
                f"{self.path}: {name} is of the type {_short(column)}; it must be one list of numbers an event, "
                "a number a particle. Write it so, or name the layout that the file has (features.layout)"
            )
        # What `ak.num` and `ak.flatten` would give, without their way round by arrays of awkward.
        lists = layout.to_ListOffsetArray64(start_at_zero=True)
        offsets, content = np.asarray(lists.offsets.data), _projected(lists.content)
        return np.diff(offsets), np.asarray(content.data[: offsets[-1]])

    def numbers(self, name: str) -> npt.NDArray[Any]:
        """Give one number an event; Delphes keeps them as lists of one.

        Raises
        ------
        UnreadableFileError, DamagedFileError
            It is of another shape or type; a list is not of one number.
        """
        column = self._column(name)
        layout = _plain(column)
        if layout.minmax_depth == (2, 2) and layout.is_list:
            counts, values = self.lists(name)
            if not (counts == 1).all():
                raise DamagedFileError(f"{self.path}: {name} does not have one value an event")
            return values
        if not _is_numeric(layout):
            raise UnreadableFileError(
                f"{self.path}: {name} is of the type {_short(column)}; it must be one number an event"
            )
        return np.asarray(ak.to_numpy(column))

    def identifiers(self, name: str, dtype: npt.DTypeLike, entry: Ints) -> npt.NDArray[Any]:
        """Give unsigned integers, one an event; `entry` holds the events' positions in the file.

        Raises
        ------
        DamagedFileError
            They are no integers, or one does not fit `dtype`: nothing is wrapped or rounded.
        """
        values = self.numbers(name)
        kind = np.dtype(dtype)
        if values.dtype.kind not in "iu":
            raise DamagedFileError(
                f"{self.path}: {name} is of the type {values.dtype}, which does not hold whole numbers exactly; write "
                f"it as {kind}"
            )
        wrong = (values < 0) | (values > np.iinfo(kind).max)
        if wrong.any():
            bad = int(np.argmax(wrong))
            raise DamagedFileError(
                f"{self.path}: {name} is {values[bad]} in entry {entry[bad]}; it must lie between 0 and "
                f"{np.iinfo(kind).max}"
            )
        return values.astype(kind)

    def finite(self, name: str, entry: Ints) -> Floats:
        """Give one weight an event; raises `DamagedFileError` for NaN, infinity and what no table could hold."""
        values = _doubles(self.numbers(name))
        sound = np.abs(values) < WEIGHT_LIMIT
        if not sound.all():
            bad = int(np.argmin(sound))
            raise DamagedFileError(
                f"{self.path}: {name} is {values[bad]} in entry {entry[bad]}; a weight is a number below "
                f"{WEIGHT_LIMIT:g}. Correct it, or cut the event out of the file"
            )
        return values

    def lists_of_lists(self, name: str) -> tuple[tuple[Ints, Ints], npt.NDArray[Any]]:
        """Give the lengths of the events' lists, those of the lists in them, and all numbers, one after the other.

        Raises
        ------
        UnreadableFileError
            It is of another shape or type.
        """
        column = self._column(name)
        if _plain(column).minmax_depth != (3, 3):
            raise UnreadableFileError(
                f"{self.path}: {name} is of the type {_short(column)}; it must be a list for each jet of an event"
            )
        outer, inner = (np.asarray(ak.to_numpy(n)) for n in (ak.num(column), ak.flatten(ak.num(column, axis=2))))
        return (outer.astype(np.int64), inner.astype(np.int64)), np.asarray(ak.to_numpy(ak.flatten(column, axis=None)))

    def same_lists(self, names: Collection[str], *, alone: bool = False) -> tuple[Ints, dict[str, Floats]]:
        """Give the lengths of lists that all of `names` share, and their numbers.

        Parameters
        ----------
        names : collection of str
        alone : bool
            They are numbers, one an event, and stand for lists of one.

        Raises
        ------
        DamagedFileError
            They differ in length.
        """
        if alone:
            return np.ones(len(self), np.int64), {name: _doubles(self.numbers(name)) for name in names}
        found = {name: self.lists(name) for name in names}
        first = next(iter(found))
        for name, (counts, _) in found.items():
            if not np.array_equal(counts, found[first][0]):
                raise DamagedFileError(f"{self.path}: {name} and {first} differ in length")
        return found[first][0], {name: _doubles(values) for name, (_, values) in found.items()}


def _doubles(values: npt.NDArray[Any]) -> Floats:
    """Give numbers as float64; some NaN of a damaged file warn when they are cast, and are looked for later."""
    with np.errstate(invalid="ignore"):
        return values.astype(np.float64)


def _plain(column: ak.Array) -> Any:  # noqa: ANN401  awkward's contents have no common type in its stubs
    """Give the layout of a column without the index that a selection leaves."""
    return _projected(ak.to_layout(column))


def _projected(layout: Any) -> Any:  # noqa: ANN401
    while layout.is_indexed and not layout.is_option:
        layout = layout.project()
    return layout


def _is_numeric(layout: Any) -> bool:  # noqa: ANN401
    """Tell whether a layout is one of plain numbers, perhaps behind an index."""
    layout = _projected(layout)
    return bool(layout.is_numpy and layout.data.dtype.kind in "iuf" and len(layout.data.shape) == 1)


def _short(column: ak.Array) -> str:
    return str(column.type).removeprefix(f"{len(column)} * ")[:60]
