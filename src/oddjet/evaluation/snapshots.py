"""Measurements of the snapshots of a training: AUC, energies, and transport distances between samples.

Training itself never sees a signal. What is computed here looks back at it and chooses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import EvaluationError, naming
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.evaluation.history import NEGATIVES, EpochAucRow, SnapshotRow
from oddjet.evaluation.signals import Signal
from oddjet.io.tables import read_table

# From a structured array of n jets to what the networks see, (n, D); and from that to scores, (n, S).
Transform: TypeAlias = Callable[[NDArray[np.void]], NDArray[np.float32]]
ScaledScorer: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float64]]

# (seed, epoch) to samples, shape (N, D).
Samples: TypeAlias = dict[tuple[int, int], NDArray[np.float32]]


class Jets(NamedTuple):
    """Scaled jets, shape (n, D), and their weights, shape (n,)."""

    points: NDArray[np.floating[Any]]
    weights: NDArray[np.floating[Any]]


def read_jets(paths: Sequence[Path], scale: Transform) -> Jets:
    """Read the jets of tables, scaled, with their weights.

    Raises
    ------
    TableError
        A table cannot be read or has no weights. What `scale` raises gets the name of the file.
    """
    points, weights = [], []
    for path in paths:
        table = read_table(path, needed=["weight"])
        with naming(path):
            points.append(scale(table))
        weights.append(table["weight"])
    return Jets(np.concatenate(points), np.concatenate(weights))


class MonitoredJets:
    """Background and signals as the networks see them: scaled once, not once a snapshot.

    Parameters
    ----------
    transform : callable
        The scaling of the method.
    background : Path
        Table of validation jets.
    signals : sequence of Signal
        With their tables.

    Raises
    ------
    TableError, DatasetError
        A table cannot be read or scaled.
    """

    def __init__(self, transform: Transform, background: Path, signals: Sequence[Signal]) -> None:
        self.signals = tuple(signals)
        jets = [read_jets(files, transform) for files in ((background,), *(signal.files for signal in signals))]
        self.features = [np.asarray(one.points, dtype=np.float32) for one in jets]
        self.weights = [one.weights.astype(np.float64) for one in jets]

    def auc_by_epoch(
        self, snapshots: Iterable[tuple[int, ScaledScorer]], method: str, seeds: Sequence[int]
    ) -> Iterator[EpochAucRow]:
        """Compute the AUC of every snapshot, seed and signal.

        Parameters
        ----------
        snapshots : iterable of (int, callable)
            Epoch, and a function from scaled features (n, D) to scores (n, S).
        method : str
            Name of the method.
        seeds : sequence of int
            The S seeds.

        Yields
        ------
        EpochAucRow
            By epoch, then seed, then signal.

        Raises
        ------
        EvaluationError
            If a score is not finite or a sample is empty; the message names method, seed, epoch and sample.
        """
        for epoch, score in snapshots:
            scores = [score(features) for features in self.features]
            for column, seed in enumerate(seeds):
                where = f"{method}, seed {seed}, epoch {epoch}: "
                background = SampleScores(where + "background", scores[0][:, column], self.weights[0])
                for signal, values, weights in zip(self.signals, scores[1:], self.weights[1:], strict=True):
                    auc = compute_auc(background, SampleScores(where + signal.name, values[:, column], weights))
                    sizes = len(weights), len(self.weights[0])
                    yield EpochAucRow(method, seed, epoch, signal.name, signal.point, *auc, *sizes)


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


def read_negatives(paths: Iterable[Path], names: Iterable[str]) -> Samples:
    """Read the tables of all groups of a method: (seed, epoch) to samples, shape (N, D), features in the given order.

    Raises
    ------
    EvaluationError
        If there is no sample.
    TableError
        If a table cannot be read.
    """
    names, found = list(names), {}
    for path in paths:
        rows = read_table(path, ["seed", "epoch", *names])
        keys = np.stack([rows["seed"], rows["epoch"]], axis=1)
        # Rows of a seed and epoch stand together: cut where the pair changes.
        edges = [0, *(np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1).tolist(), len(rows)]
        for start, stop in pairwise(edges):
            part = rows[start:stop]
            if len(part):
                key = int(part["seed"][0]), int(part["epoch"][0])
                found[key] = np.stack([part[name] for name in names], axis=1)
    if not found:
        raise EvaluationError("no negative sample in the tables; run sample_negatives on a training that did not fail")
    return found


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
    # Compiled, which the other measurements do not need.
    from oddjet.transport.assignment import law_distance
    from oddjet.transport.laws import Law, draw_laws

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
