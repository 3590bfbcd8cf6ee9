"""The leaderboard: methods by their AUC averaged over the grid, and for each value of one of its axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oddjet.errors import FigureError
from oddjet.plotting.style import figure_style, fraction_colours, write_heading

# Markers of the means against other backgrounds.
OTHERS = ("D", "^", "v", "P", "X", "<", ">")


@dataclass(frozen=True)
class Entry:
    """One method.

    Attributes
    ----------
    title : str
    mean, uncertainty : float
        AUC averaged over the grid.
    by_value : mapping of str to float
        Words for a value of an axis, in its order, to AUC averaged over all other axes.
    planed : pair of float, optional
        AUC and uncertainty with the background reweighted to the signal's pT.
    difference : str
        From the reference, with its error; empty if there is none.
    others : mapping of str to float
        Title of a background other than that of the training to AUC averaged over the grid.
    supervised : bool
        A ceiling that was trained on signal; drawn with dashes, above all methods.
    """

    title: str
    mean: float
    uncertainty: float
    by_value: Mapping[str, float] = field(default_factory=dict)
    planed: tuple[float, float] | None = None
    difference: str = ""
    others: Mapping[str, float] = field(default_factory=dict)
    supervised: bool = False


def draw_leaderboard(entries: Sequence[Entry], label: str, reference: str = "", against: str = "") -> Figure:
    """Draw all methods, the highest mean at the top.

    Parameters
    ----------
    entries : sequence of Entry
        One a method.
    label : str
        Words above the left corner, "Simulation".
    reference : str
        Title of the method from which the differences are, written beside the axes.
    against : str
        Background of all but the markers of other ones; nothing where it has no name.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        If there is no entry.
    """
    if not entries:
        raise FigureError("no method to draw; give the AUC tables of at least one")
    # A method without a mean stands below all others.
    ordered = sorted(entries, key=lambda entry: (entry.supervised, -1.0 if math.isnan(entry.mean) else entry.mean))
    differences = any(entry.difference for entry in entries)
    methods = sum(not entry.supervised for entry in ordered)
    with figure_style():
        figure = Figure(figsize=(12.5 if differences else 10, 3.2 + 0.62 * len(ordered)), layout="constrained")
        axes = figure.subplots()
        axes.axvline(0.5, color="0.6", linewidth=1.2, zorder=0)
        for height, entry in enumerate(ordered):
            _draw_entry(axes, height, entry)
        if 0 < methods < len(ordered):
            axes.axhline(methods - 0.5, color="0.3", linestyle="--", linewidth=1.2)
        axes.set_yticks(range(len(ordered)), [entry.title for entry in ordered])
        axes.tick_params(axis="y", which="both", length=0)
        axes.minorticks_on()
        axes.yaxis.minorticks_off()
        axes.set_ylim(-0.7, len(ordered) - 0.3)
        axes.set_xlim(_lowest(ordered), 1)
        axes.set_xlabel(f"AUC against {against}" if against else "AUC")
        handles, labels = _unique_handles(axes)
        figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=19, columnspacing=1.2)
        if differences:
            _write_differences(axes, ordered, reference)
        write_heading(axes, label, "mean over grid")
    return figure


def _lowest(entries: Sequence[Entry]) -> float:
    """Return where the axis begins: at 0.4, or a step below the lowest value."""
    values = [entry.mean - entry.uncertainty for entry in entries]
    values += [auc for entry in entries for auc in entry.by_value.values()]
    values += [auc for entry in entries for auc in entry.others.values()]
    values += [entry.planed[0] - entry.planed[1] for entry in entries if entry.planed is not None]
    lowest = min((value for value in values if math.isfinite(value)), default=0.5)
    return max(0.0, min(0.4, math.floor(10 * lowest - 0.2) / 10))


def _draw_entry(axes: Axes, height: float, entry: Entry) -> None:
    colours = fraction_colours(len(entry.by_value))
    for colour, (words, auc) in zip(colours, entry.by_value.items(), strict=True):
        # Higher than the markers of the means, which are drawn over them.
        axes.plot(auc, height, "|", color=colour, markersize=30, markeredgewidth=3.5, label=words)
    shift = 0.0 if entry.planed is None else 0.14
    style: dict[str, Any] = {"color": "black", "markersize": 10, "elinewidth": 2.5, "capsize": 5, "zorder": 3}
    label = r"mean $\pm$ uncertainty"
    if entry.supervised:
        axes.plot([0, entry.mean], [height, height], "--", color="0.6", linewidth=1.2, zorder=0)
        style, label = {**style, "markerfacecolor": "0.7"}, "supervised (trained on signal)"
    for marker, (background, auc) in zip(cycle(OTHERS), entry.others.items()):
        words = f"mean against {background}"
        axes.plot(auc, height, marker, color="tab:red", markerfacecolor="white", markersize=11, label=words)
    axes.errorbar(entry.mean, height + shift, xerr=entry.uncertainty, fmt="o", label=label, **style)
    if entry.planed is not None:
        value, error = entry.planed
        axes.errorbar(
            value, height - shift, xerr=error, fmt="s", markerfacecolor="white", label=r"mean, $p_{T}$ planed", **style
        )


def _write_differences(axes: Axes, ordered: Sequence[Entry], reference: str) -> None:
    """Write each difference beside its method, and above them what they are from."""
    style: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "ha": "left", "va": "center", "fontsize": 19}
    for height, entry in enumerate(ordered):
        axes.text(1.02, height, entry.difference, **style)
    axes.text(1.02, len(ordered) - 0.3, f"minus\n{reference}", **{**style, "va": "bottom"})


def _unique_handles(axes: Axes) -> tuple[list[Artist], list[str]]:
    """Return one handle a label, in the order of drawing."""
    handles, labels = axes.get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    return list(found.values()), list(found)
