"""What the figures of the image VAE show, from its table and the histories of its trainings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from oddjet.errors import FigureError
from oddjet.evaluation.history import read_history
from oddjet.evaluation.summary import average
from oddjet.images.vae_results import VaeAucRow
from oddjet.plotting.vae import LossCurve, ScanPoint
from oddjet.titles import default_title


def scan_points(rows: Sequence[VaeAucRow], metric: str) -> list[ScanPoint]:
    """Return validation loss and AUC, by the loss, of every depth and beta of a metric: means over seeds."""
    found: dict[tuple[int, float], list[VaeAucRow]] = {}
    for row in rows:
        if (row.training_metric, row.anomaly_metric) == (metric, "loss"):
            found.setdefault((row.depth, row.beta), []).append(row)
    return [
        ScanPoint(*place, fmean(row.validation_loss for row in own), _by_signal(own)) for place, own in found.items()
    ]


def _by_signal(rows: Sequence[VaeAucRow]) -> dict[str, tuple[float, float]]:
    """Return the mean over seeds and its uncertainty, by the title of the signal."""
    found = {}
    for name in dict.fromkeys(row.signal for row in rows):
        own = [row for row in rows if row.signal == name]
        mean = average([row.auc for row in own], [row.auc_error for row in own])
        found[default_title(name)] = mean.mean, mean.uncertainty
    return found


def loss_curves(rows: Sequence[VaeAucRow], histories: Sequence[Path]) -> list[LossCurve]:
    """Return the losses by epoch of the trainings with the chosen betas.

    Parameters
    ----------
    rows : sequence of VaeAucRow
        Of all trainings; each says its validation loss, of that of the mean image.
    histories : sequence of Path
        `METRIC/depth-D/seed-S/beta-B/history.csv`.

    Raises
    ------
    FigureError
        A training has no history, or one of something else.
    EvaluationError
        See `oddjet.evaluation.history.read_history`.
    """
    places = {path.parent.parts[-4:]: path for path in histories}
    vaes = [row for row in rows if row.chosen and row.labelled == "none"]
    found = []
    for (metric, depth, seed), row in {(row.training_metric, row.depth, row.seed): row for row in vaes}.items():
        place = (metric, f"depth-{depth}", f"seed-{seed}", f"beta-{row.beta:g}")
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
        found.append(LossCurve(metric, depth, seed, validation[0], train[1], validation[1], unlearnt))
    return found
