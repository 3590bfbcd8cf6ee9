"""The figures by epoch of CMS-MLG-24-002, from the tables of a training: which curves each of them shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from oddjet.errors import EvaluationError
from oddjet.evaluation.history import (
    BACKGROUND,
    NEGATIVES,
    Curve,
    Curves,
    EpochAucRow,
    SnapshotRow,
    auc_by_fraction,
    auc_over_grid,
    choose_mass,
    with_gaps,
)
from oddjet.evaluation.moments import chosen_epochs, last_before_divergence
from oddjet.plotting.epochs import Band, Panel
from oddjet.plotting.style import BLUE, FRACTION_COLOURS, ORANGE, PURPLE, RED

GREEN = "#2a9d5c"


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
    mass = choose_mass(tables.auc)
    curves = auc_by_fraction(tables.auc, mass)
    bands = [
        Band(rf"$r_{{\mathrm{{inv}}}}$ = {r_inv:g}", colour, by_seed)
        for colour, (r_inv, by_seed) in zip(FRACTION_COLOURS, curves.items(), strict=False)
    ]
    heading = None if mass is None else rf"$m_{{\Phi}}$ = {mass:g} GeV"
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
        Band("signal", GREEN, tables.measured_curves("energy", "signal"), "--"),
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
        Band("background, signal", GREEN, tables.measured_curves("distance_to_background", "signal"), "--"),
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
