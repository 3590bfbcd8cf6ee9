"""Settings of an ensemble: a method that trains nothing and averages the scores of others."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from oddjet.settings import Settings


def _as_list(given: object) -> object:
    return [given] if isinstance(given, str) else given


class ScoreEnsembleSettings(Settings):
    """Mean of the standardised scores of all seeds of one or several methods."""

    kind: Literal["ensemble"]
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
