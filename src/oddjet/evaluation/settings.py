"""Settings of the evaluation stages."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class EvaluationSettings(BaseModel):
    """What is asked of the samples before they are scored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum_signal_jets: int = Field(
        default=300, ge=2, description="jets; a grid point with fewer is an error, since its AUC would say little"
    )
