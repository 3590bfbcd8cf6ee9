"""The signals of an evaluation: names, points and feature tables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from oddjet.axes import Point
from oddjet.errors import EvaluationError
from oddjet.io.cutflow import where_jets_went
from oddjet.io.tables import damage_of, read_attributes, read_json


@dataclass(frozen=True)
class Signal:
    """One signal sample.

    Attributes
    ----------
    name : str
    point : Point
        A value an axis; empty for a signal on no axes.
    files : tuple of Path
        Its feature tables.
    """

    name: str
    point: Point
    files: tuple[Path, ...] = ()


def grid_point(name: str) -> dict[str, float]:
    """Return m_phi (GeV) and r_inv from a signal's name, and nothing unless it holds both.

    Examples
    --------
    >>> grid_point("svj_mphi-2000_rinv-0p3")
    {'m_phi': 2000.0, 'r_inv': 0.3}
    """
    axes = {"m_phi": "mphi", "r_inv": "rinv"}
    found = {axis: re.search(rf"(?:^|_){key}-(\d+(?:p\d+)?)(?:_|$)", name) for axis, key in axes.items()}
    point = {axis: float(match[1].replace("p", ".")) for axis, match in found.items() if match}
    return point if len(point) == len(axes) else {}


def parse_signals(arguments: Sequence[str], points: str | None = None) -> list[Signal]:
    """Read the arguments `--signals` and `--points` of a script.

    Parameters
    ----------
    arguments : sequence of str
        `NAME=FILE[,FILE...]`, one a signal.
    points : str, optional
        JSON object, name to point, for signals whose names do not hold m_phi and r_inv.

    Raises
    ------
    EvaluationError
        For another form, a name that comes twice, or a point of no signal.
    """
    given = _read_points(points)
    signals = {
        name: Signal(name, given.pop(name) if name in given else grid_point(name), files)
        for name, files in parse_files("--signals", arguments).items()
    }
    if given:
        raise EvaluationError(f"--points: {next(iter(given))!r} is no signal; the signals are {', '.join(signals)}")
    return list(signals.values())


def parse_files(option: str, arguments: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    """Read `NAME=FILE[,FILE...]`, one a sample, as given to an option.

    Raises
    ------
    EvaluationError
        For another form, or a name that comes twice.
    """
    found: dict[str, tuple[Path, ...]] = {}
    for argument in arguments:
        name, _, files = argument.partition("=")
        if not name or not files or name in found:
            raise EvaluationError(f"{option}: {argument!r} is not NAME=FILE or NAME=FILE,FILE with each name once")
        found[name] = tuple(Path(file) for file in files.split(","))
    return found


def files_of(signals: Sequence[Signal]) -> dict[str, tuple[Path, ...]]:
    """Return the feature tables of each signal, by its name."""
    return {signal.name: signal.files for signal in signals}


def check_counts(signals: Sequence[Signal], minimum: int) -> dict[str, int]:
    """Return the number of jets of each signal, read from the tables' headers.

    Raises
    ------
    EvaluationError
        If one has fewer than `minimum`; the message names the grid point and the number.
    """
    counts = {signal.name: sum(int(read_attributes(path)["rows"]) for path in signal.files) for signal in signals}
    for signal in signals:
        if counts[signal.name] < minimum:
            raise EvaluationError(
                f"signal {signal.name} has {counts[signal.name]} jets after cuts, evaluation.minimum_signal_jets is "
                f"{minimum}. {where_jets_went(signal.files)}Give more events or files of this grid point, "
                "change the cuts (features), take the point off the grid, or lower the minimum"
            )
    return counts


def points_to_json(signals: Sequence[Signal]) -> str:
    """Write the points as the JSON that `parse_signals` reads."""
    return json.dumps({signal.name: dict(signal.point) for signal in signals})


def read_points(path: Path) -> dict[str, Point]:
    """Read the points of the signals of a score table, by name; raise `TableError` for another table."""
    with damage_of(path, "points"):
        return _points(read_json(path, "points"))


def _points(content: Mapping[str, Mapping[str, float]]) -> dict[str, Point]:
    """Turn what `points_to_json` wrote back into numbers."""
    return {name: {axis: float(value) for axis, value in point.items()} for name, point in content.items()}


def _read_points(text: str | None) -> dict[str, Point]:
    try:
        return _points(json.loads(text or "{}"))
    except (AttributeError, TypeError, ValueError) as error:
        raise EvaluationError(
            f"--points: {text!r} is not a JSON object of name to point, {{axis: value}} ({error})"
        ) from error
