"""The leaderboard: methods by their AUC averaged over the grid, and for each invisible fraction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oddjet.errors import FigureError
from oddjet.plotting.style import FRACTION_COLOURS, figure_style, method_title, write_heading


@dataclass(frozen=True)
class Entry:
    """One method.

    Attributes
    ----------
    method : str
    mean, uncertainty : float
        AUC averaged over the grid.
    by_fraction : mapping of float to float
        r_inv to AUC averaged over mediator masses.
    planed : pair of float, optional
        AUC and uncertainty with the background reweighted to the signal's pT.
    difference : str
        From the reference, with its error; empty if there is none.
    supervised : bool
        A ceiling that was trained on signal; drawn with dashes, above all methods.
    """

    method: str
    mean: float
    uncertainty: float
    by_fraction: Mapping[float, float] = field(default_factory=dict)
    planed: tuple[float, float] | None = None
    difference: str = ""
    supervised: bool = False


def draw_leaderboard(entries: Sequence[Entry], label: str, reference: str = "") -> Figure:
    """Draw all methods, the highest mean at the top.

    Parameters
    ----------
    entries : sequence of Entry
        One a method.
    label : str
        Words above the left corner, "Simulation".
    reference : str
        Method from which the differences are, written beside the axes.

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
        axes.set_yticks(range(len(ordered)), [method_title(entry.method) for entry in ordered])
        axes.tick_params(axis="y", which="both", length=0)
        axes.minorticks_on()
        axes.yaxis.minorticks_off()
        axes.set_ylim(-0.7, len(ordered) - 0.3)
        axes.set_xlim(0, 1)
        axes.set_xlabel("AUC")
        handles, labels = _unique_handles(axes)
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=19, columnspacing=1.2)
        if differences:
            _write_differences(axes, ordered, reference)
        write_heading(axes, label, "mean over grid")
    return figure


def _draw_entry(axes: Axes, height: float, entry: Entry) -> None:
    for colour, (r_inv, auc) in zip(FRACTION_COLOURS, sorted(entry.by_fraction.items()), strict=False):
        axes.plot(auc, height, "|", color=colour, markersize=18, markeredgewidth=3.5, label=_fraction_label(r_inv))
    shift = 0.0 if entry.planed is None else 0.14
    style: dict[str, Any] = {"color": "black", "markersize": 10, "elinewidth": 2.5, "capsize": 5, "zorder": 3}
    label = r"mean $\pm$ uncertainty"
    if entry.supervised:
        axes.plot([0, entry.mean], [height, height], "--", color="0.6", linewidth=1.2, zorder=0)
        style, label = {**style, "markerfacecolor": "0.7"}, "supervised (trained on signal)"
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
    axes.text(1.02, len(ordered) - 0.3, f"minus\n{method_title(reference)}", **{**style, "va": "bottom"})


def _fraction_label(r_inv: float) -> str:
    return rf"$r_{{\mathrm{{inv}}}}$ = {r_inv:g}"


def _unique_handles(axes: Axes) -> tuple[list[Artist], list[str]]:
    """Return one handle a label, in the order of drawing."""
    handles, labels = axes.get_legend_handles_labels()
    found = dict(zip(labels, handles, strict=True))
    return list(found.values()), list(found)
