"""What is wrong with a configuration or a name, in words for the user.

Only errors are made of them, and an error leaves no result: an edit here reruns nothing (`oddjet.provenance.reach`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

# By module: the extra of oddjet that brings the package.
EXTRAS = {
    "aiohttp": "remote",
    "correctionlib": "corrections",
    "fontTools": "figures",
    "fsspec_xrootd": "remote",
    "hepdata_lib": "hepdata",
    "hepdata_validator": "hepdata",
    "hist": "limits",
    "jinja2": "figures",
    "matplotlib": "figures",
    "mplhep": "figures",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "pyarrow": "parquet",
    "pyhf": "limits",
    "pythia8mc": "simulate",
    "sklearn": "train",
    "snakemake": "workflow",
    "tensorboard": "tensorboard",
    "torch": "train",
    "zuko": "train",
}


def missing_package(error: ImportError) -> str | None:
    """Say which package an import did not find and what installs it; None where no extra of oddjet brings it."""
    name = (error.name or "").partition(".")[0]
    return f"the package {name} is not installed: pip install 'oddjet[{EXTRAS[name]}]'" if name in EXTRAS else None


def not_among(given: object, known: Iterable[str]) -> str:
    """Say that there is no such name, which known one is the nearest, and all that are known."""
    names = list(known)
    letters = {name.lower(): name for name in names}
    meant = difflib.get_close_matches(str(given), names, n=1) or [
        letters[name] for name in difflib.get_close_matches(str(given).lower(), letters, n=1)
    ]
    nearest = f"; did you mean {meant[0]!r}?" if meant else "."
    return f"there is no {given!r}{nearest} There are: {', '.join(names) or 'none'}"


def repeated(pairs: Sequence[tuple[str, Any]]) -> str | None:
    """Return the first key of a JSON object that stands in it twice, which Python's reader would pass over."""
    keys = [key for key, _ in pairs]
    return next((key for key in keys if keys.count(key) > 1), None)


def describe_validation(error: ValidationError, given: object) -> str:
    """Turn a pydantic error into one line for each wrong key: dotted path, what is allowed, the value given.

    `given` is what was validated: pydantic's own path also names the branches of unions, which no user ever wrote.
    """
    found = [
        (tuple(keys_of(detail["loc"], given, absent=detail["type"] == "missing")), detail) for detail in error.errors()
    ]
    lines = []
    for keys, detail in found:
        if _is_echo(keys, detail, found):
            continue
        path = ".".join(map(str, keys)) or "(top level)"
        value = "" if isinstance(detail["input"], dict) else f" (given: {detail['input']!r})"
        lines.append(f"  {path}: {_words(detail)}{value}")
    return "\n".join(lines)


def _is_echo(keys: tuple[str | int, ...], detail: ErrorDetails, found: Sequence[tuple[Any, ErrorDetails]]) -> bool:
    """Tell whether another line says better what is wrong here.

    Of a list whose entries do not fit pydantic says too that it holds none; where a value may be of several types, it
    says of each why it is not of that type, and most of them were never meant.
    """
    deeper = any(len(other) > len(keys) and other[: len(keys)] == keys for other, _ in found)
    if detail["type"] == "too_short":
        return bool(detail["input"]) and deeper
    if not detail["type"].endswith("_type"):
        return False
    same = [other for where, other in found if where == keys]
    return deeper or same[0] is not detail or any(not other["type"].endswith("_type") for other in same)


def _words(detail: ErrorDetails) -> str:
    """Say what is wrong in the words of a configuration, not in those of Python."""
    if detail["type"] == "extra_forbidden":
        return "unknown key"
    if detail["type"] in ("tuple_type", "list_type"):
        alone = detail["input"]
        return "a list is wanted" + (f", as in [{alone}]" if isinstance(alone, int | float | str) else "")
    if detail["type"] in ("dict_type", "model_type", "model_attributes_type"):
        return "keys with values are wanted; leave it out to have the defaults"
    words = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "literal_error" and isinstance(detail["input"], str):
        allowed = {word.lower(): word for word in re.findall(r"'([^']*)'", detail["ctx"]["expected"])}
        meant = difflib.get_close_matches(detail["input"].lower(), allowed, n=1)
        words += f"; did you mean {allowed[meant[0]]!r}?" if meant else ""
    return words


def keys_of(location: tuple[str | int, ...], given: object, *, absent: bool = False) -> list[str | int]:
    """Give the keys and positions that lead to what pydantic calls `location`, without the branches of unions."""
    parts: list[str | int] = []
    for position, part in enumerate(location):
        last = position == len(location) - 1
        if isinstance(given, dict):
            if part in given or (absent and last):
                parts.append(part)
                given = given.get(part)
        elif isinstance(given, list | tuple) and isinstance(part, int):
            parts.append(part)
            given = given[part] if part < len(given) else None
    return parts
