"""Settings of the analysis of jet images."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ImagesSettings(BaseModel):
    """What `snakemake images` does."""

    model_config = ConfigDict(frozen=True, extra="forbid")
