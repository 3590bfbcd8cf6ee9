"""Energies and transport distances of every snapshot: background, negative samples and one signal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.evaluation.monitor import ScaledScorer
from oddjet.evaluation.negatives import Samples
from oddjet.evaluation.tables import NEGATIVES, SnapshotRow
from oddjet.transport.assignment import wasserstein

Jets = NDArray[np.floating[Any]]


def measure_energies(
    snapshots: Iterable[tuple[int, ScaledScorer]], method: str, seeds: Iterable[int], samples: Mapping[str, Jets]
) -> Iterator[SnapshotRow]:
    """Measure the mean energy of each sample in each snapshot.

    Parameters
    ----------
    snapshots : iterable of (int, callable)
        Epoch, and a function from scaled features (n, D) to energies (n, S).
    method : str
        Name of the method.
    seeds : iterable of int
        The S seeds.
    samples : mapping of str to ndarray of shape (n, D)
        Scaled jets.
    """
    names = list(seeds)
    for epoch, score in snapshots:
        for sample, jets in samples.items():
            for seed, mean in zip(names, score(np.asarray(jets, dtype=np.float32)).mean(axis=0), strict=True):
                yield SnapshotRow(method, seed, epoch, "energy", sample, float(mean))


def measure_distances(negatives: Samples, method: str, background: Jets, signal: tuple[str, Jets]) -> list[SnapshotRow]:
    """Measure W2^2 between background, negative samples and signal, pair by pair, for each seed and snapshot.

    All three sets are cut to the size of the smallest one: the distance of two finite sets falls with their size, and
    the three are to be compared.

    Parameters
    ----------
    negatives : mapping of (int, int) to ndarray of shape (n, D)
        (seed, epoch) to samples.
    method : str
        Name of the method.
    background : ndarray, shape (n, D)
        Scaled jets.
    signal : pair of str and ndarray of shape (n, D)
        Name and scaled jets.
    """
    name, jets = signal
    size = min(len(background), len(jets), *(len(points) for points in negatives.values()))
    positive, other = background[:size], jets[:size]
    between = wasserstein(positive, other)
    rows = []
    for (seed, epoch), points in sorted(negatives.items()):
        for quantity, sample, value in (
            ("distance_to_background", NEGATIVES, wasserstein(positive, points[:size])),
            ("distance_to_background", name, between),
            ("distance_to_negatives", name, wasserstein(points[:size], other)),
        ):
            rows.append(SnapshotRow(method, seed, epoch, quantity, sample, value))
    return rows
