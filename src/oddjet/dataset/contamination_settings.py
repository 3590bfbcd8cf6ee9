"""Settings of the contamination scan: what a method loses when its training jets are not background alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from oddjet.settings import Settings


class ContaminationSettings(Settings):
    """The one place where signal enters a training; the analysis itself trains on background alone."""

    fractions: tuple[Annotated[float, Field(ge=0, le=0.5)], ...] = Field(
        default=(0.0, 0.001, 0.01, 0.1),
        min_length=1,
        description="shares of signal among the training jets, whose number stays the same; a training each",
    )
    methods: tuple[str, ...] = Field(
        default=(), description="methods of the config that are trained again; left empty: all its baselines"
    )
    signals: tuple[str, ...] = Field(
        default=(), description="signal samples whose jets are mixed in, all together; left empty: all signals"
    )
    signal_share: float = Field(
        default=0.5, gt=0, lt=1, description="share of the signal events that may train; the others are tested on"
    )
    seed: int = Field(default=1, ge=0, lt=2**63, description="salt of the hash by which signal events are divided")
    minimum_signal_jets: int = Field(
        default=50, ge=2, description="jets of a signal left to test on; fewer are an error"
    )

    @field_validator("fractions")
    @classmethod
    def _ascending(cls, fractions: tuple[float, ...]) -> tuple[float, ...]:
        if list(fractions) != sorted(set(fractions)):
            message = f"fractions must ascend, each once, got {list(fractions)}"
            raise ValueError(message)
        return fractions
