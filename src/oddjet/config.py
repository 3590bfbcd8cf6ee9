"""The configuration of a whole run: the settings of all rooms, composed, checked, and cut into stages again.

Only the Snakefile (and tests) import this module. A stage receives its own settings alone, as one JSON argument, so
that an edit of one stage's settings reruns that stage and what hangs on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PositiveInt,
    Tag,
    ValidationError,
    model_validator,
)

from oddjet.dataset.contamination_settings import ContaminationSettings
from oddjet.dataset.settings import DatasetSettings
from oddjet.errors import OddjetError
from oddjet.evaluation.ensemble_settings import ScoreEnsembleSettings
from oddjet.evaluation.settings import EvaluationSettings, MeritSettings
from oddjet.events.settings import EventsSettings
from oddjet.images.settings import ImagesSettings
from oddjet.jets.settings import FeatureSettings, Match
from oddjet.models.baselines.settings import KINDS, BaselineSettings
from oddjet.program import describe_validation
from oddjet.simulation.seeds import shared_run
from oddjet.simulation.settings import Process, SemivisibleJets, SimulationSettings
from oddjet.training.method import MethodSettings

# Names become wildcards and file names: letters, digits and - _ . inside, nothing that a shell or a path could read.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
Kind = Literal["background", "signal", "reversed"]
KIND = (
    "what the sample is to the analysis; reversed: semivisible jets that figure 13 of the paper trains on, with the "
    "roles of signal and background reversed, and that nothing else reads"
)
MATCH = "keep only jets within features.match_radius of such a generated particle"


class ConfigError(OddjetError):
    """The configuration does not fit; the message has a line for each wrong key."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Simulated(_Section):
    """A sample that Pythia makes."""

    kind: Kind = Field(description=KIND)
    process: Process = Field(description="the hard process and its parameters")
    events: int = Field(gt=0, description="events in the whole sample")
    parts: int = Field(1, gt=0, description="number of files (and jobs) that the events are spread over")
    weight: float = Field(1.0, gt=0, description="factor on every event's weight")
    cross_section: float | None = Field(
        None, gt=0, description="pb; weights are then multiplied with it, over the sum of the generator weights"
    )
    require_match: Match = Field("none", description=MATCH)

    def events_of(self, part: int) -> int:
        """Share the events among the parts, the first ones taking what is left over."""
        return self.events // self.parts + (part < self.events % self.parts)

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


class Listed(_Section):
    """A sample that lies in ROOT files."""

    kind: Kind = Field(description=KIND)
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


Sample = Annotated[
    Annotated[Simulated, Tag("simulated")] | Annotated[Listed, Tag("listed")],
    Discriminator(lambda given: "listed" if isinstance(given, Listed) or "files" in dict(given) else "simulated"),
]


def _method_tag(given: object) -> str:
    if isinstance(given, BaselineSettings):
        return "baseline"
    if isinstance(given, ScoreEnsembleSettings):
        return "ensemble"
    kind = given.get("kind") if isinstance(given, dict) else None
    if kind == "ensemble":
        return "ensemble"
    return "baseline" if kind in KINDS else "trained"


Method = Annotated[
    Annotated[MethodSettings, Tag("trained")]
    | Annotated[BaselineSettings, Tag("baseline")]
    | Annotated[ScoreEnsembleSettings, Tag("ensemble")],
    Discriminator(_method_tag),
]


class SignalGrid(_Section):
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

    @model_validator(mode="after")
    def _every_point_fits(self) -> SignalGrid:
        if not isinstance(self.events, int):
            for m_phi in self.m_phi:
                given = len(self.events.get(m_phi, ()))
                if given != len(self.r_inv):
                    raise ValueError(f"events: {given} numbers for m_phi {m_phi:g}, r_inv has {len(self.r_inv)} values")
        try:
            self.samples()
        except ValidationError as error:
            wrong = error.errors()[0]
            raise ValueError(f"{wrong['loc'][-1]}: {wrong['msg']} (given: {wrong['input']!r})") from None
        return self


class Ensemble(_Section):
    """Which seeds every method is trained with."""

    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field((1, 2), min_length=1, description="one model a seed")
    seeds_per_job: int = Field(2, gt=0, description="seeds that train together in one process")

    def groups(self) -> dict[str, tuple[int, ...]]:
        """Give the seeds of each group, by the group's name."""
        size = self.seeds_per_job
        groups = [self.seeds[start : start + size] for start in range(0, len(self.seeds), size)]
        return {"seeds-" + "-".join(str(seed) for seed in group): group for group in groups}

    @model_validator(mode="after")
    def _seeds_differ(self) -> Ensemble:
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds: {list(self.seeds)} holds a seed twice")
        return self


class Config(_Section):
    """One run."""

    seed: int = Field(1, ge=0, lt=2**63, description="from which every simulated file derives its own seed")
    label: str = Field("Simulation", description="words in the corner of every figure")
    simulation: SimulationSettings = Field(SimulationSettings(), description="beam, underlying event, detector")
    samples: dict[str, Sample] = Field(description="samples by name")
    signals: SignalGrid = Field(SignalGrid(), description="simulated signals on a grid, beside those among `samples`")
    features: FeatureSettings = Field(FeatureSettings(), description="jets and their features")
    dataset: DatasetSettings = Field(DatasetSettings(), description="split and scaling of the background")
    ensemble: Ensemble = Field(Ensemble(), description="seeds")
    methods: dict[str, Method] = Field(min_length=1, description="networks, baselines and ensembles by name")
    evaluation: EvaluationSettings = Field(EvaluationSettings(), description="scores, AUC, monitoring")
    merit: MeritSettings = Field(MeritSettings(), description="figures of merit beyond the AUC")
    contamination: ContaminationSettings = Field(
        ContaminationSettings(),
        description="signal mixed into the training jets: what `snakemake contamination` does",
    )
    images: ImagesSettings = Field(ImagesSettings(), description="jet images: what `snakemake images` does")
    events: EventsSettings = Field(EventsSettings(), description="whole events: what `snakemake events` does")

    @model_validator(mode="after")
    def _names_and_kinds(self) -> Config:
        for section, names in (("samples", self.samples), ("methods", self.methods)):
            for name in names:
                if not NAME.fullmatch(name):
                    raise ValueError(f"{section}: the name {name!r} may hold letters, digits and - _ . only")
        doubled = sorted(set(self.samples) & set(self.signals.samples()))
        if doubled:
            raise ValueError(f"samples: {doubled[0]} is also a point of `signals`")
        if not self.of_kind("background"):
            raise ValueError("samples: none is of kind 'background'; the models train on background alone")
        if not self.of_kind("signal"):
            raise ValueError("signals: there is none; list m_phi and r_inv, or give samples of kind 'signal'")
        without = sorted(set(self.of_kind("background")) - set(self.cross_sections("background")))
        if without and self.cross_sections("background"):
            raise ValueError(f"samples.{without[0]}: no cross_section, but other background samples have one; give all")
        shared = shared_run(
            self.seed, [name for name, sample in self.all_samples().items() if isinstance(sample, Simulated)]
        )
        if shared:
            raise ValueError(f"samples: {shared[0]} and {shared[1]} have the same run number; rename one")
        points = [self.all_samples()[name].grid_point() for name in self.of_kind("signal")]
        twice = next((point for point in points if points.count(point) > 1), None)
        if twice is not None:
            raise ValueError(
                f"signals: two samples have m_phi {twice[0]:g} and r_inv {twice[1]:g}; the heatmap has one cell"
            )
        missing = self.features.not_computed(self.dataset.features)
        if missing:
            raise ValueError(f"dataset.features: {missing[0]!r} is not among what `features.features` computes")
        return self

    @model_validator(mode="after")
    def _ensembles_have_members(self) -> Config:
        single = [name for name in self.methods if name not in self.ensembles()]
        for name, members in self.ensembles().items():
            for member in members:
                if member == name:
                    raise ValueError(f"methods.{name}.of: an ensemble of itself; the other methods are {single}")
                if member in self.ensembles():
                    raise ValueError(f"methods.{name}.of: {member!r} is an ensemble; name its members instead")
                if member not in single:
                    raise ValueError(f"methods.{name}.of: {member!r} is no method; the methods are {single}")
        together = next((name for name in self.contamination.methods if name in self.ensembles()), None)
        if together is not None:
            raise ValueError(
                f"contamination.methods: {together!r} is an ensemble, which trains nothing; name its members instead"
            )
        return self

    def all_samples(self) -> dict[str, Simulated | Listed]:
        """Give the listed samples and those of the signal grid, by name."""
        return {**self.samples, **self.signals.samples()}

    def trained(self) -> list[str]:
        """Give the names of the methods that are trained by epochs; the others are baselines, fitted at once."""
        return [name for name, method in self.methods.items() if isinstance(method, MethodSettings)]

    def baselines(self) -> list[str]:
        """Give the names of the baselines."""
        return [name for name, method in self.methods.items() if isinstance(method, BaselineSettings)]

    def ensembles(self) -> dict[str, tuple[str, ...]]:
        """Give the members of each ensemble by its name; it has scores, and no model of its own."""
        return {name: method.of for name, method in self.methods.items() if isinstance(method, ScoreEnsembleSettings)}

    def with_models(self) -> list[str]:
        """Give the names of the methods that are trained or fitted."""
        return [name for name in self.methods if name not in self.ensembles()]

    def approximate(self) -> list[str]:
        """Give the names of the methods whose loss is approximate transport (Sinkhorn's), alone or in an ensemble."""
        single = {
            name
            for name, method in self.methods.items()
            if isinstance(method, MethodSettings) and method.loss is not None and method.loss.transport != "exact"
        }
        ensembles = self.ensembles()
        return [name for name in self.methods if name in single or single & set(ensembles.get(name, ()))]

    def cross_sections(self, kind: Literal["background", "signal"]) -> dict[str, float]:
        """Give the cross sections (pb) of the samples that have one, by name: all background samples have one, or none.

        Of a signal it changes no figure of merit, but the weights in the score tables are then in pb.
        """
        given = {name: self.all_samples()[name].cross_section for name in self.of_kind(kind)}
        return {name: value for name, value in given.items() if value is not None}

    def listed(self) -> dict[str, tuple[str, ...]]:
        """Give the sources of the samples that lie in files, by name."""
        return {name: sample.files for name, sample in self.samples.items() if isinstance(sample, Listed)}

    def of_kind(self, kind: Kind) -> list[str]:
        """Give the names of the samples of a kind, in the order of the config."""
        return [name for name, sample in self.all_samples().items() if sample.kind == kind]


def signal_name(m_phi: float, r_inv: float) -> str:
    """Name a grid point, `svj_mphi-2000_rinv-0p3`."""
    return f"svj_mphi-{m_phi:g}_rinv-{r_inv:g}".replace(".", "p")


def load_config(raw: Mapping[str, Any]) -> Config:
    """Check a configuration.

    Parameters
    ----------
    raw
        What Snakemake read from the YAML files and `--config`.

    Raises
    ------
    ConfigError
        A key is unknown or missing, or a value does not fit; a line each: dotted path, what is allowed, value.
    """
    try:
        return Config.model_validate(dict(raw))
    except ValidationError as error:
        raise ConfigError("the configuration does not fit:\n" + describe_validation(error, raw)) from error


if __name__ == "__main__":
    print(json.dumps(Config.model_json_schema(), indent=2))  # noqa: T201  the schema is what this prints
