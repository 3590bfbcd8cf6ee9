"""The jets that a training draws its batches from, in memory or in a file, and which of them a batch holds.

Every jet comes once an epoch where all weights are equal; where they differ, jets are drawn by weight.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from oddjet.dataset.of_samples import count_of, iterate_of
from oddjet.dataset.scaling import Scaler
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.errors import TrainingError
from oddjet.io.atomic import writing

ROWS_AT_A_TIME = 1_000_000


def read_jets(
    path: Path,
    scaler: Scaler,
    device: torch.device,
    memory_mb: float,
    scratch: Path,
    rows: int = ROWS_AT_A_TIME,
    samples: Sequence[str] | None = None,
) -> tuple[Tensor, Tensor]:
    """Read a table's jets in pieces of a given number of rows.

    Parameters
    ----------
    path
        Table of background jets.
    scaler
        Scaler of the dataset.
    device
        Where jets go that fit.
    memory_mb
        Scaled jets that are larger are written to a file and read from there, batch by batch: the tensor is a view of
        the file (the system keeps in memory what it can), stays on the CPU, and its values are the same.
    scratch
        Folder of that file, which has no name: it goes when the process ends, however it ends.
    rows
        Rows read at a time.
    samples
        Background samples whose jets are read; None: all.

    Returns
    -------
    Scaled features (N, D) and weights (N,), float32.

    Raises
    ------
    TableError, DatasetError
        See `oddjet.dataset.of_samples.iterate_of` and `oddjet.dataset.scaling`.
    DiskError
        The disk of `scratch` takes no more.
    """
    count, width = count_of(path, samples), len(scaler.names)
    pieces = iterate_of(path, [*scaler.names, "weight"], rows, samples)
    weights = np.empty(count, np.float32)
    if count * width * 4 <= memory_mb * 1e6:
        scaled = np.empty((count, width), np.float32)
        start = 0
        for piece in pieces:
            scaled[start : start + len(piece)] = scaler.transform(piece)
            weights[start : start + len(piece)] = piece["weight"]
            start += len(piece)
        return torch.from_numpy(scaled).to(device), torch.from_numpy(weights).to(device)
    LOGGER.info(
        "%s: %.0f MB of scaled jets are more than %g MB: read from a file", path, count * width * 4e-6, memory_mb
    )
    scratch.mkdir(parents=True, exist_ok=True)
    with writing(scratch), tempfile.TemporaryFile(dir=scratch) as file:
        start = 0
        # Written and not mapped while it grows: a full disk is then an error and not the end of the process.
        for piece in pieces:
            file.write(np.ascontiguousarray(scaler.transform(piece), dtype=np.float32).tobytes())
            weights[start : start + len(piece)] = piece["weight"]
            start += len(piece)
        file.flush()
        mapped = np.memmap(file, np.float32, mode="c", shape=(count, width))
    return torch.from_numpy(mapped), torch.from_numpy(weights).to(device)


LOGGER = logging.getLogger("oddjet")


class Batches(NamedTuple):
    """Rows of an epoch's batches, shape (S, batches, B), and how many of each batch, its last ones, are taken away."""

    indices: Tensor
    negative: tuple[int, ...]


class BatchPlan:
    """How the batches of a training are drawn, decided once by its settings and weights.

    Parameters
    ----------
    settings
        The method.
    n_jets
        Training jets N.
    weights
        Their weights, shape (N,); left out: equal ones.

    Raises
    ------
    TrainingError
        No jets; a weight that is not finite; a sum that is not above 0; negative weights that the method cannot use.
    """

    def __init__(self, settings: MethodSettings, n_jets: int, weights: Tensor | None) -> None:
        if not n_jets:
            raise TrainingError("nothing to train on: 0 training jets")
        self.n_jets = n_jets
        self.size = min(settings.training.batch_size, n_jets)
        self.weights = _checked(weights)
        sampling = settings.training.sampling
        if sampling == "weighted" and self.weights is None:
            raise TrainingError("training.sampling is weighted, and the training jets have no weights; set it to auto")
        equal = self.weights is None or bool((self.weights == self.weights[0]).all())
        self.shuffle = sampling == "shuffle" or (sampling == "auto" and equal)
        # Share of the negative weights in the sum of |w|: this share of a batch is taken away from the others.
        self.share = 0.0 if self.weights is None else _negative_share(self.weights)
        if self.share:
            _check_negative(settings, self.shuffle, self.share, self.size)

    def draw(self, generators: Generators) -> Batches:
        """Draw the batches of an epoch, for each seed its own; an incomplete last batch is left out."""
        n_batches = self.n_jets // self.size
        used, none = n_batches * self.size, (0,) * n_batches
        if self.shuffle or self.weights is None:
            return Batches(self._cut(generators.permutations(self.n_jets)[:, :used]), none)
        if not self.share:
            return Batches(self._cut(generators.choices(self.weights, self.n_jets)[:, :used]), none)
        # Rounded over the epoch and not batch by batch, so that a small share is not lost.
        edges = [round(batch * self.size * self.share) for batch in range(n_batches + 1)]
        negative = tuple(after - before for before, after in pairwise(edges))
        kept = generators.choices(self.weights.clamp(min=0.0), used - edges[-1])
        away = generators.choices((-self.weights).clamp(min=0.0), edges[-1])
        pieces, start = [], 0
        for batch, count in enumerate(negative):
            pieces += [kept[:, start : start + self.size - count], away[:, edges[batch] : edges[batch + 1]]]
            start += self.size - count
        return Batches(self._cut(torch.cat(pieces, dim=1)), negative)

    def _cut(self, rows: Tensor) -> Tensor:
        """Cut the rows of an epoch, shape (S, n), into batches."""
        return rows.view(len(rows), -1, self.size)


def _checked(weights: Tensor | None) -> Tensor | None:
    if weights is None:
        return None
    weights = weights.cpu()
    bad = torch.nonzero(~torch.isfinite(weights)).flatten()
    if len(bad):
        row = int(bad[0])
        raise TrainingError(f"training jets: the weight of row {row} is {float(weights[row]):g}; it must be finite")
    total = float(weights.double().sum())
    if not total > 0.0:
        raise TrainingError(
            f"training jets: their weights add up to {total:g}, so they are no background to learn; look at the weights"
        )
    return weights


def _negative_share(weights: Tensor) -> float:
    exact = weights.double()
    return float(-exact[exact < 0].sum() / exact.abs().sum())


def _check_negative(settings: MethodSettings, shuffle: bool, share: float, size: int) -> None:
    """Refuse what cannot carry a sign; tell what the others pay."""
    start = "" if settings.chain is None else settings.chain.start
    transport = "" if settings.loss is None else settings.loss.transport
    refusals = {
        f"kind {settings.kind} cannot use it: jets that are taken away leave a mean of energies without a lower bound;"
        " take kind wnae, whose loss is a distance": settings.kind != "wnae",
        "training.sampling shuffle ignores weights; set it to auto": shuffle,
        "chain.start cd starts at the jets, which cannot be taken away there; set it to pcd": start == "cd",
        "loss.transport sinkhorn has no jets that are taken away; set it to exact": transport == "sinkhorn",
        f"training.batch_size {size} leaves too few jets; make it larger": size - 2 * (int(size * share) + 1) < 1,
    }
    for reason, applies in refusals.items():
        if applies:
            raise TrainingError(f"{share:.3g} of the training jets' weight is negative, and {reason}")
    LOGGER.warning(
        "%.3g of the training jets' weight is negative: these jets are taken away from each batch, and the loss"
        " fluctuates like that of %.2g times fewer jets",
        share,
        1.0 / (1.0 - 2.0 * share) ** 2,
    )
