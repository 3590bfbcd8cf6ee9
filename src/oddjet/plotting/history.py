"""A training by epoch: energies and transport distance above, AUC below."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from oddjet.errors import FigureError
from oddjet.plotting.style import BLUE, FRACTION_COLOURS, ORANGE, PURPLE, figure_style, method_title, write_heading

# What the history calls it, how the figure does, and its colour; training is dashed, validation solid.
QUANTITIES = (
    ("positive_energy", "$E_{+}$ (background)", BLUE),
    ("negative_energy", "$E_{-}$ (sampled)", ORANGE),
    ("wasserstein", "$W$", PURPLE),
)
PARTS = (("train", (0.0, (2.0, 1.2))), ("validation", (0.0, ())))
CHOSEN: dict[str, Any] = {"color": "0.35", "linewidth": 1.5, "linestyle": (0, (6, 3)), "zorder": 1}
LEGEND: dict[str, Any] = {"fontsize": 19, "frameon": True, "framealpha": 1.0, "edgecolor": "none", "borderaxespad": 0.6}
# From where on early epochs would be squeezed into the axis.
LONG_TRAINING = 500

Curves = Mapping[int, tuple[Sequence[int], Sequence[float]]]


@dataclass(frozen=True)
class TrainingCurves:
    """What is drawn of one method; every curve is (epochs, values) by seed.

    Attributes
    ----------
    method : str
    history : mapping of str to curves
        `positive_energy_train` and the like; what a method does not have is not drawn.
    auc : mapping of float to curves
        r_inv to AUC at the mass `m_phi`.
    auc_mean : curves
        AUC averaged over all signals.
    m_phi : float or None
        GeV.
    chosen : mapping of int to int
        Seed to chosen epoch, where known.
    """

    method: str
    history: Mapping[str, Curves]
    auc: Mapping[float, Curves]
    auc_mean: Curves
    m_phi: float | None
    chosen: Mapping[int, int]


def draw_training(curves: TrainingCurves, label: str) -> Figure:
    """Draw one method's training.

    Parameters
    ----------
    curves : TrainingCurves
        See there.
    label : str
        Words above the left corner, "Simulation".

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        If there is no energy to draw.
    """
    names = [f"{name}_{part}" for name in _present(curves.history) for part, _ in PARTS]
    drawn = [curves.history.get(name, {}) for name in names]
    if not any(drawn):
        raise FigureError(f"method {curves.method}: no energies by epoch to draw")
    seeds = len({seed for by_seed in [*drawn, curves.auc_mean] for seed in by_seed})
    with figure_style():
        figure = Figure(figsize=(10, 12), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True)
        _draw_energies(upper, curves)
        _draw_auc(lower, curves)
        for axes in (upper, lower):
            for epoch in curves.chosen.values():
                axes.axvline(epoch, **CHOSEN)
        last = max(epochs[-1] for by_seed in [*drawn, curves.auc_mean] for epochs, _ in by_seed.values())
        if last >= LONG_TRAINING:
            lower.set_xscale("log")
        # A little further, so that a line at the last epoch is seen.
        lower.set_xlim(1, 1.02 * last if last < LONG_TRAINING else 1.1 * last)
        # Away from the lowest label of the ordinate.
        lower.tick_params(axis="x", pad=12)
        lower.set_xlabel("epoch")
        write_heading(upper, label, f"{method_title(curves.method)}, {seeds} seed{'s' if seeds > 1 else ''}")
    return figure


def _present(history: Mapping[str, Curves]) -> list[str]:
    """Return the quantities of which there is training or validation."""
    return [name for name, _, _ in QUANTITIES if any(f"{name}_{part}" in history for part, _ in PARTS)]


def _draw_energies(axes: Axes, curves: TrainingCurves) -> None:
    """Draw energies and transport distance, one thin line a seed."""
    values: list[float] = []
    handles = []
    for name, title, colour in QUANTITIES:
        for part, style in PARTS:
            for epochs, ordinates in curves.history.get(f"{name}_{part}", {}).values():
                axes.plot(epochs, ordinates, color=colour, linestyle=style, linewidth=1.6)
                values += ordinates
        if name in _present(curves.history):
            handles.append(Line2D([], [], color=colour, linewidth=3, label=title))
    handles += [Line2D([], [], color="0.2", linestyle=style, linewidth=2, label=part) for part, style in PARTS]
    if curves.chosen:
        handles.append(_chosen_handle(curves.chosen))
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        _scale_ordinate(axes, finite)
    axes.set_ylabel("energy, $W$" if "wasserstein" in _present(curves.history) else "reconstruction error")
    axes.legend(handles=handles, loc="upper right", ncols=2, columnspacing=1.2, **LEGEND)


def _scale_ordinate(axes: Axes, values: Sequence[float]) -> None:
    """Choose a logarithmic axis over more than a decade, with room for the legend above the curves."""
    low, high = min(values), max(values)
    positive = [value for value in values if value > 0]
    if low > 0 and high / low > 10:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.3, high * (high / low) ** 0.5)
    elif positive and high / min(positive) > 1e3:
        axes.set_yscale("symlog", linthresh=min(positive))
    else:
        axes.set_ylim(min(0.0, low), high + 0.5 * (high - min(0.0, low)))


def _draw_auc(axes: Axes, curves: TrainingCurves) -> None:
    """Draw the AUC of the snapshots (dots) for each r_inv, and thicker the mean over the grid."""
    handles = []
    for colour, (r_inv, by_seed) in zip(FRACTION_COLOURS, curves.auc.items(), strict=False):
        for epochs, values in by_seed.values():
            axes.plot(epochs, values, color=colour, linewidth=1.6, marker="o", markersize=3)
        handles.append(Line2D([], [], color=colour, linewidth=3, label=rf"$r_{{\mathrm{{inv}}}}$ = {r_inv:g}"))
    for epochs, values in curves.auc_mean.values():
        axes.plot(epochs, values, color=BLUE, linewidth=3, marker="o", markersize=5)
    handles.append(Line2D([], [], color=BLUE, linewidth=4, label="mean over grid"))
    axes.axhline(0.5, color="0.6", linewidth=1.2, zorder=0)
    axes.set_ylim(0, 1.05)
    axes.set_ylabel("AUC (validation)")
    if not curves.auc_mean:
        axes.text(0.5, 0.6, "no AUC: all jets have one score", transform=axes.transAxes, ha="center", fontsize=24)
    title = None if curves.m_phi is None else rf"$m_{{\Phi}}$ = {curves.m_phi:g} GeV"
    axes.legend(handles=handles, loc="lower left", ncols=3, title=title, title_fontsize=19, alignment="left", **LEGEND)


def _chosen_handle(chosen: Mapping[int, int]) -> Line2D:
    return Line2D([], [], label="chosen epoch" if len(chosen) == 1 else "chosen epochs", **CHOSEN)
