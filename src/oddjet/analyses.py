"""Analyses: which samples are background, which are signals, which columns the models see, and which models.

The samples of kind background and signal make the analysis `jets`. Others stand under `analyses`; a key that one leaves
out is that of the configuration.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from oddjet.dataset.settings import ContaminationSettings, DatasetSettings
from oddjet.detectors.baseline_settings import PcaResidual, SingleFeature
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.jets.settings import COLUMNS, FeatureSettings
from oddjet.methods import Method, Methods, baselines, ensembles, with_models
from oddjet.names import not_among
from oddjet.samples import Listed, Simulated
from oddjet.settings import Settings

JETS = "jets"
METHOD: TypeAdapter[Any] = TypeAdapter(Method)


def _each_once(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(seeds)) != len(seeds):
        raise ValueError(f"{list(seeds)} holds a seed twice")
    return seeds


Seeds = Annotated[tuple[Annotated[int, Field(ge=0, lt=2**63)], ...], Field(min_length=1), AfterValidator(_each_once)]


class AnalysisSettings(Settings):
    """An analysis; what it leaves out is as in the rest of the configuration."""

    background: tuple[str, ...] | None = Field(
        None, description="samples that train the models; left out: those of kind background"
    )
    signals: tuple[str, ...] | None = Field(
        None, description="samples that are only tested on, `svj_*` for several; left out: those of kind signal"
    )
    columns: tuple[str, ...] | None = Field(None, description="what the models see; left out: dataset.features")
    methods: tuple[str, ...] | None = Field(None, description="names among `methods`; left out: all of them")
    scan: dict[str, dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]]] = Field(
        {}, description="a method, and lists of values for its settings by dotted key: a method for each combination"
    )
    dataset: DatasetSettings | None = Field(None, description="keys that differ from those of `dataset`")
    evaluation: EvaluationSettings | None = Field(None, description="in the place of `evaluation`")
    seeds: Seeds | None = Field(None, description="in the place of `seeds`")
    seeds_per_job: int | None = Field(None, gt=0, description="in the place of `seeds_per_job`")


@dataclass(frozen=True)
class Analysis:
    """An analysis with everything that it takes from the rest of the configuration.

    Attributes
    ----------
    background, signals
        Names of samples; no sample is both.
    dataset, evaluation
        Settings.
    methods
        By name.
    seeds, seeds_per_job
        One model a seed; these train together.
    base
        Analysis whose background jets, in the same splits and scaling, this one has; empty for jets of its own.
    share
        Of signal among the training jets: 0 but for contaminated analyses.
    """

    name: str
    background: tuple[str, ...]
    signals: tuple[str, ...]
    dataset: DatasetSettings
    evaluation: EvaluationSettings
    methods: Methods
    seeds: tuple[int, ...]
    seeds_per_job: int
    base: str = ""
    share: float = 0.0

    def groups(self) -> dict[str, tuple[int, ...]]:
        """Return the seeds that train in one process, by the group's name."""
        return groups_of(self.seeds, self.seeds_per_job)


def groups_of(seeds: tuple[int, ...], size: int) -> dict[str, tuple[int, ...]]:
    """Return the seeds of each group of at most `size`, by the group's name."""
    groups = [seeds[start : start + size] for start in range(0, len(seeds), size)]
    return {"seeds-" + "-".join(str(seed) for seed in group): group for group in groups}


@dataclass(frozen=True)
class Common:
    """What the analyses of a configuration share."""

    samples: Mapping[str, Simulated | Listed]
    features: FeatureSettings
    dataset: DatasetSettings
    evaluation: EvaluationSettings
    methods: Methods
    seeds: tuple[int, ...]
    seeds_per_job: int

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """Return the names of the samples of a kind."""
        return tuple(name for name, sample in self.samples.items() if sample.kind == kind)


def resolve(name: str, own: AnalysisSettings, common: Common) -> Analysis:
    """Fill in what an analysis leaves out, and check it.

    Raises
    ------
    ValueError
        Says which key names what does not exist, or does not fit; `analyses.NAME.` in front.
    """
    background = common.of_kind("background") if own.background is None else _samples(own.background, common)
    signals = common.of_kind("signal") if own.signals is None else _samples(own.signals, common)
    if not background:
        raise ValueError("background: none; the models train on background alone. Name a sample")
    if not signals:
        raise ValueError("signals: none; name samples that are tested on")
    both = sorted(set(background) & set(signals))
    if both:
        raise ValueError(f"signals: {both[0]} is background too; no signal may enter a training")
    methods = (
        dict(common.methods) if own.methods is None else {name: common.methods[name] for name in _named(own, common)}
    )
    methods |= dict(_scanned(own, common.methods))
    for mean, members in ensembles(methods).items():
        absent = [member for member in members if member not in methods]
        if absent:
            raise ValueError(f"methods: {mean} is the mean of {absent[0]}, which is not named")
    dataset = own.dataset or common.dataset
    if own.columns is not None:
        floors = {column: floor for column, floor in dataset.log_floors.items() if column in own.columns}
        dataset = dataset.model_copy(update={"features": own.columns, "log_floors": floors})
    missing = common.features.not_computed(dataset.features)
    if missing:
        key = "dataset.features" if own.columns is None else "columns"
        raise ValueError(f"{key}: {missing[0]!r} is not among what `features.features` computes")
    analysis = Analysis(
        name,
        background,
        signals,
        dataset,
        own.evaluation or common.evaluation,
        methods,
        own.seeds or common.seeds,
        own.seeds_per_job or common.seeds_per_job,
    )
    check_methods(analysis, common.features)
    check_cells(analysis, common.samples)
    return analysis


def check_methods(analysis: Analysis, features: FeatureSettings) -> None:
    """Raise ValueError for a baseline that asks for a column that is not there, or for too many components."""
    columns = (*features.names(), *COLUMNS)
    for name, method in analysis.methods.items():
        feature = method.feature if isinstance(method, SingleFeature) else None
        if feature is not None and feature not in columns and features.not_computed([feature]):
            raise ValueError(f"methods.{name}.feature: {not_among(feature, columns)}")
        if isinstance(method, PcaResidual) and method.components >= len(analysis.dataset.features):
            raise ValueError(
                f"methods.{name}.components: {method.components} components of {len(analysis.dataset.features)} "
                "features leave no residual; give fewer"
            )


def check_cells(analysis: Analysis, samples: Mapping[str, Simulated | Listed]) -> None:
    """Raise ValueError where two signals share a grid point, or some background samples alone have a cross section."""
    points = [samples[name].grid_point() for name in analysis.signals]
    cells = [f"m_phi {point[0]:g} and r_inv {point[1]:g}" for point in points if point is not None]
    twice = next((cell for cell in cells if cells.count(cell) > 1), None)
    if twice is not None:
        raise ValueError(f"signals: two samples have {twice} (to six digits); the heatmap has one cell")
    without = sorted(name for name in analysis.background if samples[name].cross_section is None)
    if 0 < len(without) < len(analysis.background):
        raise ValueError(f"samples.{without[0]}: no cross_section, but other background samples have one; give all")


def contaminated(base: Analysis, scan: ContaminationSettings) -> dict[str, Analysis]:
    """Return an analysis for each share of signal in the training jets of `base`; none where no method is scanned."""
    names = scan.methods or tuple(baselines(base.methods))
    methods = {name: base.methods[name] for name in names}
    evaluation = EvaluationSettings(minimum_signal_jets=scan.minimum_signal_jets)
    return {
        name: Analysis(
            name,
            base.background,
            base.signals,
            base.dataset,
            evaluation,
            methods,
            base.seeds,
            base.seeds_per_job,
            base.name,
            share,
        )
        for share in scan.fractions
        for name in [f"contaminated-{share:g}".replace(".", "p")]
        if methods
    }


def _samples(patterns: Sequence[str], common: Common) -> tuple[str, ...]:
    """Return the samples that names and patterns stand for, each once."""
    found: dict[str, None] = {}
    for pattern in patterns:
        names = [name for name in common.samples if fnmatchcase(name, pattern)]
        if not names:
            raise ValueError(f"samples: {not_among(pattern, common.samples)}")
        found |= dict.fromkeys(names)
    return tuple(found)


def _named(own: AnalysisSettings, common: Common) -> tuple[str, ...]:
    for name in own.methods or ():
        if name not in common.methods:
            raise ValueError(f"methods: {not_among(name, common.methods)}")
    return own.methods or ()


def _scanned(own: AnalysisSettings, methods: Methods) -> Iterator[tuple[str, Any]]:
    """Give a method for every combination of the values of a scan; its name says which."""
    for name, lists in own.scan.items():
        if name not in with_models(methods):
            raise ValueError(f"scan: {not_among(name, with_models(methods))}")
        for values in product(*lists.values()):
            settings = json.loads(methods[name].model_dump_json(exclude_unset=True))
            label = name
            for key, value in zip(lists, values, strict=True):
                *parents, last = key.split(".")
                section = settings
                for part in parents:
                    section = section.setdefault(part, {})
                section[last] = value
                label += f"-{last}-{value:g}" if isinstance(value, int | float) else f"-{last}-{value}"
            try:
                yield label, METHOD.validate_python(settings)
            except ValidationError as error:
                wrong = error.errors()[0]
                raise ValueError(f"scan.{name}: {'.'.join(map(str, wrong['loc'][1:]))}: {wrong['msg']}") from None
