"""Curves by epoch, from the history of a training and from its AUC by epoch."""

from __future__ import annotations

import csv
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from oddjet.axes import HeatmapSettings, Point, line_of
from oddjet.errors import EvaluationError
from oddjet.titles import Titles

# Epochs and values, only where there is a value; by seed.
Curve: TypeAlias = tuple[list[int], list[float]]
Curves: TypeAlias = dict[int, Curve]

Key = TypeVar("Key", str, float, None)

# Samples of a SnapshotRow that are no signal.
BACKGROUND, NEGATIVES, SHUFFLED = "background", "negatives", "shuffled"

# Where the signals of the figures by epoch lie, if there are some: the paper's mediator mass.
PREFERRED: Point = {"m_phi": 2000.0}


@dataclass(frozen=True)
class EpochAucRow:
    """One AUC on the validation background after an epoch of training."""

    method: str
    seed: int
    epoch: int
    signal: str
    point: Point
    auc: float
    auc_error: float
    n_signal: int
    n_background: int


@dataclass(frozen=True)
class SnapshotRow:
    """One number of one snapshot and sample: background, negatives or the name of a signal.

    `quantity` is `energy` (the mean), `distance_to_background` or `distance_to_negatives` (W2^2 in scaled units).
    """

    method: str
    seed: int
    epoch: int
    quantity: str
    sample: str
    value: float


def read_history(paths: Iterable[Path]) -> dict[str, Curves]:
    """Read the histories of all groups of a method.

    Parameters
    ----------
    paths : iterable of Path
        CSV files with the columns seed, epoch and one column a quantity; empty fields where there is no value.

    Returns
    -------
    dict of str to dict of int to (list of int, list of float)
        Quantity (`positive_energy_train`, ...) to seed to curve. Quantities without any value are left out.

    Raises
    ------
    EvaluationError
        If a file cannot be read, lacks seed or epoch, or a field is not a number.
    """
    points: list[tuple[str, int, int, float]] = []
    for path in paths:
        try:
            with path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                missing = {"seed", "epoch"} - set(reader.fieldnames or ())
                points += [point for row in reader for point in _points(row)]
        except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError, csv.Error) as error:
            raise EvaluationError(
                f"{path}: not a readable training history ({type(error).__name__}: {error}); train the method again"
            ) from error
        if missing:
            raise EvaluationError(f"{path}: has no column {min(missing)}: no training history; train the method again")
    return _curves(points, lambda values: values[-1])


def with_gaps(history: Mapping[str, Curves]) -> dict[str, Curves]:
    """Give E+ and E- the same epochs: NaN where one of them is beyond the range of its numbers and the other is not.

    Both are measured at the same epochs, of training and of validation, and a history holds finite numbers alone.
    Curves are then drawn with a gap, and not joined across it. Other quantities stay as they are.
    """
    filled = dict(history)
    for part in ("train", "validation"):
        names = [name for sign in ("positive", "negative") if (name := f"{sign}_energy_{part}") in history]
        for seed in {seed for name in names for seed in history[name]}:
            known = [dict(zip(*history[name].get(seed, ([], [])), strict=True)) for name in names]
            epochs = sorted(set().union(*known))
            for name, values in zip(names, known, strict=True):
                curve = epochs, [values.get(epoch, math.nan) for epoch in epochs]
                filled[name] = {**filled[name], seed: curve}
    return filled


def auc_lines(rows: Sequence[EpochAucRow], settings: HeatmapSettings, titles: Titles) -> tuple[dict[str, Curves], str]:
    """Return the AUC curves of the signals along one axis, by their words, and what figures call where they all lie.

    See `oddjet.axes.line_of`; signals at `PREFERRED` are taken where there are some. Signals without any value are left
    out.
    """
    points = {row.signal: row.point for row in rows}
    line = line_of(points, settings, PREFERRED)
    curves = _curves([(row.signal, row.seed, row.epoch, row.auc) for row in rows], statistics.fmean)
    found = {}
    for name in line.signals:
        own = {axis: value for axis, value in points[name].items() if axis not in line.fixed}
        if name in curves:
            found[settings.words(own) or titles.sample(name)] = curves[name]
    return found, settings.words(line.fixed)


def auc_over_grid(rows: Iterable[EpochAucRow]) -> Curves:
    """Return the curves, by seed, of the AUC averaged over all signals."""
    points: list[tuple[None, int, int, float]] = [(None, row.seed, row.epoch, row.auc) for row in rows]
    return _curves(points, statistics.fmean).get(None, {})


def _points(row: dict[str, Any]) -> Iterable[tuple[str, int, int, float]]:
    """Yield (quantity, seed, epoch, value) for each filled field of a history's row."""
    seed, epoch = int(row["seed"]), int(row["epoch"])
    for name, text in row.items():
        if name not in ("method", "seed", "epoch") and text != "":
            yield name, seed, epoch, float(text)


def _curves(
    points: Iterable[tuple[Key, int, int, float]], combine: Callable[[list[float]], float]
) -> dict[Key, Curves]:
    """Sort (key, seed, epoch, value) into curves by key and seed; `combine` makes one of values at the same epoch.

    Where one of them is NaN there is no value: a gap, and not the mean of the others.
    """
    found: dict[Key, dict[int, dict[int, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for key, seed, epoch, value in points:
        found[key][seed][epoch].append(value)
    curves: dict[Key, Curves] = defaultdict(dict)
    for key, seeds in found.items():
        for seed, by_epoch in sorted(seeds.items()):
            values = {epoch: combine(by_epoch[epoch]) for epoch in sorted(by_epoch)}
            known = {epoch: value for epoch, value in values.items() if not math.isnan(value)}
            if known:
                curves[key][seed] = list(known), list(known.values())
    return dict(curves)
