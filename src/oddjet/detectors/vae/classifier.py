"""The supervised network on images (arXiv:2110.06948, appendix B): a ceiling, trained on labelled signal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from oddjet.detectors.vae.networks import IMAGES_AT_A_TIME, Classifier, Shape
from oddjet.detectors.vae.settings import VaeSettings
from oddjet.detectors.vae.train import counted_images, train_on_images
from oddjet.images.store import ImageBatch
from oddjet.provenance.attributes import attributes
from oddjet.training.networks import seeded


class LabelledFiles(NamedTuple):
    """Images of one class."""

    train: Path
    validation: Path


class ClassifierObjective:
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
        self.network, self._images, self._labels = network, images, labels
        self._validation, self._validation_labels = validation, validation_labels

    @property
    def jets(self) -> int:
        """Number of training jets, both classes together."""
        return len(self._images)

    @property
    def validation_jets(self) -> int:
        """Number of validation jets, both classes together."""
        return len(self._validation)

    def loss(self, network: nn.Module, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean loss of training jets."""
        logits: Tensor = network(self._images[rows])
        return binary_cross_entropy_with_logits(logits, self._labels[rows])

    def validation_loss(self, network: nn.Module) -> float:
        """Return the mean loss of the validation jets."""
        logits = torch.from_numpy(logits_of(network, self._validation.numpy())).float()
        return float(binary_cross_entropy_with_logits(logits, self._validation_labels))


def train_classifier(
    labelled: str, depth: int, settings: VaeSettings, files: Mapping[str, LabelledFiles], output: Path
) -> tuple[Classifier, float]:
    """Train a network on one signal against background; write model.pt and history.csv.

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
    output
        Folder of the two files.

    Returns
    -------
    The network with its best weights, and its validation loss.

    Raises
    ------
    DatasetError
        See `oddjet.detectors.vae.train.counted_images`: weights count by a draw, and have one sign.
    """
    torch.set_num_threads(1)
    own = settings.cnn
    inputs = [path for pair in files.values() for path in pair]
    text = json.dumps({**json.loads(settings.model_dump_json()), "labelled": labelled, "depth": depth})
    record = attributes("train_cnn", text, inputs)
    train, held_out = (
        _together([counted_images(pair[part], size, settings.seed, f"cnn: {name}") for name, pair in files.items()])
        for part, size in enumerate((own.train_jets, settings.validation_jets))
    )
    shape = Shape(depth, train[0].shape[1], settings.filters, scale=settings.scale)
    network = seeded(lambda: Classifier(shape), settings.seed)
    objective = ClassifierObjective(network, *train, *held_out)
    schedule = settings.training.model_copy(update={"epochs": own.epochs, "batch_size": own.batch_size})
    metadata = {"labelled": labelled, "shape": asdict(shape)}
    state = train_on_images("cnn", objective, settings, schedule, record, output, metadata)
    network.load_state_dict(state.chosen()[0])
    return network.eval(), state.best_values[0]


def logits_of(network: nn.Module, images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the logits of images, shape (n,)."""
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
