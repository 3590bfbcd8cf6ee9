"""The supervised network on images (arXiv:2110.06948, appendix B): a ceiling, and what it finds of another signal."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from oddjet.evaluation.merit import SampleScores, compute_auc
from oddjet.evaluation.tables import VaeAucRow, write_rows
from oddjet.images.store import ImageBatch, read_images
from oddjet.images.vae_settings import VaeSettings
from oddjet.models.image_networks import Classifier, Shape
from oddjet.provenance.attributes import attributes
from oddjet.training.checkpoint import checkpoint_digest
from oddjet.training.image_loop import ImageTraining, seeded, train_until_done
from oddjet.training.vae import IMAGES_AT_A_TIME, write_history, write_network

SUPERVISED = "supervised"


class LabelledFiles(NamedTuple):
    """Images of one class."""

    train: Path
    validation: Path


class CnnObjective:
    """Binary cross entropy; both classes are as large as each other.

    Parameters
    ----------
    network
        The classifier.
    images, labels
        Training images (n, pixels, pixels), and 1 for signal, 0 for background, (n,).
    validation, validation_labels
        The same of the validation jets.
    """

    def __init__(
        self, network: Classifier, images: Tensor, labels: Tensor, validation: Tensor, validation_labels: Tensor
    ) -> None:
        self.network, self.images, self.labels = network, images, labels
        self.validation, self.validation_labels = validation, validation_labels

    @property
    def jets(self) -> int:
        """Number of training jets, both classes together."""
        return len(self.images)

    def loss(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Mean loss of training jets."""
        return binary_cross_entropy_with_logits(self.network(self.images[rows]), self.labels[rows])

    def validation_loss(self) -> float:
        """Mean loss of the validation jets."""
        logits = torch.from_numpy(logits_of(self.network, self.validation.numpy())).float()
        return float(binary_cross_entropy_with_logits(logits, self.validation_labels))


def train_cnn(
    labelled: str,
    depth: int,
    settings: VaeSettings,
    files: Mapping[str, LabelledFiles],
    samples: Mapping[str, Path],
    output: Path,
) -> None:
    """Train a network on one signal against background and test it on all; write model.pt, history.csv and auc.csv.

    Parameters
    ----------
    labelled
        The signal that it is trained on.
    depth
        Number of down-samplings.
    settings
        Schedule; `cnn` for the number of jets and epochs.
    files
        Training and validation images of the background and of that signal, the background first.
    samples
        Test images of all samples, the background first: of other signals the AUC is that of a transfer.
    output
        Folder of the three files.
    """
    torch.set_num_threads(1)
    inputs = [path for pair in files.values() for path in pair]
    text = json.dumps({**json.loads(settings.model_dump_json()), "labelled": labelled, "depth": depth})
    record = attributes("train_cnn", text, inputs)
    train = _together([read_images(pair.train, 0, settings.cnn.train_jets) for pair in files.values()])
    held_out = _together([read_images(pair.validation, 0, settings.validation_jets) for pair in files.values()])
    shape = Shape(depth, train[0].shape[1], settings.filters)
    network = cast("Classifier", seeded(lambda: Classifier(shape, settings.cnn.scale), settings.seed))
    training = ImageTraining(network, settings.model_copy(update={"batch_size": settings.cnn.batch_size}))
    objective = CnnObjective(network, *train, *held_out)
    train_until_done(
        training, objective, settings.cnn.epochs, output, checkpoint_digest(record, [settings.seed], "cpu")
    )
    metadata = {
        "labelled": labelled,
        "shape": asdict(shape),
        "scale": settings.cnn.scale,
        "validation_loss": training.best_loss,
    }
    write_network(output / "model.pt", training, {**metadata, "provenance": record})
    write_history(output / "history.csv", training.history)
    batches = {name: read_images(path) for name, path in samples.items()}
    write_rows(output / "auc.csv", auc_rows(network, labelled, depth, training.best_loss, batches), VaeAucRow)


def auc_rows(
    network: Classifier, labelled: str, depth: int, validation_loss: float, batches: Mapping[str, ImageBatch]
) -> list[VaeAucRow]:
    """Test a classifier on every signal against the first sample; anomaly metric `logit`."""
    scores = {
        name: SampleScores(name, logits_of(network, batch.dense()), batch.jets["weight"])
        for name, batch in batches.items()
    }
    background, *signals = scores
    start = (SUPERVISED, depth, math.nan, 1, validation_loss, labelled)
    return [
        VaeAucRow(
            *start,
            signal,
            "logit",
            *compute_auc(scores[background], scores[signal]),
            len(batches[signal]),
            len(batches[background]),
        )
        for signal in signals
    ]


def logits_of(network: Classifier, images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give the logits of images, so many at a time; shape (n,)."""
    logits = np.empty(len(images))
    with torch.no_grad():
        for start in range(0, len(images), IMAGES_AT_A_TIME):
            part = slice(start, start + IMAGES_AT_A_TIME)
            logits[part] = network(torch.from_numpy(images[part])).numpy()
    return logits


def _together(batches: Sequence[ImageBatch]) -> tuple[Tensor, Tensor]:
    """Put background and signal together, equally many: images and labels."""
    count = min(len(batch) for batch in batches)
    images = np.concatenate([batch.dense()[:count] for batch in batches])
    labels = np.repeat(np.arange(len(batches), dtype=np.float32), count)
    return torch.from_numpy(images), torch.from_numpy(labels)
