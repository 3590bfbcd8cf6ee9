"""Expected limits along one axis of the signals, a panel for each value of another, a line for each method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from oddjet.errors import FigureError
from oddjet.plotting.roc import method_line
from oddjet.plotting.style import figure_style, write_heading

# Of one method: words above a panel to value on the axis to limits in pb at -2, -1, 0, 1, 2 standard deviations.
Bands: TypeAlias = Mapping[str, Mapping[float, tuple[float, float, float, float, float]]]


def draw_limits(methods: Mapping[str, Bands], axis: str, label: str, right: str, names: Sequence[str] = ()) -> Figure:
    """Draw the expected limits of all methods; the band of one standard deviation is that of the first.

    Parameters
    ----------
    methods : mapping of str to Bands
        Title to limits, best first.
    axis : str
        Words at the abscissa.
    label, right : str
        Words above the left and the right corner.
    names : sequence of str
        Words for 0, 1, ... of the abscissa where it is none of numbers: no lines are drawn between these.

    Raises
    ------
    FigureError
        If there is no limit.
    """
    words = list(dict.fromkeys(word for bands in methods.values() for word in bands))
    if not words:
        raise FigureError("no limit to draw; give those of at least one method")
    with figure_style():
        wide = max(5.2 * len(words) + 2, 1.5 * len(names) + 4, 9)
        figure = Figure(figsize=(wide, 9 + 0.4 * len(methods) + 2 * bool(names)), layout="constrained")
        panels = figure.subplots(1, len(words), sharey=True, squeeze=False)[0]
        for axes, word in zip(panels, words, strict=True):
            for number, (title, bands) in enumerate(methods.items()):
                _draw_method(axes, bands.get(word, {}), title, number, joined=not names)
            axes.set_title(word, fontsize=22, pad=44)
            axes.set_xlabel(axis)
            if names:
                axes.set_xticks(range(len(names)), names, rotation=90)
                axes.xaxis.minorticks_off()
                axes.set_xlim(-0.5, len(names) - 0.5)
        panels[0].set_yscale("log")
        panels[0].set_ylabel(r"expected limit on $\sigma$ at 95 % CL [pb]")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=20)
        write_heading(panels[0], label, "")
        write_heading(panels[-1], "", right)
    return figure


def _draw_method(
    axes: Axes,
    limits: Mapping[float, tuple[float, float, float, float, float]],
    title: str,
    number: int,
    *,
    joined: bool,
) -> None:
    places = list(limits)
    style = method_line(number) | ({} if joined else {"linestyle": "none"})
    axes.plot(places, [one[2] for one in limits.values()], marker="o", **style, label=title)
    if number:
        return
    low, high = ([one[index] for one in limits.values()] for index in (1, 3))
    label = f"{title}, 68 % of experiments"
    if joined:
        axes.fill_between(places, low, high, color="0.85", label=label)
    else:
        spans = [above - below for below, above in zip(low, high, strict=True)]
        axes.bar(places, spans, bottom=low, width=0.6, color="0.85", label=label, zorder=0)
