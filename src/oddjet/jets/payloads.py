"""Corrections in files of correctionlib, checked when they are opened, and evaluated for jets or events."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from oddjet.arrays import Floats
from oddjet.errors import CorrectionError
from oddjet.jets.correction_settings import Inputs, Payload
from oddjet.messages import missing_package, not_among

if TYPE_CHECKING:
    from correctionlib import CorrectionSet

# From the name of a branch or of a quantity of jets to its values.
Lookup = Callable[[str], Floats]


class OpenPayload:
    """One correction of a payload.

    Parameters
    ----------
    key : str
        The setting that names it, for messages: `features.corrections.jec`.
    payload : Payload

    Raises
    ------
    CorrectionError
        The file is missing or cannot be read, the correction or an input is not in it, or an input is not given.
    """

    def __init__(self, key: str, payload: Payload) -> None:
        self._key, self._payload = key, payload
        self._place = f"{key}: {payload.name} of {payload.file}"
        found = _open(key, payload.file)
        names = [*found, *found.compound]
        if payload.name not in names:
            raise CorrectionError(f"{key}.name: {payload.file}: {not_among(payload.name, names)}")
        self._correction = found[payload.name] if payload.name in list(found) else found.compound[payload.name]
        self.kinds: dict[str, str] = {one.name: one.type for one in self._correction.inputs}
        for name in payload.inputs:
            if name not in self.kinds:
                raise CorrectionError(f"{key}.inputs: {payload.file}: {not_among(name, self.kinds)}")
        lacking = [f"{name} ({kind})" for name, kind in self.kinds.items() if name not in payload.inputs]
        if lacking:
            raise CorrectionError(f"{key}.inputs: {self._place} also asks for {', '.join(lacking)}; name a source")
        for name, kind in self.kinds.items():
            if kind == "string" and not isinstance(payload.inputs[name], str):
                raise CorrectionError(
                    f"{key}.inputs.{name}: {payload.inputs[name]!r}: a word is wanted{self._choices(name)}"
                )

    def sources(self, own: Inputs | None = None) -> list[str]:
        """Give the names among the inputs that are no constants; `own` are inputs in the place of the payload's."""
        given = {**self._payload.inputs, **(own or {})}
        return [source for name, source in given.items() if self.kinds[name] != "string" and isinstance(source, str)]

    def evaluate(self, lookup: Lookup, size: int, file: str, own: Inputs | None = None) -> Floats:
        """Evaluate the correction for jets or events.

        Parameters
        ----------
        lookup : callable
            From a name to its values, shape (size,).
        size : int
        file : str
            Whose jets or events these are, for messages.
        own : mapping of str to str or float, optional
            Inputs that differ.

        Returns
        -------
        float64 array, shape (size,)

        Raises
        ------
        CorrectionError
            The payload has no value for an input; names file, key, value and what there is.
        """
        if not size:
            return np.ones(0)
        given = {**self._payload.inputs, **(own or {})}
        columns = {name: self._column(name, given[name], lookup, size) for name in self.kinds}
        try:
            values = np.asarray(self._correction.evaluate(*columns.values()), dtype=np.float64)
        except (RuntimeError, IndexError, ValueError) as error:
            raise CorrectionError(f"{file}: {self._place}: {self._reason(columns, error)}") from error
        values = np.broadcast_to(values, (size,))
        if not np.isfinite(values).all():
            bad = int(np.argmin(np.isfinite(values)))
            raise CorrectionError(f"{file}: {self._place}: is {values[bad]} for {_told(columns, bad)}")
        return values

    def _column(self, name: str, source: str | float, lookup: Lookup, size: int) -> Any:  # noqa: ANN401  of any type
        kind = self.kinds[name]
        if kind == "string":
            return str(source)
        values = lookup(source) if isinstance(source, str) else np.full(size, source)
        if kind == "int":
            return np.asarray(values).astype(np.int64)
        return np.asarray(values, dtype=np.float64)

    def _reason(self, columns: Mapping[str, Any], error: Exception) -> str:
        """Find the first value that has no correction, and say what there is."""
        size = next((len(column) for column in columns.values() if not isinstance(column, str)), 1)
        for row in range(size):
            one = [column if isinstance(column, str) else column[row] for column in columns.values()]
            try:
                self._correction.evaluate(*(x if isinstance(x, str) else x.item() for x in one))
            except (RuntimeError, IndexError, ValueError) as told:
                place = next((i for i in range(len(columns)) if f"argument {i} " in str(told)), None)
                there = "" if place is None else self._choices(list(columns)[place])
                return f"has no value for {_told(columns, row)} ({' '.join(str(told).split())}){there}"
        return " ".join(str(error).split())

    def _choices(self, name: str) -> str:
        """Say which words or which range a payload has for an input, where that can be read off."""
        found = [one for one in _content(self._payload.file)["corrections"] if one["name"] == self._payload.name]
        nodes = [node for one in found for node in _nodes(one["data"]) if node["input"] == name]
        words = {str(item["key"]) for node in nodes if node["nodetype"] == "category" for item in node["content"]}
        edges = [edge for node in nodes if node["nodetype"] == "binning" for edge in _edges(node)]
        if words:
            return f"; there are: {', '.join(sorted(words))}"
        return f"; {name} lies between {min(edges):g} and {max(edges):g}" if edges else ""


def _told(columns: Mapping[str, Any], row: int) -> str:
    return ", ".join(
        f"{name} {column if isinstance(column, str) else format(column[row], 'g')}" for name, column in columns.items()
    )


def _open(key: str, file: str) -> CorrectionSet:
    if not Path(file).is_file():
        raise CorrectionError(f"{key}.file: {file}: no such file; no payload comes with oddjet, give the path of one")
    try:
        return _read(file, Path(file).stat().st_mtime_ns)
    except ImportError as error:
        raise CorrectionError(f"{key}.file: {file}: {missing_package(error) or error}") from error
    except Exception as error:  # correctionlib raises RuntimeError, ValueError, IndexError by kind of damage
        raise CorrectionError(
            f"{key}.file: {file}: no readable payload ({' '.join(str(error).split())[:200]})"
        ) from error


@lru_cache(maxsize=32)
def _read(file: str, _changed: int) -> CorrectionSet:
    import correctionlib

    return correctionlib.CorrectionSet.from_file(file)


def _content(file: str) -> dict[str, Any]:
    data = Path(file).read_bytes()
    return dict(json.loads(gzip.decompress(data) if file.endswith(".gz") else data))


def _nodes(node: object) -> Iterator[dict[str, Any]]:
    """Give all nodes below one that choose by a single input, with a multibinning as one an input."""
    if not isinstance(node, dict):
        return
    if node.get("nodetype") in ("category", "binning"):
        yield node
    if node.get("nodetype") == "multibinning":
        for name, edges in zip(node["inputs"], node["edges"], strict=True):
            yield {"nodetype": "binning", "input": name, "edges": edges}
    content = node.get("content")
    for inner in content if isinstance(content, list) else [content]:
        yield from _nodes(inner.get("value") if isinstance(inner, dict) and "key" in inner else inner)
    yield from _nodes(node.get("default"))


def _edges(node: Mapping[str, Any]) -> list[float]:
    edges = node["edges"]
    found = [edges["low"], edges["high"]] if isinstance(edges, dict) else edges
    return [float(edge) for edge in found if math.isfinite(float(edge))]
