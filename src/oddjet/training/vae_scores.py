"""Score image jets with VAEs: six anomaly metrics, each the distance of an image from its reconstruction.

The transport distances are exact, whatever the training used. The loss of a VAE that was trained with wass1 or wass2 is
therefore (1 - beta) times the exact distance plus beta times the KLD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from oddjet.arrays import Floats
from oddjet.errors import TrainingError, TransportError
from oddjet.evaluation.merit import SampleScores, compute_auc
from oddjet.evaluation.tables import VaeAucRow
from oddjet.images.store import ImageBatch, read_images
from oddjet.io.tables import Column, TableWriter
from oddjet.models.image_networks import kld
from oddjet.training.vae import IMAGES_AT_A_TIME, TrainedVae, load_vae
from oddjet.transport.images import all_distances, metric_of
from oddjet.transport.sparse import sparse_images

# The anomaly metrics of table 1, in its order; those that are cheap, and of the training metric's loss.
TRANSPORT = ("wass0p5", "wass1", "wass2")
ANOMALY_METRICS = ("loss", "mse", "mae", *TRANSPORT)
IDENTIFIERS = ("run", "luminosityBlock", "event", "jet_rank", "pt", "mass", "weight")


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
    TrainingError
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
        except TransportError as error:
            raise TrainingError(f"{vae.run}: reconstructions cannot be transported to: {error}") from error
        pairs = np.repeat(np.arange(len(batch)), 2).reshape(-1, 2)
        for name in wanted:
            distances[name] = all_distances(batch.sparse, sparse, pairs, metric_of(name), threads)
    if "loss" in metrics:
        distances["loss"] = (1.0 - vae.run.beta) * distances[vae.run.metric] + vae.run.beta * divergence
    return {**{name: distances[name] for name in metrics}, "kld": divergence}


def score_scan(
    models: Sequence[Path],
    samples: Mapping[str, Path],
    jets: int,
    output: Path,
    attributes: Mapping[str, str],
    threads: int = 1,
) -> list[VaeAucRow]:
    """Score samples with the VAEs of one training metric and depth; write the scores of the one with the best beta.

    Parameters
    ----------
    models : sequence of Path
        One a beta.
    samples : mapping of str to Path
        Test images by sample, the background first.
    jets : int
        Jets of each sample, at most.
    output : Path
        Table to write: one row a jet, all six anomaly metrics of the chosen VAE.
    attributes : mapping of str to str
        Provenance.
    threads : int
        For the transport distances.

    Returns
    -------
    list of VaeAucRow
        Each beta with the loss (figure 3), the chosen one with all metrics (table 1). Beta is chosen by the lowest
        validation loss on background; no signal has a say.

    Raises
    ------
    TrainingError
        The models are not of one training metric and depth, or there is no signal sample.
    """
    vaes = sorted((load_vae(path) for path in models), key=lambda vae: vae.run.beta)
    if len({(vae.run.metric, vae.run.depth) for vae in vaes}) != 1 or len(samples) < 2:
        raise TrainingError("give the models of one training metric and depth, and background and signal samples")
    chosen = min(vaes, key=lambda vae: vae.validation_loss)
    batches = {name: read_images(path, 0, jets) for name, path in samples.items()}
    rows = []
    for vae in vaes:
        metrics = ANOMALY_METRICS if vae is chosen else ("loss",)
        scores = {name: score_images(vae, batch, metrics, threads) for name, batch in batches.items()}
        rows += _auc_rows(vae, scores, batches, metrics, chosen=vae is chosen)
        if vae is chosen:
            _write_scores(output, scores, batches, {**attributes, "run": str(vae.run._asdict())})
    return rows


def _reconstruct(vae: TrainedVae, batch: ImageBatch) -> tuple[Floats, Floats]:
    """Give reconstructions (n, pixels, pixels) and KLDs (n,), so many images at a time.

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


def _auc_rows(
    vae: TrainedVae,
    scores: Mapping[str, Mapping[str, Floats]],
    batches: Mapping[str, ImageBatch],
    metrics: Sequence[str],
    *,
    chosen: bool,
) -> list[VaeAucRow]:
    background, *signals = scores
    start = (vae.run.metric, vae.run.depth, vae.run.beta, int(chosen), vae.validation_loss, "none")
    return [
        VaeAucRow(
            *start,
            signal,
            metric,
            *compute_auc(
                *(SampleScores(n, scores[n][metric], batches[n].jets["weight"]) for n in (background, signal))
            ),
            len(batches[signal]),
            len(batches[background]),
        )
        for signal in signals
        for metric in metrics
    ]


def _write_scores(
    output: Path,
    scores: Mapping[str, Mapping[str, Floats]],
    batches: Mapping[str, ImageBatch],
    attributes: Mapping[str, str],
) -> None:
    kept = [(name, next(iter(batches.values())).jets.dtype[name].str) for name in IDENTIFIERS]
    columns = [Column("sample", "i2", "1", "Position in the attribute `samples`; 0 is background.")]
    columns += [
        Column(name, dtype, "GeV" if name in ("pt", "mass") else "1", "As in the images.") for name, dtype in kept
    ]
    columns += [
        Column(name, "f8", "1", "Distance of the image from its reconstruction.") for name in (*ANOMALY_METRICS, "kld")
    ]
    with TableWriter(output, columns, {**attributes, "samples": ",".join(batches)}) as table:
        for code, (sample, batch) in enumerate(batches.items()):
            rows = np.zeros(len(batch), dtype=[(column.name, column.dtype) for column in columns])
            rows["sample"] = code
            for name in IDENTIFIERS:
                rows[name] = batch.jets[name]
            for name in (*ANOMALY_METRICS, "kld"):
                rows[name] = scores[sample][name]
            table.append(rows)
        table.finish()
