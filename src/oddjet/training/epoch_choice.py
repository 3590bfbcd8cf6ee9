"""Which epoch of a training is kept: one rule, for the training itself and for whoever reads its history."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

# Epochs within this number of errors of the lowest metric count as equal: the lowest of many is a lucky one.
BAND = 2.0
# The error of a few draws is known to some 40 %: it is pooled over this number of validations.
POOLED = 10


@dataclass
class EpochChoice:
    """The latest epoch whose metric lies within two errors of the lowest.

    W is measured with an error, and epochs within it are not told apart by W: the lowest of a hundred lies two errors
    below those that are as good. Of epochs that are not told apart the latest is kept, for it has trained longest. A
    training that diverges or drifts away leaves that band, and its later epochs are not kept. A metric without an error
    (the reconstruction error of an autoencoder) has no band: its lowest epoch is kept, of equal ones the first.

    Attributes
    ----------
    epoch, value
        What is kept: 0 and infinity before any epoch had a finite metric.
    lowest, error
        The lowest metric so far, and the error at that time: the root mean square of the last ones that were measured.
    recent
        Those errors.
    """

    epoch: int = 0
    value: float = math.inf
    lowest: float = math.inf
    error: float = 0.0
    recent: list[float] = field(default_factory=list)

    def offer(self, epoch: int, value: float, error: float = 0.0) -> bool:
        """Take in the metric of the next epoch; return whether this epoch is the one to keep now."""
        if not math.isfinite(value):
            return False
        if math.isfinite(error):
            self.recent = [*self.recent, error][-POOLED:]
        if value < self.lowest:
            self.lowest, self.error = value, self._pooled()
        elif not (self.error > 0.0 and value <= self.limit):
            return False
        self.epoch, self.value = epoch, value
        return True

    @property
    def limit(self) -> float:
        """The largest metric that is not told apart from the lowest."""
        return self.lowest + BAND * self.error

    def _pooled(self) -> float:
        return math.sqrt(sum(error**2 for error in self.recent) / len(self.recent)) if self.recent else 0.0


def choose_epoch(measured: Iterable[tuple[int, float, float]]) -> EpochChoice:
    """Choose among epochs in ascending order, each with its metric and the metric's error."""
    choice = EpochChoice()
    for epoch, value, error in measured:
        choice.offer(epoch, value, error)
    return choice
