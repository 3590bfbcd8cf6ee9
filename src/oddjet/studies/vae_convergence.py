"""Whether a training on images has converged: how its validation loss ends, and what the mean image would have."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from oddjet.detectors.vae.losses import training_distance
from oddjet.errors import EvaluationError
from oddjet.evaluation.history import read_history
from oddjet.images.store import ImageBatch

# A training has converged if its lowest validation loss fell by no more than this share in the last quarter of its
# epochs, and lies below this share of the loss of the mean training image, which needs no network.
FLAT = 0.02
LEARNT = 0.8


def late_fall(history: Path) -> float:
    """Return by which share of itself the lowest validation loss fell in the last quarter of the epochs.

    Parameters
    ----------
    history : Path
        `history.csv` of one network.

    Returns
    -------
    float
        0 where no later epoch is below the best one before; NaN where there is a single epoch.

    Raises
    ------
    EvaluationError
        If the file is no history of one network with a validation loss.
    """
    curves = read_history([history]).get("loss_validation", {})
    if len(curves) != 1:
        raise EvaluationError(f"{history}: holds {len(curves)} curves of a validation loss, not one; train it again")
    ((_, losses),) = curves.values()
    last = math.ceil(len(losses) / 4)
    if len(losses) == last:
        return math.nan
    before = min(losses[:-last])
    return max(0.0, 1.0 - min(losses[-last:]) / before)


def mean_image_loss(train: ImageBatch, validation: ImageBatch, metric: str) -> float:
    """Return the mean distance of validation images from the mean training image, by an exact training metric.

    Parameters
    ----------
    train, validation : ImageBatch
        The images of a training.
    metric : str
        As `oddjet.detectors.vae.losses.training_distance` takes it.
    """
    mean = torch.from_numpy(train.dense().mean(axis=0, dtype=np.float64).astype(np.float32))
    images = torch.from_numpy(validation.dense())
    with torch.no_grad():
        values = training_distance(metric, validation.side)(images, mean.expand_as(images))
    return float(values.double().mean())


def shortcomings(fall: float, of_mean_image: float) -> str:
    """Say why a training has not converged; nothing where it has.

    Parameters
    ----------
    fall : float
        What `late_fall` gives.
    of_mean_image : float
        Validation loss over `mean_image_loss`; NaN for a network that reconstructs nothing.
    """
    found = []
    if math.isnan(fall):
        found.append("a single epoch")
    elif fall > FLAT:
        found.append(f"still fell by {100 * fall:.0f} %")
    if of_mean_image >= LEARNT:
        found.append(f"{of_mean_image:.2f} of the mean image's")
    return ", ".join(found)
