"""AUC against the share of signal in the training, a line a method."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from oddjet.errors import FigureError
from oddjet.plotting.roc import method_line
from oddjet.plotting.style import MARKERS, figure_style, write_heading


def draw_contamination(
    scan: Mapping[str, Mapping[float, tuple[float, float]]], label: str, background: str = ""
) -> Figure:
    """Draw a scan.

    Parameters
    ----------
    scan : mapping of str to mapping of float to pair of float
        Title of a method to share of signal to mean AUC and its uncertainty.
    label : str
        Words above the left corner, "Simulation".
    background : str
        What the AUCs are against; left out: the background of the training.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        If there is no method.
    """
    if not scan:
        raise FigureError("no method to draw; give the table of summarize_contamination")
    fractions = sorted({fraction for found in scan.values() for fraction in found})
    with figure_style():
        figure = Figure(figsize=(10, 9), layout="constrained")
        axes = figure.subplots()
        axes.axhline(0.5, color="0.6", linewidth=1.2, zorder=0)
        for index, (title, found) in enumerate(scan.items()):
            # Shares differ by powers of ten, and the first is none: they stand side by side, as categories.
            places = [fractions.index(fraction) + 0.03 * (index - len(scan) / 2) for fraction in found]
            values, errors = zip(*found.values(), strict=True)
            axes.errorbar(
                places,
                values,
                yerr=errors,
                marker=MARKERS[index % len(MARKERS)],
                markersize=8,
                capsize=3,
                label=title,
                **method_line(index),
            )
        axes.set_xticks(range(len(fractions)), [f"{100 * fraction:.3g} %" for fraction in fractions])
        axes.tick_params(axis="x", which="minor", length=0)
        axes.set_xlim(-0.4, len(fractions) - 0.6)
        axes.set_xlabel("signal in the training")
        axes.set_ylabel(f"AUC against {background}" if background else "AUC")
        figure.legend(loc="outside lower center", ncols=3, fontsize=18)
        write_heading(axes, label, "mean over grid")
    return figure
