"""Settings of a training: epochs, optimiser, learning rate, choice of the epoch, checkpoints; the same for all."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from oddjet.settings import Settings


class Schedule(Settings):
    """How a group of seeds is trained, whatever is trained."""

    epochs: int = Field(default=100, ge=1, description="passes over the training jets, at most")
    batch_size: int = Field(default=256, ge=1, description="jets a batch")
    optimiser: Literal["adam", "sgd"] = Field(
        default="adam", description="adam; or sgd: gradient descent with momentum. Both with decoupled weight decay"
    )
    learning_rate: float = Field(default=1e-3, gt=0, description="learning rate, at the beginning")
    learning_rate_end: float | None = Field(
        default=None,
        gt=0,
        description="reached at the last epoch along a half cosine; left out: the rate does not depend on the epoch",
    )
    learning_rate_patience: int | None = Field(
        default=None,
        ge=1,
        description="epochs without a lower validation metric after which the rate falls by learning_rate_factor; left "
        "out: it does not",
    )
    learning_rate_factor: float = Field(default=0.1, gt=0, lt=1, description="factor of such a fall")
    learning_rate_floor: float = Field(default=1e-5, gt=0, description="smallest learning rate after such falls")
    betas: tuple[float, float] = Field(default=(0.9, 0.999), description="adam: its decay rates")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="sgd: share of the last step that is kept")
    weight_decay: float = Field(default=0.0, ge=0, description="decoupled weight decay (AdamW)")
    ema_decay: float = Field(
        default=0.0, ge=0, lt=1, description="averaged weights for validation, snapshots and the model: 0.999; 0 = off"
    )
    stop_after: int | None = Field(
        default=None,
        ge=1,
        description="epochs without a lower validation metric that end a seed's training; left out: all epochs are run",
    )
    validate_every: int = Field(default=1, ge=1, description="epochs between validations (the first and last always)")
    snapshot_every: int | None = Field(
        default=None, ge=1, description="epochs between snapshots (the first and last always); left out: no snapshots"
    )
    snapshot_epochs: tuple[int, ...] = Field(default=(), description="epochs with a snapshot besides those")
    checkpoint_seconds: float = Field(
        default=60.0, ge=0, description="shortest time between two checkpoints (s); 0: one after each epoch"
    )
    on_divergence: Literal["fail", "stop"] = Field(
        default="fail",
        description="a non-finite loss ends the training with an error, or stops that seed alone; "
        "in the first epoch it is always an error, for there is no model of that seed",
    )
    tensorboard: bool = Field(
        default=False,
        description="write the history for TensorBoard, too, into the folder `tensorboard` beside history.csv; needs "
        "the package tensorboard",
    )

    @model_validator(mode="after")
    def _one_way_down(self) -> Self:
        if self.learning_rate_end is not None and self.learning_rate_patience is not None:
            raise ValueError(
                "learning_rate_end lowers the rate by epoch, learning_rate_patience by the validation metric: give one"
            )
        return self

    @model_validator(mode="after")
    def _nothing_in_vain(self) -> Self:
        """Refuse numbers that no training would read: written down, they were meant to do something."""
        read_by = {
            "momentum": (self.optimiser == "sgd", "optimiser: sgd"),
            "betas": (self.optimiser == "adam", "optimiser: adam"),
            "learning_rate_factor": (self.learning_rate_patience is not None, "learning_rate_patience"),
            "learning_rate_floor": (self.learning_rate_patience is not None, "learning_rate_patience"),
        }
        for name, (is_read, what) in read_by.items():
            value = getattr(self, name)
            if not is_read and value != type(self).model_fields[name].default:
                raise ValueError(f"{name} is {value}, which only {what} reads: give that too, or take {name} out")
        return self

    def rate_of(self, epoch: int) -> float | None:
        """Return the learning rate of an epoch, counted from 1; None where it does not depend on the epoch."""
        start, end = self.learning_rate, self.learning_rate_end
        if end is None:
            return None
        if self.epochs == 1:
            return start
        share = (epoch - 1) / (self.epochs - 1)
        return end + 0.5 * (start - end) * (1.0 + math.cos(math.pi * share))

    def keeps(self, epoch: int) -> bool:
        """Return whether there is a snapshot of an epoch."""
        if epoch in self.snapshot_epochs:
            return True
        return self.snapshot_every is not None and (epoch in (1, self.epochs) or epoch % self.snapshot_every == 0)


def refuse_moved_keys(values: object, *names: str) -> object:
    """Return what a validator was given; raise `ValueError` for keys that stand in the section `training` now."""
    if isinstance(values, dict):
        for name in names:
            if name in values:
                raise ValueError(f"{name} stands in the section training now: training: {{{name}: {values[name]}}}")
    return values
