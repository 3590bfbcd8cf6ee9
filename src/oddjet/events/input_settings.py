"""Settings of the inputs of the events' analysis: samples, objects, sizes of the parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from oddjet.settings import Settings

ProcessName = Literal["w_lnu", "z_ll", "top_pairs", "qcd_lepton", "a_4l", "h0_tautau", "hpm_taunu", "lq_taub"]
PARTS = ("train", "validation", "test")
FILES = "own files of the layout of CMS ADC 2021, in the place of a process"


class EventSample(Settings):
    """Where the events of a sample come from: Pythia, or files."""

    process: ProcessName | None = Field(default=None, description="the process that Pythia makes")
    files: tuple[str, ...] = Field(default=(), description=FILES)
    parts: int = Field(default=1, gt=0, description="number of files (and jobs) that a simulated sample is spread over")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.process is None) == (not self.files):
            raise ValueError("give either process or files")
        return self


class BackgroundSample(EventSample):
    """A part of the background."""

    fraction: float = Field(gt=0, le=1, description="its share of the selected background events")


class ObjectSettings(Settings):
    """Objects and the selection of events; the defaults are those of CMS ADC 2021."""

    trigger_pt_min: float = Field(default=23.0, ge=20, description="an electron or a muon must have more pT, GeV")
    egamma_pt_min: float = Field(default=3.0, gt=0, description="smallest pT of electrons and photons, GeV")
    egamma_eta_max: float = Field(default=3.0, gt=0, le=5, description="electrons and photons lie within this |eta|")
    photons: bool = Field(default=True, description="isolated photons are e/gamma objects too (never the trigger's)")
    muon_pt_min: float = Field(default=3.0, gt=0, description="smallest pT of muons, GeV")
    muon_eta_max: float = Field(default=2.1, gt=0, le=5, description="muons lie within this |eta|")
    jet_pt_min: float = Field(default=15.0, gt=0, description="smallest pT of jets, GeV")
    jet_eta_max: float = Field(default=4.0, gt=0, le=5, description="jets lie within this |eta|")
    jet_radius: float = Field(default=0.4, gt=0, le=1.5, description="R of the anti-kT jets")
    isolation_cone: float = Field(default=0.3, gt=0, le=1, description="radius of the cone around a lepton or photon")
    isolation_max: float = Field(
        default=0.45, gt=0, le=0.6, description="largest pT of the other candidates in the cone, in units of its own"
    )


class EventSizes(Settings):
    """Numbers of selected events."""

    train: int = Field(default=4000, ge=10, description="background events: references, kernels, autoencoders")
    validation: int = Field(default=1000, ge=10, description="background events that choose epochs and parameters")
    test: int = Field(default=5000, ge=10, description="background events that are scored")
    signal: int = Field(default=5000, ge=10, description="events of each signal")


class TableSettings(Settings):
    """The inputs of the autoencoders: 19 slots of (pT, eta, phi)."""

    pt_floor: float = Field(default=1.0, gt=0, description="pT enters as ln(max(pT, floor)), GeV; so do empty slots")
    range: tuple[float, float] = Field(default=(-3.0, 3.0), description="target range of every input")

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.range[0] >= self.range[1]:
            raise ValueError(f"range must be ascending, got {list(self.range)}")
        return self


def default_background() -> dict[str, BackgroundSample]:
    """Give the paper's proportions: cross section times trigger efficiency."""
    return {
        "w_lnu": BackgroundSample(process="w_lnu", fraction=0.592, parts=4),
        "qcd_lepton": BackgroundSample(process="qcd_lepton", fraction=0.338, parts=4),
        "z_ll": BackgroundSample(process="z_ll", fraction=0.067),
        "top_pairs": BackgroundSample(process="top_pairs", fraction=0.003),
    }


def default_signals() -> dict[str, EventSample]:
    """Give the paper's four signals."""
    return {name: EventSample(process=name, parts=4) for name in ("a_4l", "h0_tautau", "hpm_taunu", "lq_taub")}


def shares(total: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """Share `total` events so that the numbers add up: largest remainders first, at least one each."""
    exact = {name: total * fraction for name, fraction in fractions.items()}
    counts = {name: max(1, math.floor(value)) for name, value in exact.items()}
    for name in sorted(exact, key=lambda name: exact[name] - math.floor(exact[name]), reverse=True):
        if sum(counts.values()) < total:
            counts[name] += 1
    while sum(counts.values()) > total:
        counts[max(counts, key=lambda name: counts[name])] -= 1
    return counts
