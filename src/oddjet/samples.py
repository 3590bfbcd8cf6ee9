"""The samples of the configuration: those that Pythia makes, those that lie in files, and the grid of signals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import (
    Discriminator,
    Field,
    PositiveInt,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from oddjet.jets.settings import Match
from oddjet.settings import Settings, events_of_file
from oddjet.simulation.settings import Process, SemivisibleJets

Kind = Literal["background", "signal"]
KIND = "what the sample is to the analysis `jets`; left out: it is part of what names it under `analyses` alone"
MATCH = (
    "keep only jets within features.match_radius of such a generated particle; dark_jet: only jets of whose pT the "
    "decay products of dark hadrons carry more than half"
)


class Simulated(Settings):
    """A sample that Pythia makes."""

    kind: Kind | None = Field(None, description=KIND)
    process: Process = Field(description="the hard process and its parameters")
    events: int = Field(gt=0, description="events in the whole sample")
    parts: int = Field(1, gt=0, description="number of files (and jobs) that the events are spread over")
    weight: float = Field(1.0, gt=0, description="factor on every event's weight")
    cross_section: float | None = Field(
        None, gt=0, description="pb; weights are then multiplied with it, over the sum of the generator weights"
    )
    require_match: Match = Field("none", description=MATCH)

    def events_of(self, part: int) -> int:
        """Return the number of events of one file."""
        return events_of_file(self.events, self.parts, part)

    def grid_point(self) -> tuple[float, float] | None:
        """Give (m_phi in GeV, r_inv) of a semivisible-jet sample."""
        process = self.process.root
        return (process.m_phi, process.r_inv) if isinstance(process, SemivisibleJets) else None

    @model_validator(mode="after")
    def _consistent(self) -> Simulated:
        if self.parts > self.events:
            raise ValueError(f"parts: {self.parts} files cannot share {self.events} events")
        if self.kind == "signal" and self.grid_point() is None:
            raise ValueError("a simulated signal needs the process 'svj': its m_phi and r_inv place it in the heatmap")
        return self


class Listed(Settings):
    """A sample that lies in ROOT files."""

    kind: Kind | None = Field(None, description=KIND)
    files: tuple[str, ...] = Field(
        min_length=1,
        description="paths, globs, folders, root:// or https:// addresses, or a .txt file with one of these a line",
    )
    m_phi: float | None = Field(None, gt=0, description="mediator mass of a signal, GeV")
    r_inv: float | None = Field(None, ge=0, le=1, description="invisible fraction of a signal")
    weight: float = Field(1.0, gt=0, description="factor on every event's weight")
    cross_section: float | None = Field(
        None, gt=0, description="pb; weights are then multiplied with it, over the sum of the generator weights"
    )
    require_match: Match = Field("none", description=MATCH)

    def grid_point(self) -> tuple[float, float] | None:
        """Give (m_phi in GeV, r_inv) of a signal."""
        return None if self.m_phi is None or self.r_inv is None else (self.m_phi, self.r_inv)

    @model_validator(mode="after")
    def _signal_has_a_grid_point(self) -> Listed:
        if self.kind == "signal" and self.grid_point() is None:
            raise ValueError("a signal needs m_phi and r_inv: they place it in the heatmap")
        return self


def _source(given: object) -> str:
    if not isinstance(given, Mapping):
        return "listed" if isinstance(given, Listed) else "simulated"
    # `file` is a slip for `files`, and says so only among the keys of a sample that lies in files.
    slip = "process" not in given and any(str(key).startswith("file") for key in given)
    return "listed" if "files" in given or slip else "simulated"


Sample = Annotated[
    Annotated[Simulated, Tag("simulated")] | Annotated[Listed, Tag("listed")],
    Discriminator(_source),
]


class SignalGrid(Settings):
    """Simulated semivisible-jet signals: every mediator mass with every invisible fraction."""

    m_phi: tuple[float, ...] = Field((), description="mediator masses, GeV")
    r_inv: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field((), description="invisible fractions")
    m_dark: float = Field(20.0, gt=0, description="dark meson mass, GeV")
    alpha: Literal["peak", "low", "high"] | None = Field(None, description="dark coupling; left out: peak")
    lambda_dark: float | None = Field(None, description="confinement scale in GeV, in the place of alpha")
    events: PositiveInt | dict[float, tuple[PositiveInt, ...]] = Field(
        800, description="events a grid point: one number, or for each mediator mass a list in the order of r_inv"
    )
    parts: int = Field(1, gt=0, description="files a grid point")
    require_match: Match = Field("dark_quark", description=MATCH)

    def samples(self) -> dict[str, Simulated]:
        """Give the sample of every grid point by name."""
        return {
            signal_name(m_phi, r_inv): Simulated(
                kind="signal",
                process=Process.model_validate(
                    {
                        "name": "svj",
                        "m_phi": m_phi,
                        "r_inv": r_inv,
                        "m_dark": self.m_dark,
                        "alpha": self.alpha,
                        "lambda_dark": self.lambda_dark,
                    }
                ),
                events=self.events if isinstance(self.events, int) else self.events[m_phi][position],
                parts=self.parts,
                require_match=self.require_match,
            )
            for m_phi in self.m_phi
            for position, r_inv in enumerate(self.r_inv)
        }

    @field_validator("events", mode="before")
    @classmethod
    def _each_mass_once(cls, events: object) -> object:
        if isinstance(events, Mapping):
            masses = [f"{mass:g}" if isinstance(mass, float | int) else f"{float(mass):g}" for mass in events]
            twice = next((mass for mass in masses if masses.count(mass) > 1), None)
            if twice is not None:
                raise ValueError(f"m_phi {twice} stands twice")
        return events

    @model_validator(mode="after")
    def _every_point_fits(self) -> SignalGrid:
        if bool(self.m_phi) != bool(self.r_inv):
            given, missing = ("m_phi", "r_inv") if self.m_phi else ("r_inv", "m_phi")
            raise ValueError(f"{given} without {missing} makes no signal; give both")
        for key in ("m_phi", "r_inv"):
            written = [f"{value:g}" for value in getattr(self, key)]
            twice = next((value for value in written if written.count(value) > 1), None)
            if twice is not None:
                raise ValueError(f"{key}: {twice} stands twice (values are told apart by six digits)")
        if not isinstance(self.events, int):
            for m_phi in self.m_phi:
                numbers = len(self.events.get(m_phi, ()))
                if numbers != len(self.r_inv):
                    raise ValueError(
                        f"events: {numbers} numbers for m_phi {m_phi:g}, r_inv has {len(self.r_inv)} values"
                    )
        try:
            self.samples()
        except ValidationError as error:
            wrong = error.errors()[0]
            words = wrong["msg"].removeprefix("Value error, ")
            given = "" if isinstance(wrong["input"], dict) else f" (given: {wrong['input']!r})"
            raise ValueError(f"{wrong['loc'][-1]}: {words}{given}") from None
        return self


def signal_name(m_phi: float, r_inv: float) -> str:
    """Name a grid point, `svj_mphi-2000_rinv-0p3`."""
    return f"svj_mphi-{m_phi:g}_rinv-{r_inv:g}".replace(".", "p")
