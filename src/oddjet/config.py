"""The configuration of a whole run: the settings of all rooms, composed, checked, and cut into stages again.

Only the Snakefile (and tests) import this module. A stage receives its own settings alone, as one JSON argument, so
that an edit of one stage's settings reruns that stage and what hangs on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from unicodedata import category

from pydantic import (
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from oddjet.dataset.settings import ContaminationSettings, DatasetSettings
from oddjet.detectors.autoencoder.settings import OBJECTIVES
from oddjet.detectors.baseline_settings import KINDS, BaselineSettings, PcaResidual, SingleFeature
from oddjet.errors import ConfigError
from oddjet.evaluation.settings import EvaluationSettings, MeritSettings, ScoreEnsembleSettings
from oddjet.events.settings import EventsSettings
from oddjet.images.settings import ImagesSettings
from oddjet.jets.settings import COLUMNS, FeatureSettings
from oddjet.names import not_among
from oddjet.program import describe_validation, keys_of
from oddjet.samples import Kind, Listed, Sample, SignalGrid, Simulated
from oddjet.settings import Settings
from oddjet.simulation.seeds import shared_run
from oddjet.simulation.settings import SimulationSettings
from oddjet.training.method import MethodSettings

# Names become wildcards and file names: letters, digits and - _ . inside, nothing that a shell or a path could read.
# A name that ends as a file of ours could be one: results/features holds cutflow.json beside folders of samples.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}(?<!\.json)(?<!\.h5)(?<!\.csv)(?<!\.md)(?<!\.root)")
NAME_RULE = "may hold letters, digits and - _ . only, at most 100, and does not end as a file does (.json, .h5, .root)"
METHOD_KINDS = (*OBJECTIVES, *KINDS, "ensemble")


def _known_kind(given: object) -> object:
    """Refuse an unknown kind by all kinds: the union below would name those of one branch alone."""
    if not isinstance(given, dict):
        if isinstance(given, BaseModel):
            return given
        raise ValueError("a method has keys of its own, at least its kind, as in {kind: wnae}")
    if "kind" not in given:
        raise ValueError(f"kind is missing; it is one of {', '.join(METHOD_KINDS)}")
    if given["kind"] not in METHOD_KINDS:
        raise ValueError(f"kind: {not_among(given['kind'], METHOD_KINDS)}")
    return given


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
    BeforeValidator(_known_kind),
]


class Ensemble(Settings):
    """Which seeds every method is trained with."""

    seeds: tuple[Annotated[int, Field(ge=0, lt=2**63)], ...] = Field(
        (1, 2), min_length=1, description="one model a seed"
    )
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


class Config(Settings):
    """One run."""

    seed: int = Field(1, ge=0, lt=2**63, description="from which every simulated file derives its own seed")
    label: str = Field("Simulation", description="words in the corner of every figure")
    on_other_results: Literal["fail", "overwrite"] = Field(
        "fail", description="what a run does in a results folder that another configuration has made"
    )
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

    @field_validator("label")
    @classmethod
    def _readable(cls, label: str) -> str:
        if any(category(sign) in ("Cc", "Cs") for sign in label):
            raise ValueError("a label is one line of text, without signs that cannot be seen")
        if "$" in label:
            try:
                from oddjet.plotting.formulas import check_formulas
            except ImportError:  # Snakemake in an environment of its own
                return label
            try:
                check_formulas(label)
            except ValueError as error:
                raise ValueError(f"no formula stands between $ and $: {error}. A plain dollar is \\$") from None
        return label

    @model_validator(mode="after")
    def _names_and_kinds(self) -> Config:
        for section, names in (("samples", self.samples), ("methods", self.methods)):
            for name in names:
                if not NAME.fullmatch(name):
                    raise ValueError(f"{section}: the name {name!r} {NAME_RULE}")
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
        cells = [f"m_phi {point[0]:g} and r_inv {point[1]:g}" for point in points if point is not None]
        twice = next((cell for cell in cells if cells.count(cell) > 1), None)
        if twice is not None:
            raise ValueError(f"signals: two samples have {twice} (to six digits); the heatmap has one cell")
        return self

    @model_validator(mode="after")
    def _features_are_computed(self) -> Config:
        missing = self.features.not_computed(self.dataset.features)
        if missing:
            raise ValueError(f"dataset.features: {missing[0]!r} is not among what `features.features` computes")
        columns = (*self.features.names(), *COLUMNS)
        for name, method in self.methods.items():
            kind = method.root if isinstance(method, BaselineSettings) else None
            if (
                isinstance(kind, SingleFeature)
                and kind.feature not in columns
                and self.features.not_computed([kind.feature])
            ):
                raise ValueError(f"methods.{name}.feature: {not_among(kind.feature, columns)}")
            if isinstance(kind, PcaResidual) and kind.components >= len(self.dataset.features):
                raise ValueError(
                    f"methods.{name}.components: {kind.components} components of {len(self.dataset.features)} features "
                    "leave no residual; give fewer"
                )
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
        for name in self.contamination.methods:
            if name not in self.methods:
                raise ValueError(f"contamination.methods: {not_among(name, self.with_models())}")
        for name in self.contamination.signals:
            if name not in self.of_kind("signal"):
                raise ValueError(f"contamination.signals: {not_among(name, self.of_kind('signal'))}")
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

    def values(self) -> dict[str, Any]:
        """Give all values that a result may hang on."""
        return self.model_dump(mode="json", exclude={"on_other_results"})

    def of_kind(self, kind: Kind) -> list[str]:
        """Give the names of the samples of a kind, in the order of the config."""
        return [name for name, sample in self.all_samples().items() if sample.kind == kind]


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
    given = _with_names(raw)
    try:
        try:
            config = Config.model_validate(given)
        except ValidationError as error:
            # A lone word where a list is wanted is a list of one; where that is no help, the second error says so.
            lone = [keys_of(detail["loc"], given) for detail in error.errors() if _is_lone(detail)]
            if not lone:
                raise
            for *parents, last in lone:
                section: Any = given
                for part in parents:
                    section = section[part]
                section[last] = [section[last]]
            config = Config.model_validate(given)
    except ValidationError as error:
        raise ConfigError("the configuration does not fit:\n" + describe_validation(error, given)) from error
    wrong = _truth_for_a_number(given, config.model_dump(), "")
    if wrong:
        raise ConfigError(f"the configuration does not fit:\n  {wrong}: a number is wanted, not true or false")
    return config


def _truth_for_a_number(given: object, taken: object, path: str) -> str | None:
    """Find a truth value that was taken for 0 or 1."""
    if isinstance(given, bool):
        return None if isinstance(taken, bool) else path
    pairs: list[tuple[object, object, object]] = []
    if isinstance(given, Mapping) and isinstance(taken, Mapping):
        pairs = [(key, value, taken[key]) for key, value in given.items() if key in taken]
    elif isinstance(given, list) and isinstance(taken, list | tuple):
        pairs = [(place, *both) for place, both in enumerate(zip(given, taken, strict=False))]
    found = (_truth_for_a_number(value, other, f"{path}.{key}".lstrip(".")) for key, value, other in pairs)
    return next((wrong for wrong in found if wrong), None)


def _is_lone(detail: ErrorDetails) -> bool:
    return detail["type"] == "tuple_type" and isinstance(detail["input"], str)


def _with_names(raw: object, path: str = "") -> Any:  # noqa: ANN401  what YAML holds
    """Copy what was read; names that YAML takes for numbers are the words that were written."""
    if isinstance(raw, list | tuple):
        return [_with_names(item, path) for item in raw]
    if not isinstance(raw, Mapping):
        return raw
    for key in raw:
        if isinstance(key, bool) or key is None:
            raise ConfigError(
                f"{path or 'the configuration'}: the name {key!r}: YAML has its own meaning for yes, no, on, off, ~. "
                "Put the name into quotes."
            )
    return {str(key): _with_names(value, f"{path}.{key}".lstrip(".")) for key, value in raw.items()}


if __name__ == "__main__":
    print(json.dumps(Config.model_json_schema(), indent=2))  # noqa: T201  the schema is what this prints
