"""Figures of the analysis of whole events: ROC and SI curves with bands, AUC against cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from oddjet.errors import FigureError
from oddjet.plotting.style import BLUE, GREY, ORANGE, PURPLE, RED, figure_style, lay_out, write_heading

# Brightness differs as well, and lines differ in pattern.
LOOKS = ((BLUE, "--"), (RED, "-"), (ORANGE, "-."), (PURPLE, ":"), (GREY, (0, (5, 1, 1, 1))), ("black", (0, (1, 1))))

# Points from a name to its point from which on a line leads there.
FAR = 36.0


class Curve(NamedTuple):
    """A line with a band: signal efficiencies, means, standard deviations (NaN: no band), words for the legend."""

    title: str
    efficiencies: Sequence[float]
    mean: Sequence[float]
    sd: Sequence[float]
    legend: str


class Cost(NamedTuple):
    """A score: what it costs in microseconds an event, its AUC and the standard deviation of that."""

    title: str
    microseconds: float
    auc: float
    sd: float


def draw_curves(panels: Mapping[str, Sequence[Curve]], label: str, quantity: str, kind: str) -> Figure:
    """Draw the curves of every signal, a panel each.

    Parameters
    ----------
    panels
        Curves by the signal's title, the same methods in the same order everywhere.
    label
        Words above the left corner.
    quantity
        Label of the y axis.
    kind
        "roc" or "si": limits, and what a useless score gives.

    Raises
    ------
    FigureError
        If there is no curve, or more than can be told apart.
    """
    most = max((len(curves) for curves in panels.values()), default=0)
    if not most or most > len(LOOKS):
        raise FigureError(f"{most} curves in a panel; a figure shows 1 to {len(LOOKS)}")
    columns = min(2, len(panels))
    rows = math.ceil(len(panels) / columns)
    with figure_style():
        figure = Figure(figsize=(9.5 * columns, 8.2 * rows), layout="constrained")
        grid = np.ravel(figure.subplots(rows, columns, squeeze=False))
        for axes, curves in zip(grid, panels.values(), strict=False):
            _draw_panel(axes, curves, kind)
            axes.set_xlabel(r"signal efficiency $\epsilon_s$")
            axes.set_ylabel(quantity)
        for axes, signal in zip(grid, panels, strict=False):
            write_heading(axes, label, signal)
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
    return figure


def _draw_panel(axes: Axes, curves: Sequence[Curve], kind: str) -> None:
    everywhere = np.linspace(0.0, 1.0, 101)
    useless = 1.0 - everywhere if kind == "roc" else np.sqrt(everywhere)
    axes.plot(everywhere, useless, color="0.75", linewidth=1.5, zorder=0)
    largest = 1.0
    for curve, (colour, style) in zip(curves, LOOKS, strict=False):
        x, mean, sd = (np.asarray(values, float) for values in (curve.efficiencies, curve.mean, curve.sd))
        shown = np.isfinite(mean)
        axes.plot(
            x[shown], mean[shown], color=colour, linestyle=style, linewidth=2.6, label=f"{curve.title}{curve.legend}"
        )
        spread = np.where(np.isfinite(sd), sd, 0.0)
        axes.fill_between(
            x[shown], (mean - spread)[shown], (mean + spread)[shown], color=colour, alpha=0.22, linewidth=0
        )
        largest = max(largest, float(np.max((mean + spread)[shown], initial=1.0)))
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0 if kind == "roc" else 1.8 * largest)
    axes.legend(loc="lower left" if kind == "roc" else "upper right", fontsize=19)


def draw_costs(costs: Sequence[Cost], label: str) -> Figure:
    """Draw AUC, averaged over signals, against microseconds an event; names stand beside their points.

    Raises
    ------
    FigureError
        If there is no score.
    """
    if not costs:
        raise FigureError("no score to draw")
    ordered = sorted(costs, key=lambda cost: cost.microseconds)
    with figure_style():
        figure = Figure(figsize=(15, 10), layout="constrained")
        axes = figure.subplots()
        for cost in ordered:
            axes.errorbar(
                cost.microseconds, cost.auc, yerr=cost.sd, fmt="o", color=BLUE, markersize=9, elinewidth=2, capsize=4
            )
        axes.set_xscale("log")
        axes.margins(0.14, 0.12)
        axes.set_xlabel("processor time an event, one core [µs]")
        axes.set_ylabel("AUC, mean over signals")
        write_heading(axes, label, "")
        _name_points(axes, ordered)
    return figure


def _name_points(axes: Axes, costs: Sequence[Cost]) -> None:
    """Write each name at the nearest place beside its point that is free of other names, points and the frame."""
    figure = axes.get_figure(root=True)
    assert figure is not None, "axes of a figure"
    lay_out(figure)
    frame, pixels = axes.get_window_extent(), figure.dpi / 72
    taken = []
    for cost in costs:
        ends = [(cost.microseconds, cost.auc + side * (cost.sd if math.isfinite(cost.sd) else 0.0)) for side in (-1, 1)]
        (x, low), (_, high) = axes.transData.transform(ends)
        taken.append(Bbox.from_extents(x - 6 * pixels, low - 4 * pixels, x + 6 * pixels, high + 4 * pixels))
    for cost in costs:
        places = []
        for rank, (across, up) in enumerate(_places()):
            align = "left" if across > 0 else "right" if across < 0 else "center"
            style: dict[str, Any] = {"ha": align, "va": "center", "fontsize": 16, "textcoords": "offset points"}
            text = axes.annotate(cost.title, (cost.microseconds, cost.auc), (across, up), **style)
            box = text.get_window_extent()
            text.remove()
            outside = box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0 or box.y1 > frame.y1
            places.append((outside + sum(box.overlaps(other) for other in taken), rank, (across, up), box, style))
        _, _, offset, box, style = min(places, key=lambda place: place[:2])
        if math.hypot(*offset) > FAR:
            style["arrowprops"] = {"arrowstyle": "-", "color": "0.6", "linewidth": 1.0, "shrinkB": 6}
        axes.annotate(cost.title, (cost.microseconds, cost.auc), offset, **style)
        taken.append(box)


def _places() -> list[tuple[float, float]]:
    """Return where a name may stand from its point, in points, the nearest first."""
    places = [(side * 11.0, float(up)) for up in range(-150, 151, 10) for side in (1, -1)]
    places += [(0.0, float(up)) for up in range(-150, 151, 10) if abs(up) >= 30]
    return sorted(places, key=lambda place: (abs(place[1]), -place[0]))
