"""AUC by epoch: snapshots of a method's weights, scored on the validation background and all signals.

Training itself never sees a signal. What is computed here looks back at it and chooses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from oddjet.evaluation.history import EpochAucRow
from oddjet.evaluation.merit import SampleScores, compute_auc
from oddjet.evaluation.signals import Signal
from oddjet.io.tables import read_table

# From a structured array of n jets to what the networks see, (n, D); and from that to scores, (n, S).
Transform: TypeAlias = Callable[[NDArray[np.void]], NDArray[np.float32]]
ScaledScorer: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float64]]


class MonitoredJets:
    """Background and signals as the networks see them: scaled once, not once a snapshot.

    Parameters
    ----------
    transform : callable
        The scaling of the method.
    background : structured ndarray, shape (n,)
        Validation jets.
    signals : sequence of Signal
        Their tables are read here.
    """

    def __init__(self, transform: Transform, background: NDArray[np.void], signals: Sequence[Signal]) -> None:
        self.signals = tuple(signals)
        tables = [background, *(np.concatenate([read_table(path) for path in signal.files]) for signal in signals)]
        self.features = [transform(table) for table in tables]
        self.weights = [table["weight"].astype(np.float64) for table in tables]

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
                    point = signal.m_phi, signal.r_inv
                    sizes = len(weights), len(self.weights[0])
                    yield EpochAucRow(method, seed, epoch, signal.name, *point, *auc, *sizes)
