"""Everything that a training of a group of seeds consists of at one moment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

import torch
from torch import Tensor

from oddjet.training.epoch_choice import EpochChoice
from oddjet.training.guard import Guard
from oddjet.training.settings import Schedule

# Of a group: parameters (S, P), or those of each seed by name.
Weights: TypeAlias = Tensor | list[dict[str, Tensor]]
BatchT = TypeVar("BatchT")


class Measured(NamedTuple):
    """What a batch gave.

    Attributes
    ----------
    values
        `loss` and what else was measured, shape (S,) each.
    gradient
        Sum of each seed's gradient, shape (S,): not finite where any of it is not.
    size
        How much the batch counts in the mean over an epoch.
    """

    values: dict[str, Tensor]
    gradient: Tensor
    size: float = 1.0


class Trainable(Protocol[BatchT]):
    """A group of seeds that can be trained: autoencoders, image VAEs, flows, classifiers.

    `name` is for the log.
    """

    name: str
    seeds: tuple[int, ...]

    @property
    def selection(self) -> str:
        """The measure on validation jets whose lowest value chooses the epoch."""

    @property
    def device(self) -> torch.device:
        """Where the losses are."""

    def batches(self) -> Iterable[BatchT]:
        """Draw the batches of an epoch."""

    def add_gradient(self, batch: BatchT) -> Measured:
        """Compute losses of a batch and their gradient; no weight changes."""

    def update(self, alive: Tensor, rates: Sequence[float]) -> None:
        """Take a step along that gradient with the seeds that are alive, (S,), each with its learning rate."""

    def validate(self, epochs: int) -> dict[str, list[float]]:
        """Measure on validation jets, a number a seed: `selection` and, where it has one, `selection`_error.

        The group has trained for that many epochs since the last validation.
        """

    def weights(self) -> Weights:
        """Copy the weights that are validated and kept; item i is what belongs to the i-th seed."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next batch depends on, in tensors and plain values."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""


class TrainingState:
    """How far the training of a group is.

    Parameters
    ----------
    trainable
        What is trained.
    schedule
        How.

    Attributes
    ----------
    epoch, validated
        Epochs done, and the last one of them that was validated.
    guard
        Which seeds train on.
    choices
        Which epoch of each seed is kept, and its selection metric.
    best
        Of each seed the weights of the group at that epoch; None before there is one.
    rates
        Learning rate of each seed, where it does not follow the epoch.
    improved, lowered
        The epoch of each seed with the lowest metric so far, and that after which its learning rate last fell.
    history
        Rows of the history.
    snapshots
        Pairs of an epoch and the weights of the group then.
    """

    def __init__(self, trainable: Trainable[Any], schedule: Schedule) -> None:
        self.trainable, self.schedule = trainable, schedule
        self.seeds = trainable.seeds
        self.guard = Guard(self.seeds, trainable.device)
        self.epoch = 0
        self.validated = 0
        self.choices = [EpochChoice() for _ in self.seeds]
        self.best: list[Weights | None] = [None for _ in self.seeds]
        self.rates = [schedule.learning_rate for _ in self.seeds]
        self.improved = [0 for _ in self.seeds]
        self.lowered = [0 for _ in self.seeds]
        self.history: list[dict[str, float]] = []
        self.snapshots: list[tuple[int, Weights]] = []

    @property
    def best_epochs(self) -> list[int]:
        """Epoch of each seed that is kept; 0: none yet."""
        return [choice.epoch for choice in self.choices]

    @property
    def best_values(self) -> list[float]:
        """Selection metric of each seed at that epoch; infinite: none yet."""
        return [choice.value for choice in self.choices]

    @property
    def done(self) -> bool:
        """Whether there is no epoch left to run."""
        return self.epoch >= self.schedule.epochs or self.guard.done

    def rates_of(self, epoch: int) -> list[float]:
        """Return the learning rate of each seed in an epoch."""
        rate = self.schedule.rate_of(epoch)
        return list(self.rates) if rate is None else [rate] * len(self.seeds)

    def select(self, validated: Sequence[Mapping[str, float]]) -> None:
        """Keep the weights of the seeds whose best epoch this is (see `EpochChoice`); lower rates, finish seeds.

        Parameters
        ----------
        validated
            What was measured, by seed; empty for a seed that has ended before.
        """
        metric, weights = self.trainable.selection, None
        for index, measured in enumerate(validated):
            value, error = measured.get(metric, math.inf), measured.get(f"{metric}_error", 0.0)
            lowest = self.choices[index].lowest
            if self.choices[index].offer(self.epoch, value, error):
                weights = self.trainable.weights() if weights is None else weights
                self.best[index] = weights
            if measured:
                self._judge(index, improved=self.choices[index].lowest < lowest)

    def _judge(self, index: int, *, improved: bool) -> None:
        schedule = self.schedule
        if improved:
            self.improved[index] = self.lowered[index] = self.epoch
            return
        patience = schedule.learning_rate_patience
        if patience is not None and self.epoch - self.lowered[index] >= patience:
            lower = self.rates[index] * schedule.learning_rate_factor
            self.rates[index], self.lowered[index] = max(lower, schedule.learning_rate_floor), self.epoch
        if schedule.stop_after is not None and self.epoch - self.improved[index] >= schedule.stop_after:
            self.guard.finish(index, self.epoch)

    def chosen(self) -> list[Any]:
        """Return each seed's weights at its best epoch."""
        return [weights[index] for index, weights in enumerate(self.best) if weights is not None]

    def all_snapshots(self) -> list[tuple[int, Any]]:
        """Return snapshots in the order of their epochs, those of the best epochs among them."""
        kept = dict(self.snapshots)
        for epoch, weights in zip(self.best_epochs, self.best, strict=True):
            if weights is not None:
                kept.setdefault(epoch, weights)
        return sorted(kept.items(), key=lambda pair: pair[0])

    def state_dict(self) -> dict[str, Any]:
        """Return everything that a training needs to go on as if it had not stopped: tensors and plain values."""
        return {
            "trainable": self.trainable.state_dict(),
            "guard": self.guard.state_dict(),
            "epoch": self.epoch,
            "validated": self.validated,
            "choices": [asdict(choice) for choice in self.choices],
            "best": list(self.best),
            "rates": list(self.rates),
            "improved": list(self.improved),
            "lowered": list(self.lowered),
            "history": [dict(row) for row in self.history],
            "snapshots": list(self.snapshots),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.trainable.load_state_dict(state["trainable"])
        self.guard.load_state_dict(state["guard"])
        self.epoch, self.validated = state["epoch"], state["validated"]
        self.choices = [EpochChoice(**choice) for choice in state["choices"]]
        self.best, self.rates = list(state["best"]), list(state["rates"])
        self.improved, self.lowered = list(state["improved"]), list(state["lowered"])
        self.history = [dict(row) for row in state["history"]]
        self.snapshots = list(state["snapshots"])
