"""The figures that show all methods of an analysis side by side.

A figure is a line in `FIGURES`. What draws is imported where it is needed: the plan of a run reads the names alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from oddjet.evaluation.curves import MethodScores
    from oddjet.titles import Titles


@dataclass(frozen=True)
class Compared:
    """What the figures are drawn from.

    Attributes
    ----------
    score_tables
        Of all methods.
    leaderboard, grid, merit, ceilings
        The tables of `summarize`, and the AUCs of supervised trees, which not every analysis has.
    titles
        Of the methods and of the samples, and the axes of the signals.
    """

    score_tables: Sequence[Path]
    leaderboard: Path
    grid: Path
    merit: Path
    ceilings: Path | None
    titles: Titles

    def files(self) -> list[Path]:
        """Return all of the tables."""
        tables = (self.leaderboard, self.grid, self.merit, self.ceilings)
        return [*self.score_tables, *(path for path in tables if path is not None)]

    @cached_property
    def scores(self) -> dict[str, MethodScores]:
        """The scores of each method."""
        from oddjet.evaluation.curves import read_scores

        return read_scores(self.score_tables)

    def background(self) -> str:
        """Return what a figure calls the background of the training."""
        from oddjet.evaluation.backgrounds import label_of

        return label_of(next(iter(self.scores.values())).background, self.titles, several=False) or "background"

    def jets(self, *, signals: bool = True) -> str:
        """Say how many test jets the scores are of, against the background of the training."""
        from oddjet.report.figures import jets_in_words

        first = next(iter(self.scores.values()))
        background, *others = map(len, first.jets)
        of_signals = dict(zip(first.points, others, strict=False)) if signals else {}
        return jets_in_words({self.background(): [background]}, of_signals)


def roc(found: Compared, label: str) -> Figure:
    """Draw the ROC curves, averaged over the signals."""
    from oddjet.evaluation.curves import EFFICIENCIES
    from oddjet.plotting.roc import Curve, draw_roc
    from oddjet.plotting.style import write_note

    background, signals = found.background(), len(next(iter(found.scores.values())).points)
    curves = [Curve(found.titles(name), one.mean_roc()) for name, one in found.scores.items()]
    right = f"mean of {signals} signal{'s' if signals > 1 else ''}"
    figure = draw_roc(curves, EFFICIENCIES, label, background, right)
    several = any(len(curve.signal) > 1 for curve in curves)
    write_note(figure, found.jets() + several * " Bands: standard deviation of the seeds.")
    return figure


def sculpting(found: Compared, label: str) -> Figure:
    """Draw what a cut on the score does to the background's mass and pT."""
    from oddjet.evaluation.curves import CUT
    from oddjet.plotting.sculpting import Shapes, draw_sculpting
    from oddjet.plotting.style import write_note
    from oddjet.report.flatness_figure import QUANTITIES

    panels: dict[str, list[Shapes]] = {words: [] for words in QUANTITIES.values()}
    for name, one in found.scores.items():
        for quantity, words in QUANTITIES.items():
            shape = one.shape(quantity)
            means = shape.efficiency.mean(axis=0), shape.error.mean(axis=0)
            panels[words].append(Shapes(found.titles(name), shape.edges, *means))
    background = found.background()
    figure = draw_sculpting({"": panels}, CUT, label, "mean of the seeds", background)
    write_note(figure, found.jets(signals=False) + " Bands: statistical error.")
    return figure


def leaderboard(found: Compared, label: str) -> Figure:
    """Draw all methods by their AUC averaged over the signal grid."""
    from oddjet.evaluation.auc import AucRow
    from oddjet.evaluation.backgrounds import by_background, label_of
    from oddjet.evaluation.figures_of_merit import MeritRow
    from oddjet.evaluation.grid import GridRow
    from oddjet.io.csv import read_rows
    from oddjet.plotting.leaderboard import draw_leaderboard
    from oddjet.plotting.style import write_note
    from oddjet.report.figures import jets_of_rows
    from oddjet.report.leaderboard import leaderboard_entries

    titles, grid = found.titles, read_rows(found.grid, GridRow)
    rows, merits = read_rows(found.leaderboard, AucRow), read_rows(found.merit, MeritRow)
    entries = leaderboard_entries(rows, merits, grid, titles, found.titles.heatmap)
    if found.ceilings is not None:
        ceilings = read_rows(found.ceilings, AucRow)
        entries += leaderboard_entries(ceilings, titles=titles, settings=found.titles.heatmap, supervised=True)
    against = label_of(grid[0].background, titles, several=len(by_background(grid)) > 1)
    figure = draw_leaderboard(entries, label, titles(grid[0].reference), against)
    error = "statistical error" + " and standard deviation of the seeds, in quadrature" * any(g.seeds > 1 for g in grid)
    write_note(figure, f"{jets_of_rows(rows, titles)} Uncertainty: {error}.")
    return figure


FIGURES: dict[str, Callable[[Compared, str], Figure]] = {"leaderboard": leaderboard, "roc": roc, "sculpting": sculpting}
