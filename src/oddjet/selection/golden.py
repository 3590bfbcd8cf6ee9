"""Golden JSON: the luminosity blocks of data that are certified for analysis.

CMS's format, by run: `{"297050": [[12, 137], [193, 776]], ...}`, first and last block of each stretch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from oddjet.errors import SelectionError
from oddjet.messages import repeated

# Stretches of luminosity blocks of each run, first and last.
Blocks: TypeAlias = dict[int, list[tuple[int, int]]]


def read_golden(path: Path) -> Blocks:
    """Read a golden JSON.

    Raises
    ------
    SelectionError
        The file is missing, or not in the format; one line with the run and the value.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_each_once)
    except FileNotFoundError:
        raise SelectionError(f"{path}: no such file; give the path of a golden JSON") from None
    except (OSError, ValueError, RecursionError) as error:  # a JSONDecodeError and a UnicodeDecodeError are ValueErrors
        raise SelectionError(f"{path}: no readable JSON ({' '.join(str(error).split())})") from None
    form = '{"297050": [[12, 137], [193, 776]]}, by run first and last block of each stretch'
    if not isinstance(content, dict) or not content:
        raise SelectionError(f"{path}: no golden JSON, which has the form {form}")
    blocks: Blocks = {}
    for run, stretches in content.items():
        if not run.isascii() or not run.isdigit():
            raise SelectionError(f"{path}: {run[:40]!r} is no run number; the form is {form}")
        if not isinstance(stretches, list):
            raise SelectionError(f"{path}: run {run}: {_shown(stretches)} is no list of stretches; the form is {form}")
        for stretch in stretches:
            if not isinstance(stretch, list) or len(stretch) != 2 or not all(type(end) is int for end in stretch):
                raise SelectionError(f"{path}: run {run}: {_shown(stretch)} is no pair [first, last] of whole numbers")
            if not 0 <= stretch[0] <= stretch[1]:
                raise SelectionError(f"{path}: run {run}: in {_shown(stretch)} the last block lies before the first")
        blocks[int(run)] = merged((first, last) for first, last in stretches)
    return blocks


def merged(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return stretches in ascending order; those that touch or overlap are one."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(stretches):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def union(several: Iterable[Blocks]) -> Blocks:
    """Return the blocks that are in any of several."""
    found: dict[int, list[tuple[int, int]]] = {}
    for blocks in several:
        for run, stretches in blocks.items():
            found.setdefault(run, []).extend(stretches)
    return {run: merged(found[run]) for run in sorted(found)}


def count(blocks: Blocks) -> int:
    """Count luminosity blocks."""
    return sum(last - first + 1 for stretches in blocks.values() for first, last in stretches)


def to_json(blocks: Blocks) -> str:
    """Write blocks as golden JSON."""
    return json.dumps({str(run): stretches for run, stretches in blocks.items()})


def from_json(content: Mapping[str, list[list[int]]]) -> Blocks:
    """Read what `to_json` wrote."""
    return {int(run): [(int(first), int(last)) for first, last in stretches] for run, stretches in content.items()}


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    twice = repeated(pairs)
    if twice is not None:
        raise ValueError(f"run {twice} stands twice")
    return dict(pairs)


def _shown(value: object) -> str:
    return json.dumps(value)[:60]
