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
from oddjet.plotting.style import RED, figure_style, write_heading

BINS = 40
# Of the background and of the negatives; the axis reaches as far as all but so many of them, half on either side.
BEYOND = 0.01
# Jets red and solid, samples blue and dashed, signal green: as in the paper, in shades that colour-blind readers tell
# apart, and with lines that differ without any colour.
LINES: dict[str, tuple[str, Any, float]] = {
    "background": (RED, "-", 2.6),
    "negatives": ("#1f6fd0", (0, (4, 1.6)), 2.6),
    "signal": ("#2a9d5c", (0, (1, 1)), 2.6),
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
    """One pair of axes: a feature, where it was looked at, and values of each of `LINES`."""

    feature: str
    title: str
    samples: Mapping[str, NDArray[np.floating[Any]]]


def draw_histograms(
    rows: Sequence[Sequence[HistogramPanel]],
    names: Mapping[str, str],
    right: str,
    label: str,
    box: tuple[float, float] | None = None,
) -> Figure:
    """Draw histograms of equal area (100 in all bins and beyond) with 40 bins, the same in all panels.

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
    if not rows or not all(len(values) for row in rows for panel in row for values in panel.samples.values()):
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
        write_heading(grid[0, 0], label, "")
        write_heading(grid[0, -1], "", right)
    return figure


def _limits(rows: Sequence[Sequence[HistogramPanel]], box: tuple[float, float] | None) -> tuple[float, float]:
    """Return the ends of the axis: the box, or wider to hold all but `BEYOND` of each sample that is no signal."""
    ends = [] if box is None else [box]
    for panel in (panel for row in rows for panel in row):
        samples = [values for key, values in panel.samples.items() if key != "signal"] or list(panel.samples.values())
        ends += [tuple(np.quantile(values, [BEYOND / 2, 1.0 - BEYOND / 2])) for values in samples]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    # Of the box as it is, whole numbers beyond it.
    low = low if box and low == box[0] else math.floor(low)
    high = high if box and high == box[1] else max(math.ceil(high), low + 1)
    return low, high


def _draw_panel(axes: Axes, panel: HistogramPanel, edges: NDArray[np.float64]) -> None:
    highest = 0.0
    for key, (colour, style, width) in LINES.items():
        values = panel.samples.get(key)
        if values is None:
            continue
        counts = np.histogram(values, edges)[0] * (100.0 / len(values))
        axes.stairs(counts, edges, color=colour, linestyle=style, linewidth=width, label=key, baseline=None)
        highest = max(highest, float(counts.max()))
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, 1.35 * highest)
    axes.set_xlabel(f"{FEATURES.get(panel.feature, panel.feature)} (scaled)")
    axes.text(0.95, 0.94, panel.title, transform=axes.transAxes, ha="right", va="top", fontsize=24)


def sample_names(m_phi: float, r_inv: float) -> dict[str, str]:
    """Name the samples for the legend, the signal by its grid point (GeV and 1; NaN where it has none)."""
    point = "" if math.isnan(m_phi + r_inv) else rf" ($m_\Phi$ = {m_phi:g} GeV, $r_\mathrm{{inv}}$ = {r_inv:g})"
    return {"background": "positive samples", "negatives": "negative samples", "signal": f"signal{point}"}
