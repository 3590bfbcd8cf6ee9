"""ROC curves and score distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.errors import FigureError
from oddjet.plotting.features import STYLES, Samples, draw_shares, signal_line
from oddjet.plotting.style import METHOD_COLOURS, figure_style, seeds_words, write_heading

BINS, BEYOND = 50, 0.01


@dataclass(frozen=True)
class Curve:
    """Signal efficiency at each of K background efficiencies, one row a seed, shape (S, K)."""

    name: str
    signal: Floats


def method_line(number: int) -> dict[str, Any]:
    """Return colour and dashes of the n-th method of a figure."""
    return {
        "color": METHOD_COLOURS[number % len(METHOD_COLOURS)],
        "linestyle": STYLES[number % len(STYLES)],
        "linewidth": 2.6,
    }


def draw_roc(curves: Sequence[Curve], efficiencies: Floats, label: str, background: str, right: str) -> Figure:
    """Draw the ROC curves of all methods with the spread of their seeds.

    Parameters
    ----------
    curves : sequence of Curve
        One a method.
    efficiencies : ndarray, shape (K,)
        Background efficiencies.
    label, right : str
        Words above the left and the right corner.
    background : str
        What the figure calls the background.

    Raises
    ------
    FigureError
        If there is no curve.
    """
    if not curves:
        raise FigureError("no method to draw; give the score tables of at least one")
    with figure_style():
        figure = Figure(figsize=(11, 9.5 + 0.45 * ((len(curves) + 1) // 2)), layout="constrained")
        axes = figure.subplots()
        for number, curve in enumerate(curves):
            _draw_curve(axes, efficiencies, curve, method_line(number), curve.name)
        _finish_roc(axes, efficiencies, background)
        figure.legend(loc="outside lower center", ncols=2, fontsize=21)
        write_heading(axes, label, right)
    return figure


def draw_scores(
    scores: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
    curves: Sequence[Curve],
    efficiencies: Floats,
    label: str,
    title: str,
    seed: int | None,
    data: Samples | None = None,
) -> Figure:
    """Draw the scores of one training, and beside them the ROC curve of each signal with the spread of the seeds.

    Parameters
    ----------
    scores : mapping of str to (ndarray, ndarray)
        Sample to scores and weights, the background first.
    curves : sequence of Curve
        One a signal, in the same order.
    efficiencies : ndarray, shape (K,)
        Background efficiencies.
    label : str
        Words above the left corner.
    title : str
        Title of the method.
    seed : int or None
        Whose scores are drawn; None for the mean of several seeds' scores.
    data : mapping of str to (ndarray, ndarray), optional
        As `scores`, of samples that are drawn as points.

    Raises
    ------
    FigureError
        If there is no sample.
    """
    if not scores:
        raise FigureError(f"{title}: no scores to draw")
    with figure_style():
        figure = Figure(figsize=(19, 10.4), layout="constrained")
        left, axes = figure.subplots(1, 2)
        _draw_distributions(left, scores, data)
        for number, curve in enumerate(curves):
            _draw_curve(axes, efficiencies, curve, signal_line(number), None)
        _finish_roc(axes, efficiencies, next(iter(scores)))
        handles, keys = left.get_legend_handles_labels()
        figure.legend(handles, keys, loc="outside lower center", ncols=3, fontsize=23)
        count = len(curves[0].signal) if curves else 1
        write_heading(left, label, f"seed {seed}" if count > 1 else "")
        write_heading(axes, "", f"{title}, {seeds_words(0 if seed is None else count)}")
    return figure


def _draw_curve(axes: Axes, efficiencies: Floats, curve: Curve, style: Mapping[str, Any], label: str | None) -> None:
    mean = curve.signal.mean(axis=0)
    axes.plot(efficiencies, mean, label=label, **style)
    if len(curve.signal) > 1:
        spread = curve.signal.std(axis=0, ddof=1)
        axes.fill_between(efficiencies, mean - spread, mean + spread, color=style["color"], alpha=0.18, linewidth=0)


def _finish_roc(axes: Axes, efficiencies: Floats, background: str) -> None:
    axes.plot(efficiencies, efficiencies, color="0.35", linewidth=1.4, linestyle=(0, (2, 2)), zorder=0)
    axes.set_xscale("log")
    axes.set_xlim(efficiencies[0], 1.0)
    # Away from the lowest label of the ordinate.
    axes.tick_params(axis="x", pad=14)
    axes.set_ylim(0, 1.0)
    axes.set_xlabel(f"{background} efficiency")
    axes.set_ylabel("signal efficiency")
    axes.grid(color="0.85", linewidth=0.8)


def _draw_distributions(axes: Axes, scores: Samples, data: Samples | None) -> None:
    beyond = draw_shares(axes, scores, (BEYOND / 10, BEYOND), BINS, data)
    axes.text(0.97, 0.96, f"{beyond:.1f} % beyond", transform=axes.transAxes, ha="right", va="top", fontsize=20)
    axes.set_ylim(0, 1.15 * axes.get_ylim()[1])
    axes.set_xlabel("anomaly score")
    axes.set_ylabel("jets [%]")
