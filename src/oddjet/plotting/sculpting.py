"""Background efficiency of a cut on the score by mass and pT: what the cut makes of the background's spectra."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oddjet.arrays import Floats
from oddjet.errors import FigureError
from oddjet.plotting.roc import method_line
from oddjet.plotting.style import figure_style, write_heading


@dataclass(frozen=True)
class Shapes:
    """Efficiency of a cut for background in bins of a quantity: edges (B + 1), values and errors, shape (B,)."""

    name: str
    edges: Floats
    efficiency: Floats
    error: Floats


def draw_sculpting(
    rows: Mapping[str, Mapping[str, Sequence[Shapes]]],
    cut: float,
    label: str,
    right: str,
    background: str = "background",
) -> Figure:
    """Draw which share of the background passes a cut on the score, by each quantity (GeV), a line a method.

    Parameters
    ----------
    rows : mapping of str to mapping of str to sequence of Shapes
        Kind of cut, in words ("" for the only one), to quantity to methods; a row of panels each, on one scale.
    cut : float
        Share of the background that the cut is made for.
    label, right : str
        Words above the left and the right corner.
    background : str
        What the figure calls the background.

    Raises
    ------
    FigureError
        If there is no panel.
    """
    if not rows or not all(panels and all(panels.values()) for panels in rows.values()):
        raise FigureError("no method to draw; give the score tables of at least one")
    first = next(iter(rows.values()))
    lines = (len(next(iter(first.values()))) + 3) // 4
    with figure_style():
        figure = Figure(figsize=(19, 0.5 + 9.0 * len(rows) + 0.5 * lines), layout="constrained")
        grid = figure.subplots(len(rows), len(first), squeeze=False, sharey=True)
        for line, (words, panels) in zip(grid, rows.items(), strict=True):
            for axes, (quantity, shapes) in zip(line, panels.items(), strict=True):
                _draw_shapes(axes, shapes, cut)
                axes.set_xlabel(quantity)
                axes.set_ylabel(f"{background} efficiency of a cut at {100 * cut:g} %")
                axes.yaxis.set_tick_params(labelleft=True)
                axes.text(0.97, 0.95, words, transform=axes.transAxes, ha="right", va="top", fontsize=24)
        # One scale for all, with room for words.
        grid[0, 0].set_ylim(0, grid[0, 0].get_ylim()[1] * (1.12 if len(rows) > 1 else 1.0))
        handles, keys = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, keys, loc="outside lower center", ncols=4, fontsize=22)
        write_heading(grid[0, 0], label, "")
        write_heading(grid[0, -1], "", right)
    return figure


def _draw_shapes(axes: Axes, shapes: Sequence[Shapes], cut: float) -> None:
    for number, shape in enumerate(shapes):
        middle = 0.5 * (shape.edges[1:] + shape.edges[:-1])
        style = method_line(number)
        axes.plot(middle, shape.efficiency, marker="o", label=shape.name, **style)
        low, high = shape.efficiency - shape.error, shape.efficiency + shape.error
        axes.fill_between(middle, low, high, color=style["color"], alpha=0.15, linewidth=0)
    axes.axhline(cut, color="0.3", linewidth=1.4, zorder=0)
