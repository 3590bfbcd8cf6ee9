"""AUCs of signals on one axis, as curves with errors, and of signals on none, as bars with errors."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oddjet.errors import FigureError
from oddjet.plotting.style import METHOD_COLOURS, figure_style, seeds_words, short_error, write_heading

# AUC and uncertainty.
Value: TypeAlias = tuple[float, float]
BLIND = 0.5
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# Values so far apart are drawn on a logarithmic axis.
FAR = 30.0


def draw_curves(
    curves: Mapping[str, Mapping[float, Value]], axis: str, title: str, seeds: int, label: str, where: str = ""
) -> Figure:
    """Draw AUC and uncertainty along one axis, a curve for each background.

    Parameters
    ----------
    curves : mapping of str to mapping of float to (float, float)
        Background, empty where it has no name, to value on the axis to (AUC, uncertainty).
    axis : str
        Words at the abscissa.
    title : str
        Title of the method.
    seeds : int
        Number of trainings whose AUCs were averaged; 0 for a mean of the scores of several seeds.
    label : str
        Words above the left corner, "Simulation".
    where : str
        Words for the point of all signals on other axes.

    Raises
    ------
    FigureError
        If there is no value.
    """
    if not curves or not all(curves.values()):
        raise FigureError(f"{title}: no signal to draw")
    values = sorted({value for curve in curves.values() for value in curve})
    with figure_style():
        figure = Figure(figsize=(11, 9 + 0.5 * (len(curves) > 1)), layout="constrained")
        axes = figure.subplots()
        for number, (against, curve) in enumerate(curves.items()):
            points = [(value, *cell) for value, cell in sorted(curve.items()) if not math.isnan(cell[0])]
            axes.errorbar(
                [value for value, _, _ in points],
                [auc for _, auc, _ in points],
                yerr=[uncertainty for _, _, uncertainty in points],
                fmt=MARKERS[number % len(MARKERS)] + "-",
                color=METHOD_COLOURS[number % len(METHOD_COLOURS)],
                label=f"against {against}",
                markersize=11,
                linewidth=2.4,
                elinewidth=2.4,
                capsize=6,
            )
        if values[0] > 0 and values[-1] / values[0] > FAR:
            axes.set_xscale("log")
        axes.margins(x=0.06)
        axes.axhline(BLIND, color="0.6", linewidth=1.4, zorder=0)
        low, high = _limits(curves.values())
        axes.set_ylim(low, high)
        axes.set_xlabel(axis)
        axes.set_ylabel(_quantity(curves))
        if where:
            axes.text(0.97, 0.96, where, transform=axes.transAxes, ha="right", va="top", fontsize=23)
        if len(curves) > 1:
            figure.legend(loc="outside lower center", ncols=3, fontsize=22)
        write_heading(axes, label, f"{title}, {seeds_words(seeds)}")
    return figure


def draw_bars(bars: Mapping[str, Mapping[str, Value]], title: str, seeds: int, label: str, where: str = "") -> Figure:
    """Draw AUC and uncertainty of each signal, the first at the top: a bar from 0.5 for each background.

    Parameters
    ----------
    bars : mapping of str to mapping of str to (float, float)
        Background, empty where it has no name, to words for a signal to (AUC, uncertainty). One without an AUC has the
        word "none".
    title, seeds, label, where
        As of `draw_curves`.

    Raises
    ------
    FigureError
        If there is no signal.
    """
    if not bars or not all(bars.values()):
        raise FigureError(f"{title}: no signal to draw")
    signals = list(dict.fromkeys(signal for own in bars.values() for signal in own))
    width = 0.8 / len(bars)
    with figure_style():
        high = 3.6 + max(0.55 * len(bars), 0.9) * len(signals) + 0.5 * (len(bars) > 1)
        figure = Figure(figsize=(13, high), layout="constrained")
        axes = figure.subplots()
        low, upper = _limits(bars.values())
        for number, (against, own) in enumerate(bars.items()):
            places = [signals.index(signal) + width * (number - (len(bars) - 1) / 2) for signal in own]
            known = [
                (place, *cell) for place, cell in zip(places, own.values(), strict=True) if not math.isnan(cell[0])
            ]
            axes.barh(
                [place for place, _, _ in known],
                [auc - BLIND for _, auc, _ in known],
                height=0.92 * width,
                left=BLIND,
                xerr=[uncertainty for _, _, uncertainty in known],
                color=METHOD_COLOURS[number % len(METHOD_COLOURS)],
                error_kw={"elinewidth": 2.4, "capsize": 6},
                label=f"against {against}",
            )
            _write_numbers(axes, places, own.values(), (low, upper))
        axes.axvline(BLIND, color="0.3", linewidth=1.4)
        axes.set_yticks(range(len(signals)), signals)
        axes.tick_params(axis="y", which="both", length=0)
        axes.yaxis.minorticks_off()
        axes.set_ylim(len(signals) - 0.4, -0.6)
        # The numbers stand to the right of the bars.
        axes.set_xlim(low, upper + 0.28 * (upper - low))
        axes.set_xlabel(_quantity(bars))
        if len(bars) > 1:
            figure.legend(loc="outside lower center", ncols=3, fontsize=22)
        write_heading(axes, label, ", ".join(filter(None, [title, seeds_words(seeds), where])))
    return figure


def _write_numbers(axes: Axes, places: Sequence[float], cells: Collection[Value], limits: tuple[float, float]) -> None:
    """Write each number to the right of its bar."""
    low, high = limits
    for place, (auc, uncertainty) in zip(places, cells, strict=True):
        words = "none" if math.isnan(auc) else f"{auc:.2f} ± {short_error(uncertainty)}"
        right = BLIND if math.isnan(auc) else max(BLIND, auc + uncertainty)
        axes.text(right + 0.02 * (high - low), place, words, ha="left", va="center", fontsize=21)


def _quantity(by_background: Mapping[str, object]) -> str:
    """Return the words at the axis of the AUC: the background too where it is the only one."""
    against, *others = by_background
    return f"AUC against {against}" if against and not others else "AUC"


def _limits(by_background: Iterable[Mapping[Any, Value]]) -> tuple[float, float]:
    """Return the tenths around all values, errors and 0.5."""
    ends = [
        end
        for own in by_background
        for auc, uncertainty in own.values()
        for end in (auc - uncertainty, auc + uncertainty)
        if math.isfinite(end)
    ]
    low, high = min([BLIND, *ends]), max([BLIND, *ends])
    return max(0.0, math.floor(10 * low - 0.2) / 10), min(1.0, math.ceil(10 * high + 0.2) / 10)
