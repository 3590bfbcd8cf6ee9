"""Score image jets with VAEs: six anomaly metrics, each the distance of an image from its reconstruction.

The transport distances are exact, whatever the training used. The loss of a VAE that was trained with wass1 or wass2 is
therefore (1 - beta) times the exact distance plus beta times the KLD.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.detectors.opening import Given, Method, Opened, one_method
from oddjet.detectors.vae.losses import kld
from oddjet.detectors.vae.networks import IMAGES_AT_A_TIME
from oddjet.detectors.vae.settings import VaeMethod
from oddjet.detectors.vae.train import TrainedVae, load_vae
from oddjet.errors import DetectorError, ImageError
from oddjet.images.store import ImageBatch, ImageLibrary
from oddjet.transport.images import all_distances, metric_of
from oddjet.transport.sparse import sparse_images

TRANSPORT = ("wass0p5", "wass1", "wass2")
# Dense images and reconstructions that are in memory at a time.
JETS_AT_A_TIME = 5000


def score_images(vae: TrainedVae, batch: ImageBatch, metrics: Sequence[str], threads: int = 1) -> dict[str, Floats]:
    """Score jets; the latent point is the mean, so that a score is repeatable.

    Parameters
    ----------
    vae : TrainedVae
    batch : ImageBatch
        n jets.
    metrics : sequence of str
        Of `ANOMALY_METRICS`; `loss` of a VAE that was trained with a transport distance needs that distance too.
    threads : int
        For the transport distances.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        The metrics that were asked for, and `kld`.

    Raises
    ------
    DetectorError
        A reconstruction has no pixel above zero.
    """
    made, divergence = _reconstruct(vae, batch)
    images = batch.dense().astype(np.float64)
    distances: dict[str, Floats] = {
        "mse": ((images - made) ** 2).mean(axis=(1, 2)),
        "mae": np.abs(images - made).mean(axis=(1, 2)),
    }
    needed = {*metrics, vae.run.metric} if "loss" in metrics else set(metrics)
    wanted = [name for name in TRANSPORT if name in needed]
    if wanted:
        try:
            sparse = sparse_images(_with_mass(made), batch.side)
        except ImageError as error:
            raise DetectorError(f"{vae.run}: reconstructions cannot be transported to: {error}") from error
        pairs = np.repeat(np.arange(len(batch)), 2).reshape(-1, 2)
        for name in wanted:
            distances[name] = all_distances(batch.sparse, sparse, pairs, metric_of(name), threads)
    if "loss" in metrics:
        distances["loss"] = (1.0 - vae.run.beta) * distances[vae.run.metric] + vae.run.beta * divergence
    return {**{name: distances[name] for name in metrics}, "kld": divergence}


@dataclass(frozen=True)
class VaeScores:
    """A VAE a seed, and the images of all jets that will be scored."""

    name: str
    seeds: tuple[int, ...]
    vaes: Sequence[TrainedVae]
    library: ImageLibrary
    anomaly: str
    threads: int

    @property
    def epochs(self) -> tuple[int, ...]:
        """Return the epoch of each seed."""
        return tuple(vae.epoch for vae in self.vaes)

    def score(self, jets: NDArray[np.void]) -> Floats:
        """Score a table of n jets by their images: shape (n, S), larger is less like background."""
        scores = np.empty((len(jets), len(self.vaes)))
        for start in range(0, len(jets), JETS_AT_A_TIME):
            part = slice(start, start + JETS_AT_A_TIME)
            batch = self.library.of(jets[part])
            for column, vae in enumerate(self.vaes):
                scores[part, column] = score_images(vae, batch, (self.anomaly,), self.threads)[self.anomaly]
        return scores


def opened_vaes(given: Given) -> VaeScores:
    """Open the VAE of each seed, and the images.

    Raises
    ------
    DetectorError
        A seed has no model, or a model was trained on images of another size.
    """
    assert isinstance(given.settings, VaeMethod)
    # In another number of threads a reconstruction has other last bits.
    torch.set_num_threads(1)
    library = ImageLibrary(given.images)
    vaes = chosen_vaes(given, library)
    return VaeScores(given.method, given.seeds, vaes, library, given.settings.anomaly, given.threads)


def open_detector(given: Given) -> Opened:
    """Open a VAE a seed for scoring; see `opened_vaes`."""
    opened = opened_vaes(given)
    return one_method(Method(opened.name, opened.seeds, opened.epochs), opened.score)


def chosen_vaes(given: Given, library: ImageLibrary) -> list[TrainedVae]:
    """Return the VAE of each seed: of several betas, the lowest validation loss on background chooses."""
    trained: dict[int, list[TrainedVae]] = defaultdict(list)
    for path in given.models:
        vae = load_vae(path)
        check_size(path, vae, library.pixels, library.side)
        trained[vae.settings.seed].append(vae)
    missing = [seed for seed in given.seeds if seed not in trained]
    if missing:
        raise DetectorError(f"seed {missing[0]}: no model; the models are of seeds {sorted(trained)}")
    return [min(trained[seed], key=lambda vae: vae.validation_loss) for seed in given.seeds]


def check_size(path: Path, vae: TrainedVae, pixels: int, side: float) -> None:
    """Raise `DetectorError` where a model was trained on images of another size."""
    if (vae.network.shape.pixels, vae.side) != (pixels, side):
        raise DetectorError(
            f"{path}: trained on images of {vae.network.shape.pixels} pixels on {vae.side:g}, the images have "
            f"{pixels} on {side:g}; train it on images of the same jets"
        )


def _reconstruct(vae: TrainedVae, batch: ImageBatch) -> tuple[Floats, Floats]:
    """Return reconstructions (n, pixels, pixels) and KLDs (n,).

    A transport distance does not know the scale of its images: what it trained is made to add up to one.
    """
    dense = batch.dense()
    made, divergence = np.empty(dense.shape), np.empty(len(dense))
    with torch.no_grad():
        for start in range(0, len(dense), IMAGES_AT_A_TIME):
            part = slice(start, start + IMAGES_AT_A_TIME)
            images, mean, log_variance = vae.network(torch.from_numpy(dense[part]))
            made[part], divergence[part] = images.numpy(), kld(mean, log_variance, vae.settings.kld).numpy()
    if vae.run.metric in TRANSPORT:
        made = _with_mass(made)
        made /= np.maximum(made.sum(axis=(1, 2), keepdims=True), np.finfo(np.float64).tiny)
    return made, divergence


def _with_mass(made: Floats) -> Floats:
    """Take pixels at or below zero as empty; where all are, take their height above -1, the least that an ELU gives."""
    empty = ~(made > 0).any(axis=(1, 2))
    return np.where(empty[:, None, None], made + 1.0, np.maximum(made, 0.0))
