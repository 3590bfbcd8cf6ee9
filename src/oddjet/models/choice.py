"""Which epoch of a training is kept: one rule, for the training itself and for whoever reads its history."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass
class EpochChoice:
    """The latest epoch whose metric lies within one error of the lowest.

    W is measured with an error, and epochs within the error of the lowest W are not told apart by it. Of those the
    latest is kept: the lowest of many is a lucky one, and the latest has trained longest among equals. A training that
    diverges or drifts away leaves that band, and its later epochs are not kept. A metric without an error (the
    reconstruction error of an autoencoder) has no such band: its lowest epoch is kept, of equal ones the first.

    Attributes
    ----------
    epoch, value
        What is kept: 0 and infinity before any epoch had a finite metric.
    lowest, error
        The lowest metric so far, and its error.
    """

    epoch: int = 0
    value: float = math.inf
    lowest: float = math.inf
    error: float = 0.0

    def offer(self, epoch: int, value: float, error: float = 0.0) -> bool:
        """Take in the metric of the next epoch; return whether this epoch is the one to keep now."""
        if not math.isfinite(value):
            return False
        if value < self.lowest:
            self.lowest, self.error = value, error if math.isfinite(error) else 0.0
        elif not (self.error > 0.0 and value <= self.lowest + self.error):
            return False
        self.epoch, self.value = epoch, value
        return True


def choose_epoch(measured: Iterable[tuple[int, float, float]]) -> EpochChoice:
    """Choose among epochs in ascending order, each with its metric and the metric's error."""
    choice = EpochChoice()
    for epoch, value, error in measured:
        choice.offer(epoch, value, error)
    return choice
