"""The scaler as a file, scaler.json, and the scaler that a method of its own coordinates makes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from oddjet.dataset.of_samples import iterate_of
from oddjet.dataset.scaling import Scaler, refit_scaler
from oddjet.errors import DatasetError
from oddjet.io.atomic import write_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROWS_AT_A_TIME = 1_000_000


class Inputs(NamedTuple):
    """Files that a detector is made from: tables of background jets alone, and the scaler fitted on them."""

    train: Path
    validation: Path
    scaler: Path


def write_scaler(path: Path, scaler: Scaler) -> None:
    """Write a scaler as JSON, whole or not at all."""
    write_text(path, json.dumps(scaler.to_dict(), indent=2) + "\n")


def read_scaler(path: Path) -> Scaler:
    """Read what `write_scaler` wrote; raise `DatasetError` naming the file if it is something else."""
    try:
        return Scaler.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DatasetError(f"{path}: not a readable scaler ({error}); run the stage build_dataset") from error
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from error


def method_scaler(scaling: str, scaler: Path, train: Path, samples: Sequence[str] | None = None) -> Scaler:
    """Read the dataset's scaler, or fit a method's own one on its training jets, where its settings name one.

    Parameters
    ----------
    scaling : str
        "dataset", or the coordinates of `refit_scaler`.
    scaler, train : Path
        scaler.json and training table of the dataset.
    samples : sequence of str, optional
        Background samples that the method is trained on; None: all.

    Raises
    ------
    DatasetError, TableError
        If the scaler or the table cannot be read.
    """
    found = read_scaler(scaler)
    if scaling == "dataset":
        return found
    return refit_scaler(found, scaling, iterate_of(train, [*found.names, "weight"], ROWS_AT_A_TIME, samples))
