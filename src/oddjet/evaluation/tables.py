"""The result tables (CSV): AUC by method, seed and signal; by epoch while a method trains; other figures of merit."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from oddjet.errors import EvaluationError
from oddjet.io.atomic import write_text

Row = TypeVar(
    "Row",
    "AucRow",
    "EpochAucRow",
    "MeritRow",
    "GridRow",
    "SnapshotRow",
    "ChoiceRow",
    "ContaminationRow",
    "VaeAucRow",
    "LatentRow",
)


# Samples of a SnapshotRow or MeritRow that are no signal.
BACKGROUND, NEGATIVES, GRID = "background", "negatives", "mean over grid"


@dataclass(frozen=True)
class AucRow:
    """One AUC on the test jets; m_phi in GeV; m_phi and r_inv are NaN (empty in the file) off the grid."""

    method: str
    seed: int
    signal: str
    m_phi: float
    r_inv: float
    auc: float
    auc_error: float
    n_signal: int
    n_background: int


@dataclass(frozen=True)
class EpochAucRow:
    """One AUC on the validation background after an epoch of training."""

    method: str
    seed: int
    epoch: int
    signal: str
    m_phi: float
    r_inv: float
    auc: float
    auc_error: float
    n_signal: int
    n_background: int


@dataclass(frozen=True)
class MeritRow:
    """One figure of merit of one method, seed and signal.

    `where` is the signal efficiency at which it is reached; it, and an error that cannot be given, are NaN (empty in
    the file). Figures of the background alone have the signal `background` and no grid point, the mean of a figure over
    all signals has the signal `mean over grid`.
    """

    method: str
    seed: int
    signal: str
    m_phi: float
    r_inv: float
    merit: str
    value: float
    error: float
    where: float


@dataclass(frozen=True)
class GridRow:
    """The mean AUC of one method over the grid and its seeds, and its difference from the best baseline.

    `error` is that of the test jets (bootstrap of events over the whole grid), `spread` the standard deviation over
    seeds. `reference` is the baseline, and `difference_error` the error of the test jets from the same replicas.
    """

    method: str
    seeds: int
    auc: float
    error: float
    spread: float
    reference: str
    difference: float
    difference_error: float


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


@dataclass(frozen=True)
class ChoiceRow:
    """AUC at the epoch that training chose, and at the snapshot where it is best for this signal."""

    method: str
    seed: int
    signal: str
    m_phi: float
    r_inv: float
    chosen_epoch: int
    chosen_auc: float
    best_epoch: int
    best_auc: float
    last_auc: float
    auc_error: float


@dataclass(frozen=True)
class ContaminationRow:
    """One AUC of a method that was trained with a share of signal among its jets."""

    signal_fraction: float
    method: str
    seed: int
    signal: str
    m_phi: float
    r_inv: float
    auc: float
    auc_error: float
    n_signal: int
    n_background: int


@dataclass(frozen=True)
class VaeAucRow:
    """One AUC of an image VAE, or (training metric `supervised`) of the supervised network.

    `chosen` is 1 for the beta with the lowest validation loss on background, 0 for the others of the scan. The signal
    `labelled` is what a supervised network was trained on, `none` for the VAE.
    """

    training_metric: str
    depth: int
    beta: float
    chosen: int
    validation_loss: float
    labelled: str
    signal: str
    anomaly_metric: str
    auc: float
    auc_error: float
    n_signal: int
    n_background: int


@dataclass(frozen=True)
class LatentRow:
    """Pearson correlation over pairs of background jets: a distance in the network against one between the images.

    `layer` is `images` (mean square error between the images), `block-1` and so on, or `latent`.
    """

    training_metric: str
    depth: int
    beta: float
    chosen: int
    layer: str
    image_metric: str
    correlation: float
    pairs: int


def write_rows(path: Path, rows: Iterable[Row], kind: type[Row]) -> None:
    """Write rows as CSV with a header, whole or not at all; floats with 8 digits, NaN as an empty field."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(kind)]
    writer.writerow(names)
    for row in rows:
        writer.writerow([_to_text(getattr(row, name)) for name in names])
    write_text(path, text.getvalue())


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """Read what `write_rows` wrote.

    Raises
    ------
    EvaluationError
        If the file is missing, has other columns, no row, or a field that is not a number.
    """
    types = get_type_hints(kind)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != list(types):
                raise EvaluationError(
                    f"{path}: columns are {', '.join(reader.fieldnames or ['none'])}, expected {', '.join(types)}"
                )
            rows = [_from_text(path, number, row, kind, types) for number, row in enumerate(reader, start=2)]
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(
            f"{path}: not a readable table of results ({error}); run the stage that makes it"
        ) from error
    if not rows:
        raise EvaluationError(f"{path}: the table has no row; run the stage that makes it again")
    return rows


def _to_text(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else format(value, ".8g")
    return str(value)


def _from_text(path: Path, number: int, row: dict[str, Any], kind: type[Row], types: dict[str, type]) -> Row:
    values: dict[str, Any] = {}
    for name, convert in types.items():
        text = row[name]
        try:
            values[name] = math.nan if text == "" and convert is float else convert(text)
        except (TypeError, ValueError) as error:
            raise EvaluationError(f"{path}: line {number}: {name} is {text!r}, not {convert.__name__}") from error
    return kind(**values)
