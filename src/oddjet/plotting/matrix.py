"""The matrix of trainings and backgrounds: a panel for each background, methods by what they were trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from oddjet.errors import FigureError
from oddjet.plotting.heatmap import BLIND, auc_colours
from oddjet.plotting.style import NOTE, figure_style, readable_colour, short_error, write_heading


def draw_matrix(
    panels: Mapping[str, Mapping[tuple[str, str], tuple[float, float]]],
    rows: Sequence[str],
    columns: Sequence[str],
    signal: str,
    label: str,
) -> Figure:
    """Draw the AUC of each method (row) by what it was trained on (column), a panel above the other a background.

    Parameters
    ----------
    panels : mapping of str to mapping of (str, str) to (float, float)
        Words above a panel to (row, column) to AUC and uncertainty; NaN, or a pair that is missing, is hatched.
    rows, columns : sequence of str
        In the order of drawing, the first row at the top.
    signal : str
        Words for the signal.
    label : str
        Words above the left corner, "Simulation".

    Raises
    ------
    FigureError
        If there is no panel.
    """
    if not panels:
        raise FigureError("no AUC against any background to draw; give the AUC tables of at least one method")
    with figure_style():
        height = 2.4 + (0.9 * len(rows) + 0.6) * len(panels)
        figure = Figure(figsize=(6.0 + 1.7 * len(columns), height), layout="constrained")
        drawn = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
        for axes, cells in zip(drawn, panels.values(), strict=True):
            mesh = _draw_panel(axes, cells, rows, columns)
        drawn[-1].set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=30, ha="right", rotation_mode="anchor")
        drawn[-1].set_xlabel("trained on", loc="center")
        bar = figure.colorbar(mesh, ax=list(drawn), pad=0.02, label="AUC")
        bar.ax.minorticks_off()
        lowest = min((auc for cells in panels.values() for auc, _ in cells.values() if np.isfinite(auc)), default=BLIND)
        bar.ax.set_ylim(np.floor(10 * min(lowest, BLIND)) / 10, 1.0)
        figure.suptitle(signal, fontsize=26)
        if any(len(cells) < len(rows) * len(columns) for cells in panels.values()):
            figure.supxlabel("Hatched: not trained.", fontsize=NOTE, x=0.01, ha="left")
        for axes, words in zip(drawn, panels, strict=True):
            write_heading(axes, label if axes is drawn[0] else "", words)
    return figure


def _draw_panel(
    axes: Axes, cells: Mapping[tuple[str, str], tuple[float, float]], rows: Sequence[str], columns: Sequence[str]
) -> QuadMesh:
    """Draw one panel, and write its numbers."""
    colours, none = auc_colours(), (np.nan, np.nan)
    values = np.array([[cells.get((row, column), none) for column in columns] for row in rows])
    mesh = axes.pcolormesh(values[..., 0], cmap=colours, vmin=0.0, vmax=1.0, edgecolors="white", linewidth=2)
    for (row, column), auc in np.ndenumerate(values[..., 0]):
        if np.isfinite(auc):
            style: dict[str, Any] = {"ha": "center", "color": readable_colour(colours(auc)), "xycoords": "data"}
            style |= {"textcoords": "offset points"}
            where = column + 0.5, row + 0.5
            axes.annotate(f"{auc:.2f}", where, (0, -1), va="bottom", fontsize=23, **style)
            axes.annotate(f"± {short_error(values[row, column, 1])}", where, (0, -4), va="top", fontsize=17, **style)
    axes.patch.set(facecolor="0.95", hatch="//", edgecolor="0.75")  # of what was not trained
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
    axes.tick_params(which="both", length=0)
    axes.minorticks_off()
    axes.invert_yaxis()
    return mesh
