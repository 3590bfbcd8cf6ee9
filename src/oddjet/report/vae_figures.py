"""What the figures of the image VAE show, from its table and the histories of its trainings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oddjet.errors import FigureError
from oddjet.evaluation.history import read_history
from oddjet.images.vae_results import VaeAucRow
from oddjet.plotting.vae import LossCurve, ScanPoint
from oddjet.titles import default_title


def scan_points(rows: Sequence[VaeAucRow], metric: str) -> list[ScanPoint]:
    """Return validation loss and AUC, by the loss, of every training with a metric."""
    found: dict[tuple[int, float, float], dict[str, tuple[float, float]]] = {}
    for row in rows:
        if (row.training_metric, row.anomaly_metric) == (metric, "loss"):
            auc = found.setdefault((row.depth, row.beta, row.validation_loss), {})
            auc[default_title(row.signal)] = row.auc, row.auc_error
    return [ScanPoint(*place, auc) for place, auc in found.items()]


def loss_curves(rows: Sequence[VaeAucRow], histories: Sequence[Path]) -> list[LossCurve]:
    """Return the losses by epoch of the trainings with the chosen betas.

    Parameters
    ----------
    rows : sequence of VaeAucRow
        Of all trainings; each says its validation loss, of that of the mean image.
    histories : sequence of Path
        `METRIC/depth-D/beta-B/history.csv`.

    Raises
    ------
    FigureError
        A training has no history, or one of something else.
    EvaluationError
        See `oddjet.evaluation.history.read_history`.
    """
    places = {path.parent.parts[-3:]: path for path in histories}
    chosen = {(row.training_metric, row.depth): row for row in rows if row.chosen and row.labelled == "none"}
    found = []
    for (metric, depth), row in chosen.items():
        place = (metric, f"depth-{depth}", f"beta-{row.beta:g}")
        if place not in places:
            raise FigureError(
                f"--histories: none is of {'/'.join(place)}, which the table has; give that of each training"
            )
        losses = read_history([places[place]])
        curves = [list(losses.get(f"loss_{part}", {}).values()) for part in ("validation", "train")]
        if [len(of_seeds) for of_seeds in curves] != [1, 1]:
            raise FigureError(
                f"{places[place]}: not the losses of one network in training and validation; train it again"
            )
        (validation,), (train,) = curves
        unlearnt = row.validation_loss / row.of_mean_image
        found.append(LossCurve(metric, depth, validation[0], train[1], validation[1], unlearnt))
    return found
