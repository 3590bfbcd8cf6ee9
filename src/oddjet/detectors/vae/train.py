"""Train the image VAE on background jets, from files to files, and open what was written."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from oddjet.detectors.file import FORMAT, read_content, write
from oddjet.detectors.vae.losses import Distance, kld, training_distance, weighted_loss
from oddjet.detectors.vae.networks import Shape, Vae
from oddjet.detectors.vae.settings import Metric, VaeSettings
from oddjet.errors import DetectorError
from oddjet.images.store import ImageBatch, read_images
from oddjet.io.failures import one_line
from oddjet.io.tables import read_table
from oddjet.provenance.attributes import attributes
from oddjet.training.checkpoint import Checkpoints, checkpoint_digest
from oddjet.training.history import HistoryFile, write_history
from oddjet.training.loop import fit
from oddjet.training.networks import NetworkGroup, Objective, seeded
from oddjet.training.settings import Schedule
from oddjet.training.state import TrainingState
from oddjet.weighted import check_weights, draw, unequal

LOGGER = logging.getLogger("oddjet")


class VaeRun(NamedTuple):
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
    provenance
        See `oddjet.provenance.attributes`.
    """

    network: Vae
    run: VaeRun
    settings: VaeSettings
    validation_loss: float
    side: float
    epoch: int
    provenance: Mapping[str, str]


class VaeObjective:
    """(1 - beta) image distance + beta KLD.

    Parameters
    ----------
    network
        The VAE.
    run, settings
        Beta; reduction of the KLD; size of a batch; seed of the validation's latent noise.
    images, validation
        Images, shapes (n, pixels, pixels) and (m, pixels, pixels).
    distance
        Image distance of the training.
    """

    def __init__(
        self, network: Vae, run: VaeRun, settings: VaeSettings, images: Tensor, validation: Tensor, distance: Distance
    ) -> None:
        self.network, self._run, self._settings = network, run, settings
        self._images, self._validation, self._distance = images, validation, distance
        # Always the same, so that epochs and betas are compared on the same footing.
        generator = torch.Generator().manual_seed(settings.seed)
        self._noise = torch.randn((len(validation), settings.latent), generator=generator)

    @property
    def jets(self) -> int:
        """Number of training jets."""
        return len(self._images)

    @property
    def validation_jets(self) -> int:
        """Number of validation jets."""
        return len(self._validation)

    def loss(self, network: nn.Module, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean loss of training jets."""
        noise = torch.randn((len(rows), self._settings.latent), generator=generator)
        return self._losses(network, self._images[rows], noise).mean()

    def validation_loss(self, network: nn.Module) -> float:
        """Return the mean loss of the validation jets."""
        size = self._settings.training.batch_size
        parts = zip(self._validation.split(size), self._noise.split(size), strict=True)  # type: ignore[no-untyped-call]
        return float(sum(self._losses(network, *part).sum() for part in parts)) / len(self._validation)

    def _losses(self, network: nn.Module, images: Tensor, noise: Tensor) -> Tensor:
        """Return the loss of each image, shape (n,)."""
        made, mean, log_variance = network(images, noise)
        divergence = kld(mean, log_variance, self._settings.kld)
        return weighted_loss(self._distance(images, made), divergence, self._run.beta)


def train_vae(run: VaeRun, settings: VaeSettings, train: Path, validation: Path, output: Path) -> None:
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
        See `oddjet.images.store` and `oddjet.training`.
    DatasetError
        See `counted_images`.
    """
    torch.set_num_threads(1)
    batch, held_out = images_of(run, settings, train, validation)
    text = json.dumps({**json.loads(settings.model_dump_json()), "run": run._asdict()})
    record = attributes("train_vae", text, [train, validation])
    sizes = settings.filters, settings.hidden, settings.latent, settings.decoder_start, settings.scale
    shape = Shape(run.depth, batch.sparse.pixels, *sizes)
    network = seeded(lambda: Vae(shape), settings.seed)
    if run.metric.startswith("wass"):
        network.decoder.begin_above_zero()
    approximate = settings.sinkhorn.blur if settings.transport == "sinkhorn" else None
    if approximate and run.metric.startswith("wass"):
        LOGGER.warning("the loss is Sinkhorn's divergence (blur %g): approximate transport", approximate)
    distance = training_distance(run.metric, batch.side, approximate, settings.sinkhorn.scaling)
    images, others = (torch.from_numpy(part.dense()) for part in (batch, held_out))
    objective = VaeObjective(network, run, settings, images, others, distance)
    LOGGER.info("%s, depth %d, beta %g: %d training, %d validation jets", *run, len(images), len(others))
    metadata = {"run": run._asdict(), "shape": asdict(shape), "side": batch.side}
    schedule = settings.trainings[run.metric].schedule(settings.training)
    train_on_images("image_vae", objective, settings, schedule, record, output, metadata)


def images_of(run: VaeRun, settings: VaeSettings, train: Path, validation: Path) -> tuple[ImageBatch, ImageBatch]:
    """Read the training and validation images of a run; see `counted_images`."""
    sizes = settings.trainings[run.metric].train_jets, settings.validation_jets
    what = f"image VAE ({run.metric}): {{}} images"
    return (
        counted_images(train, sizes[0], settings.seed, what.format("training")),
        counted_images(validation, sizes[1], settings.seed, what.format("validation")),
    )


def counted_images(path: Path, limit: int, seed: int, what: str) -> ImageBatch:
    """Read images of which each counts the same: the first ones, or a sample of all that is drawn by weight.

    Parameters
    ----------
    path
        Images and their jets.
    limit
        Largest number to read.
    seed
        Of the draw.
    what
        Begins a message: whose images.

    Returns
    -------
    The first `limit` images where all weights are equal. Otherwise as many as the weights are worth, up to `limit`, see
    `oddjet.weighted.draw`.

    Raises
    ------
    TableError
        See `oddjet.images.store.read_images`.
    DatasetError
        A weight is negative, or they do not add up to a finite number above 0.
    """
    weights = read_table(path, ["weight"])["weight"]
    check_weights(weights, what, signed=False)
    varying = unequal(weights)
    if varying is None:
        return read_images(path, 0, limit)
    rows = draw(varying, limit, seed)
    LOGGER.info("%s: %d of %d jets, drawn by weight, as many as the weights are worth", what, len(rows), len(weights))
    batch = read_images(path)
    return ImageBatch(batch.jets[rows], batch.sparse.take(rows))


def train_on_images(
    name: str,
    objective: Objective,
    settings: VaeSettings,
    schedule: Schedule,
    record: Mapping[str, str],
    output: Path,
    metadata: Mapping[str, Any],
) -> TrainingState:
    """Train one network on images; write model.pt and history.csv, and snapshots.pt where the schedule has some.

    Parameters
    ----------
    name
        Of the network, for log and history.
    objective
        Network and images.
    settings
        For the seed, and for the file.
    schedule
        Of this training.
    record
        Provenance.
    output
        Folder of the files.
    metadata
        What the model file says of itself besides.
    """
    digest = checkpoint_digest(record, [settings.seed], "cpu")
    checkpoints = Checkpoints(output / "checkpoints", digest, schedule.checkpoint_seconds)
    history = HistoryFile(output / "history.csv", name, tensorboard=schedule.tensorboard)
    state = fit(NetworkGroup(name, [objective], [settings.seed], schedule), schedule, checkpoints, history)
    kept = {
        **metadata,
        "settings": settings.model_dump(mode="json"),
        "validation_loss": state.best_values[0],
        "provenance": dict(record),
    }
    write_history(output / "history.csv", name, state.history)
    _write(output / "model.pt", state.chosen()[0], settings.seed, state.best_epochs, kept)
    if state.snapshots:
        epochs, snapshots = zip(*state.all_snapshots(), strict=True)
        stacked = {name: torch.stack([weights[0][name] for weights in snapshots]) for name in snapshots[0][0]}
        _write(output / "snapshots.pt", stacked, settings.seed, epochs, kept)
    checkpoints.discard()
    return state


def _write(
    path: Path, parameters: dict[str, Tensor], seed: int, epochs: Sequence[int], metadata: Mapping[str, Any]
) -> None:
    """Write weights as a plain dictionary of tensors, numbers and strings."""
    content = {
        "format": FORMAT,
        "parameters": parameters,
        "seeds": [seed],
        "epochs": list(epochs),
        "metadata": json.dumps(metadata),
    }
    write(path, content)


def load_vae(path: Path) -> TrainedVae:
    """Read what `train_vae` wrote; raises `DetectorError` if it is something else."""
    content = read_content(path)
    metadata = content["metadata"]
    try:
        network = Vae(Shape(**metadata["shape"]))
        network.load_state_dict(content["parameters"])
        settings = VaeSettings.model_validate(metadata["settings"])
        run, loss, side = VaeRun(**metadata["run"]), float(metadata["validation_loss"]), float(metadata["side"])
        (epoch,), provenance = map(int, content["epochs"]), dict(metadata["provenance"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DetectorError(f"{path}: not the file of an image VAE ({one_line(error)}); train it again") from error
    network.eval()
    return TrainedVae(network, run, settings, loss, side, epoch, provenance)
