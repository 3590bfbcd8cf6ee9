"""Settings of the training loop: epochs, optimiser, averaging, snapshots."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oddjet.settings import Settings


class TrainingSettings(Settings):
    """How a group of seeds is trained."""

    epochs: int = Field(default=100, ge=1, description="passes over the training jets")
    batch_size: int = Field(default=256, ge=1, description="jets a batch, and negatives a batch")
    sampling: Literal["auto", "shuffle", "weighted"] = Field(
        default="auto",
        description="shuffle: every jet once an epoch, whatever its weight; weighted: with replacement, by the column "
        "weight; auto: shuffle where all weights are equal, else weighted. Jets of negative weight are drawn by its "
        "size and taken away from the batch (kind wnae; the others refuse them)",
    )
    learning_rate: float = Field(default=1e-3, gt=0, description="Adam's learning rate")
    learning_rate_end: float | None = Field(
        default=None,
        gt=0,
        description="reached at the last epoch along a half cosine; left out: constant learning rate",
    )
    betas: tuple[float, float] = Field(default=(0.9, 0.999), description="Adam's decay rates")
    weight_decay: float = Field(default=0.0, ge=0, description="decoupled weight decay (AdamW)")
    ema_decay: float = Field(
        default=0.0, ge=0, lt=1, description="averaged weights for validation, snapshots and the model: 0.999; 0 = off"
    )
    validate_every: int = Field(default=1, ge=1, description="epochs between validations (the first and last always)")
    snapshot_every: int = Field(default=25, ge=1, description="epochs between snapshots (the first and last always)")
    snapshot_epochs: tuple[int, ...] = Field(
        default=(2, 5, 10, 20), description="epochs with a snapshot besides those, for the fast beginning"
    )
    memory_mb: float = Field(
        default=8000.0, gt=0, description="scaled training jets beyond this (MB) are read from a file, batch by batch"
    )
    checkpoint_seconds: float = Field(
        default=60.0, ge=0, description="shortest time between two checkpoints (s); 0: one after each epoch"
    )
    on_divergence: Literal["fail", "stop"] = Field(
        default="fail",
        description="a non-finite loss ends the training with an error, or stops that seed alone; "
        "in the first epoch it is always an error, for there is no model of that seed",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto: a CUDA device where there is one")
