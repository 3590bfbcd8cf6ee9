"""Train the image VAE on background jets, from files to files, and open what was written."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from oddjet.detectors.file import FORMAT, read_content
from oddjet.errors import DetectorError
from oddjet.images.store import read_images
from oddjet.images.vae_settings import Metric, VaeSettings
from oddjet.io.atomic import atomic_path
from oddjet.models.image_distances import Distance, training_distance
from oddjet.models.image_networks import Shape, Vae, kld, weighted_loss
from oddjet.provenance.attributes import attributes
from oddjet.training.checkpoint import checkpoint_digest
from oddjet.training.image_loop import ImageTraining, seeded, train_until_done

LOGGER = logging.getLogger("oddjet")
IMAGES_AT_A_TIME = 500


class Run(NamedTuple):
    """One training: metric of the reconstruction, number of down-samplings, weight of the KLD."""

    metric: Metric
    depth: int
    beta: float


@dataclass(frozen=True)
class TrainedVae:
    """A VAE from a file.

    Attributes
    ----------
    network
        In evaluation mode.
    run
        What it was trained with.
    settings
        All settings of the VAE.
    validation_loss
        The lowest mean loss on background validation jets; it chooses beta.
    side
        Length of a side of the images that it was trained on.
    epoch
        The epoch of that loss, whose weights these are.
    """

    network: Vae
    run: Run
    settings: VaeSettings
    validation_loss: float
    side: float
    epoch: int


class VaeObjective:
    """(1 - beta) image distance + beta KLD.

    Parameters
    ----------
    network
        The VAE.
    run, settings
        Beta; reduction of the KLD; seed of the validation's latent noise.
    images, validation
        Images, shapes (n, pixels, pixels) and (m, pixels, pixels).
    distance
        Image distance of the training.
    """

    def __init__(
        self, network: Vae, run: Run, settings: VaeSettings, images: Tensor, validation: Tensor, distance: Distance
    ) -> None:
        self.network, self.run, self.settings = network, run, settings
        self.images, self.validation, self.distance = images, validation, distance
        # Always the same, so that epochs and betas are compared on the same footing.
        generator = torch.Generator().manual_seed(settings.seed)
        self.noise = torch.randn((len(validation), settings.latent), generator=generator)

    @property
    def jets(self) -> int:
        """Number of training jets."""
        return len(self.images)

    def each(self, images: Tensor, noise: Tensor) -> Tensor:
        """Loss of each image, shape (n,)."""
        made, mean, log_variance = self.network(images, noise)
        return weighted_loss(self.distance(images, made), kld(mean, log_variance, self.settings.kld), self.run.beta)

    def loss(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Mean loss of training jets."""
        noise = torch.randn((len(rows), self.settings.latent), generator=generator)
        return self.each(self.images[rows], noise).mean()

    def validation_loss(self) -> float:
        """Mean loss of the validation jets."""
        size = self.settings.batch_size
        parts = zip(self.validation.split(size), self.noise.split(size), strict=True)  # type: ignore[no-untyped-call]
        return float(sum(self.each(images, noise).sum() for images, noise in parts)) / len(self.validation)


def train_vae(run: Run, settings: VaeSettings, train: Path, validation: Path, output: Path) -> None:
    """Train one VAE; write model.pt and history.csv.

    Parameters
    ----------
    run
        Metric, down-samplings, beta.
    settings
        Network, schedule, numbers of jets of the metric's trainings.
    train, validation
        Images of background jets.
    output
        Folder of the two files.

    Raises
    ------
    TableError, TrainingError
        See `oddjet.images.store` and `oddjet.training.image_loop`.
    """
    torch.set_num_threads(1)
    own = settings.trainings[run.metric]
    batch, held_out = read_images(train, 0, own.train_jets), read_images(validation, 0, settings.validation_jets)
    text = json.dumps({**json.loads(settings.model_dump_json()), "run": run._asdict()})
    record = attributes("train_vae", text, [train, validation])
    shape = _shape(run, settings, batch.sparse.pixels)
    network = cast("Vae", seeded(lambda: Vae(shape), settings.seed))
    distance = training_distance(run.metric, batch.side, settings.sinkhorn.blur, settings.sinkhorn.scaling)
    images, others = (torch.from_numpy(part.dense()) for part in (batch, held_out))
    training = ImageTraining(network, settings.model_copy(update={"batch_size": own.batch_size or settings.batch_size}))
    objective = VaeObjective(network, run, settings, images, others, distance)
    LOGGER.info("%s, depth %d, beta %g: %d training, %d validation jets", *run, len(images), len(others))
    train_until_done(training, objective, own.epochs, output, checkpoint_digest(record, [settings.seed], "cpu"))
    metadata = {
        "run": run._asdict(),
        "settings": settings.model_dump(mode="json"),
        "shape": asdict(shape),
        "validation_loss": training.best_loss,
        "side": batch.side,
        "provenance": record,
    }
    write_history(output / "history.csv", training.history)
    write_network(output / "model.pt", training, metadata)


def write_network(path: Path, training: ImageTraining, metadata: Mapping[str, Any]) -> None:
    """Write the best weights as a plain dictionary of tensors, numbers and strings."""
    content = {
        "format": FORMAT,
        "parameters": training.best_parameters,
        "seeds": [training.settings.seed],
        "epochs": [training.best_epoch],
        "metadata": json.dumps(metadata),
    }
    with atomic_path(path) as temporary:
        torch.save(content, temporary)


def write_history(path: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Write one row an epoch as CSV."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def load_vae(path: Path) -> TrainedVae:
    """Read what `train_vae` wrote; raises `DetectorError` if it is something else."""
    content = read_content(path)
    metadata = content["metadata"]
    try:
        network = Vae(Shape(**metadata["shape"]))
        network.load_state_dict(content["parameters"])
        settings = VaeSettings.model_validate(metadata["settings"])
        run, loss, side = Run(**metadata["run"]), float(metadata["validation_loss"]), float(metadata["side"])
        (epoch,) = map(int, content["epochs"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DetectorError(f"{path}: not the file of an image VAE ({error}); train it again") from error
    network.eval()
    return TrainedVae(network, run, settings, loss, side, epoch)


def _shape(run: Run, settings: VaeSettings, pixels: int) -> Shape:
    return Shape(run.depth, pixels, settings.filters, settings.hidden, settings.latent, settings.decoder_start)
