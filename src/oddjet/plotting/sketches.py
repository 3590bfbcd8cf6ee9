"""Drawings that need no data: how an autoencoder goes blind, how a loss collapses, how a WNAE is trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch

from oddjet.errors import FigureError
from oddjet.plotting.style import GREY, RED, WORD_BLUE, WORD_GREEN, figure_style

LOW: dict[str, Any] = {"edgecolor": GREY, "facecolor": "0.94", "fill": True, "linestyle": "--"}
SIGNAL: dict[str, Any] = {"edgecolor": WORD_GREEN, "linestyle": (0, (1, 1))}
WORDS: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 22}


def draw_sketch(figure: str) -> Figure:
    """Draw figure 1, 6 or 8, in the numbers of the analysis summary.

    Raises
    ------
    FigureError
        If there is no such drawing.
    """
    if figure not in SKETCHES:
        raise FigureError(f"--figure {figure!r} is not one of {', '.join(SKETCHES)}")
    with figure_style():
        return SKETCHES[figure]()


def _plane(axes: Axes, title: str) -> None:
    """Prepare a plane that stands for the space of all jets."""
    axes.set(xlim=(0, 10), ylim=(0, 7), aspect="equal", xticks=[], yticks=[])
    axes.set_title(title, fontsize=24, pad=10)


def _region(axes: Axes, centre: tuple[float, float], size: tuple[float, float], style: dict[str, Any]) -> Ellipse:
    ellipse = Ellipse(centre, *size, **{"linewidth": 3, "fill": False, **style})
    axes.add_patch(ellipse)
    return ellipse


def _hatch_common(axes: Axes, inside: Ellipse, centre: tuple[float, float], size: tuple[float, float]) -> None:
    """Hatch the part of an ellipse that lies inside another one."""
    part = Ellipse(centre, *size, fill=False, hatch="///", edgecolor=WORD_GREEN, linewidth=0)
    axes.add_patch(part)
    part.set_clip_path(inside)


def _blind_spot() -> Figure:
    figure = Figure(figsize=(10, 7.4), layout="constrained")
    axes = figure.subplots()
    _plane(axes, "space of all jets")
    low = _region(axes, (4.7, 3.5), (8.2, 5.2), LOW)
    _region(axes, (3.2, 3.2), (3.6, 2.8), {"edgecolor": RED, "facecolor": "white", "fill": True})
    signal = (7.9, 4.0), (2.7, 2.5)
    _hatch_common(axes, low, *signal)
    _region(axes, *signal, SIGNAL)
    axes.text(3.2, 3.2, "background", color=RED, **WORDS)
    axes.text(4.7, 5.55, "reconstructed well (low energy)", color="0.35", **WORDS)
    axes.text(8.3, 5.6, "signal", color=WORD_GREEN, **WORDS)
    axes.annotate(
        "signal that is\nmissed",
        (7.5, 3.6),
        (8.5, 0.9),
        arrowprops={"arrowstyle": "->", "linewidth": 2},
        **WORDS,
    )
    return figure


def _collapse() -> Figure:
    figure = Figure(figsize=(16, 6.6), layout="constrained")
    before, after = figure.subplots(1, 2)
    _plane(before, "before the collapse")
    _plane(after, "after the collapse")
    signal = (7.6, 4.3), (2.9, 2.5)
    _region(before, (3.4, 3.3), (5.0, 3.9), LOW)
    where = _region(after, (5.9, 3.3), (5.4, 2.3), {**LOW, "angle": 20})
    _hatch_common(after, where, *signal)
    for axes in (before, after):
        _region(axes, (3.4, 3.3), (4.2, 3.2), {"edgecolor": RED})
        _region(axes, *signal, SIGNAL)
        axes.text(2.4, 3.4, "$B$", color=RED, **{**WORDS, "fontsize": 32})
        axes.text(8.6, 4.75, "$S$", color=WORD_GREEN, **{**WORDS, "fontsize": 32})
    before.text(3.6, 0.8, "low energy $E$ where background is", color="0.35", **WORDS)
    after.text(
        5.6,
        0.8,
        "low energy $E$ beside the background:\nthe means $E_{+}$ and $E_{-}$ still agree",
        color="0.35",
        **WORDS,
    )
    return figure


def _training() -> Figure:
    figure = Figure(figsize=(14, 8), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(0, 14), ylim=(0, 8))
    axes.set_axis_off()
    boxes = {
        "jets": (1.9, 6.2, "positive samples\n(background jets)", RED),
        "model": (7.0, 3.4, "autoencoder\n$E(x)$ = reconstruction error", "black"),
        "starts": (1.9, 1.2, "replay buffer,\n$N(0, 1)$", "0.35"),
        "chain": (7.0, 1.2, "Langevin chain\n$x - \\frac{\\epsilon}{T}\\nabla E + \\sigma z$", "black"),
        "negatives": (12.0, 1.2, "negative\nsamples", WORD_BLUE),
        "distance": (12.0, 6.2, "$W$(positive,\nnegative)", "black"),
    }
    for x, y, words, colour in boxes.values():
        width = 4.9 if x == 7.0 else 3.4
        box = FancyBboxPatch(
            (x - width / 2, y - 0.75),
            width,
            1.5,
            boxstyle="round,pad=0.08",
            facecolor="white",
            edgecolor=colour,
            linewidth=2.5,
        )
        axes.add_patch(box)
        axes.text(x, y, words, color=colour, **WORDS)
    _arrow(axes, (3.7, 6.2), (10.2, 6.2))
    _arrow(axes, (3.7, 1.2), (4.45, 1.2))
    _arrow(axes, (9.55, 1.2), (10.2, 1.2))
    _arrow(axes, (7.0, 2.55), (7.0, 2.05))
    _arrow(axes, (11.6, 2.05), (11.6, 5.35))
    _arrow(axes, (1.9, 5.35), (4.5, 3.6), "0.35")
    axes.text(2.4, 4.2, "score:\n$E$ of a jet", color="0.35", **WORDS)
    # Back: from W through the samples and every step of the chain to the weights.
    for start, end in (((12.5, 5.35), (12.5, 2.05)), ((10.2, 0.8), (9.55, 0.8)), ((7.6, 2.05), (7.6, 2.55))):
        _arrow(axes, start, end, RED, (0, (4, 2)))
    axes.text(9.6, 4.75, "gradient of $W$ back\nthrough the chain", color=RED, **WORDS)
    return figure


def _arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str = "black",
    style: str | tuple[int, tuple[int, int]] = "-",
) -> None:
    axes.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=22, linewidth=2.5, color=colour, linestyle=style)
    )


SKETCHES: dict[str, Callable[[], Figure]] = {"1": _blind_spot, "6": _collapse, "8": _training}
