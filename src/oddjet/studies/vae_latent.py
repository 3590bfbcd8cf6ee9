"""Distances inside a VAE against distances between the images (figures 1, 4, 5 and 6 of arXiv:2110.06948)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.detectors.vae.train import TrainedVae, load_vae
from oddjet.errors import DetectorError
from oddjet.images.distances import DistanceTable, read_distances
from oddjet.images.store import ImageBatch, read_images
from oddjet.images.vae_results import LatentRow
from oddjet.io.tables import Column, write_table

IDENTIFIERS = ["run", "luminosityBlock", "event", "jet_rank"]


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


class Study(NamedTuple):
    """What is known of pairs of background jets.

    Attributes
    ----------
    rows : list of LatentRow
        Correlations of every layer of every model with every distance between the images; first those of the square
        error between the images (of depth 0), as in figure 1.
    pairs : structured ndarray, shape (n (n - 1) / 2,)
        The distances themselves, for figures: the metrics between the images, and of the deepest models of the first
        training metric `latent BETA` of each beta and `block-1`, ... of the chosen one.
    chosen : float
        That beta.
    """

    rows: list[LatentRow]
    pairs: NDArray[np.void]
    chosen: float


def study(models: Sequence[Path], test: Path, distances: Sequence[Path], jets: int) -> Study:
    """Correlate the distances inside VAEs with those between the images.

    Parameters
    ----------
    models : sequence of Path
        Of any training metric, depth, beta and seed. The mean over seeds chooses beta; distances are measured inside
        the networks of the first seed.
    test : Path
        Background test images.
    distances : sequence of Path
        Tables of `compute_distances` of the first jets of `test`, one a metric.
    jets : int
        How many jets, at most.

    Raises
    ------
    DetectorError
        The distances are of other jets.
    """
    tables = [read_distances(path) for path in distances]
    batch = _aligned(test, tables, jets)
    images = batch.dense()
    columns = {"mse": _euclidean(images.reshape(len(batch), -1).astype(np.float64)) ** 2 / images[0].size}
    measured = {table.metric: _first_pairs(table, len(batch)) for table in tables if table.metric != "mse"}
    columns.update(measured)
    rows = [
        LatentRow("none", 0, 0.0, 1, "images", metric, _pearson(columns["mse"], values), len(values))
        for metric, values in measured.items()
    ]
    vaes = [load_vae(path) for path in models]
    shown = max((vae for vae in vaes if vae.run.metric == vaes[0].run.metric), key=lambda vae: vae.run.depth).run[:2]
    chosen = {run: min(own, key=lambda beta: fmean(own[beta])) for run, own in _losses(vaes).items()}
    first = min(vae.settings.seed for vae in vaes)
    for vae in (vae for vae in vaes if vae.settings.seed == first):
        best = vae.run.beta == chosen[vae.run[:2]]
        for layer, inner in inner_distances(vae, images).items():
            rows += [
                LatentRow(*vae.run, int(best), layer, metric, _pearson(inner, values), len(values))
                for metric, values in measured.items()
            ]
            if vae.run[:2] == shown and (best or layer == "latent"):
                columns[f"latent {vae.run.beta:g}" if layer == "latent" else layer] = inner
    return Study(rows, _table(columns), chosen[shown])


def _losses(vaes: Sequence[TrainedVae]) -> dict[tuple[str, int], dict[float, list[float]]]:
    """Return the validation losses of all seeds by training metric and depth, then by beta in ascending order."""
    found: dict[tuple[str, int], dict[float, list[float]]] = {}
    for vae in sorted(vaes, key=lambda vae: vae.run.beta):
        found.setdefault(vae.run[:2], {}).setdefault(vae.run.beta, []).append(vae.validation_loss)
    return found


def write_pairs(path: Path, found: Study, attributes: Mapping[str, str]) -> None:
    """Write the distances of a study as a table."""
    columns = [
        Column(name, "f8", "1", "Distance of a pair of background jets.") for name in found.pairs.dtype.names or ()
    ]
    write_table(path, columns, found.pairs, {**attributes, "chosen": f"{found.chosen:g}"})


def _table(columns: Mapping[str, Floats]) -> NDArray[np.void]:
    rows = np.empty(len(columns["mse"]), dtype=[(name, "f8") for name in columns])
    for name, values in columns.items():
        rows[name] = values
    return rows


def _aligned(test: Path, tables: Sequence[DistanceTable], jets: int) -> ImageBatch:
    count = min([jets, *(len(table.jets) for table in tables)])
    batch = read_images(test, 0, count)
    for table in tables:
        if not np.array_equal(table.jets[IDENTIFIERS][: len(batch)], batch.jets[IDENTIFIERS]):
            raise DetectorError(f"{test}: the distances ({table.metric}) are of other jets; make them again")
    return batch


def _first_pairs(table: DistanceTable, count: int) -> Floats:
    return np.asarray(table.matrix()[:count, :count][np.triu_indices(count, 1)])


def _euclidean(points: Floats) -> Floats:
    norms = (points**2).sum(axis=1)
    squared = norms[:, None] + norms - 2.0 * points @ points.T
    return np.asarray(np.sqrt(np.maximum(squared[np.triu_indices(len(points), 1)], 0.0)))


def _pearson(x: Floats, y: Floats) -> float:
    return float(np.corrcoef(x, y)[0, 1])
