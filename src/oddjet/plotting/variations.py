"""What systematic variations change of the AUC: a line a method, a mark a variation, and their envelope."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from oddjet.errors import FigureError
from oddjet.plotting.style import MARKERS, figure_style, write_heading


def draw_variations(shifts: Mapping[str, Mapping[str, float]], label: str) -> Figure:
    """Draw the change of the mean AUC under each variation.

    Parameters
    ----------
    shifts : mapping of str to mapping of str to float
        Title of a method to words for a variation to change.
    label : str
        Words above the left corner, "Simulation".

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        If there is no variation.
    """
    names = list(dict.fromkeys(name for found in shifts.values() for name in found))
    if not names:
        raise FigureError("no variation to draw; give the table of compare_variations")
    with figure_style():
        figure = Figure(figsize=(11, 3 + 0.7 * len(shifts)), layout="constrained")
        axes = figure.subplots()
        axes.axvline(0, color="0.6", linewidth=1.2, zorder=0)
        for place, found in enumerate(shifts.values()):
            low, high = min(0.0, *found.values()), max(0.0, *found.values())
            axes.barh(place, high - low, left=low, height=0.5, color="0.88", zorder=0)
        for index, name in enumerate(names):
            places = [place for place, found in enumerate(shifts.values()) if name in found]
            values = [found[name] for found in shifts.values() if name in found]
            marker = MARKERS[index % len(MARKERS)]
            axes.plot(values, places, marker, markersize=9, label=name)
        # A mark at the end of its bar is whole.
        axes.use_sticky_edges = False
        axes.margins(x=0.05)
        axes.set_yticks(range(len(shifts)), list(shifts))
        axes.tick_params(axis="y", which="minor", length=0)
        axes.set_ylim(len(shifts) - 0.4, -0.6)
        axes.set_xlabel("change of the AUC")
        figure.legend(loc="outside lower center", ncols=4, fontsize=16)
        write_heading(axes, label, "mean over signals")
    return figure
