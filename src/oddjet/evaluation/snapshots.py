"""Energies and transport distances of every snapshot: background, negative samples and one signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.evaluation.history import NEGATIVES, SnapshotRow
from oddjet.evaluation.monitor import ScaledScorer
from oddjet.evaluation.negatives import Samples
from oddjet.io.tables import read_table
from oddjet.transport.law_distances import law_distance
from oddjet.transport.laws import Law, draw_laws


class Jets(NamedTuple):
    """Scaled jets, shape (n, D), and their weights, shape (n,)."""

    points: NDArray[np.floating[Any]]
    weights: NDArray[np.floating[Any]]


def read_jets(paths: Sequence[Path], scale: Callable[[NDArray[np.void]], NDArray[np.float32]]) -> Jets:
    """Read the jets of tables, scaled, with their weights; raises `TableError`."""
    tables = [read_table(path) for path in paths]
    points = np.concatenate([scale(table) for table in tables])
    return Jets(points, np.concatenate([table["weight"] for table in tables]))


def measure_energies(
    snapshots: Iterable[tuple[int, ScaledScorer]], method: str, seeds: Iterable[int], samples: Mapping[str, Jets]
) -> Iterator[SnapshotRow]:
    """Measure the weighted mean energy of each sample in each snapshot.

    Parameters
    ----------
    snapshots : iterable of (int, callable)
        Epoch, and a function from scaled features (n, D) to energies (n, S).
    method : str
        Name of the method.
    seeds : iterable of int
        The S seeds.
    samples : mapping of str to Jets
        Scaled jets with their weights.
    """
    names = list(seeds)
    for epoch, score in snapshots:
        for sample, jets in samples.items():
            energies = score(np.asarray(jets.points, dtype=np.float32))
            for seed, mean in zip(names, np.average(energies, axis=0, weights=jets.weights), strict=True):
                yield SnapshotRow(method, seed, epoch, "energy", sample, float(mean))


def measure_distances(negatives: Samples, method: str, background: Jets, signal: tuple[str, Jets]) -> list[SnapshotRow]:
    """Measure W2^2 between background, negative samples and signal, pair by pair, for each seed and snapshot.

    Jets are drawn by weight, as many of each set as the smallest one holds: the distance of two finite sets falls with
    their size, and the three are to be compared.

    Parameters
    ----------
    negatives : mapping of (int, int) to ndarray of shape (n, D)
        (seed, epoch) to samples.
    method : str
        Name of the method.
    background : Jets
        Scaled jets with their weights.
    signal : pair of str and Jets
        Name and scaled jets with their weights.
    """
    name, jets = signal
    size = min(len(points) for points in negatives.values())
    size = min(size, *(draw_laws(*one, size, 1)[0].net for one in (background, jets)))
    (positive,), (other,) = draw_laws(*background, size, 1), draw_laws(*jets, size, 1)
    between = law_distance(positive, other)
    rows = []
    for (seed, epoch), points in sorted(negatives.items()):
        samples = Law(points[:size], points[:0])
        for quantity, sample, value in (
            ("distance_to_background", NEGATIVES, law_distance(positive, samples)),
            ("distance_to_background", name, between),
            ("distance_to_negatives", name, law_distance(samples, other)),
        ):
            rows.append(SnapshotRow(method, seed, epoch, quantity, sample, value))
    return rows
