"""The features that the models see, of background and of signals, before any scaling."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from oddjet.errors import FigureError
from oddjet.plotting.histograms import FEATURES
from oddjet.plotting.style import FRACTION_COLOURS, figure_style, write_heading

BINS, COLUMNS = 30, 4
# Share of the jets of a panel that lies beyond its axis, half on either side.
BEYOND = 0.01
BACKGROUND = "#b9c4cf"
STYLES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D")
# In place of a name that stands for a scaled quantity.
NAMES = FEATURES | {"softdrop_mass": r"$m_\mathrm{SD}$"}

Samples: TypeAlias = Mapping[str, tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]]


@dataclass(frozen=True)
class FeaturePanel:
    """One feature: name, unit, and (values, weights) of each sample, the background first, and of data."""

    name: str
    unit: str
    samples: Samples
    data: Samples = field(default_factory=dict)


def draw_features(panels: Sequence[FeaturePanel], label: str, right: str) -> Figure:
    """Draw a panel a feature: background filled, signals as lines, data as points, each of unit area.

    Parameters
    ----------
    panels : sequence of FeaturePanel
        The same samples in each.
    label, right : str
        Words above the left and the right corner.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        If there is no panel.
    """
    if not panels:
        raise FigureError("no feature to draw; name some under dataset.features")
    columns = min(COLUMNS, len(panels))
    height = math.ceil(len(panels) / columns)
    with figure_style():
        figure = Figure(figsize=(5.4 * columns, 5.0 * height + 1.6), layout="constrained")
        grid = figure.subplots(height, columns, squeeze=False)
        for axes, panel in zip(grid.flat, panels, strict=False):
            _draw_panel(axes, panel)
        for axes in grid.flat[len(panels) :]:
            axes.set_axis_off()
        for row in grid:
            row[0].set_ylabel("jets [%]", fontsize=24)
        handles, keys = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, keys, loc="outside lower center", ncols=3 if len(keys) > 4 else len(keys), fontsize=24)
        write_heading(grid[0, 0], label, "")
        write_heading(grid[0, columns - 1], "", right)
    return figure


def _draw_panel(axes: Axes, panel: FeaturePanel) -> None:
    beyond = draw_shares(axes, panel.samples, (BEYOND / 2, BEYOND / 2), BINS, panel.data)
    axes.text(0.96, 0.95, f"{beyond:.1f} % beyond", transform=axes.transAxes, ha="right", va="top", fontsize=17)
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])
    unit = "" if panel.unit in ("", "1") else f" [{panel.unit}]"
    axes.set_xlabel(f"{NAMES.get(panel.name, panel.name.replace('_', ' '))}{unit}", fontsize=24)
    axes.tick_params(labelsize=18)
    axes.locator_params(axis="x", nbins=4)


def draw_shares(
    axes: Axes, samples: Samples, tails: tuple[float, float], bins: int, data: Samples | None = None
) -> float:
    """Draw samples with the same edges, each of unit area (%): the first filled, others as lines, data as points.

    Parameters
    ----------
    axes
        Where to draw; its x axis ends at the outer edges.
    samples
        Values and weights of each, the background first.
    tails
        Which shares of all values may lie below the first and above the last edge.
    bins
        How many.
    data
        As `samples`; the bars are the statistical error, the root of the sum of squared weights.

    Returns
    -------
    float
        Which share (%) of all values lies beyond the edges.
    """
    data = data or {}
    pooled = np.concatenate([values for values, _ in (*samples.values(), *data.values())])
    low, high = np.quantile(pooled, [tails[0], 1.0 - tails[1]])
    edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
    for number, (name, (values, weights)) in enumerate(samples.items()):
        shares = 100.0 * np.histogram(values, edges, weights=weights)[0] / weights.sum()
        if number == 0:
            axes.stairs(shares, edges, fill=True, color=BACKGROUND, label=name)
        else:
            axes.stairs(shares, edges, baseline=None, label=name, **signal_line(number - 1))
    for number, (name, (values, weights)) in enumerate(data.items()):
        if not len(values):
            continue  # no jet of it passes: the cutflow says why
        counts, squares = (np.histogram(values, edges, weights=weights**power)[0] for power in (1, 2))
        filled, scale = squares > 0, 100.0 / weights.sum()
        axes.errorbar(
            ((edges[:-1] + edges[1:]) / 2)[filled],
            scale * counts[filled],
            scale * np.sqrt(squares[filled]),
            fmt=MARKERS[number % len(MARKERS)],
            color="black",
            markersize=5,
            linewidth=1.2,
            label=name,
        )
    axes.set_xlim(edges[0], edges[-1])
    return float(100.0 * np.mean((pooled < edges[0]) | (pooled > edges[-1])))


def signal_line(number: int) -> dict[str, Any]:
    """Return colour and dashes of the n-th signal of a figure."""
    colour = FRACTION_COLOURS[number % len(FRACTION_COLOURS)]
    style = STYLES[(number + number // len(FRACTION_COLOURS)) % len(STYLES)]
    return {"color": colour, "linestyle": style, "linewidth": 2.5}
