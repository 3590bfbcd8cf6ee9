"""The base of all settings, lists of seeds, and what the columns of weights are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# What the names of columns with varied weights begin with (`features.corrections`).
VARIED = "weight_"


class Settings(BaseModel):
    """Settings that cannot change and refuse unknown keys, NaN and infinity; a name may be a number, `label: 2018`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, coerce_numbers_to_str=True)


def _each_once(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(seeds)) != len(seeds):
        raise ValueError(f"{list(seeds)} holds a seed twice")
    return seeds


Seeds = Annotated[tuple[Annotated[int, Field(ge=0, lt=2**63)], ...], Field(min_length=1), AfterValidator(_each_once)]


def weight_columns(names: Iterable[str]) -> list[str]:
    """Return those of the columns of a table that hold weights: nominal, and varied."""
    return [name for name in names if name == "weight" or name.startswith(VARIED)]
