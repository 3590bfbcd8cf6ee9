"""Analyses: which samples are background, which are signals, which columns the models see, and which models.

The samples with a kind make the analysis `jets`. Others stand under `analyses`; a key that one leaves
out is that of the configuration.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import product
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from oddjet.axes import HeatmapSettings, check_points, view_of
from oddjet.dataset.settings import ContaminationSettings, DatasetSettings
from oddjet.detectors.density import PcaResidual, SingleFeature
from oddjet.detectors.registry import trained_on
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.jets.settings import COLUMNS, FeatureSettings
from oddjet.messages import not_among
from oddjet.methods import Method, Methods, baselines, ensembles
from oddjet.samples import Listed, Simulated
from oddjet.settings import Seeds, Settings
from oddjet.titles import default_title

JETS = "jets"
METHOD: TypeAdapter[Any] = TypeAdapter(Method)


class AnalysisSettings(Settings):
    """An analysis; what it leaves out is as in the rest of the configuration."""

    background: tuple[str, ...] | None = Field(
        None, description="samples that train the models; left out: those of kind background"
    )
    test_backgrounds: tuple[str, ...] | None = Field(
        None,
        description="samples that no model is trained on and that signals are tested against as well; left out: those "
        "of kind test_background that are neither background nor signal here",
    )
    signals: tuple[str, ...] | None = Field(
        None, description="samples that are only tested on, `svj_*` for several; left out: those of kind signal"
    )
    data: tuple[str, ...] | None = Field(
        None, description="samples that figures show beside the others, in no table; left out: those of kind data"
    )
    columns: tuple[str, ...] | None = Field(None, description="what the models see; left out: dataset.features")
    methods: tuple[str, ...] | None = Field(None, description="names among `methods`; left out: all of them")
    scan: dict[str, dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]]] = Field(
        {}, description="a method, and lists of values for its settings by dotted key: a method for each combination"
    )
    dataset: DatasetSettings | None = Field(None, description="keys that differ from those of `dataset`")
    evaluation: EvaluationSettings | None = Field(None, description="in the place of `evaluation`")
    heatmap: HeatmapSettings | None = Field(None, description="in the place of `heatmap`")
    seeds: Seeds | None = Field(None, description="in the place of `seeds`")
    seeds_per_job: int | None = Field(None, gt=0, description="in the place of `seeds_per_job`")


@dataclass(frozen=True)
class Analysis:
    """An analysis with everything that it takes from the rest of the configuration.

    Attributes
    ----------
    background, signals, test_backgrounds, data
        Names of samples that train the models, that are looked for, that signals are tested against as well, and that
        are shown as data; none is two of these.
    dataset, evaluation, heatmap
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
    data: tuple[str, ...] = ()
    test_backgrounds: tuple[str, ...] = ()
    heatmap: HeatmapSettings = field(default_factory=HeatmapSettings)

    @property
    def backgrounds(self) -> tuple[str, ...]:
        """All samples that signals are tested against, those that train the models first."""
        return (*self.background, *self.test_backgrounds)

    @property
    def samples(self) -> tuple[str, ...]:
        """All samples."""
        return (*self.backgrounds, *self.signals, *self.data)

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
    heatmap: HeatmapSettings

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
    roles = {**dict.fromkeys(signals, "signal"), **dict.fromkeys(background, "background")}
    test_backgrounds = _test_backgrounds(own, common, roles)
    if own.data is None:
        data = tuple(name for name in common.of_kind("data") if name not in {*roles, *test_backgrounds})
    else:
        data = _samples(own.data, common)
    both = sorted({*roles, *test_backgrounds} & set(data))
    if both:
        raise ValueError(f"data: {both[0]} is among backgrounds or signals too, and drawn as that; name it once")
    methods = (
        dict(common.methods) if own.methods is None else {name: common.methods[name] for name in _named(own, common)}
    )
    for label, method in _scanned(own, common.methods):
        if label in methods:
            raise ValueError(
                f"scan: {label} is the name of two methods (values are told apart by six digits); change one"
            )
        methods[label] = method
    for mean, members in ensembles(methods).items():
        absent = [member for member in members if member not in methods]
        if absent:
            raise ValueError(f"methods: {mean} is made of {absent[0]}, which is not named")
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
        data=data,
        test_backgrounds=test_backgrounds,
        heatmap=own.heatmap or common.heatmap,
    )
    check_methods(analysis, common.features)
    check_cells(analysis, common.samples)
    return analysis


def check_methods(analysis: Analysis, features: FeatureSettings) -> None:
    """Raise ValueError for a method that asks for a sample or column that is not there, or for too many components."""
    columns = (*features.names(), *COLUMNS)
    for name, method in analysis.methods.items():
        for pattern in trained_on(method) or ():
            if not any(fnmatchcase(sample, pattern) for sample in analysis.background):
                raise ValueError(f"methods.{name}.background: {not_among(pattern, analysis.background)}")
        feature = method.feature if isinstance(method, SingleFeature) else None
        if feature is not None and feature not in columns and features.not_computed([feature]):
            raise ValueError(f"methods.{name}.feature: {not_among(feature, columns)}")
        if isinstance(method, PcaResidual) and method.components >= len(analysis.dataset.features):
            raise ValueError(
                f"methods.{name}.components: {method.components} components of {len(analysis.dataset.features)} "
                "features leave no residual; give fewer"
            )


def check_cells(analysis: Analysis, samples: Mapping[str, Simulated | Listed]) -> None:
    """Raise ValueError where signals and axes do not fit, or some background samples alone have a cross section."""
    points = {name: samples[name].signal_point() for name in analysis.signals}
    check_points(points, [name for name in points if samples[name].kind == "signal"])
    view_of(points, analysis.heatmap)
    if analysis.dataset.sample_weights == "equal":
        return
    without = sorted(name for name in analysis.background if samples[name].cross_section is None)
    if 0 < len(without) < len(analysis.background):
        raise ValueError(
            f"samples.{without[0]}: no cross_section, but other background samples have one; give all, or let all "
            "samples count the same with dataset.sample_weights: equal"
        )


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
            heatmap=base.heatmap,
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


def _test_backgrounds(own: AnalysisSettings, common: Common, roles: Mapping[str, str]) -> tuple[str, ...]:
    """Return the samples that are tested against alone; `roles` says what others are."""
    if own.test_backgrounds is None:
        return tuple(name for name in common.of_kind("test_background") if name not in roles)
    names = _samples(own.test_backgrounds, common)
    for name in names:
        if name in roles:
            raise ValueError(f"test_backgrounds: {name} is {roles[name]} too; name it once")
    return names


def _named(own: AnalysisSettings, common: Common) -> tuple[str, ...]:
    for name in own.methods or ():
        if name not in common.methods:
            raise ValueError(f"methods: {not_among(name, common.methods)}")
    return own.methods or ()


def _scanned(own: AnalysisSettings, methods: Methods) -> Iterator[tuple[str, Any]]:
    """Give a method for every combination of the values of a scan; its name says which."""
    for name, lists in own.scan.items():
        single = [known for known in methods if known not in ensembles(methods)]
        if name not in single:
            raise ValueError(f"scan: {not_among(name, single)}")
        for values in product(*lists.values()):
            settings = json.loads(methods[name].model_dump_json(exclude_unset=True))
            label, title = name, methods[name].title or default_title(name)
            for key, value in zip(lists, values, strict=True):
                *parents, last = key.split(".")
                section = settings
                for part in parents:
                    section = section.setdefault(part, {})
                section[last] = value
                title += f", {last.replace('_', ' ')} {value}"
                label += f"-{last}-{value:g}" if isinstance(value, int | float) else f"-{last}-{value}"
            try:
                yield label, METHOD.validate_python({**settings, "title": title[:80]})
            except ValidationError as error:
                wrong = error.errors()[0]
                raise ValueError(f"scan.{name}: {'.'.join(map(str, wrong['loc'][1:]))}: {wrong['msg']}") from None
