"""Pictures of jet images, and of the elbow by which the number of reference jets is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import NDArray

from oddjet.errors import FigureError
from oddjet.plotting.style import GREY, RED, figure_style, write_heading

# Share of the pT at the ends of the colour scale.
FAINTEST, BRIGHTEST = 1e-4, 1.0


@dataclass(frozen=True)
class ElbowCurves:
    """What the elbow figure shows, for k = 1, 2, ...

    Attributes
    ----------
    histograms : sequence of (counts, largest distance)
        Distances to the nearest medoid, from 0 to the largest.
    peaks : sequence of float
        Most frequent distance.
    lines : tuple of (sequence of k, sequence of float)
        The corners of the two lines through it: their ends and where they break.
    suggested : int or None
        The number of medoids that the break suggests; None where there is no elbow.
    chance : float
        Probability that one straight line is joined so well by two.
    """

    histograms: Sequence[tuple[Sequence[float], float]]
    peaks: Sequence[float]
    lines: tuple[Sequence[float], Sequence[float]]
    suggested: int | None
    chance: float


def draw_references(
    pictures: Mapping[str, NDArray[np.floating[Any]]], side: float, curves: ElbowCurves, title: str, label: str
) -> Figure:
    """Draw images in one row (figure 8 of arXiv:2110.06948) and the elbow below them (figure 7).

    Parameters
    ----------
    pictures : mapping of str to ndarray of shape (pixels, pixels)
        Images by what is written above them; rows go up with phi, columns with eta.
    side : float
        Length of a side in eta and phi.
    curves : ElbowCurves
    title, label : str
        What stands above the right and above the left corner.

    Raises
    ------
    FigureError
        There is no picture.
    """
    if not pictures:
        raise FigureError("no image to draw")
    with figure_style():
        figure = Figure(figsize=(5.2 * max(3, len(pictures)), 14), layout="constrained")
        halves: Any = figure.subfigures(2, 1, height_ratios=[1, 1.3])
        upper, lower = halves
        axes = upper.subplots(1, len(pictures), squeeze=False)[0]
        for one, (name, picture) in zip(axes, pictures.items(), strict=True):
            mesh = _draw_image(one, picture, side)
            one.set_title(name, fontsize=22, pad=10)
        axes[0].set_ylabel(r"$\phi'$")
        upper.colorbar(mesh, ax=list(axes), label=r"share of $p_\mathrm{T}$", pad=0.01)
        left, right = lower.subplots(1, 2)
        _draw_histograms(left, curves)
        _draw_elbow(right, curves)
        write_heading(left, label, "")
        write_heading(right, "", title)
    return figure


def _draw_image(axes: Axes, picture: NDArray[np.floating[Any]], side: float) -> Any:  # noqa: ANN401  no public type
    edges = np.linspace(-0.5 * side, 0.5 * side, len(picture) + 1)
    shown = np.where(picture < FAINTEST, np.nan, picture)
    axes.set_aspect("equal")
    axes.set_xlabel(r"$\eta'$")
    return axes.pcolormesh(edges, edges, shown, norm=LogNorm(FAINTEST, BRIGHTEST), cmap="viridis_r", rasterized=True)


def _draw_histograms(axes: Axes, curves: ElbowCurves) -> None:
    colours = colormaps["viridis"](np.linspace(0, 0.9, len(curves.histograms)))
    for k, ((counts, largest), colour) in enumerate(zip(curves.histograms, colours, strict=True), start=1):
        axes.stairs(counts, np.linspace(0, largest, len(counts) + 1), color=colour, linewidth=2, label=f"k = {k}")
    axes.set_xlabel("distance to the nearest medoid")
    axes.set_ylabel("jets")
    axes.legend(fontsize=16, ncols=2)


def _draw_elbow(axes: Axes, curves: ElbowCurves) -> None:
    k = np.arange(1, len(curves.peaks) + 1)
    axes.plot(k, curves.peaks, "o", color="black", markersize=9, label="most frequent distance")
    axes.plot(*curves.lines, color=RED, linewidth=2, label=f"two joined lines, p = {curves.chance:.2g}")
    if curves.suggested is None:
        axes.plot([], [], " ", label="no elbow")
    else:
        axes.axvline(curves.suggested, color=GREY, linestyle="--", label=f"elbow: k = {curves.suggested}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("number of medoids k")
    axes.set_ylabel("peak of the histogram")
    axes.legend(fontsize=18)
