"""The base of all settings, and how the settings of every kind of sample share its events among its files."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Settings that cannot change and refuse unknown keys, NaN and infinity; a name may be a number, `label: 2018`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, coerce_numbers_to_str=True)


def events_of_file(events: int, files: int, number: int) -> int:
    """Share the events of a sample among its files; return those of one, of which the first ones take what is over."""
    return events // files + (number < events % files)
