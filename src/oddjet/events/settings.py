"""Settings of the analysis of whole events."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class EventsSettings(BaseModel):
    """What `snakemake events` does."""

    model_config = ConfigDict(frozen=True, extra="forbid")
