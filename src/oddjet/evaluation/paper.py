"""The figures of CMS-MLG-24-002 by epoch and its histograms: which curves, features and samples each of them shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from oddjet.axes import HeatmapSettings
from oddjet.errors import EvaluationError
from oddjet.evaluation.epochs import chosen_epochs, epochs_around, last_before_divergence
from oddjet.evaluation.history import (
    BACKGROUND,
    NEGATIVES,
    Curve,
    Curves,
    EpochAucRow,
    SnapshotRow,
    auc_lines,
    auc_over_grid,
    with_gaps,
)
from oddjet.evaluation.snapshots import Jets, Samples
from oddjet.plotting.epochs import Band, Panel
from oddjet.plotting.histograms import HistogramPanel
from oddjet.plotting.style import BLUE, ORANGE, PURPLE, RED, WORD_GREEN, fraction_colours
from oddjet.titles import Titles


@dataclass(frozen=True)
class TrainingTables:
    """What is known of one method's training.

    Attributes
    ----------
    history : mapping of str to curves
        From `read_history`.
    auc : sequence of EpochAucRow
    measured : sequence of SnapshotRow
    """

    history: Mapping[str, Curves]
    auc: Sequence[EpochAucRow]
    measured: Sequence[SnapshotRow] = ()

    def of_seed(self, seed: int) -> TrainingTables:
        """Keep one seed; raises `EvaluationError` if it was not trained."""
        auc = [row for row in self.auc if row.seed == seed]
        if not auc:
            seeds = ", ".join(map(str, sorted({row.seed for row in self.auc})))
            raise EvaluationError(f"--seed {seed} is not among the seeds of this training: {seeds}")
        history = {name: {seed: curves[seed]} for name, curves in self.history.items() if seed in curves}
        return TrainingTables(history, auc, [row for row in self.measured if row.seed == seed])

    def quantity(self, name: str) -> Curves:
        """Return the curves of a quantity; raises `EvaluationError` if the history has none."""
        if name not in self.history:
            raise EvaluationError(f"the history has no {name}; this figure is not for this kind of method")
        return dict(self.history[name])

    def measured_curves(self, quantity: str, sample: str) -> Curves:
        """Return the curves of a measured quantity of the background, the negatives or (`signal`) the signal."""
        found: dict[int, Curve] = defaultdict(lambda: ([], []))
        for row in self.measured:
            kind = row.sample if row.sample in (BACKGROUND, NEGATIVES) else "signal"
            if (row.quantity, kind) == (quantity, sample):
                found[row.seed][0].append(row.epoch)
                found[row.seed][1].append(row.value)
        if not found:
            raise EvaluationError(f"no {quantity} of {sample} in the tables of measure_snapshots")
        return dict(found)


def paper_panels(figure: str, tables: TrainingTables) -> list[Panel]:
    """Make the panels of a figure: 2a, 3a, 3b, 5, 7a, 9a, 9b or 13, in the numbers of the analysis summary.

    Raises
    ------
    EvaluationError
        If there is no such figure, or the tables lack what it shows.
    """
    if figure not in FIGURES:
        raise EvaluationError(f"--figure {figure!r} is not one of {', '.join(FIGURES)}")
    return FIGURES[figure](tables)


def _auc_panel(tables: TrainingTables, marks: Sequence[int] = ()) -> Panel:
    curves, words = auc_lines(tables.auc, HeatmapSettings(), Titles())
    bands = [
        Band(name, colour, by_seed)
        for colour, (name, by_seed) in zip(fraction_colours(len(curves)), curves.items(), strict=True)
    ]
    heading = words or None
    return Panel("AUC", bands, limits=(0.0, 1.05), level=0.5, heading=heading, marks=marks)


def _energies_of(tables: TrainingTables) -> tuple[Curves, Curves]:
    """Return E+ and E- of the training at the same epochs, NaN where one of them has overflowed."""
    names = [f"{sign}_energy_train" for sign in ("positive", "negative")]
    filled = with_gaps({name: tables.quantity(name) for name in names})
    return filled[names[0]], filled[names[1]]


def _energy_bands(tables: TrainingTables) -> list[Band]:
    plus, minus = _energies_of(tables)
    return [Band("$E_{+}$", RED, plus), Band("$E_{-}$", BLUE, minus, "--")]


def _reconstruction(tables: TrainingTables) -> list[Panel]:
    bands = [
        Band("background", RED, tables.measured_curves("energy", BACKGROUND)),
        Band("signal", WORD_GREEN, tables.measured_curves("energy", "signal"), "--"),
    ]
    return [Panel("reconstruction error", bands, scale="log"), _auc_panel(tables)]


def _divergence(tables: TrainingTables) -> list[Panel]:
    return [Panel("energy", _energy_bands(tables), scale="log"), _auc_panel(tables)]


def _before_divergence(tables: TrainingTables) -> list[Panel]:
    plus, minus = _energies_of(tables)
    until = {seed: last_before_divergence(curve, minus[seed]) or curve[0][-1] for seed, curve in plus.items()}
    gap = {
        seed: (epochs, [a - b for a, b in zip(values, minus[seed][1], strict=True)])
        for seed, (epochs, values) in plus.items()
    }
    names = (("$E_{+}$", RED, plus, "-"), ("$E_{-}$", BLUE, minus, "--"), ("$E_{+} - E_{-}$", PURPLE, gap, ":"))
    bands = [Band(name, colour, _cut(curves, until), style) for name, colour, curves, style in names]
    return [Panel("energy", bands, level=0.0)]


def _cut(curves: Curves, until: Mapping[int, int]) -> Curves:
    return {
        seed: (list(epochs[: epochs.index(until[seed]) + 1]), list(values[: epochs.index(until[seed]) + 1]))
        for seed, (epochs, values) in curves.items()
    }


def _energies(tables: TrainingTables) -> list[Panel]:
    return [Panel("energy", _energy_bands(tables), scale="log"), _auc_panel(tables)]


def _collapse(tables: TrainingTables) -> list[Panel]:
    marks = sorted(chosen_epochs(tables.history).values())
    distance = Band("$W$ (background, negatives)", PURPLE, tables.quantity("wasserstein_validation"))
    return [
        Panel("energy", _energy_bands(tables), scale="log"),
        Panel("$W$", [distance], scale="log", marks=marks),
        _auc_panel(tables, marks),
    ]


def _distances(tables: TrainingTables) -> list[Panel]:
    bands = [
        Band("background, negatives", PURPLE, tables.measured_curves("distance_to_background", NEGATIVES)),
        Band("background, signal", WORD_GREEN, tables.measured_curves("distance_to_background", "signal"), "--"),
        Band("negatives, signal", ORANGE, tables.measured_curves("distance_to_negatives", "signal"), "-."),
    ]
    return [Panel("$W$", bands, scale="log")]


def _auc(tables: TrainingTables) -> list[Panel]:
    return [_auc_panel(tables, sorted(chosen_epochs(tables.history).values()))]


def _reversed(tables: TrainingTables) -> list[Panel]:
    """Trained on semivisible jets, tested on top jets: what is signal has no grid point here."""
    marks = sorted(chosen_epochs(tables.history).values())
    distance = Band("$W$ (semivisible jets, negatives)", PURPLE, tables.quantity("wasserstein_validation"))
    auc = Band("top jets", RED, auc_over_grid(tables.auc))
    return [
        Panel("$W$", [distance], scale="log", marks=marks),
        Panel("AUC", [auc], limits=(0.0, 1.05), level=0.5, heading="tested on", marks=marks),
    ]


FIGURES: dict[str, Callable[[TrainingTables], list[Panel]]] = {
    "2a": _reconstruction,
    "3a": _divergence,
    "3b": _before_divergence,
    "5": _energies,
    "7a": _collapse,
    "9a": _distances,
    "9b": _auc,
    "13": _reversed,
}


# Figure 4 shows one feature, figures 11 and 12 four each; with features of one's own, the first ones are taken.
PAPER_FEATURES = ("tau2", "tau3", "efp1", "c2", "axis_major", "axis_minor", "ptd", "softdrop_mass")
PANELS_AROUND_DIVERGENCE = 6


def histogram_panels(
    figure: str,
    names: Sequence[str],
    jets: Mapping[str, Jets],
    negatives: Samples,
    history: Mapping[str, Curves],
    seed: int,
) -> list[list[HistogramPanel]]:
    """Make the panels of figure 4, 11 or 12, row by row.

    Parameters
    ----------
    figure : str
        4: tau3 at six snapshots from the last one before the training diverges; 11 and 12: four features each, at the
        first and the last snapshot.
    names : sequence of str
        Features, in the order of the columns.
    jets : mapping of str to Jets
        Scaled `background` and `signal`, with their weights.
    negatives : mapping of (int, int) to ndarray of shape (n, D)
        (seed, epoch) to samples.
    history : mapping of str to curves
        Of the same training.
    seed : int
        The one that is drawn.

    Raises
    ------
    EvaluationError
        If there is no such figure, or no sample of the seed.
    """
    epochs = sorted(epoch for one, epoch in negatives if one == seed)
    if not epochs:
        raise EvaluationError(f"--seed {seed} has no negative samples in the tables of sample_negatives")

    def panel(feature: str, epoch: int) -> HistogramPanel:
        column = list(names).index(feature)
        drawn = negatives[seed, epoch]
        samples = {**jets, "negatives": Jets(drawn, np.ones(len(drawn)))}
        columns = {key: (one.points[:, column], one.weights.astype(np.float64)) for key, one in samples.items()}
        return HistogramPanel(feature, f"epoch {epoch}", columns)

    known = [name for name in PAPER_FEATURES if name in names] or list(names)
    if figure == "4":
        feature = "tau3" if "tau3" in names else known[0]
        filled = with_gaps(history)
        names_of_energies = [f"{sign}_energy_train" for sign in ("positive", "negative")]
        lacking = [name for name in names_of_energies if seed not in filled.get(name, {})]
        if lacking:
            raise EvaluationError(f"--history: no {lacking[0]} of seed {seed}; give the histories of the same training")
        energies = [filled[name][seed] for name in names_of_energies]
        shown = epochs_around(epochs, last_before_divergence(*energies), PANELS_AROUND_DIVERGENCE)
        panels = [panel(feature, epoch) for epoch in shown]
        return [row for row in (panels[:3], panels[3:]) if row]
    if figure in ("11", "12"):
        features = known[:4] if figure == "11" else known[4:8] or known[-4:]
        return [[panel(feature, epoch) for feature in features] for epoch in (epochs[0], epochs[-1])]
    raise EvaluationError(f"--figure {figure!r} is not one of 4, 11, 12")
