"""The AUC heatmap: mediator mass by invisible fraction."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

from oddjet.errors import OddjetError
from oddjet.plotting.style import figure_style, method_title, write_heading

# From blind (red) over 0.5 (white) to perfect (blue): a reader who sees no colour finds the numbers in the cells.
COLOURS = "RdBu"


class HeatmapError(OddjetError):
    """Cells that make no heatmap."""


def draw_heatmap(
    cells: Mapping[tuple[float, float], tuple[float, float]], method: str, seeds: int, label: str
) -> Figure:
    """Draw AUC and uncertainty for each grid point.

    Parameters
    ----------
    cells : mapping of (float, float) to (float, float)
        (m_phi in GeV, r_inv) to (AUC, uncertainty). Points of the rectangle that are missing are hatched.
    method : str
        Name of the method.
    seeds : int
        Number of trainings that were averaged.
    label : str
        Words above the left corner, "Simulation".

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    HeatmapError
        If there is no cell.
    """
    if not cells:
        raise HeatmapError(f"method {method}: no signal with m_phi and r_inv to put into a heatmap")
    masses, fractions = (sorted({point[axis] for point in cells}) for axis in (0, 1))
    values = np.full((len(fractions), len(masses)), np.nan)
    for (m_phi, r_inv), (auc, _) in cells.items():
        values[fractions.index(r_inv), masses.index(m_phi)] = auc
    with figure_style():
        figure = Figure(figsize=(10, 8.6), layout="constrained")
        axes = figure.subplots()
        axes.set_facecolor("0.9")
        axes.patch.set_hatch("//")
        axes.patch.set_edgecolor("0.6")
        mesh = axes.pcolormesh(
            values,
            cmap=COLOURS,
            vmin=0.0,
            vmax=1.0,
            edgecolors="white",
            linewidth=2,
        )
        bar = figure.colorbar(mesh, ax=axes, pad=0.02, label="AUC")
        bar.ax.minorticks_off()
        _name_axes(axes, masses, fractions)
        # A point without an AUC is hatched like one that is not in the grid.
        for (m_phi, r_inv), cell in cells.items():
            if math.isnan(cell[0]):
                continue
            where = masses.index(m_phi) + 0.5, fractions.index(r_inv) + 0.5
            _write_cell(axes, where, cell, mesh.cmap, len(masses))
        write_heading(axes, label, f"{method_title(method)}, {seeds} seed{'s' if seeds > 1 else ''}")
    return figure


def _name_axes(axes: Axes, masses: list[float], fractions: list[float]) -> None:
    axes.set_xticks(np.arange(len(masses)) + 0.5, [f"{mass:g}" for mass in masses])
    axes.set_yticks(np.arange(len(fractions)) + 0.5, [f"{fraction:g}" for fraction in fractions])
    axes.tick_params(which="both", length=0)
    axes.minorticks_off()
    axes.set_xlabel(r"$m_{\Phi}$ [GeV]")
    axes.set_ylabel(r"$r_\mathrm{inv}$")


def _write_cell(
    axes: Axes, where: tuple[float, float], cell: tuple[float, float], colours: Colormap, columns: int
) -> None:
    """Write value over uncertainty, white on dark cells; smaller where many columns share the width."""
    auc, uncertainty = cell
    red, green, blue, _ = colours(Normalize(0, 1)(auc))
    colour = "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.55 else "black"
    size = min(30.0, 155.0 / columns)
    axes.annotate(
        f"{auc:.2f}", where, (0, 1), textcoords="offset points", ha="center", va="bottom", color=colour, fontsize=size
    )
    axes.annotate(
        f"± {uncertainty:.2f}",
        where,
        (0, -3),
        textcoords="offset points",
        ha="center",
        va="top",
        color=colour,
        fontsize=0.75 * size,
    )
