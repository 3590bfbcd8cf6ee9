"""Settings of the scores that jets of the semivisible-jet analysis get from reference jets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from oddjet.images.ensemble_settings import Metric
from oddjet.settings import Settings


class MedoidMethod(Settings):
    """One method: the distance to medoids of background training jets."""

    kind: Literal["medoids"] = Field(default="medoids", description="distance to reference jets")
    metric: Metric = Field(default="wass1", description="distance between images, see images.ensembles.metrics")
    medoids: int = Field(default=5, ge=1, le=50, description="number of reference jets")
    combination: Literal["min", "sum"] = Field(default="min", description="smallest distance, or sum over the medoids")
    restarts: int = Field(
        default=5,
        ge=0,
        description="random starts for k medoids, beside that from k - 1; the best is kept",
    )
    jets: int = Field(
        default=1000, ge=2, le=20_000, description="training jets, drawn anew for every seed, that medoids are found in"
    )
