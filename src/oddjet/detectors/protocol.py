"""What all methods are: a detector is made from background alone and turns rows of a table into scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from oddjet.detectors.cards import Card
from oddjet.errors import DatasetError, DetectorError


class Detector(Protocol):
    """Scores the rows of a table in physical units."""

    @property
    def name(self) -> str:
        """Name of the method in the config."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds, in the order of the scores' columns."""

    @property
    def epochs(self) -> tuple[int, ...]:
        """Epoch of each seed's parameters; 1 where a fit is one pass."""

    @property
    def card(self) -> Card:
        """Settings, scaler, provenance."""

    def score(self, table: NDArray[np.void]) -> NDArray[np.float64]:
        """Score a table (n,): shape (n, S), a column a seed; larger is more anomalous."""


class ScaledDetector(ABC):
    """A detector that sees the columns of its scaler.

    Parameters
    ----------
    card
        With the scaler.
    seeds, epochs
        In the order of the scores' columns.
    """

    def __init__(self, card: Card, seeds: tuple[int, ...], epochs: tuple[int, ...]) -> None:
        self.card, self.seeds, self.epochs = card, seeds, epochs

    @property
    def name(self) -> str:
        """Name of the method in the config."""
        return self.card.method

    def score(self, table: NDArray[np.void]) -> NDArray[np.float64]:
        """Score a table in physical units.

        Parameters
        ----------
        table
            Rows, shape (n,), with every column of the scaler.

        Returns
        -------
        Scores of shape (n, S), a column a seed; larger is more anomalous.

        Raises
        ------
        DatasetError
            A column is missing or a value is not finite.
        """
        try:
            scaled = self.card.scaler.transform(table)
        except DatasetError as error:
            raise DatasetError(f"model of {self.name}: {error}") from error
        return self.score_scaled(scaled)

    def score_scaled(self, scaled: NDArray[np.floating[Any]], chunk: int = 65_536) -> NDArray[np.float64]:
        """Score scaled rows (n, D), `chunk` of them at a time: shape (n, S); raises `DetectorError`."""
        width = len(self.card.scaler.names)
        if scaled.ndim != 2 or scaled.shape[1] != width:
            raise DetectorError(f"{self.name}: scores rows of shape (n, {width}), not {scaled.shape}")
        scores = np.empty((len(scaled), len(self.seeds)))
        for start in range(0, len(scaled), chunk):
            part = np.array(scaled[start : start + chunk], dtype=np.float64)
            scores[start : start + chunk] = self._score(part)
        return scores

    @abstractmethod
    def _score(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score scaled rows (n, D) of one chunk: shape (n, S)."""
