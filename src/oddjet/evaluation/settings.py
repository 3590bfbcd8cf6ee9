"""Settings of the evaluation: scores, figures of merit, averages of scores."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

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


def _as_list(given: object) -> object:
    return [given] if isinstance(given, str) else given


class MeanSettings(Settings):
    """Mean of the standardised scores of all seeds of one or several methods."""

    kind: Literal["mean"]
    of: Annotated[tuple[str, ...], BeforeValidator(_as_list, json_schema_input_type=str | tuple[str, ...])] = Field(
        min_length=1,
        description="one method or a list of them; all their seeds count the same, each with mean 0 and standard "
        "deviation 1 on the validation jets of the background",
    )

    @field_validator("of")
    @classmethod
    def _each_once(cls, of: tuple[str, ...]) -> tuple[str, ...]:
        twice = next((name for name in of if of.count(name) > 1), None)
        if twice is not None:
            message = f"{twice} stands twice in the list; name it once"
            raise ValueError(message)
        return of
