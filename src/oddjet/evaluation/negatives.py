"""Tables of negative samples by epoch and seed, in scaled features, drawn along the snapshots of a training."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oddjet.io.tables import Column, TableWriter

if TYPE_CHECKING:
    from oddjet.detectors.autoencoder.detector import AutoencoderDetector
    from oddjet.detectors.autoencoder.network import Network
    from oddjet.detectors.autoencoder.settings import ModelSettings

LOGGER = logging.getLogger("oddjet")


def write_negatives(
    path: Path,
    snapshots: Iterable[tuple[int, AutoencoderDetector]],
    jets: NDArray[np.float32],
    rounds_per_epoch: float,
    attributes: Mapping[str, str],
) -> None:
    """Follow a training along its snapshots and write its negative samples.

    Parameters
    ----------
    path : Path
        Table to write: one row a sample, columns seed, epoch and the features, in units of the attribute `scaler`.
    snapshots : iterable of (int, AutoencoderDetector)
        From `oddjet.detectors.file.snapshots`.
    jets : ndarray of float32, shape (N, D)
        Scaled training jets; N samples a seed and snapshot are drawn.
    rounds_per_epoch : float
        See `oddjet.detectors.autoencoder.own_chains`.
    attributes : mapping of str to str
        Provenance.

    Raises
    ------
    DetectorError
        If the method has no negatives.
    """
    # Who reads the tables needs no torch.
    import torch

    from oddjet.detectors.autoencoder.own_chains import follow_training

    pairs = list(snapshots)
    first = pairs[0][1]
    settings, names = first.settings, first.card.scaler.names
    columns = [Column("seed", "i4", "1", "seed of the model"), Column("epoch", "i4", "1", "epoch of the weights")]
    columns += [Column(name, "f4", "1", f"{name}, scaled") for name in names]
    networks = ((epoch, _single_precision(model, settings, len(names))) for epoch, model in pairs)
    followed = follow_training(networks, settings, first.seeds, torch.from_numpy(jets), rounds_per_epoch)
    own = {"method": first.name, "scaler": json.dumps(first.card.scaler.to_dict())}
    with TableWriter(path, columns, {**attributes, **own}) as table:
        for epoch, samples in followed:
            for seed, points in zip(first.seeds, samples.numpy(), strict=True):
                # A seed that has diverged beyond the range of its numbers has no samples any more.
                if np.isfinite(points).all():
                    table.append(_rows(columns, seed, epoch, points))
                else:
                    LOGGER.warning("seed %d, epoch %d: samples are not finite and are left out", seed, epoch)
        table.finish()


def _single_precision(model: AutoencoderDetector, settings: ModelSettings, n_features: int) -> Network:
    """Return the networks as they were trained: in float32, for which there are compiled chains."""
    from oddjet.detectors.autoencoder.network import Network

    network = Network(settings.network, n_features, len(model.seeds))
    network.load_parameters(model.network.parameters())
    return network


def _rows(columns: list[Column], seed: int, epoch: int, points: NDArray[np.float32]) -> NDArray[np.void]:
    rows = np.zeros(len(points), dtype=[(column.name, column.dtype) for column in columns])
    rows["seed"], rows["epoch"] = seed, epoch
    for index, column in enumerate(columns[2:]):
        rows[column.name] = points[:, index]
    return rows
