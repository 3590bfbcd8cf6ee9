"""The matrix of trainings and backgrounds: a panel for each background, methods by what they were trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from oddjet.errors import FigureError
from oddjet.plotting.heatmap import BLIND, auc_colours
from oddjet.plotting.style import figure_style, readable_colour, write_heading


def draw_matrix(
    panels: Mapping[str, Mapping[tuple[str, str], float]],
    rows: Sequence[str],
    columns: Sequence[str],
    signal: str,
    label: str,
) -> Figure:
    """Draw the AUC of each method (row) by what it was trained on (column), against each background.

    Parameters
    ----------
    panels : mapping of str to mapping of (str, str) to float
        Words above a panel to (row, column) to AUC; NaN, or a pair that is missing, is hatched.
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
    colours = auc_colours()
    with figure_style():
        figure = Figure(figsize=(5.2 + 1.55 * len(columns) * len(panels), 4.2 + 0.75 * len(rows)), layout="constrained")
        drawn = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axes, (words, cells) in zip(drawn, panels.items(), strict=True):
            values = np.array([[cells.get((row, column), np.nan) for column in columns] for row in rows])
            mesh = axes.pcolormesh(values, cmap=colours, vmin=0.0, vmax=1.0, edgecolors="white", linewidth=2)
            for (row, column), auc in np.ndenumerate(values):
                if np.isfinite(auc):
                    colour = readable_colour(colours(auc))
                    axes.text(
                        column + 0.5, row + 0.5, f"{auc:.2f}", ha="center", va="center", color=colour, fontsize=20
                    )
            axes.patch.set(facecolor="0.95", hatch="//", edgecolor="0.75")  # of what was not trained
            axes.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=90)
            axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
            axes.tick_params(which="both", length=0)
            axes.minorticks_off()
            axes.set_xlabel("trained on", loc="center")
            axes.set_title(words, fontsize=24, pad=44)
        drawn[0].invert_yaxis()
        bar = figure.colorbar(mesh, ax=list(drawn), pad=0.01, label="AUC")
        bar.ax.minorticks_off()
        lowest = min((auc for cells in panels.values() for auc in cells.values() if np.isfinite(auc)), default=BLIND)
        bar.ax.set_ylim(np.floor(10 * min(lowest, BLIND)) / 10, 1.0)
        write_heading(drawn[0], label, "")
        write_heading(drawn[-1], "", signal)
    return figure
