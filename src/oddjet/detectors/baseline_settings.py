"""What the settings of baselines are derived from; those of a kind stand in its module."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from oddjet.detectors.autoencoder.settings import Scaling
from oddjet.detectors.registry import TrainedSettings
from oddjet.training.settings import Schedule, refuse_moved_keys


class Baseline(TrainedSettings):
    """Base of the settings of what is fitted at once, or trained on the mean of its score.

    Attributes
    ----------
    weighted
        Whether the fit takes the weights of jets; for others jets are drawn by the size of their weights.
    signed
        Whether it can use negative weights.
    """

    weighted: ClassVar[bool] = False
    signed: ClassVar[bool] = False

    maximum_jets: int = Field(
        default=20_000, ge=10, description="training jets that are fitted; of more, each seed draws its own sample"
    )


class ScaledBaseline(Baseline):
    """Base of the settings of what sees the scaled features of the dataset."""

    scaling: Scaling = Field(
        default="dataset",
        description="coordinates of the jets: those of the dataset stage, or of the method's own, fitted on the "
        "training jets; see dataset.scaling",
    )


class NetworkSchedule(Schedule):
    """Schedule of the networks among the baselines."""

    epochs: int = Field(default=40, ge=1, description="passes over the training jets, at most")
    batch_size: int = Field(default=512, ge=1, description="jets a batch")
    stop_after: int | None = Field(
        default=8,
        ge=1,
        description="epochs without a lower validation loss that end a seed's training; null: all epochs are run",
    )
    on_divergence: Literal["fail", "stop"] = Field(
        default="stop",
        description="a non-finite loss after the first epoch ends the training with an error, or that of this seed "
        "with its best epoch",
    )

    @model_validator(mode="after")
    def _no_snapshots(self) -> Self:
        if self.snapshot_every is not None or self.snapshot_epochs:
            raise ValueError("snapshot_every, snapshot_epochs: a baseline has no snapshots; remove them")
        return self


class Trained(ScaledBaseline):
    """A network that is trained by epochs; the lowest loss on the validation jets chooses the epoch."""

    training: NetworkSchedule = Field(default=NetworkSchedule(), description="epochs, optimiser, learning rate")
    hidden: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(64, 64), min_length=1, description="widths of the hidden layers"
    )

    @model_validator(mode="before")
    @classmethod
    def _schedule_is_a_section(cls, values: object) -> object:
        return refuse_moved_keys(values, "epochs", "stop_after", "batch_size", "learning_rate", "weight_decay")
