"""An autoencoder of whole events: the settings of a method, with those of its training that matter here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oddjet.detectors.autoencoder.settings import ModelSettings, NetworkSettings
from oddjet.settings import Settings

# Three hidden layers down to three numbers: the networks of L1 trigger groups (arXiv:2108.03986).
TRIGGER_NETWORK = NetworkSettings(hidden=(32, 16), latent=3)


class EventTraining(Settings):
    """Keys of `methods.*.training`; what is not here has its default."""

    epochs: int = Field(default=100, ge=1, description="passes over the training events")
    batch_size: int = Field(default=256, ge=1, description="events a batch, and negatives a batch")
    learning_rate: float = Field(default=1e-3, gt=0, description="Adam's learning rate")
    learning_rate_end: float | None = Field(
        default=None, gt=0, description="reached at the last epoch along a half cosine; left out: constant"
    )
    ema_decay: float = Field(default=0.0, ge=0, lt=1, description="averaged weights: 0.999; 0 = off")
    snapshot_every: int = Field(default=25, ge=1, description="epochs between snapshots")
    on_divergence: Literal["fail", "stop"] = Field(
        default="fail", description="a non-finite loss ends the training with an error, or stops that seed alone"
    )


class EventMethod(ModelSettings):
    """One entry of `events.methods`; every one is also an entry that `methods` would take."""

    network: NetworkSettings = TRIGGER_NETWORK
    training: EventTraining = EventTraining()


def default_methods() -> dict[str, EventMethod]:
    """Give AE, NAE and WNAE."""
    return {
        "ae": EventMethod(kind="ae", training=EventTraining(epochs=300, learning_rate=2e-3, learning_rate_end=1e-5)),
        "nae": EventMethod(kind="nae", training=EventTraining(epochs=60, on_divergence="stop")),
        "wnae": EventMethod(kind="wnae", training=EventTraining(epochs=100, ema_decay=0.999)),
    }
