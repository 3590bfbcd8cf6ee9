"""The history of a training: one row an epoch and seed, in a file that grows while it runs."""

from __future__ import annotations

import csv
import logging
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from oddjet.errors import DiskError
from oddjet.io.atomic import atomic_path, writing

LOGGER = logging.getLogger("oddjet")
QUANTITIES = ("positive_energy", "negative_energy", "wasserstein")
# Of W on validation jets: its standard error over the draws, and W between draws of jets themselves.
OF_W = ("wasserstein_error", "wasserstein_floor")
MEASURED = (
    *(f"{name}_train" for name in QUANTITIES),
    *(f"{name}_validation" for name in (*QUANTITIES, *OF_W)),
    "loss_train",
    "loss_validation",
)
COLUMNS = ("method", "seed", "epoch", *MEASURED, "learning_rate", "seconds")


def row(
    seed: int, epoch: int, train: Mapping[str, float], validation: Mapping[str, float], rate: float, seconds: float
) -> dict[str, float]:
    """Make a row from what was measured on training and on validation jets: NaN where a quantity was not measured."""
    found = {f"{name}_train": value for name, value in train.items()}
    found |= {f"{name}_validation": value for name, value in validation.items()}
    measured = {name: found.get(name, math.nan) for name in MEASURED}
    return {"seed": seed, "epoch": epoch, **measured, "learning_rate": rate, "seconds": seconds}


def write_history(path: Path, method: str, rows: Sequence[Mapping[str, float]]) -> None:
    """Write rows as CSV; a number that is not finite (not measured, or diverged) becomes an empty field."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_fields(method, entry) for entry in rows)


class HistoryFile:
    """`history.csv` of a training that runs: it holds each epoch as soon as it is over.

    Parameters
    ----------
    path
        The file.
    method
        Name of the method, for the column of this name.
    tensorboard
        Whether events for TensorBoard go into the folder `tensorboard` beside it, a run a seed. Without the package
        tensorboard there are none, and the log says so.

    Attributes
    ----------
    rows
        What the file holds.
    """

    def __init__(self, path: Path, method: str, *, tensorboard: bool = False) -> None:
        self.path, self.method = path, method
        self._folder = path.parent / "tensorboard" if tensorboard else None
        self._writers: dict[int, Any] = {}
        self._first = 1
        self._behind = False
        self.rows: list[dict[str, float]] = []

    def start(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Write the file with the rows of the epochs that a checkpoint holds; others were never kept, and go."""
        write_history(self.path, self.method, rows)
        self.rows = [dict(entry) for entry in rows]
        self._first = 1 + int(rows[-1]["epoch"]) if rows else 1

    def append(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Add the rows of an epoch; whoever reads the file meanwhile finds whole lines.

        Where the disk has no room the log says so, and a later epoch brings the file up to date.
        """
        self.rows += [dict(entry) for entry in rows]
        try:
            with writing(self.path):
                self._add(rows)
        except DiskError as error:
            if not self._behind:
                LOGGER.warning("the history lacks epochs from %d on, the training goes on: %s", rows[0]["epoch"], error)
            self._behind = True
        for entry in rows:
            if self._folder is not None:
                self._follow(self._folder, entry)

    def _add(self, rows: Sequence[Mapping[str, float]]) -> None:
        if self._behind:
            write_history(self.path, self.method, self.rows)
            self._behind = False
            return
        size = self.path.stat().st_size
        try:
            with self.path.open("a", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows(_fields(self.method, entry) for entry in rows)
        except OSError:
            os.truncate(self.path, size)
            raise

    def _follow(self, folder: Path, entry: Mapping[str, float]) -> None:
        seed, epoch = int(entry["seed"]), int(entry["epoch"])
        if seed not in self._writers:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                LOGGER.warning(
                    "training.tensorboard: the package tensorboard is not installed, so no events are written; "
                    "history.csv has the same numbers (pip install 'oddjet[tensorboard]')"
                )
                self._folder = None
                return
            # Of a training that goes on, events after the checkpoint's epoch are taken back.
            self._writers[seed] = SummaryWriter(str(folder / f"seed-{seed}"), purge_step=self._first)
        for name in (*MEASURED, "learning_rate"):
            if math.isfinite(entry[name]):
                self._writers[seed].add_scalar(name, entry[name], epoch)
        self._writers[seed].flush()


def _fields(method: str, entry: Mapping[str, float]) -> list[str]:
    return [method, *(_field(entry[name]) for name in COLUMNS[1:])]


def _field(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    # A number of numpy's says its type as well in its own repr.
    return repr(float(value)) if math.isfinite(value) else ""
