"""Settings of the analysis of whole events, composed of those of its stages; the configuration alone imports this."""

from __future__ import annotations

import math
import re
from typing import Self

from pydantic import Field, model_validator

from oddjet.events.input_settings import (
    PARTS,
    BackgroundSample,
    EventSample,
    EventSizes,
    ObjectSettings,
    TableSettings,
    default_background,
    default_signals,
    shares,
)
from oddjet.events.method import EventMethod, default_methods
from oddjet.events.protocol_settings import ProtocolSettings
from oddjet.settings import Settings

# Names become wildcards and file names.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class EventsSettings(Settings):
    """What `snakemake events` does."""

    background: dict[str, BackgroundSample] = Field(
        default_factory=default_background, min_length=1, description="samples that make up the background"
    )
    signals: dict[str, EventSample] = Field(
        default_factory=default_signals, min_length=1, description="signals by name; only ever tested on"
    )
    sizes: EventSizes = Field(default=EventSizes(), description="numbers of events")
    objects: ObjectSettings = Field(default=ObjectSettings(), description="objects and selection of simulated events")
    table: TableSettings = Field(default=TableSettings(), description="the 57 inputs of the autoencoders")
    methods: dict[str, EventMethod] = Field(
        default_factory=default_methods, description="autoencoders by name, trained with the seeds of `ensemble`"
    )
    protocol: ProtocolSettings = Field(default=ProtocolSettings(), description="distances, scores, test sets")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for section in ("background", "signals", "methods"):
            for name in getattr(self, section):
                if not NAME.fullmatch(name) or name in PARTS:
                    raise ValueError(f"{section}: the name {name!r} may hold letters, digits and - _ only")
        doubled = sorted(set(self.background) & set(self.signals))
        if doubled:
            raise ValueError(f"signals: {doubled[0]} is also a sample of the background")
        total = sum(self.fractions.values())
        if not math.isclose(total, 1.0, abs_tol=1e-6):
            raise ValueError(f"background: the fractions add up to {total:g}, not to 1")
        for name, sample in self.samples().items():
            if sample.process and sample.parts > self.events_of(name):
                raise ValueError(f"{name}.parts: {sample.parts} files cannot share {self.events_of(name)} events")
        return self

    @property
    def fractions(self) -> dict[str, float]:
        """Share of each sample of the background."""
        return {name: sample.fraction for name, sample in self.background.items()}

    def samples(self) -> dict[str, EventSample]:
        """Give all samples by name, the background first."""
        return {**self.background, **self.signals}

    def events_of(self, sample: str) -> int:
        """Give the number of selected events that a sample must have."""
        if sample in self.signals:
            return self.sizes.signal
        return sum(shares(getattr(self.sizes, part), self.fractions)[sample] for part in PARTS)

    def events_of_part(self, sample: str, part: int) -> int:
        """Share these among the parts of a simulated sample, the first ones taking what is left over."""
        events, parts = self.events_of(sample), self.samples()[sample].parts
        return events // parts + (part < events % parts)
