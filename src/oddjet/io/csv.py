"""Tables of results as CSV: a row is a frozen dataclass, a column one of its fields.

Numbers are written with a fixed number of digits, what is not known (None, NaN) as an empty field, truth as 0 or 1. A
field that is a mapping of str to float is a column a key, in the order in which the rows bring them; a row without the
key has an empty field. A file is whole or not there.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from io import StringIO
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from oddjet.errors import TableError
from oddjet.io.atomic import write_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")

DIGITS = 8


def write_rows(path: Path, rows: Iterable[Row], kind: type[Row], digits: int | None = DIGITS) -> None:
    """Write rows as CSV with a header, whole or not at all.

    Parameters
    ----------
    path
        File to write.
    rows
        Of one kind.
    kind
        Their class; its fields are int, float, str, bool, one of these or None, or one mapping of str to float.
    digits
        Significant digits of a float; None: as many as tell it from every other one.
    """
    names, spread, found = [field.name for field in fields(kind)], _spread(kind), list(rows)
    keys = list(dict.fromkeys(key for row in found for key in getattr(row, spread))) if spread else []
    taken = next((key for key in keys if key in names), None)
    if taken is not None:
        raise TableError(f"{path}: {spread} has the key {taken!r}, which is the name of a column; take another")
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([one for name in names for one in (keys if name == spread else [name])])
    for row in found:
        cells = (
            [getattr(row, name).get(key) for key in keys] if name == spread else [getattr(row, name)] for name in names
        )
        writer.writerow([_to_text(value, digits) for own in cells for value in own])
    write_text(path, text.getvalue())


def read_rows(paths: Path | Iterable[Path], kind: type[Row]) -> list[Row]:
    """Read what `write_rows` wrote, of one file or of several in their order.

    Raises
    ------
    TableError
        If a file is missing, has other columns, no row, or a field of another type; the message names file and line.
    """
    spread = _spread(kind)
    types = {name: _type_of(hint) for name, hint in get_type_hints(kind).items() if name != spread}
    names = [field.name for field in fields(kind)]
    before = len(names) if spread is None else names.index(spread)
    files = [paths] if isinstance(paths, Path) else paths
    return [kind(**_gathered(values, types, spread)) for path in files for values in _read(path, types, before)]


def _spread(kind: type[Any]) -> str | None:
    """Return the field of a kind that is a mapping, and so a column a key; None if there is none."""
    return next((name for name, hint in get_type_hints(kind).items() if get_origin(hint) is Mapping), None)


def _gathered(values: dict[str, Any], types: Mapping[str, _Type], spread: str | None) -> dict[str, Any]:
    """Put the values of columns that are no fields into the field that is a mapping."""
    if spread is None:
        return values
    more = {key: value for key, value in values.items() if key not in types and not math.isnan(value)}
    return {**{key: value for key, value in values.items() if key in types}, spread: more}


def _read(path: Path, types: Mapping[str, _Type], before: int) -> list[dict[str, Any]]:
    """Return the values of each row by the name of its column; behind the first `before` there may be more columns."""
    try:
        # A spreadsheet puts a mark before the first letter.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            given, names = list(reader.fieldnames or []), list(types)
            more = given[before : len(given) - len(names) + before] if before < len(names) else []
            if given != [*names[:before], *more, *names[before:]]:
                raise TableError(f"{path}: columns are {', '.join(given or ['none'])}, expected {', '.join(types)}")
            known = {**types, **dict.fromkeys(more, _type_of(float))}
            rows = [_from_text(path, line, row, known) for line, row in enumerate(reader, start=2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path}: not a readable table of results ({error}); run the stage that makes it") from error
    if not rows:
        raise TableError(f"{path}: the table has no row; run the stage that makes it again")
    return rows


class _Type(NamedTuple):
    """How a field is read: the type of its value, and what an empty field means (a ValueError where nothing)."""

    of: type
    empty: object


_NEVER = object()


def _type_of(hint: Any) -> _Type:  # noqa: ANN401  whatever stands behind a field's name
    """Return how a field with this type hint is read: `float | None` knows None, `float` NaN, `str` the empty text."""
    options = get_args(hint)
    if NoneType in options:
        (only,) = (option for option in options if option is not NoneType)
        return _Type(only, None)
    return _Type(hint, {float: math.nan, str: ""}.get(hint, _NEVER))


def _to_text(value: object, digits: int | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return repr(float(value)) if digits is None else format(value, f".{digits}g")
    return str(value)


def _from_text(path: Path, line: int, row: Mapping[str | None, Any], types: Mapping[str, _Type]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if None in row:
        raise TableError(f"{path}: line {line} has more fields than columns; run the stage that makes it again")
    for name, (of, empty) in types.items():
        text = row[name]
        try:
            if text == "" and empty is not _NEVER:
                values[name] = empty
            else:
                values[name] = {"0": False, "1": True}[text] if of is bool else of(text)
        except (KeyError, TypeError, ValueError) as error:
            raise TableError(f"{path}: line {line}: {name} is {text!r}, not {of.__name__}") from error
    return values
