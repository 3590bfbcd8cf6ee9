"""The AUC heatmap over two axes of the signals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.text import Text

from oddjet.errors import FigureError
from oddjet.plotting.style import (
    NOTE,
    figure_style,
    lay_out,
    readable_colour,
    seeds_words,
    short_error,
    write_heading,
)

# Blind is pale and perfect dark blue, in many steps, for here AUCs differ by little; red is worse than blind. A colour
# means the same in all heatmaps. A reader who sees no colour finds the numbers in the cells.
HALVES = ("OrRd_r", "YlGnBu")
BLIND = 0.5
# Sizes of numbers in points: the largest, and the smallest that can be read on a page.
LARGEST, SMALLEST = 30.0, 6.0
# Values on the two axes to AUC and uncertainty.
Cells: TypeAlias = Mapping[tuple[float, float], tuple[float, float]]
# Parts of a cell's width and height that numbers may take, so that they stay apart.
WIDE, HIGH = 0.75, 0.85


@dataclass(frozen=True)
class Panel:
    """AUCs against one background, at one value of each further axis.

    Attributes
    ----------
    cells : mapping of (float, float) to (float, float)
        (value on x, value on y) to (AUC, uncertainty). Points of the rectangle that are missing are hatched.
    against : str
        Background, written at the colour bar; nothing where it has no name.
    where : str
        Words for the further axes.
    """

    cells: Cells
    against: str = ""
    where: str = ""


def draw_heatmap(
    panels: Sequence[Panel], axes: tuple[str, str], title: str, seeds: int, label: str, columns: int | None = None
) -> Figure:
    """Draw AUC and uncertainty for each point of signals.

    Parameters
    ----------
    panels : sequence of Panel
        From the left, then from the top.
    axes : pair of str
        Words at the abscissa and the ordinate.
    title : str
        Title of the method.
    seeds : int
        Number of trainings whose AUCs were averaged; 0 for a mean of the scores of several seeds.
    label : str
        Words above the left corner, "Simulation".
    columns : int, optional
        Panels in a row; left out: all of them.

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
    colour alone remains; the figure then says so.
    """
    if not panels or not all(panel.cells for panel in panels):
        raise FigureError(f"{title}: no signal to put into a heatmap")
    wide = columns or len(panels)
    high = math.ceil(len(panels) / wide)
    with figure_style():
        figure = Figure(figsize=(10 * wide, 8.6 * high), layout="constrained")
        drawn = figure.subplots(high, wide, squeeze=False)
        for one in drawn.flat[len(panels) :]:
            one.set_axis_off()
        for one, panel in zip(drawn.flat, panels, strict=False):
            left_out = _draw_panel(figure, one, panel, axes)
        if any(panel.where for panel in panels):
            figure.suptitle(f"{title}, {seeds_words(seeds)}", fontsize=26)
        # Once all panels have their widths. Of several each says where it is, and of which method is said once.
        for one, panel in zip(drawn.flat, panels, strict=False):
            write_heading(one, label, panel.where or f"{title}, {seeds_words(seeds)}")
        words = [f"{left_out}: see the AUC table."] * bool(left_out)
        if any(_hatched(panel.cells) for panel in panels):
            words.append("Hatched: no signal, or no AUC.")
        if words:
            figure.supxlabel(" ".join(words), fontsize=NOTE, x=0.01, ha="left")
    return figure


def _hatched(cells: Cells) -> bool:
    """Say whether a cell of the rectangle has no AUC."""
    rectangle = math.prod(len({point[axis] for point in cells}) for axis in (0, 1))
    return len(cells) < rectangle or any(math.isnan(auc) for auc, _ in cells.values())


def _draw_panel(figure: Figure, axes: Axes, panel: Panel, names: tuple[str, str]) -> str:
    """Draw the cells of one panel; return words that say which numbers are left out, or none."""
    cells, quantity = panel.cells, f"AUC against {panel.against}" if panel.against else "AUC"
    across, up = (sorted({point[axis] for point in cells}) for axis in (0, 1))
    values = np.full((len(up), len(across)), np.nan)
    for (x, y), (auc, _) in cells.items():
        values[up.index(y), across.index(x)] = auc
    axes.set_facecolor("0.9")
    axes.patch.set_hatch("//")
    axes.patch.set_edgecolor("0.6")
    mesh = axes.pcolormesh(values, cmap=auc_colours(), vmin=0.0, vmax=1.0, edgecolors="white")
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, label=quantity)
    bar.ax.minorticks_off()
    # No more of the scale than is used: from 0.5, or from the tenth below the lowest AUC.
    lowest = float(np.nanmin(values, initial=BLIND))
    bar.ax.set_ylim(math.floor(10 * lowest) / 10, 1.0)
    _name_axes(axes, across, up, names)
    # A point without an AUC is hatched like one that is not in the grid.
    shown = {
        (across.index(x) + 0.5, up.index(y) + 0.5): cell for (x, y), cell in cells.items() if not math.isnan(cell[0])
    }
    size = _cell_size(axes, len(across), len(up))
    mesh.set_linewidth(min(2.0, 0.06 * min(size)))
    return _write_cells(axes, shown, mesh.cmap, size)


def auc_colours() -> ListedColormap:
    """Return the colours of AUCs from 0 to 1, in all figures the same."""
    return ListedColormap([colormaps[half](step) for half in HALVES for step in np.linspace(0.0, 1.0, 256)])


def _name_axes(axes: Axes, across: list[float], up: list[float], names: tuple[str, str]) -> None:
    axes.set_xticks(np.arange(len(across)) + 0.5, [f"{value:g}" for value in across])
    axes.set_yticks(np.arange(len(up)) + 0.5, [f"{value:g}" for value in up])
    axes.tick_params(which="both", length=0)
    axes.minorticks_off()
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    width, height = _cell_size(axes, len(across), len(up))
    boxes = [_size_of(label) for label in axes.get_xticklabels()]
    wide, high = (max(sizes) for sizes in zip(*boxes, strict=True))
    if 1.1 * wide > width:
        axes.tick_params(axis="x", labelrotation=90)
        _thin(axes.xaxis, len(across), 1.1 * high / width)
    _thin(axes.yaxis, len(up), 1.1 * max(_size_of(label)[1] for label in axes.get_yticklabels()) / height)


def _thin(axis: Axis, count: int, room: float) -> None:
    """Label every n-th of `count` cells, where a label takes the room of n cells."""
    labels = [label.get_text() for label in axis.get_ticklabels()]
    step = math.ceil(room)
    axis.set_ticks(np.arange(count)[::step] + 0.5, labels[::step])


def _cell_size(axes: Axes, columns: int, rows: int) -> tuple[float, float]:
    """Width and height of a cell in points, as the figure is laid out now."""
    figure = axes.get_figure(root=True)
    assert figure is not None, "axes of a figure"
    lay_out(figure)
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
) -> str:
    """Write value over uncertainty, or what of them can be read in a cell of this size in points.

    Return words that say what is left out, or none.
    """
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
        return "Too many cells for numbers"
    for where, (auc, uncertainty) in cells.items():
        style: dict[str, Any] = {
            "textcoords": "offset points",
            "ha": "center",
            "color": readable_colour(colours(Normalize(0, 1)(auc))),
        }
        if not with_uncertainty:
            axes.annotate(f"{auc:.2f}", where, (0, 0), va="center", fontsize=alone, **style)
            continue
        axes.annotate(f"{auc:.2f}", where, (0, 0), va="bottom", fontsize=both, **style)
        axes.annotate(f"± {short_error(uncertainty)}", where, (0, -3), va="top", fontsize=0.75 * both, **style)
    return "" if with_uncertainty else "Too many cells for uncertainties"
