"""The pair of scores of an ABCD estimate: the distance correlation of all pairs, and the closure of the chosen one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from oddjet.errors import FigureError
from oddjet.plotting.features import signal_line
from oddjet.plotting.style import figure_style, readable_colour, write_heading


class Closure(NamedTuple):
    """Estimate over truth at each efficiency of a cut on each score, with its error, shape (K,) each."""

    efficiencies: Sequence[float]
    values: Sequence[float]
    errors: Sequence[float]


def draw_abcd(
    correlations: Mapping[tuple[str, str], float],
    floor: float,
    background: Closure,
    signals: Mapping[str, Closure],
    label: str,
    right: str,
) -> Figure:
    """Draw the distance correlation of all pairs of methods, and the closure of the least correlated one.

    Parameters
    ----------
    correlations : mapping of (str, str) to float
        Titles of a pair to its distance correlation, the smallest first.
    floor : float
        What independent scores of the same number of jets have.
    background : Closure
        Of background alone.
    signals : mapping of str to Closure
        Words for a signal to the closure with as much of it in A as background.
    label, right : str
        Words above the left and the right corner.

    Raises
    ------
    FigureError
        If there is no pair.
    """
    if not correlations:
        raise FigureError("no pair of methods to draw; give the tables of estimate_abcd")
    with figure_style():
        count = len({name for pair in correlations for name in pair})
        figure = Figure(figsize=(17 + 1.1 * count, 10.5 + 0.6 * count), layout="constrained")
        left, axes = figure.subplots(1, 2, width_ratios=(6 + 1.1 * count, 9))
        _draw_matrix(left, correlations)
        _draw_closure(axes, background, signals)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=20)
        write_heading(left, label, f"independent scores: {floor:.2f}")
        write_heading(axes, "", right)
    return figure


def _draw_matrix(axes: Axes, correlations: Mapping[tuple[str, str], float]) -> None:
    names = list(dict.fromkeys(name for pair in correlations for name in pair))
    values = np.full((len(names), len(names)), np.nan)
    for (first, second), value in correlations.items():
        one, other = sorted((names.index(first), names.index(second)))
        values[other, one] = value
    mesh = axes.pcolormesh(values, cmap="viridis_r", vmin=0.0, vmax=1.0, edgecolors="white", linewidth=2)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = readable_colour(tuple(mesh.to_rgba(value)))
            axes.text(column + 0.5, row + 0.5, f"{value:.2f}", ha="center", va="center", color=colour, fontsize=20)
    axes.set_xlim(0, len(names) - 1)
    axes.set_ylim(len(names), 1)
    axes.set_xticks(np.arange(len(names) - 1) + 0.5, names[:-1], rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(np.arange(1, len(names)) + 0.5, names[1:])
    axes.tick_params(which="both", length=0)
    axes.minorticks_off()
    axes.set_title("distance correlation on background", fontsize=24, pad=44)


def _draw_closure(axes: Axes, background: Closure, signals: Mapping[str, Closure]) -> None:
    axes.axhline(1.0, color="0.4", linewidth=1.4, zorder=0)
    for number, (words, one) in enumerate(signals.items()):
        axes.plot(one.efficiencies, one.values, marker="o", label=words, **signal_line(number))
    axes.errorbar(
        background.efficiencies,
        background.values,
        background.errors,
        color="black",
        marker="s",
        markersize=9,
        capsize=4,
        linestyle="none",
        label="background alone",
        zorder=5,
    )
    axes.set_xscale("log")
    axes.set_xticks(background.efficiencies, [f"{one:g}" for one in background.efficiencies])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("background efficiency of each cut")
    axes.set_ylabel("estimate over background in A")
