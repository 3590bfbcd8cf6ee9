"""The history of a training: one row an epoch and seed."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from oddjet.io.atomic import atomic_path

QUANTITIES = ("positive_energy", "negative_energy", "wasserstein")
# Of W on validation jets: its standard error over the draws, and W between draws of jets themselves.
OF_W = ("wasserstein_error", "wasserstein_floor")
COLUMNS = (
    "method",
    "seed",
    "epoch",
    *(f"{name}_train" for name in QUANTITIES),
    *(f"{name}_validation" for name in (*QUANTITIES, *OF_W)),
    "loss_train",
    "seconds",
)


def row(
    seed: int, epoch: int, train: Mapping[str, float], validation: Mapping[str, float], seconds: float
) -> dict[str, float]:
    """Make a row: NaN where a quantity was not measured."""
    result: dict[str, float] = {"seed": seed, "epoch": epoch}
    for name in QUANTITIES:
        result[f"{name}_train"] = train.get(name, math.nan)
    for name in (*QUANTITIES, *OF_W):
        result[f"{name}_validation"] = validation.get(name, math.nan)
    return {**result, "loss_train": train["loss"], "seconds": seconds}


def write_history(path: Path, method: str, rows: Sequence[Mapping[str, float]]) -> None:
    """Write rows as CSV; a number that is not finite (not measured, or diverged) becomes an empty field."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for entry in rows:
            writer.writerow([method, *(_field(entry[name]) for name in COLUMNS[1:])])


def _field(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    # A number of numpy's says its type as well in its own repr.
    return repr(float(value)) if math.isfinite(value) else ""
