"""Distances inside a VAE against distances between the images (figures 1, 4, 5 and 6 of arXiv:2110.06948)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from oddjet.errors import OddjetError
from oddjet.evaluation.tables import LatentRow
from oddjet.images.distances import DistanceTable, read_distances
from oddjet.images.file import ImageBatch, read_images
from oddjet.training.vae import TrainedVae, load_vae

Floats = NDArray[np.float64]
IDENTIFIERS = ["run", "luminosityBlock", "event", "jet_rank"]


class LatentError(OddjetError):
    """Distances that are not those of the jets that the network is asked about."""


def inner_distances(vae: TrainedVae, images: NDArray[np.float32]) -> dict[str, Floats]:
    """Measure Euclidean distances of all pairs of jets after each down-sampling block, and in the latent space.

    Parameters
    ----------
    vae : TrainedVae
    images : ndarray of float32, shape (n, pixels, pixels)

    Returns
    -------
    dict of str to ndarray, shape (n (n - 1) / 2,)
        `block-1`, ... and `latent` (between the means); pairs in the order of `DistanceTable.condensed`.
    """
    with torch.no_grad():
        given = torch.from_numpy(images)
        after = vae.network.encoder(given)
        mean, _ = vae.network.encode(given)
    layers = {f"block-{number}": flat for number, flat in enumerate(after, start=1)}
    return {name: _euclidean(flat.double().numpy()) for name, flat in {**layers, "latent": mean}.items()}


def latent_rows(models: Sequence[Path], test: Path, distances: Sequence[Path], jets: int) -> list[LatentRow]:
    """Correlate the distances inside VAEs with those between the images.

    Parameters
    ----------
    models : sequence of Path
        Of any training metric, depth and beta.
    test : Path
        Background test images.
    distances : sequence of Path
        Tables of `compute_distances` of the first jets of `test`, one a metric.
    jets : int
        So many jets, at most.

    Returns
    -------
    list of LatentRow
        For each model, layer and metric; first the distances between the images among themselves (`images` against
        each other metric, of depth 0), as in figure 1.

    Raises
    ------
    LatentError
        The distances are of other jets.
    """
    batch, tables = _aligned(test, [read_distances(path) for path in distances], jets)
    measured = {table.metric: _first_pairs(table, len(batch)) for table in tables}
    square_error = _euclidean(batch.dense().reshape(len(batch), -1).astype(np.float64)) ** 2
    pairs = len(square_error)
    rows = [
        LatentRow("none", 0, 0.0, 1, "images", metric, _pearson(square_error, values), pairs)
        for metric, values in measured.items()
        if metric != "mse"
    ]
    vaes = [load_vae(path) for path in models]
    best = {
        (vae.run.metric, vae.run.depth): min(other.validation_loss for other in vaes if other.run[:2] == vae.run[:2])
        for vae in vaes
    }
    for vae in vaes:
        chosen = int(vae.validation_loss == best[vae.run.metric, vae.run.depth])
        for layer, inner in inner_distances(vae, batch.dense()).items():
            rows += [
                LatentRow(*vae.run, chosen, layer, metric, _pearson(inner, values), pairs)
                for metric, values in measured.items()
            ]
    return rows


def _aligned(test: Path, tables: Sequence[DistanceTable], jets: int) -> tuple[ImageBatch, Sequence[DistanceTable]]:
    count = min([jets, *(len(table.jets) for table in tables)])
    batch = read_images(test, 0, count)
    for table in tables:
        if not np.array_equal(table.jets[IDENTIFIERS][: len(batch)], batch.jets[IDENTIFIERS]):
            raise LatentError(f"{test}: the distances ({table.metric}) are of other jets; make them again")
    return batch, tables


def _first_pairs(table: DistanceTable, count: int) -> Floats:
    return np.asarray(table.matrix()[:count, :count][np.triu_indices(count, 1)])


def _euclidean(points: Floats) -> Floats:
    norms = (points**2).sum(axis=1)
    squared = norms[:, None] + norms - 2.0 * points @ points.T
    return np.asarray(np.sqrt(np.maximum(squared[np.triu_indices(len(points), 1)], 0.0)))


def _pearson(x: Floats, y: Floats) -> float:
    return float(np.corrcoef(x, y)[0, 1])
