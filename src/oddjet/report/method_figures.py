"""The figures of one method: its AUC by signal, its scores with ROC curves, and its training by epoch.

A figure is a line in `FIGURES`. What draws is imported where it is needed: the plan of a run reads the names alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oddjet.axes import view_of
from oddjet.errors import FigureError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from oddjet.evaluation.auc import AucRow
    from oddjet.titles import Titles


@dataclass(frozen=True)
class MethodResults:
    """What the figures of a method are drawn from.

    Attributes
    ----------
    title
        What the figures call the method.
    titles
        Of the samples, and the axes of the signals.
    mean
        Whether its scores are the mean of several seeds' scores: it has no seeds of its own then.
    auc
        Table of its AUCs.
    scores
        Score tables, one a group of seeds.
    history, auc_by_epoch
        Tables of its training, one a group; none of a method that is not trained by epochs.
    selection
        Words for the jets below its heatmap.
    """

    title: str
    titles: Titles
    mean: bool
    auc: Sequence[Path] = ()
    scores: Sequence[Path] = ()
    history: Sequence[Path] = ()
    auc_by_epoch: Sequence[Path] = ()
    selection: str = ""

    def files(self) -> list[Path]:
        """Return all of the tables."""
        return [*self.auc, *self.scores, *self.history, *self.auc_by_epoch]


def by_method(
    files: Mapping[str, Sequence[Path]],
    titles: Titles,
    means: Collection[str] = (),
    selection: str = "",
) -> dict[str, MethodResults]:
    """Sort the tables of several methods by the method that each one names.

    Parameters
    ----------
    files
        By the attribute of `MethodResults` that they belong to; a history names no method, and is of the table by epoch
        in the same place.
    titles
        Of the methods and of the samples, and the axes of the signals.
    means
        Names of the methods whose scores are the mean of several seeds' scores.
    selection
        Words for the jets below heatmaps.
    """
    from oddjet.evaluation.auc import AucRow
    from oddjet.evaluation.history import EpochAucRow
    from oddjet.evaluation.score_table import read_method
    from oddjet.io.csv import read_rows

    found: dict[str, dict[str, list[Path]]] = {}

    def keep(method: str, kind: str, path: Path) -> None:
        found.setdefault(method, {}).setdefault(kind, []).append(path)

    for path in files["auc"]:
        keep(read_rows(path, AucRow)[0].method, "auc", path)
    for path in files["scores"]:
        keep(read_method(path).name, "scores", path)
    for history, path in zip(files["history"], files["auc_by_epoch"], strict=True):
        method = read_rows(path, EpochAucRow)[0].method
        keep(method, "auc_by_epoch", path)
        keep(method, "history", history)
    return {
        name: MethodResults(titles(name), titles, name in means, **tables, selection=selection)
        for name, tables in found.items()
    }


def heatmap(found: MethodResults, label: str) -> Figure:
    """Draw the AUC of each signal."""
    from oddjet.evaluation.auc import AucRow
    from oddjet.io.csv import read_rows

    rows = read_rows(found.auc, AucRow)
    return heatmap_of(rows, found.title, found.titles, label, mean=found.mean, selection=found.selection)


def heatmap_of(
    rows: Sequence[AucRow], title: str, titles: Titles, label: str, *, mean: bool = False, selection: str = ""
) -> Figure:
    """Draw the AUCs of a method by signal: a heatmap, curves or bars (`oddjet.axes.view_of`).

    `titles`, `mean` and `selection` are as in `MethodResults`.
    """
    from oddjet.plotting.style import write_note
    from oddjet.report.figures import errors_in_words, jets_of_rows

    seeds = 0 if mean else len({row.seed for row in rows})
    figure = _draw_signals(rows, (title, seeds, label), titles)
    jets = " ".join([jets_of_rows(rows, titles), *([f"{selection}."] if selection else [])])
    write_note(figure, f"{jets} {errors_in_words(seeds)}")
    return figure


def _draw_signals(rows: Sequence[AucRow], drawn: tuple[str, int, str], titles: Titles) -> Figure:
    """Draw what `heatmap_of` returns; `drawn` is title, number of seeds and label."""
    from oddjet.evaluation.backgrounds import by_background, label_of
    from oddjet.evaluation.summary import averages_of_method, points_of
    from oddjet.plotting.heatmap import Panel, draw_heatmap
    from oddjet.plotting.signals import draw_bars, draw_curves

    points, backgrounds = points_of(rows), by_background(rows)
    settings = titles.heatmap
    view = view_of(points, settings)
    cells = {
        label_of(background, titles, several=len(backgrounds) > 1): {
            name: (cell.mean, cell.uncertainty) for name, cell in averages_of_method(own).items()
        }
        for background, own in backgrounds.items()
    }
    where = settings.words(view.fixed)
    if view.x is None:
        words = {name: settings.words(view.own(points[name])) or titles.sample(name) for name in view.signals}
        bars = {against: {words[name]: own[name] for name in view.signals} for against, own in cells.items()}
        return draw_bars(bars, *drawn, where)
    if view.y is None:
        curves = {against: {points[name][view.x]: own[name] for name in view.signals} for against, own in cells.items()}
        return draw_curves(curves, settings.label(view.x), *drawn, where)
    panels = [
        Panel(
            {(points[name][view.x], points[name][view.y]): own[name] for name in names},
            against,
            settings.words({**view.fixed, **further}),
        )
        for against, own in cells.items()
        for further, names in view.panels
    ]
    columns = len(view.panels) if len(view.panels) > 1 else len(panels)
    return draw_heatmap(panels, (settings.label(view.x), settings.label(view.y)), *drawn, columns)


def scores(found: MethodResults, label: str) -> Figure:
    """Draw the scores of background and signals, and the ROC curves."""
    from oddjet.evaluation.backgrounds import label_of
    from oddjet.evaluation.curves import EFFICIENCIES, read_scores, shown_signals
    from oddjet.plotting.roc import Curve, draw_scores
    from oddjet.plotting.style import write_note
    from oddjet.report.figures import jets_in_words

    (one,) = read_scores(found.scores).values()
    shown = shown_signals(one.points, found.titles.heatmap, found.titles)
    background = label_of(one.background, found.titles, several=False) or "background"
    codes = {background: 0, **{words: list(one.points).index(name) + 1 for name, words in shown.items()}}
    samples = {words: (one.scores[code][:, 0], one.jets[code]["weight"]) for words, code in codes.items()}
    curves = [Curve(words, one.roc(code)) for words, code in codes.items() if code]
    data = {
        found.titles.sample(name): (one.scores[code][:, 0], one.jets[code]["weight"]) for name, code in one.data.items()
    }
    seed = None if found.mean else one.seeds[0]
    figure = draw_scores(samples, curves, EFFICIENCIES, label, found.title, seed, data)
    own, *others = (len(one.jets[code]) for code in codes.values())
    jets = jets_in_words({background: [own]}, dict(zip(shown, others, strict=True)))
    bands = f" Bands: standard deviation of {len(one.seeds)} seeds." if len(one.seeds) > 1 else ""
    write_note(figure, f"{jets} Distributions of unit area.{bands}")
    return figure


def training(found: MethodResults, label: str) -> Figure:
    """Draw energies and transport distance by epoch, and the AUC of the snapshots."""
    from oddjet.evaluation.backgrounds import label_of, read_backgrounds
    from oddjet.evaluation.history import EpochAucRow, auc_lines, auc_over_grid, read_history, with_gaps
    from oddjet.evaluation.score_table import epochs_by_method
    from oddjet.io.csv import read_rows
    from oddjet.plotting.history import TrainingCurves, draw_training
    from oddjet.plotting.style import write_note
    from oddjet.report.figures import jets_in_words

    rows = read_rows(found.auc_by_epoch, EpochAucRow)
    chosen = epochs_by_method(found.scores).get(rows[0].method, {})
    auc, where = auc_lines(rows, found.titles.heatmap, found.titles)
    history, mean = with_gaps(read_history(found.history)), auc_over_grid(rows)
    figure = draw_training(TrainingCurves(found.title, history, auc, mean, where, chosen), label)
    names = [label_of(read_backgrounds(path)[0].name, found.titles, several=False) for path in found.scores[:1]]
    background = {next(iter(names), ""): [row.n_background for row in rows]}
    jets = jets_in_words(background, {row.signal: row.n_signal for row in rows}, "AUC on validation jets")
    error = max((row.auc_error for row in rows if not math.isnan(row.auc_error)), default=math.nan)
    write_note(figure, jets if math.isnan(error) else f"{jets} Statistical error of one signal: {error:.3f} at most.")
    return figure


# By the beginning of a figure's name, which the name of the method follows.
FIGURES: dict[str, Callable[[MethodResults, str], Figure]] = {
    "training": training,
    "auc_heatmap": heatmap,
    "scores": scores,
}
# Figures of methods that are trained by epochs alone.
OF_TRAINED = ("training",)


def draw(name: str, methods: Mapping[str, MethodResults], label: str) -> tuple[Figure, list[Path]]:
    """Draw the figure of a name, `scores_wnae`; returns what it was made from as well.

    Raises
    ------
    FigureError
        No figure has such a name, or there are no tables of its method.
    """
    for kind, figure in FIGURES.items():
        method = name.removeprefix(f"{kind}_")
        if name.startswith(f"{kind}_") and method in methods:
            return figure(methods[method], label), methods[method].files()
    raise FigureError(
        f"{name}: no figure has this name; figures are called {', '.join(f'{kind}_METHOD' for kind in FIGURES)}, and"
        f" there are tables of {', '.join(methods) or 'no method'}"
    )
