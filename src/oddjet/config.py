"""The configuration of a whole run: the settings of all rooms, composed, checked, and cut into stages again.

Only the Snakefile (and tests) import this module. A stage receives its own settings alone, as one JSON argument, so
that an edit of one stage's settings reruns that stage and what depends on it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import (
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from oddjet.analyses import JETS, Analysis, AnalysisSettings, Common, contaminated, resolve
from oddjet.axes import HeatmapSettings
from oddjet.dataset.settings import ContaminationSettings, DatasetSettings
from oddjet.errors import ConfigError
from oddjet.evaluation.settings import AbcdSettings, EvaluationSettings, LimitSettings, MeritSettings, VariationSettings
from oddjet.events.settings import EventsSettings
from oddjet.images.settings import ImagesSettings
from oddjet.jets.settings import FeatureSettings
from oddjet.messages import describe_validation, keys_of, not_among
from oddjet.methods import Method, ensembles, of_images, vaes, with_models
from oddjet.samples import KindOfFiles, Listed, Sample, SignalGrid, Simulated
from oddjet.settings import Seeds, Settings
from oddjet.simulation.parts import shared_run
from oddjet.simulation.settings import SimulationSettings
from oddjet.titles import Titled, one_line, titles_of

# Names become wildcards and file names: letters, digits and - _ . inside, nothing that a shell or a path could read.
# A name that ends as a file of ours could be one: results/jets holds cutflow.json beside folders.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}(?<!\.json)(?<!\.h5)(?<!\.csv)(?<!\.md)(?<!\.root)(?<!\.html)")
NAME_RULE = "may hold letters, digits and - _ . only, at most 100, and does not end as a file does (.json, .h5, .root)"


# Folders of results that are no analysis.
RESERVED = ("matrix", "samples", "tables", "images", "jet_images", "events", "variations", "logs", "benchmarks")
# Keys of older configurations, and what takes their place.
GONE = {
    "ensemble.seeds": "write it as seeds, at the top",
    "ensemble.seeds_per_job": "write it as seeds_per_job, at the top",
    "images.methods": "write its entries among methods, each with its kind (medoids or vae); image_scores is gone too",
}
REVERSED = "analyses: {reversed: {background: [%s], signals: [...], methods: [wnae]}}"


class Config(Settings):
    """One run."""

    extends: str | None = Field(
        None,
        exclude=True,
        description="path, seen from this file, of a configuration file that it is put on top of",
    )
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
    seeds: Seeds = Field((1, 2), description="one model a seed")
    files_per_job: int = Field(
        4, gt=0, description="files of a sample that are simulated, and whose features are extracted, in one job"
    )
    seeds_per_job: int = Field(2, gt=0, description="seeds that train together in one process")
    methods: dict[str, Method] = Field(min_length=1, description="networks, baselines and ensembles by name")
    evaluation: EvaluationSettings = Field(EvaluationSettings(), description="scores, AUC, monitoring")
    heatmap: HeatmapSettings = Field(
        HeatmapSettings(), description="axes of the signals in figures; left out: the two with most values"
    )
    merit: MeritSettings = Field(MeritSettings(), description="figures of merit beyond the AUC")
    abcd: AbcdSettings = Field(AbcdSettings(), description="background from two scores: what `snakemake abcd` does")
    limits: LimitSettings = Field(LimitSettings(), description="expected limits: what `snakemake limits` does")
    variations: VariationSettings = Field(
        VariationSettings(),
        description="systematic variations (features.corrections): what `snakemake variations` does",
    )
    analyses: dict[str, AnalysisSettings] = Field(
        {}, description="analyses by name; samples with a kind make the one of the name jets, which need not stand here"
    )
    contamination: ContaminationSettings = Field(
        ContaminationSettings(),
        description="signal mixed into the training jets: what `snakemake contamination` does",
    )
    images: ImagesSettings = Field(ImagesSettings(), description="jet images: what `snakemake images` does")
    events: EventsSettings = Field(EventsSettings(), description="whole events: what `snakemake events` does")

    @field_validator("extends")
    @classmethod
    def _of_a_file(cls, extends: str | None) -> str | None:
        if extends is not None:
            raise ValueError("only a configuration file extends another; read it with oddjet.configfile")
        return extends

    @field_validator("label")
    @classmethod
    def _readable(cls, label: str) -> str:
        return one_line(label)

    @model_validator(mode="after")
    def _names_and_kinds(self) -> Config:
        for section, names in (("samples", self.samples), ("methods", self.methods)):
            for name in names:
                if not NAME.fullmatch(name):
                    raise ValueError(f"{section}: the name {name!r} {NAME_RULE}")
        doubled = sorted(set(self.samples) & set(self.signals.samples()))
        if doubled:
            raise ValueError(f"samples: {doubled[0]} is also a point of `signals`")
        if not self.analyses and not self.of_kind("background"):
            raise ValueError("samples: none is of kind 'background'; the models train on background alone")
        if not self.analyses and not self.of_kind("signal"):
            raise ValueError("signals: there is none; list m_phi and r_inv, or give samples of kind 'signal'")
        shared = shared_run(
            self.seed, [name for name, sample in self.all_samples().items() if isinstance(sample, Simulated)]
        )
        if shared:
            raise ValueError(f"samples: {shared[0]} and {shared[1]} have the same run number; rename one")
        for name in self.analyses:
            if not NAME.fullmatch(name):
                raise ValueError(f"analyses: the name {name!r} {NAME_RULE}")
            if name in RESERVED or name.startswith("contaminated-"):
                raise ValueError(f"analyses: the name {name!r} is that of a folder of results already; take another")
        return self

    @model_validator(mode="after")
    def _titles(self) -> Config:
        rooms: dict[str, Mapping[str, Titled]] = {
            "samples": self.samples,
            "methods": self.methods,
            "events.methods": self.events.methods,
        }
        for section, titled in rooms.items():
            for name, one in titled.items():
                try:
                    one_line(one.title or "")
                except ValueError as error:
                    raise ValueError(f"{section}.{name}.title: {error}") from None
        for key, drawn in self._heatmaps():
            for axis, words in drawn.axes.items():
                try:
                    one_line(words.title or "")
                    one_line(words.unit or "")
                except ValueError as error:
                    raise ValueError(f"{key}.axes.{axis}: {error}") from None
        shown: dict[str, Mapping[str, Titled]] = {
            "samples": self.all_samples(),
            "methods": self.methods,
        }
        for section, titled in shown.items():
            titles: dict[str, str] = {}
            for name, title in titles_of(titled).items():
                other = titles.setdefault(title, name)
                if other != name:
                    raise ValueError(f"{section}: {other} and {name} have the same title, {title!r}; change one")
        return self

    @model_validator(mode="after")
    def _ensembles_have_members(self) -> Config:
        single = [name for name in self.methods if name not in ensembles(self.methods)]
        for name, members in ensembles(self.methods).items():
            for member in members:
                if member == name:
                    raise ValueError(f"methods.{name}.of: a mean of itself; the other methods are {single}")
                if member in ensembles(self.methods):
                    raise ValueError(f"methods.{name}.of: {member!r} is a mean; name its members instead")
                if member in of_images(self.methods):
                    raise ValueError(f"methods.{name}.of: {member!r} sees images, and a mean takes methods of columns")
                if member not in single:
                    raise ValueError(f"methods.{name}.of: {member!r} is no method; the methods are {single}")
        together = next((name for name in self.contamination.methods if name in ensembles(self.methods)), None)
        if together is not None:
            raise ValueError(
                f"contamination.methods: {together!r} is a mean, which trains nothing; name its members instead"
            )
        return self

    @model_validator(mode="after")
    def _transport_exists(self) -> Config:
        wanted = next((name for name, one in vaes(self.methods).items() if one.metric == "wass0p5"), None)
        if wanted is not None and self.images.vae.transport == "sinkhorn":
            raise ValueError(
                f"methods.{wanted}: Sinkhorn's divergence is for wass1 and wass2; set images.vae.transport to exact"
            )
        return self

    @model_validator(mode="after")
    def _analyses_fit(self) -> Config:
        for key, names, known in (
            ("methods", self.contamination.methods, with_models(self.methods)),
            ("signals", self.contamination.signals, self.of_kind("signal")),
        ):
            for name in names:
                if name not in known and name not in ensembles(self.methods):
                    raise ValueError(f"contamination.{key}: {not_among(name, known)}")
        columns = ("mass", *self.features.keep)
        wrong = next((name for name in self.merit.planed if name not in columns), None)
        if wrong is not None:
            raise ValueError(f"merit.planed: {not_among(wrong, columns)}; name it under features.keep too")
        self.all_analyses()
        return self

    def all_samples(self) -> dict[str, Simulated | Listed]:
        """Give the listed samples and those of the signal grid, by name."""
        return {**self.samples, **self.signals.samples()}

    def all_analyses(self) -> dict[str, Analysis]:
        """Give every analysis by name: `jets` first, contaminated ones last.

        Raises
        ------
        ValueError
            One names what is not there; the message says which.
        """
        common = Common(
            self.all_samples(),
            self.features,
            self.dataset,
            self.evaluation,
            self.methods,
            self.seeds,
            self.seeds_per_job,
            self.heatmap,
        )
        given = dict(self.analyses)
        if JETS not in given and self.of_kind("background") and (self.of_kind("signal") or not given):
            given = {JETS: AnalysisSettings(), **given}
        found: dict[str, Analysis] = {}
        for name, settings in given.items():
            try:
                found[name] = resolve(name, settings, common)
            except ValueError as error:
                short = name == JETS and JETS not in self.analyses
                raise ValueError(f"{error}" if short else f"analyses.{name}.{error}") from None
        return {**found, **(contaminated(found[JETS], self.contamination) if JETS in found else {})}

    def _heatmaps(self) -> Iterator[tuple[str, HeatmapSettings]]:
        yield "heatmap", self.heatmap
        for name, analysis in self.analyses.items():
            if analysis.heatmap is not None:
                yield f"analyses.{name}.heatmap", analysis.heatmap

    def notes(self) -> list[str]:
        """Return what is no mistake and should be known: trainings on collision data."""
        data = set(self.of_kind("data"))
        return [
            f"analyses.{name}.background: {sample} is of kind data, and trains: how much signal is in it, nobody knows"
            for name, analysis in self.all_analyses().items()
            for sample in analysis.background
            if sample in data and not analysis.base
        ]

    def values(self) -> dict[str, Any]:
        """Return all values that a result may depend on."""
        return self.model_dump(mode="json", exclude={"on_other_results"})

    def cuts_on_jets(self) -> bool:
        """Return whether any sample has a cut on jets beside the window of pT and eta."""
        common = self.features.selection
        return any(sample.own_selection().jet_cuts(common) for sample in self.all_samples().values())

    def of_kind(self, kind: KindOfFiles) -> list[str]:
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
    gone = list(_gone(given))
    if gone:
        raise ConfigError("the configuration is of an older version:\n" + "\n".join(f"  {line}" for line in gone))
    _fill_in_datasets(given)
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


def _gone(given: Mapping[str, Any]) -> Iterator[str]:
    """Say of each key of an older configuration what takes its place."""
    for path, instead in GONE.items():
        section, _, key = path.partition(".")
        if isinstance(given.get(section), Mapping) and key in given[section]:
            yield f"{path} is gone: {instead}"
    samples = given.get("samples")
    for name, sample in samples.items() if isinstance(samples, Mapping) else ():
        if isinstance(sample, Mapping) and sample.get("kind") == "reversed":
            yield f"samples.{name}.kind: reversed is gone: leave the kind out and write {REVERSED % name}"


def _fill_in_datasets(given: dict[str, Any]) -> None:
    """Give the dataset of an analysis what it leaves out, and its columns."""
    analyses, common = given.get("analyses"), given.get("dataset") or {}
    for analysis in analyses.values() if isinstance(analyses, Mapping) else ():
        if isinstance(analysis, dict) and isinstance(analysis.get("dataset"), Mapping) and isinstance(common, Mapping):
            columns = {"features": analysis["columns"]} if analysis.get("columns") else {}
            analysis["dataset"] = {**common, **columns, **analysis["dataset"]}


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
