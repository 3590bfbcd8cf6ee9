"""The samples of the configuration: those that Pythia makes, those that lie in files, and the grid of signals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    PositiveInt,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from oddjet.addresses import FilePath
from oddjet.axes import NAME, TAKEN, Point
from oddjet.jets.correction_settings import CorrectionSettings
from oddjet.jets.settings import FeatureSettings, Match, with_corrections
from oddjet.selection.settings import Cut, OwnCuts, SampleSelection
from oddjet.settings import Settings
from oddjet.simulation.parts import events_of_file
from oddjet.simulation.settings import Process, SemivisibleJets
from oddjet.titles import TitledSample

# Weights of jets are stored as float32, which holds no more.
LARGEST = 1e30
Kind = Literal["background", "test_background", "signal"]
KindOfFiles = Literal["background", "test_background", "signal", "data"]
KIND = (
    "what the sample is to the analysis `jets`: background trains the models and is tested against; test_background is "
    "tested against alone; left out: it is part of what names it under `analyses` alone"
)
KIND_OF_FILES = f"{KIND}; data: collisions, which figures show beside simulation (docs/selection.md)"
WHERE = "cut on the events of this sample beside features.selection.events, such as a generator cut: LHE_HT < 200"
OWN_CORRECTIONS = "corrections of this sample in the place of features.corrections; {} for none"
POINT = "where a signal lies: a number for each of its axes, by names of your own (docs/own-files.md)"
OWN_CUTS = "cuts of this sample in the place of those of features.selection"
MATCH = (
    "keep only jets within match_radius of such a generated particle (the key stands in features, and for images in "
    "images.jets); dark_jet: only jets of whose pT the "
    "decay products of dark hadrons carry more than half"
)


def _axes_have_names(point: dict[str, float]) -> dict[str, float]:
    for axis in point:
        if not NAME.fullmatch(axis):
            raise ValueError(f"the axis {axis!r}: its name is a letter, then letters, digits and _, at most 40")
        if axis in TAKEN:
            raise ValueError(f"the axis {axis!r} has the name of a column of the tables; take another")
    return point


OwnPoint = Annotated[dict[str, float], AfterValidator(_axes_have_names)]


def _joined(known: Mapping[str, float | None], point: Point) -> dict[str, float]:
    """Put the axes that a sample has by itself before its own ones; raise ValueError for one that is both."""
    given = {axis: value for axis, value in known.items() if value is not None}
    twice = next((axis for axis in point if axis in given), None)
    if twice is not None:
        raise ValueError(
            f"point.{twice}: {point[twice]:g}: the sample has {twice} {given[twice]:g} already; leave one out"
        )
    return {**given, **point}


class _OfEvents(TitledSample):
    """What a sample is given wherever its events come from."""

    weight: float = Field(1.0, gt=0, le=LARGEST, description="factor on every event's weight")
    cross_section: float | None = Field(
        None,
        gt=0,
        le=LARGEST,
        description="pb; weights are then multiplied with it, over the sum of the generator weights",
    )
    require_match: Match = Field("none", description=MATCH)
    where: Cut | None = Field(None, description=WHERE)
    selection: OwnCuts = Field(OwnCuts(), description=OWN_CUTS)
    corrections: CorrectionSettings | None = Field(None, description=OWN_CORRECTIONS)

    def own_features(self, features: FeatureSettings) -> FeatureSettings:
        """Return the settings of the features of this sample: its own corrections, where it has some."""
        return with_corrections(features, self.corrections)


class Simulated(_OfEvents):
    """A sample that Pythia makes."""

    kind: Kind | None = Field(None, description=KIND)
    point: OwnPoint = Field({}, description=f"{POINT}; semivisible jets have m_phi and r_inv already")
    process: Process = Field(description="the hard process and its parameters")
    events: int = Field(gt=0, description="events in the whole sample")
    parts: int = Field(1, gt=0, description="number of files (and jobs) that the events are spread over")

    def own_selection(self) -> SampleSelection:
        """Give what the selection of this sample has of its own."""
        return SampleSelection(where=self.where, cuts=self.selection)

    def events_of(self, part: int) -> int:
        """Return the number of events of one file."""
        return events_of_file(self.events, self.parts, part)

    def signal_point(self) -> dict[str, float]:
        """Give the value of each axis; m_phi (GeV) and r_inv of semivisible jets come first."""
        process = self.process.root
        known = {"m_phi": process.m_phi, "r_inv": process.r_inv} if isinstance(process, SemivisibleJets) else {}
        return _joined(known, self.point)

    @model_validator(mode="after")
    def _consistent(self) -> Simulated:
        if self.parts > self.events:
            raise ValueError(f"parts: {self.parts} files cannot share {self.events} events")
        self.signal_point()
        return self


class Listed(_OfEvents):
    """A sample that lies in ROOT files."""

    kind: KindOfFiles | None = Field(None, description=KIND_OF_FILES)
    files: tuple[str, ...] = Field(
        min_length=1,
        description="paths, globs, folders, root:// or https:// addresses, or a .txt file with one of these a line",
    )
    m_phi: float | None = Field(None, gt=0, description="axis of a signal: mediator mass, GeV")
    r_inv: float | None = Field(None, ge=0, le=1, description="axis of a signal: invisible fraction")
    point: OwnPoint = Field({}, description=POINT)
    golden_json: FilePath | None = Field(
        None, description="of data: path of the certified luminosity blocks, CMS's golden JSON; left out: all of them"
    )

    def own_selection(self) -> SampleSelection:
        """Give what the selection of this sample has of its own."""
        return SampleSelection(where=self.where, cuts=self.selection, golden_json=self.golden_json)

    def signal_point(self) -> dict[str, float]:
        """Give the value of each axis; m_phi (GeV) and r_inv come first."""
        return _joined({"m_phi": self.m_phi, "r_inv": self.r_inv}, self.point)

    @model_validator(mode="after")
    def _each_axis_once(self) -> Listed:
        self.signal_point()
        return self

    @model_validator(mode="after")
    def _data_are_no_simulation(self) -> Listed:
        if self.kind == "data":
            for key, none in _NOT_OF_DATA.items():
                if getattr(self, key) != none:
                    raise ValueError(f"{key}: {getattr(self, key)}: data have none; leave it out, or the kind")
        elif self.golden_json is not None:
            raise ValueError(f"golden_json: {self.golden_json}: of data alone; write kind: data, or leave it out")
        return self


_NOT_OF_DATA: dict[str, object] = {
    "cross_section": None,
    "m_phi": None,
    "r_inv": None,
    "point": {},
    "require_match": "none",
}


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

    def masses(self) -> dict[str, float]:
        """Give the mediator mass of every grid point by name."""
        return {signal_name(m_phi, r_inv): m_phi for m_phi in self.m_phi for r_inv in self.r_inv}

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
