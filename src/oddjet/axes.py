"""The axes of signals: the points that signals lie at, what figures call them, and which of them a figure shows.

A point is a number an axis, by the name of the axis; a signal on no axes has the empty point. Values are told apart by
six digits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import Field

from oddjet.errors import AxesError
from oddjet.messages import not_among
from oddjet.settings import Settings

Point: TypeAlias = Mapping[str, float]

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
# Columns of the tables that have a column an axis (`oddjet.evaluation`): no axis goes by one of these names.
TAKEN = {
    *("method", "seed", "epoch", "signal", "background", "auc", "auc_error", "n_signal", "n_background", "merit"),
    *("value", "error", "where", "signal_fraction", "chosen_epoch", "chosen_auc", "best_epoch", "best_auc", "last_auc"),
    *("minus_2", "minus_1", "expected", "plus_1", "plus_2", "signal_per_pb", "trained_on", "seeds", "spread"),
}
# Title and unit of what needs no words in the configuration.
KNOWN = {
    "m_phi": (r"$m_{\Phi}$", "GeV"),
    "m_zprime": (r"$m_{Z'}$", "GeV"),
    "m_dark": (r"$m_\mathrm{dark}$", "GeV"),
    "lambda_dark": (r"$\Lambda_\mathrm{dark}$", "GeV"),
    "r_inv": (r"$r_{\mathrm{inv}}$", ""),
    "alpha": (r"$\alpha_\mathrm{dark}$", ""),
    "alpha_dark": (r"$\alpha_\mathrm{dark}$", ""),
}
# Smallest share of filled cells in a heatmap that nobody asked for; bars otherwise.
FILLED = 0.5
# So many ticks can be told apart in the leaderboard.
MANY = 8


class Axis(Settings):
    """What figures call an axis of signals."""

    title: str | None = Field(None, min_length=1, max_length=80, description="left out: the symbol, or the name")
    unit: str | None = Field(None, max_length=20, description="left out: GeV for the masses that have a symbol")


class HeatmapSettings(Settings):
    """Which axes of the signals figures show."""

    x: str | None = Field(None, description="axis of the columns; left out: of the two with most values the first")
    y: str | None = Field(None, description="axis of the rows; left out: of the two with most values the second")
    at: dict[str, float] = Field({}, description="value of a further axis; left out: a panel for each of its values")
    axes: dict[str, Axis] = Field({}, description="title and unit of axes")

    def title(self, axis: str) -> str:
        """Return what figures call an axis."""
        given = self.axes.get(axis, Axis()).title
        return given or KNOWN.get(axis, (axis.replace("_", " "), ""))[0]

    def unit(self, axis: str) -> str:
        """Return the unit of an axis; empty for a number."""
        given = self.axes.get(axis, Axis()).unit
        return KNOWN.get(axis, ("", ""))[1] if given is None else given

    def label(self, axis: str) -> str:
        """Return title and unit, as they stand at an axis of a figure."""
        return f"{self.title(axis)} [{self.unit(axis)}]" if self.unit(axis) else self.title(axis)

    def head(self, axis: str) -> str:
        """Return the head of a table's column: the name of an axis, and its unit."""
        return f"{axis} ({self.unit(axis)})" if self.unit(axis) else axis

    def words(self, point: Point) -> str:
        """Return what a figure calls a point: nothing for the empty one."""
        return ", ".join(f"{self.title(axis)} = {value:g} {self.unit(axis)}".rstrip() for axis, value in point.items())


@dataclass(frozen=True)
class View:
    """What a figure shows of signals.

    Attributes
    ----------
    x, y
        Axes of a heatmap; `x` alone of a curve; neither where each signal stands for itself.
    fixed
        Where all signals of the figure lie, on further axes.
    panels
        A value of each other axis, and the signals there.
    """

    x: str | None
    y: str | None
    fixed: Point
    panels: tuple[tuple[Point, tuple[str, ...]], ...]

    @property
    def signals(self) -> tuple[str, ...]:
        """All signals of the figure."""
        return tuple(name for _, names in self.panels for name in names)

    def own(self, point: Point) -> Point:
        """Return what tells a signal from the others of the figure."""
        return {axis: value for axis, value in point.items() if axis not in self.fixed}


@dataclass(frozen=True)
class Line:
    """Signals along one axis, in the order of its values, and where they lie on the others."""

    axis: str | None
    fixed: Point
    signals: tuple[str, ...]


def axes_of(points: Iterable[Point]) -> list[str]:
    """Return the axes of points, in the order in which they come."""
    return list(dict.fromkeys(axis for point in points for axis in point))


def plain(point: Point) -> str:
    """Return a point as messages and tables have it, `m_phi 2000, r_inv 0.3`."""
    return ", ".join(f"{axis} {value:g}" for axis, value in point.items())


def check_points(points: Mapping[str, Point], needed: Iterable[str] = ()) -> None:
    """Raise AxesError for signals that share a point, or lack an axis of the others.

    Parameters
    ----------
    points : mapping of str to Point
        Of each signal by its name; empty for one on no axes.
    needed : iterable of str
        Signals that must not be off the axes where others are on some.
    """
    axes, seen = axes_of(points.values()), dict[str, str]()
    expected = set(needed)
    for name, point in points.items():
        missing = [axis for axis in axes if axis not in point]
        if missing and (point or name in expected):
            other = next(one for one, found in points.items() if missing[0] in found)
            raise AxesError(f"signals: {name} has no {missing[0]}, and {other} has; give it under samples.{name}.point")
        where = plain({axis: point[axis] for axis in axes if axis in point})
        if point and seen.setdefault(where, name) != name:
            raise AxesError(f"signals: {seen[where]} and {name} are both at {where} (to six digits); move one")


def view_of(points: Mapping[str, Point], settings: HeatmapSettings) -> View:
    """Choose what a figure shows of signals: a heatmap over two axes, a curve over one, or each signal for itself.

    Of the axes without a value in `settings.at` the two with most values are taken, in their order; one that has a
    single value is none. A heatmap that would be empty for the most part is none, unless both axes are named.

    Parameters
    ----------
    points : mapping of str to Point
        Of each signal by its name. Signals on no axes are left out where others are on some.
    settings : HeatmapSettings
        Ignored if no signal is on axes.

    Raises
    ------
    AxesError
        An axis or a value of `settings` is that of no signal.
    """
    placed = {name: point for name, point in points.items() if point}
    if not placed:
        return View(None, None, {}, (({}, tuple(points)),))
    axes = axes_of(placed.values())
    for key, axis in (("x", settings.x), ("y", settings.y), *((f"at.{axis}", axis) for axis in settings.at)):
        if axis is not None and axis not in axes:
            raise AxesError(f"heatmap.{key}: {not_among(axis, axes)}")
    chosen = _selected(placed, settings.at)
    named = [axis for axis in (settings.x, settings.y) if axis is not None]
    twice = next((axis for axis in named if axis in settings.at or named.count(axis) > 1), None)
    if twice is not None:
        raise AxesError(f"heatmap: {twice} is named twice, among x, y and at; name it once")
    single = {axis: values[0] for axis in axes if len(values := _values(chosen, axis)) == 1}
    x, y = _two_axes(chosen, [axis for axis in axes if axis not in single and axis not in named], settings)
    further = [axis for axis in axes if axis not in (*single, x, y)]
    if y is not None and len(named) < 2 and not _mostly_filled(chosen, (str(x), y, *further)):
        x, y, further = None, None, []
    fixed = {axis: value for axis, value in single.items() if axis not in (x, y)}
    return View(x, y, fixed, _panels(chosen, further))


def _two_axes(
    points: Mapping[str, Point], free: Sequence[str], settings: HeatmapSettings
) -> tuple[str | None, str | None]:
    """Return columns and rows: the named ones, then those of the free axes that have most values, in their order."""
    most = sorted(free, key=lambda axis: -len(_values(points, axis)))
    if settings.x is not None:
        return settings.x, settings.y or next(iter(most), None)
    if settings.y is not None:
        return (most[0], settings.y) if most else (settings.y, None)
    x, y = [*(axis for axis in free if axis in most[:2]), None, None][:2]
    return x, y


def _selected(points: Mapping[str, Point], at: Point) -> dict[str, Point]:
    """Return the points with the values of some axes; raise AxesError for a value that no signal has."""
    for axis, value in at.items():
        known = _values(points, axis)
        if f"{value:g}" not in map("{:g}".format, known):
            raise AxesError(
                f"heatmap.at.{axis}: no signal is at {value:g}; there are {', '.join(map('{:g}'.format, known))}"
            )
    found = {name: point for name, point in points.items() if all(f"{point[a]:g}" == f"{v:g}" for a, v in at.items())}
    if not found:
        raise AxesError(f"heatmap.at: no signal is at {plain(at)}; take values that one signal has together")
    return found


def _values(points: Mapping[str, Point], axis: str) -> list[float]:
    """Return the values of an axis in their order, each once."""
    found = {f"{point[axis]:g}": point[axis] for point in points.values() if axis in point}
    return sorted(found.values())


def _mostly_filled(points: Mapping[str, Point], axes: Sequence[str]) -> bool:
    return len(points) >= FILLED * math.prod(len(_values(points, axis)) for axis in axes)


def _panels(points: Mapping[str, Point], axes: Sequence[str]) -> tuple[tuple[Point, tuple[str, ...]], ...]:
    found: dict[tuple[float, ...], list[str]] = {}
    for name, point in points.items():
        found.setdefault(tuple(point[axis] for axis in axes), []).append(name)
    return tuple((dict(zip(axes, values, strict=True)), tuple(found[values])) for values in sorted(found))


def groups_of(points: Mapping[str, Point], settings: HeatmapSettings) -> dict[str, tuple[str, ...]]:
    """Return the signals with each value of the rows of a heatmap, or of the axis of a curve, by what figures call it.

    Where each signal stands for itself it is a group, unless there are many of them: then there is none. Signals on no
    axes where others are on some are in no group.
    """
    view = view_of(points, settings)
    axis = view.y or view.x
    if axis is None:
        alone = view.signals if len(view.signals) <= MANY else ()
        return {settings.words(view.own(points[name])) or name: (name,) for name in alone}
    placed = {name: point for name, point in points.items() if point}
    return {settings.words(dict(where)): names for where, names in _panels(placed, [axis])}


def line_of(points: Mapping[str, Point], settings: HeatmapSettings, prefer: Point | None = None) -> Line:
    """Choose signals that are drawn beside each other: along the rows of a heatmap, in the middle of the others.

    Parameters
    ----------
    points, settings
        As of `view_of`.
    prefer : Point, optional
        Where the others lie, if signals lie there.

    Returns
    -------
    Line
        Without an axis where each signal stands for itself: those of the view.
    """
    view = view_of(points, settings)
    axis = view.y or view.x
    if axis is None:
        return Line(None, view.fixed, view.signals)
    chosen = {name: points[name] for name in view.signals}
    others = [one for one in axes_of(chosen.values()) if one != axis]
    columns = _panels(chosen, others)
    liked = [one for one in columns if all(one[0].get(key) == value for key, value in (prefer or {}).items())]
    fixed, names = liked[len(liked) // 2] if prefer and liked else columns[len(columns) // 2]
    return Line(axis, fixed, tuple(sorted(names, key=lambda name: points[name][axis])))
