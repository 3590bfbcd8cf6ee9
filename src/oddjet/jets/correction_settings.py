"""Settings of corrections: payloads of correctionlib for jets and weights, and their variations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from oddjet.addresses import FilePath
from oddjet.messages import not_among
from oddjet.settings import Settings

# What an input of a payload may be given beside branches of the file. pT and mass are those before the correction.
JET_INPUTS = ("pt", "eta", "phi", "mass", "raw_pt", "rank", "n_constituents")
DIRECTIONS = ("up", "down")
NAME = re.compile(r"[a-z][a-z0-9_]*")

Source = str | float
Inputs = dict[str, Source]
INPUTS = "of each input of the payload's correction: a quantity of the jet, a branch of the file, or a constant"


class Payload(Settings):
    """A correction in a file of correctionlib."""

    file: FilePath = Field(description="Path of the payload, .json or .json.gz.")
    name: str = Field(description="Name of the correction, or compound correction, in it.")
    inputs: Inputs = Field(description=f"{INPUTS} ({', '.join(JET_INPUTS)}).")


class JecSettings(Payload):
    """Jet energy correction: a factor on the four-momentum of a jet."""

    uncertainty: Payload | None = Field(
        default=None, description="Relative uncertainty of the corrected pT: the variations jec_up and jec_down."
    )


class JerSettings(Settings):
    """Jet energy resolution: pT is smeared with a normal deviate that depends on the event's numbers alone."""

    resolution: Payload = Field(description="Relative resolution of pT in simulation.")
    scale_factor: Payload = Field(description="Resolution in data over that in simulation.")
    up: Inputs | None = Field(default=None, description="Inputs of scale_factor that differ in the variation jer_up.")
    down: Inputs | None = Field(default=None, description="The same of jer_down.")

    @model_validator(mode="after")
    def _inputs(self) -> JerSettings:
        _check_own(self.scale_factor.inputs, {"up": self.up or {}, "down": self.down or {}})
        return self


class PayloadWeight(Payload):
    """A factor on the weight of an event from a payload."""

    up: Inputs | None = Field(default=None, description="Inputs that differ in the variation up.")
    down: Inputs | None = Field(default=None, description="Inputs that differ in the variation down.")

    @model_validator(mode="after")
    def _inputs(self) -> PayloadWeight:
        _check_own(self.inputs, {"up": self.up or {}, "down": self.down or {}})
        return self

    def varied(self) -> list[str]:
        """Give the directions in which it varies."""
        return [one for one in DIRECTIONS if getattr(self, one) is not None]


class BranchWeight(Settings):
    """A factor on the weight of an event from a branch with one number an event."""

    nominal: str | None = Field(default=None, description="Branch of the factor; 1 without.")
    up: str | None = Field(default=None, description="Branch of the factor in the variation up.")
    down: str | None = Field(default=None, description="Branch of the factor in the variation down.")

    @model_validator(mode="after")
    def _some(self) -> BranchWeight:
        if not (self.nominal or self.up or self.down):
            raise ValueError("no branch is named: give nominal, up, down, or some of them")
        return self

    def varied(self) -> list[str]:
        """Give the directions in which it varies."""
        return [one for one in DIRECTIONS if getattr(self, one) is not None]


def _kind(given: object) -> str:
    if isinstance(given, Mapping):
        return "payload" if {"file", "name", "inputs"} & set(given) else "branch"
    return "payload" if isinstance(given, PayloadWeight) else "branch"


Weight = Annotated[
    Annotated[PayloadWeight, Tag("payload")] | Annotated[BranchWeight, Tag("branch")], Discriminator(_kind)
]


def _weight_names(weights: dict[str, Weight]) -> dict[str, Weight]:
    for name in weights:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a weight: small letters, digits and _")
        if name in ("jec", "jer"):
            raise ValueError(f"{name!r} is the name of a correction of jets; take another")
    return weights


class CorrectionSettings(Settings):
    """Corrections of jets and weights by payloads (docs/corrections.md); none is made by default."""

    jec: JecSettings | None = Field(default=None, description="Jet energy correction.")
    jer: JerSettings | None = Field(default=None, description="Smearing to the resolution of data, in simulation.")
    weights: Annotated[dict[str, Weight], AfterValidator(_weight_names)] = Field(
        default={}, description="Factors on the weights of events by name: from payloads, or from branches."
    )

    def payloads(self) -> Iterator[tuple[str, Payload]]:
        """Give every payload by the path of its key."""
        if self.jec:
            yield "jec", self.jec
            if self.jec.uncertainty:
                yield "jec.uncertainty", self.jec.uncertainty
        if self.jer:
            yield "jer.resolution", self.jer.resolution
            yield "jer.scale_factor", self.jer.scale_factor
        for name, weight in self.weights.items():
            if isinstance(weight, PayloadWeight):
                yield f"weights.{name}", weight

    def files(self) -> list[str]:
        """Give the files of all payloads, each once."""
        return list(dict.fromkeys(payload.file for _, payload in self.payloads()))

    def shifted(self) -> list[str]:
        """Give the variations that shift jets: each makes tables of its own."""
        jec = [f"jec_{one}" for one in DIRECTIONS] if self.jec and self.jec.uncertainty else []
        return jec + [f"jer_{one}" for one in DIRECTIONS if self.jer and getattr(self.jer, one) is not None]

    def reweighted(self) -> list[str]:
        """Give the variations that are weights: columns of the nominal tables, by the name behind `weight_`."""
        return [f"{name}_{one}" for name, weight in self.weights.items() for one in weight.varied()]


def _check_own(inputs: Inputs, own: Mapping[str, Inputs]) -> None:
    for direction, differing in own.items():
        for name in differing:
            if name not in inputs:
                raise ValueError(f"{direction}: {not_among(name, inputs)}")
