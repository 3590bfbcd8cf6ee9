"""Settings of the protocol: distances, scores, test sets."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ProtocolSettings(BaseModel):
    """How whole events are scored and compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")
