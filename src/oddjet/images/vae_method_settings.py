"""Settings of an image VAE as a method of the semivisible-jet analysis."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from oddjet.images.vae_settings import Depth, Metric, TrainingSize


class VaeMethod(TrainingSize):
    """One method: an image VAE trained on background jets of the analysis, one a seed.

    Networks and schedule are those of `images.vae`, but for what is named here.
    """

    kind: Literal["vae"] = Field(description="distance of an image from its reconstruction")
    metric: Metric = Field(default="mse", description="distance that it is trained with")
    depth: Depth = Field(default=3, description="number of down-samplings")
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = Field(
        default=(1e-8,),
        min_length=1,
        description="weight of the KLD; of several, the lowest validation loss on background chooses, seed by seed",
    )
    anomaly: Literal["loss", "mse", "mae", "wass0p5", "wass1", "wass2"] = Field(
        default="mse", description="distance that is the score; those of transport are exact, a few milliseconds a jet"
    )
