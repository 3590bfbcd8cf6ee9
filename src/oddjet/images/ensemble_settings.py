"""Settings of the distances between images and of the scores that are distances to a few reference jets."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from oddjet.settings import Settings

Metric = Annotated[
    str,
    Field(
        pattern=r"^(mae|mse|wass\d+(p\d+)?)$",
        description="mae, mse, or wass and the power p of the transport cost: wass1, wass0p5",
    ),
]


class DistanceSettings(Settings):
    """Distances of every pair of a set of jets."""

    jets: int = Field(default=1000, ge=2, le=20_000, description="jets of a set: all pairs are measured and kept")
    root: bool = Field(
        default=True, description="Wass(p) with p >= 1 is the p-th root of the transport cost; false: the cost itself"
    )


class MedoidSettings(Settings):
    """Reference jets: k medoids, and as many at random to compare with."""

    largest: int = Field(default=10, ge=4, le=50, description="medoids are found for k = 1 to this number")
    bins: int = Field(default=50, ge=5, description="bins of the distances whose most frequent value the elbow uses")
    draws: int = Field(default=10, ge=2, description="sets of random reference jets to compare with")
    drawn: int = Field(default=5, ge=1, description="random reference jets of a set")
    restarts: int = Field(
        default=5,
        ge=0,
        description="random starts for k medoids, beside that from k - 1; the best is kept",
    )
    seed: int = Field(default=1, ge=0, description="seed of the random starts and reference jets")


class EnsembleSettings(Settings):
    """Event-to-ensemble distances: which sets of reference jets and which metrics."""

    references: tuple[str, ...] = Field(
        default=("qcd", "top"), min_length=1, description="samples whose training jets are references"
    )
    metrics: tuple[Metric, ...] = Field(
        default=("wass1", "wass0p5", "wass2", "wass5", "mae", "mse"), min_length=1, description="metrics of the table"
    )
    compared: tuple[Metric, ...] = Field(
        default=("wass0p5", "wass1", "mae", "mse"),
        description="metrics whose distances between background test jets are compared with one another and with the "
        "latent space of the autoencoder",
    )

    @model_validator(mode="after")
    def _once(self) -> EnsembleSettings:
        for key in ("references", "metrics", "compared"):
            given = getattr(self, key)
            if len(set(given)) != len(given):
                raise ValueError(f"{key}: {list(given)} names one twice")
        return self
