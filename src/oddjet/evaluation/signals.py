"""The signals of an evaluation: names, grid points and feature tables."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from oddjet.errors import EvaluationError
from oddjet.io.cutflow import where_jets_went
from oddjet.io.tables import damage_of, read_attributes, read_json


@dataclass(frozen=True)
class Signal:
    """One signal sample.

    Attributes
    ----------
    name : str
    m_phi, r_inv : float
        Grid point (GeV and 1); NaN for a signal that is on no grid.
    files : tuple of Path
        Its feature tables.
    """

    name: str
    m_phi: float
    r_inv: float
    files: tuple[Path, ...] = ()


def grid_point(name: str) -> tuple[float, float]:
    """Return (m_phi in GeV, r_inv) from a signal's name; NaN for what the name does not hold.

    Examples
    --------
    >>> grid_point("svj_mphi-2000_rinv-0p3")
    (2000.0, 0.3)
    """
    found = [re.search(rf"(?:^|_){key}-(\d+(?:p\d+)?)(?:_|$)", name) for key in ("mphi", "rinv")]
    m_phi, r_inv = (float(match[1].replace("p", ".")) if match else math.nan for match in found)
    return m_phi, r_inv


def parse_signals(arguments: Sequence[str], points: str | None = None) -> list[Signal]:
    """Read the arguments `--signals` and `--points` of a script.

    Parameters
    ----------
    arguments : sequence of str
        `NAME=FILE[,FILE...]`, one a signal.
    points : str, optional
        JSON object, name to [m_phi, r_inv], for signals whose names do not hold their grid point.

    Raises
    ------
    EvaluationError
        For another form, a name that comes twice, or a point of no signal.
    """
    given = _read_points(points)
    signals: dict[str, Signal] = {}
    for argument in arguments:
        name, _, files = argument.partition("=")
        if not name or not files or name in signals:
            raise EvaluationError(f"--signals: {argument!r} is not NAME=FILE or NAME=FILE,FILE with each name once")
        point = given.pop(name, grid_point(name))
        signals[name] = Signal(name, *point, tuple(Path(file) for file in files.split(",")))
    if given:
        raise EvaluationError(f"--points: {next(iter(given))!r} is no signal; the signals are {', '.join(signals)}")
    return list(signals.values())


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
    """Write the grid points as the JSON that `parse_signals` reads; NaN becomes null."""
    pairs = {signal.name: (signal.m_phi, signal.r_inv) for signal in signals}
    return json.dumps({name: [None if math.isnan(value) else value for value in pair] for name, pair in pairs.items()})


def read_points(path: Path) -> dict[str, tuple[float, float]]:
    """Read the grid points of the signals of a score table, by name; raise `TableError` for another table."""
    with damage_of(path, "points"):
        return _points(read_json(path, "points"))


def _points(content: Mapping[str, Sequence[float | None]]) -> dict[str, tuple[float, float]]:
    """Turn what `points_to_json` wrote back into numbers."""
    return {
        name: (math.nan if m_phi is None else float(m_phi), math.nan if r_inv is None else float(r_inv))
        for name, (m_phi, r_inv) in content.items()
    }


def _read_points(text: str | None) -> dict[str, tuple[float, float]]:
    try:
        return _points(json.loads(text or "{}"))
    except (AttributeError, TypeError, ValueError) as error:
        raise EvaluationError(f"--points: {text!r} is not a JSON object of name to [m_phi, r_inv] ({error})") from error
