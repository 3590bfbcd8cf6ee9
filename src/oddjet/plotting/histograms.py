"""Histograms of scaled features: jets, negative samples and signal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from oddjet.errors import FigureError
from oddjet.plotting.style import RED, WORD_BLUE, WORD_GREEN, figure_style, write_heading
from oddjet.weighted import quantiles, unequal

BINS = 40
# Of the background and of the negatives; the axis leaves out this share of them, half on either side.
BEYOND = 0.01
INSIDE = np.array([BEYOND / 2, 1.0 - BEYOND / 2])
# Jets red and solid, samples blue and dashed, signal green: as in the paper, in shades that colour-blind readers tell
# apart, and with lines that differ without any colour.
LINES: dict[str, tuple[str, Any, float]] = {
    "background": (RED, "-", 2.6),
    "negatives": (WORD_BLUE, (0, (4, 1.6)), 2.6),
    "signal": (WORD_GREEN, (0, (1, 1)), 2.6),
}
FEATURES = {
    "tau2": r"$\tau_2$",
    "tau3": r"$\tau_3$",
    "efp1": r"$\mathrm{EFP}_1$",
    "c2": r"$C_2$",
    "axis_major": "major axis",
    "axis_minor": "minor axis",
    "ptd": r"$p_T D$",
    "softdrop_mass": r"$\ln m_\mathrm{SD}$",
}


@dataclass(frozen=True)
class HistogramPanel:
    """One pair of axes: a feature, where it was looked at, and of each of `LINES` values and their weights, (n,)."""

    feature: str
    title: str
    samples: Mapping[str, tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]]


def draw_histograms(
    rows: Sequence[Sequence[HistogramPanel]],
    names: Mapping[str, str],
    right: str,
    label: str,
    box: tuple[float, float] | None = None,
) -> Figure:
    """Draw histograms of equal area (100 in all bins and beyond) with 40 bins, the same in all panels.

    Beside an arrow stands the share of each sample that lies beyond that edge.

    Parameters
    ----------
    rows : sequence of sequence of HistogramPanel
        Panels, rows from the top.
    names : mapping of str to str
        What the legend calls each of the samples.
    right, label : str
        Words above the right and the left corner.
    box : pair of float, optional
        What the axis holds at least: the target of min-max scaling. It is widened to hold the background and the
        negatives, in whole numbers.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        If there is no panel, or a sample has no value.
    """
    if not rows or not all(len(values) for row in rows for panel in row for values, _ in panel.samples.values()):
        raise FigureError(f"{right}: a histogram without jets; look at the tables of this training")
    edges = np.linspace(*_limits(rows, box), BINS + 1)
    width, height = max(len(row) for row in rows), len(rows)
    with figure_style():
        figure = Figure(figsize=(5.6 * width, 5.2 * height + 1.4), layout="constrained")
        grid = figure.subplots(height, width, squeeze=False)
        for axes, panel in zip(grid.flat, [panel for row in rows for panel in row], strict=False):
            _draw_panel(axes, panel, edges)
        for axes in grid.flat[sum(len(row) for row in rows) :]:
            axes.set_axis_off()
        for row in grid:
            row[0].set_ylabel("jets [%]")
        handles, keys = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, [names[key] for key in keys], loc="outside lower center", ncols=3, fontsize=26)
        # Above the first row, a line higher than the panels' titles.
        if width == 1:
            write_heading(grid[0, 0], label, right)
        else:
            write_heading(grid[0, 0], label, "")
            write_heading(grid[0, -1], "", right)
    return figure


def _limits(rows: Sequence[Sequence[HistogramPanel]], box: tuple[float, float] | None) -> tuple[float, float]:
    """Return the ends of the axis: the box, or wider to hold all but `BEYOND` of each sample that is no signal."""
    ends = [] if box is None else [box]
    for panel in (panel for row in rows for panel in row):
        samples = [sample for key, sample in panel.samples.items() if key != "signal"] or list(panel.samples.values())
        ends += [tuple(quantiles(values, INSIDE, unequal(weights))) for values, weights in samples]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    # Of the box as it is, whole numbers beyond it.
    low = low if box and low == box[0] else math.floor(low)
    high = high if box and high == box[1] else max(math.ceil(high), low + 1)
    return low, high


def _draw_panel(axes: Axes, panel: HistogramPanel, edges: NDArray[np.float64]) -> None:
    highest, beyond = 0.0, []
    for key, (colour, style, width) in LINES.items():
        if key not in panel.samples:
            continue
        values, weights = panel.samples[key]
        counts = np.histogram(values, edges, weights=weights)[0] * (100.0 / weights.sum())
        axes.stairs(counts, edges, color=colour, linestyle=style, linewidth=width, label=key, baseline=None)
        highest = max(highest, float(counts.max()))
        sides = [float(weights[out].sum() / weights.sum()) for out in (values < edges[0], values > edges[-1])]
        beyond += [(colour, side, share) for side, share in enumerate(sides) if share > 0]
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, 1.6 * highest)
    axes.set_xlabel(f"{FEATURES.get(panel.feature, panel.feature)} (scaled)")
    axes.text(0.95, 0.94, panel.title, transform=axes.transAxes, ha="right", va="top", fontsize=24)
    _write_shares(axes, beyond)


def _write_shares(axes: Axes, beyond: Sequence[tuple[str, int, float]]) -> None:
    """Write which share of each sample lies beyond the left (0) and the right (1) edge, in its colour."""
    lines = [0, 0]
    for colour, side, share in beyond:
        percent = f"{100 * share:.1f}%" if share >= 0.0005 else "<0.1%"
        words = f"{percent} →" if side else f"← {percent}"
        where, align = ((0.97, 0.83), "right") if side else ((0.03, 0.83), "left")
        height = where[1] - 0.07 * lines[side]
        axes.text(where[0], height, words, transform=axes.transAxes, ha=align, va="top", fontsize=16, color=colour)
        lines[side] += 1


def sample_names(point: str) -> dict[str, str]:
    """Name the samples for the legend, the signal by words for its point, empty where it has none."""
    words = f" ({point})" if point else ""
    return {"background": "positive samples", "negatives": "negative samples", "signal": f"signal{words}"}
