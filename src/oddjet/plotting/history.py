"""A training by epoch: energies and transport distance above, AUC below."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from oddjet.errors import FigureError
from oddjet.plotting.style import BLUE, ORANGE, PURPLE, figure_style, fraction_colours, write_heading

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
# Seeds are told apart by the shade of their lines, the first one the darkest; beyond this number they are a crowd.
SHADES = (1.0, 0.55, 0.3)
# A training that diverges leaves the axis at this multiple of the median of its first epoch, or of the chosen ones.
FAR = 1e3

Curves = Mapping[int, tuple[Sequence[int], Sequence[float]]]


@dataclass(frozen=True)
class TrainingCurves:
    """What is drawn of one method; every curve is (epochs, values) by seed.

    Attributes
    ----------
    title : str
        Of the method.
    history : mapping of str to curves
        `positive_energy_train` and the like; what a method does not have is not drawn.
    auc : mapping of str to curves
        Words for a signal to its AUC.
    auc_mean : curves
        AUC averaged over all signals.
    where : str
        Words for the point of all of these signals; empty where they share nothing.
    chosen : mapping of int to int
        Seed to chosen epoch, where known.
    """

    title: str
    history: Mapping[str, Curves]
    auc: Mapping[str, Curves]
    auc_mean: Curves
    where: str
    chosen: Mapping[int, int]


class Point(NamedTuple):
    """One number of a history: title of its quantity, seed, epoch, value."""

    title: str
    seed: int
    epoch: int
    value: float


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
        raise FigureError(f"{curves.title}: no energies by epoch to draw")
    seeds = len({seed for by_seed in [*drawn, curves.auc_mean] for seed in by_seed})
    with figure_style():
        figure = Figure(figsize=(10, 12), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True)
        _draw_energies(upper, curves)
        _draw_auc(lower, curves)
        shades = _shades(curves.chosen or {seed: 0 for by_seed in [*drawn, curves.auc_mean] for seed in by_seed})
        for axes in (upper, lower):
            for seed, epoch in curves.chosen.items():
                axes.axvline(epoch, **CHOSEN, alpha=shades[seed])
        last = max(epochs[-1] for by_seed in [*drawn, curves.auc_mean] for epochs, _ in by_seed.values())
        if last >= LONG_TRAINING:
            lower.set_xscale("log")
        else:
            lower.xaxis.set_major_locator(MaxNLocator(integer=True))
        # A little further, so that a line at the last epoch is seen.
        lower.set_xlim(1, 1.02 * last if last < LONG_TRAINING else 1.1 * last)
        # Away from the lowest label of the ordinate.
        lower.tick_params(axis="x", pad=12)
        lower.set_xlabel("epoch")
        write_heading(upper, label, f"{curves.title}, {seeds} seed{'s' if seeds > 1 else ''}")
    return figure


def _shades(seeds: Collection[int]) -> dict[int, float]:
    """Return the opacity of each seed's lines."""
    if len(seeds) > len(SHADES):
        return dict.fromkeys(seeds, SHADES[1])
    return dict(zip(sorted(seeds), SHADES, strict=False))


def _seed_handles(seeds: Collection[int]) -> list[Line2D]:
    """Return what tells the seeds apart in the legend, where there are several and few enough."""
    if not 1 < len(seeds) <= len(SHADES):
        return []
    return [Line2D([], [], color="0.2", linewidth=4, alpha=a, label=f"seed {n}") for n, a in _shades(seeds).items()]


def _present(history: Mapping[str, Curves]) -> list[str]:
    """Return the quantities of which there is training or validation."""
    return [name for name, _, _ in QUANTITIES if any(f"{name}_{part}" in history for part, _ in PARTS)]


def _draw_energies(axes: Axes, curves: TrainingCurves) -> None:
    """Draw energies and transport distance, one thin line a seed."""
    handles = []
    for name, title, colour in QUANTITIES:
        for part, style in PARTS:
            by_seed = curves.history.get(f"{name}_{part}", {})
            for seed, (epochs, ordinates) in by_seed.items():
                shade = _shades(by_seed)[seed]
                axes.plot(epochs, ordinates, color=colour, linestyle=style, linewidth=1.6, alpha=shade)
        if name in _present(curves.history):
            handles.append(Line2D([], [], color=colour, linewidth=3, label=title))
    handles += [Line2D([], [], color="0.2", linestyle=style, linewidth=2, label=part) for part, style in PARTS]
    if curves.chosen:
        handles.append(_chosen_handle(curves.chosen))
    points = _points(curves)
    if points:
        _scale_ordinate(axes, points, _farthest(points, curves.chosen))
    axes.set_ylabel("energy, $W$" if "wasserstein" in _present(curves.history) else "reconstruction error")
    axes.legend(handles=handles, loc="upper right", ncols=2, columnspacing=1.2, **LEGEND)


def _points(curves: TrainingCurves) -> list[Point]:
    """Return all finite numbers that are drawn."""
    return [
        Point(title, seed, epoch, value)
        for name, title, _ in QUANTITIES
        for part, _ in PARTS
        for seed, drawn in curves.history.get(f"{name}_{part}", {}).items()
        for epoch, value in zip(*drawn, strict=True)
        if math.isfinite(value)
    ]


def _farthest(points: Sequence[Point], chosen: Mapping[int, int]) -> float:
    """Return how far up the axis may go: by the first epoch and the chosen ones, which no later divergence moves."""
    first = min(point.epoch for point in points)
    healthy = [
        [point.value for point in points if point.value > 0 and point.epoch == first],
        [point.value for point in points if point.value > 0 and point.epoch == chosen.get(point.seed)],
    ]
    return max((FAR * median(values) for values in healthy if values), default=math.inf)


def _scale_ordinate(axes: Axes, points: Sequence[Point], farthest: float) -> None:
    """Choose a logarithmic axis over more than a decade, with room for the legend above the curves.

    What lies beyond `farthest` is told below them.
    """
    inside = [point.value for point in points if point.value <= farthest]
    beyond = [point for point in points if point.value > farthest]
    if beyond:
        axes.text(0.97, 0.07, _beyond_words(beyond), transform=axes.transAxes, ha="right", fontsize=19)
    low, high = min(inside), max(inside)
    positive = [value for value in inside if value > 0]
    if low > 0 and high / low > 10:
        axes.set_yscale("log")
        axes.set_ylim(low / (1.2 * (high / low) ** 0.15 if beyond else 1.3), high * (high / low) ** 0.5)
    elif positive and high / min(positive) > 1e3:
        axes.set_yscale("symlog", linthresh=min(positive))
    else:
        axes.set_ylim(min(0.0, low), high + 0.5 * (high - min(0.0, low)))


def _beyond_words(points: Sequence[Point]) -> str:
    """Say which quantities leave the axis, from which epoch on, and how far they go."""
    titles = ", ".join(dict.fromkeys(point.title.split(" (")[0] for point in points))
    farthest = max(point.value for point in points)
    power = math.floor(math.log10(farthest))
    words = rf"up to ${farthest / 10.0**power:.0f} \times 10^{{{power}}}$"
    return rf"$\uparrow$ {titles} beyond the axis from epoch {min(point.epoch for point in points)}, {words}"


def _draw_auc(axes: Axes, curves: TrainingCurves) -> None:
    """Draw the AUC of the snapshots (dots) for each signal, and thicker the mean over the grid."""
    handles = []
    for colour, (words, by_seed) in zip(fraction_colours(len(curves.auc)), curves.auc.items(), strict=True):
        for seed, (epochs, values) in by_seed.items():
            shade = _shades(by_seed)[seed]
            axes.plot(epochs, values, color=colour, linewidth=1.6, marker="o", markersize=3, alpha=shade)
        handles.append(Line2D([], [], color=colour, linewidth=3, label=words))
    for seed, (epochs, values) in curves.auc_mean.items():
        shade = _shades(curves.auc_mean)[seed]
        axes.plot(epochs, values, color="black", linewidth=3, marker="o", markersize=5, alpha=shade)
    handles.append(Line2D([], [], color="black", linewidth=4, label="mean over grid"))
    handles += _seed_handles(curves.auc_mean)
    axes.axhline(0.5, color="0.6", linewidth=1.2, zorder=0)
    every = [
        value for by_seed in (*curves.auc.values(), curves.auc_mean) for _, aucs in by_seed.values() for value in aucs
    ]
    lowest = min((value for value in every if math.isfinite(value)), default=0.0)
    # A third of the axis below the curves holds the legend.
    axes.set_ylim(min(0.4, lowest - 0.05) - 0.4, 1.02)
    axes.set_ylabel("AUC (validation)")
    if not curves.auc_mean:
        axes.text(0.5, 0.6, "no AUC: all jets have one score", transform=axes.transAxes, ha="center", fontsize=24)
    axes.legend(
        handles=handles,
        loc="lower left",
        ncols=3,
        title=curves.where or None,
        title_fontsize=19,
        alignment="left",
        **LEGEND,
    )


def _chosen_handle(chosen: Mapping[int, int]) -> Line2D:
    return Line2D([], [], label="chosen epoch" if len(chosen) == 1 else "chosen epochs", **CHOSEN)
