"""Settings of the evaluation stages."""

from __future__ import annotations

from pydantic import Field

from oddjet.settings import Settings


class EvaluationSettings(Settings):
    """What is asked of the samples before they are scored."""

    minimum_signal_jets: int = Field(
        default=300, ge=2, description="jets; a grid point with fewer is an error, since its AUC would say little"
    )


class MeritSettings(Settings):
    """How figures of merit beyond the AUC, and their errors, are computed."""

    replicas: int = Field(
        default=200, ge=20, description="bootstrap replicas; errors are known to 1 / sqrt(2 replicas)"
    )
    seed: int = Field(default=1, ge=0, description="of the bootstrap's random numbers")
    planing_bins: int = Field(
        default=10,
        ge=1,
        description="bins in pT, of equal signal weight, in which the background takes on its spectrum",
    )
