"""Curves by epoch in panels above one another: the median of the seeds, and the band that holds all of them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from oddjet.errors import FigureError
from oddjet.plotting.style import figure_style, write_heading

# From where on early epochs would be squeezed into the axis.
LONG_TRAINING = 1000
FEW_DECADES = 300.0
LEGEND: dict[str, Any] = {
    "fontsize": 20,
    "title_fontsize": 20,
    "alignment": "left",
    "frameon": True,
    "framealpha": 0.85,
    "edgecolor": "none",
    "columnspacing": 1.2,
}
MARK: dict[str, Any] = {"color": "0.35", "linewidth": 1.5, "linestyle": (0, (6, 3)), "zorder": 1}


@dataclass(frozen=True)
class Band:
    """One quantity by epoch.

    Attributes
    ----------
    label, colour, style : str
        Words in the legend, colour and line style.
    curves : mapping of int to pair of sequences
        Seed to epochs and values.
    """

    label: str
    colour: str
    curves: Mapping[int, tuple[Sequence[int], Sequence[float]]]
    style: str = "-"

    def summary(self) -> tuple[list[int], list[float], list[float], list[float]]:
        """Return epochs that all seeds have, and the median, least and largest value there; NaN where one is NaN."""
        tables = [dict(zip(epochs, values, strict=True)) for epochs, values in self.curves.values()]
        common = sorted(set.intersection(*(set(table) for table in tables))) if tables else []
        columns = [[table[epoch] for table in tables] for epoch in common]
        gaps = [any(map(math.isnan, column)) for column in columns]
        low, middle, high = (
            [math.nan if gap else of(column) for gap, column in zip(gaps, columns, strict=True)]
            for of in (min, statistics.median, max)
        )
        return common, middle, low, high


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes
    ----------
    title : str
        Of the ordinate.
    bands : sequence of Band
    scale : {"linear", "log"}
    limits : pair of float, optional
        Of the ordinate; left out: from the curves, with room for the legend above.
    level : float, optional
        Where a thin horizontal line is drawn.
    heading : str, optional
        Title of the legend.
    """

    title: str
    bands: Sequence[Band]
    scale: Literal["linear", "log"] = "linear"
    limits: tuple[float, float] | None = None
    level: float | None = None
    heading: str | None = None
    marks: Sequence[int] = field(default=())


def draw_epochs(panels: Sequence[Panel], right: str, label: str) -> Figure:
    """Draw panels above one another over the same epochs.

    Parameters
    ----------
    panels : sequence of Panel
        From the top.
    right : str
        What the figure shows, above the right corner.
    label : str
        Words above the left corner, "Simulation".

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        If a panel has no curve, or a curve no epoch at which all of its seeds have a value.
    """
    for panel in panels:
        if not panel.bands or not all(any(map(math.isfinite, band.summary()[1])) for band in panel.bands):
            raise FigureError(f"{right}: nothing to draw for {panel.title!r}; look at the tables of this training")
    with figure_style():
        heights = {1: 8.0, 2: 12.0, 3: 15.0}
        figure = Figure(figsize=(10, heights.get(len(panels), 15.0)), layout="constrained")
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for where, panel in zip(axes, panels, strict=True):
            _draw_panel(where, panel)
        _scale_epochs(axes[-1], [band for panel in panels for band in panel.bands])
        write_heading(axes[0], label, right)
    return figure


def _draw_panel(axes: Axes, panel: Panel) -> None:
    values: list[float] = []
    for band in panel.bands:
        epochs, middle, low, high = band.summary()
        if len(band.curves) > 1:
            axes.fill_between(epochs, low, high, color=band.colour, alpha=0.22, linewidth=0)
        # A few snapshots are seen as points, an epoch each as a line.
        marker = "o" if len(epochs) <= 80 else None
        axes.plot(epochs, middle, band.style, color=band.colour, linewidth=2.5, marker=marker, ms=4, label=band.label)
        values += [*low, *high]
    if panel.level is not None:
        axes.axhline(panel.level, color="0.6", linewidth=1.2, zorder=0)
    chosen = "chosen epoch" if len(panel.marks) == 1 else "chosen epochs"
    for index, epoch in enumerate(panel.marks):
        axes.axvline(epoch, label=None if index else chosen, **MARK)
    _scale_values(axes, panel, values)
    axes.set_ylabel(panel.title)
    words = axes.get_legend_handles_labels()[1]
    # Long words stand below one another.
    many = 2 if len(words) == 4 else min(3, len(words))
    columns = 1 if sum(map(len, words)) > 45 and not panel.heading else many
    options: dict[str, Any] = {"loc": "lower left" if panel.limits else "upper right", "ncols": columns}
    axes.legend(title=panel.heading, **options, **LEGEND)


def _scale_values(axes: Axes, panel: Panel, values: Sequence[float]) -> None:
    """Set the ordinate, with a third of the height left for the legend where no limits are given."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite), max(finite)
    if panel.limits is not None:
        axes.set_ylim(*panel.limits)
    elif panel.scale == "log" and low > 0:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.3, high * max(3.0, (high / low) ** 0.35))
        if high / low < FEW_DECADES:
            # Powers of ten would be too few numbers to read values by.
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        base = min(0.0, low)
        axes.set_ylim(base - 0.05 * (high - base) * (base < 0), high + 0.45 * (high - base))


def _scale_epochs(axes: Axes, bands: Sequence[Band]) -> None:
    epochs = [epoch for band in bands for epoch in band.summary()[0]]
    first, last = min(epochs), max(epochs)
    if last >= LONG_TRAINING:
        axes.set_xscale("log")
        axes.set_xlim(first, 1.1 * last)
    else:
        axes.set_xlim(first, last + 0.02 * max(last - first, 1))
    # Away from the lowest label of the ordinate.
    axes.tick_params(axis="x", pad=12)
    axes.set_xlabel("epoch")
