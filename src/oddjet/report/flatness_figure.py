"""The figure of how flat cuts leave the background's mass and pT, from its table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from oddjet.errors import FigureError
from oddjet.evaluation.flatness import FlatnessRow
from oddjet.plotting.sculpting import Shapes, draw_sculpting
from oddjet.titles import Titles

QUANTITIES = {"mass": "jet mass [GeV]", "pt": r"jet $p_T$ [GeV]"}
CUTS = {"one_cut": "one threshold", "cut_by_pt": r"thresholds in bins of $p_T$"}


def flatness_figure(rows: Sequence[FlatnessRow], efficiency: float, titles: Titles, label: str) -> Figure:
    """Draw the background efficiency by mass and pT before and after thresholds in bins of pT, means over the seeds.

    Raises
    ------
    FigureError
        If no threshold of that efficiency is known.
    """
    shown = [row for row in rows if row.efficiency == efficiency]
    if not shown:
        raise FigureError(f"no threshold at background efficiency {efficiency:g} is known; give more validation jets")
    panels = {
        words: {
            quantity_words: [
                _shape(titles(method), [r for r in shown if (r.method, r.quantity) == (method, quantity)], cut)
                for method in dict.fromkeys(row.method for row in shown)
            ]
            for quantity, quantity_words in QUANTITIES.items()
        }
        for cut, words in CUTS.items()
    }
    return draw_sculpting(panels, efficiency, label, "test background")


def _shape(title: str, rows: Sequence[FlatnessRow], cut: str) -> Shapes:
    """Return the mean over seeds, and the mean of their errors: the jets are the same."""
    edges = np.unique([(row.low, row.high) for row in rows])
    values, errors = (
        np.array([np.mean([getattr(row, name) for row in rows if row.low == low]) for low in edges[:-1]])
        for name in (cut, f"{cut}_error")
    )
    return Shapes(title, edges, values, errors)
