"""The AUC heatmap: mediator mass by invisible fraction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.text import Text

from oddjet.errors import FigureError
from oddjet.plotting.style import figure_style, method_title, write_heading

# From blind (red) over 0.5 (white) to perfect (blue): a reader who sees no colour finds the numbers in the cells.
COLOURS = "RdBu"
# Sizes of numbers in points: the largest, and the smallest that can be read on a page.
LARGEST, SMALLEST = 30.0, 6.0
# Parts of a cell's width and height that numbers may take, so that they stay apart.
WIDE, HIGH = 0.75, 0.85


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
    FigureError
        If there is no cell.

    Notes
    -----
    Every number that is drawn can be read: in crowded grids labels of columns are upright and those of rows and
    columns are fewer; in cells that are too small for both numbers the uncertainty is left out, then the AUC, and the
    colour alone remains.
    """
    if not cells:
        raise FigureError(f"method {method}: no signal with m_phi and r_inv to put into a heatmap")
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
        )
        bar = figure.colorbar(mesh, ax=axes, pad=0.02, label="AUC")
        bar.ax.minorticks_off()
        _name_axes(axes, masses, fractions)
        # A point without an AUC is hatched like one that is not in the grid.
        shown = {
            (masses.index(m_phi) + 0.5, fractions.index(r_inv) + 0.5): cell
            for (m_phi, r_inv), cell in cells.items()
            if not math.isnan(cell[0])
        }
        size = _cell_size(axes, len(masses), len(fractions))
        mesh.set_linewidth(min(2.0, 0.06 * min(size)))
        _write_cells(axes, shown, mesh.cmap, size)
        write_heading(axes, label, f"{method_title(method)}, {seeds} seed{'s' if seeds > 1 else ''}")
    return figure


def _name_axes(axes: Axes, masses: list[float], fractions: list[float]) -> None:
    axes.set_xticks(np.arange(len(masses)) + 0.5, [f"{mass:g}" for mass in masses])
    axes.set_yticks(np.arange(len(fractions)) + 0.5, [f"{fraction:g}" for fraction in fractions])
    axes.tick_params(which="both", length=0)
    axes.minorticks_off()
    axes.set_xlabel(r"$m_{\Phi}$ [GeV]")
    axes.set_ylabel(r"$r_\mathrm{inv}$")
    width, height = _cell_size(axes, len(masses), len(fractions))
    boxes = [_size_of(label) for label in axes.get_xticklabels()]
    wide, high = (max(sizes) for sizes in zip(*boxes, strict=True))
    if 1.1 * wide > width:
        axes.tick_params(axis="x", labelrotation=90)
        _thin(axes.xaxis, len(masses), 1.1 * high / width)
    _thin(axes.yaxis, len(fractions), 1.1 * max(_size_of(label)[1] for label in axes.get_yticklabels()) / height)


def _thin(axis: Axis, count: int, room: float) -> None:
    """Label every n-th of `count` cells, where a label takes the room of so many."""
    labels = [label.get_text() for label in axis.get_ticklabels()]
    step = math.ceil(room)
    axis.set_ticks(np.arange(count)[::step] + 0.5, labels[::step])


def _cell_size(axes: Axes, columns: int, rows: int) -> tuple[float, float]:
    """Width and height of a cell in points, as the figure is laid out now."""
    figure = axes.get_figure(root=True)
    assert figure is not None, "axes of a figure"
    figure.draw_without_rendering()
    box, points = axes.get_window_extent(), 72 / figure.dpi
    return points * box.width / columns, points * box.height / rows


def _size_of(text: Text) -> tuple[float, float]:
    """Width and height of a text in points."""
    figure = text.get_figure(root=True)
    assert figure is not None, "text of a figure"
    box = text.get_window_extent()
    return 72 / figure.dpi * box.width, 72 / figure.dpi * box.height


def _write_cells(
    axes: Axes, cells: Mapping[tuple[float, float], tuple[float, float]], colours: Colormap, size: tuple[float, float]
) -> None:
    """Write value over uncertainty, or what of them can be read in a cell of so many points; white on dark cells."""
    width, height = size
    one = axes.annotate("0.00", (0.5, 0.5), fontsize=LARGEST)
    other = axes.annotate("± 0.00", (0.5, 0.5), fontsize=0.75 * LARGEST)
    (wide, high), (other_wide, other_high) = _size_of(one), _size_of(other)
    one.remove()
    other.remove()
    both = LARGEST * min(1.0, WIDE * width / max(wide, other_wide), HIGH * height / (2 * max(high, other_high) + 3))
    alone = LARGEST * min(1.0, WIDE * width / wide, HIGH * height / high)
    with_uncertainty = 0.75 * both >= SMALLEST
    if not with_uncertainty and alone < SMALLEST:
        return
    for where, (auc, uncertainty) in cells.items():
        red, green, blue, _ = colours(Normalize(0, 1)(auc))
        style: dict[str, Any] = {
            "textcoords": "offset points",
            "ha": "center",
            "color": "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.55 else "black",
        }
        if not with_uncertainty:
            axes.annotate(f"{auc:.2f}", where, (0, 0), va="center", fontsize=alone, **style)
            continue
        axes.annotate(f"{auc:.2f}", where, (0, 0), va="bottom", fontsize=both, **style)
        axes.annotate(f"± {uncertainty:.2f}", where, (0, -3), va="top", fontsize=0.75 * both, **style)
