"""What leaves a run for others: bundles of detectors with a graph, tables for HEPData, thresholds, expected limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from oddjet.analyses import Analysis
from oddjet.detectors.mean import GROUP as MEAN
from oddjet.detectors.mean import MeanSettings
from oddjet.detectors.vae.settings import VaeMethod
from oddjet.errors import ConfigError
from oddjet.methods import ensembles, loaded_modules, of_images
from oddjet.plan import Plan
from oddjet.sample_files import FIGURES

# Kinds whose score is a formula of a fixed size. A forest, a kernel machine or neighbours are the training jets
# themselves, or thousands of branches.
AUTOENCODERS = ("ae", "nae", "nae_logcosh", "wnae")
KINDS = (
    *AUTOENCODERS,
    "feature",
    "mahalanobis",
    "pca",
    "gaussian_mixture",
    "neural_spline_flow",
    "deep_svdd",
)
# Of the others, why they have no graph.
REASONS = {
    "medoids": "it rests on transport to reference images, which is no formula of fixed size",
    "mean": "it is a mean of methods of which one has no graph",
}
OTHER = "its score is no formula of fixed size"


def exported(methods: Mapping[str, object]) -> list[str]:
    """Return the names of the methods that can be published: of a kind above, a VAE without transport, or a mean."""
    single = [
        name
        for name, method in methods.items()
        if getattr(method, "kind", "") in KINDS or (isinstance(method, VaeMethod) and not method.transported)
    ]
    means = [
        name
        for name, method in methods.items()
        if isinstance(method, MeanSettings) and all(member in single for member in method.of)
    ]
    return [name for name in methods if name in single or name in means]


def quantized(methods: Mapping[str, object]) -> list[str]:
    """Return the names of the methods that are published with weights of 8 bits too: autoencoders."""
    return [name for name, method in methods.items() if getattr(method, "kind", "") in AUTOENCODERS]


def not_exported(methods: Mapping[str, object]) -> list[str]:
    """Return a line for each method that has no bundle, with the reason."""
    known = exported(methods)
    return [f"{name}: {_reason(method)}" for name, method in methods.items() if name not in known]


def _reason(method: object) -> str:
    if isinstance(method, VaeMethod):
        words = f"its score is the transport distance {method.transported}, which is no formula of fixed size"
        return f"{words}; anomaly: mse or mae has a bundle"
    return REASONS.get(getattr(method, "kind", ""), OTHER)


@dataclass(frozen=True)
class Published:
    """Paths of what can be published of a configuration's analyses, and what it is made from."""

    plan: Plan

    def bundled(self, analysis: str, method: str, option: str) -> list[str]:
        """Return the files behind a bundle, `models` or `images`: those of a method, or of all members of a mean."""
        own = self.plan.analyses[analysis]
        groups = [MEAN] if method in ensembles(own.methods) else own.groups()
        found = [self.plan.opened_from(analysis, method, group)[option] for group in groups]
        return list(dict.fromkeys(path for paths in found for path in paths))

    def image_options(self, analysis: str, method: str) -> list[str]:
        """Return the options of a bundle of a method of images: its settings and seeds; none of another method."""
        if method not in of_images(self.plan.analyses[analysis].methods):
            return []
        settings = self.plan.method(analysis, method).model_dump_json()
        return ["--settings", settings, "--seeds", *map(str, self.plan.analyses[analysis].seeds)]

    def bundle_modules(self, analysis: str, method: str) -> list[str]:
        """Return what the program imports by name for a bundle."""
        methods = self.plan.analyses[analysis].methods
        if method in of_images(methods):
            return ["oddjet.bundle.images"]
        return loaded_modules(methods, ensembles(methods).get(method, (method,)))

    def bundles(self) -> list[str]:
        """Return the graphs of the methods that can be published, of every analysis of the configuration."""
        return [
            f"results/{name}/bundle/{method}/{graph}.onnx"
            for name, analysis in self._shown()
            for graph, methods in (("model", exported(analysis.methods)), ("model_int8", quantized(analysis.methods)))
            for method in methods
        ]

    def without_bundle(self) -> list[str]:
        """Return a line with the reason for each method that cannot be published."""
        return not_exported(self.plan.methods)

    def submissions(self) -> list[str]:
        """Return the submissions to HEPData of every analysis of the configuration that has a grid."""
        return [f"results/{name}/hepdata/submission.tar.gz" for name in self.plan.shown() if self.plan.has_axes(name)]

    def validation_scores(self, analysis: str) -> list[str]:
        """Return the scores of the validation background by all methods of an analysis."""
        home = f"results/{analysis}"
        return [
            path.replace(f"{home}/scores/", f"{home}/validation_scores/", 1) for path in self.plan.all_scores(analysis)
        ]

    def flatness(self) -> list[str]:
        """Return the figures of the flatness of every analysis of the configuration."""
        return [f"results/{name}/figures/flatness.{suffix}" for name in self.plan.shown() for suffix in FIGURES]

    def abcd(self) -> list[str]:
        """Return the figures of an ABCD estimate of every analysis that has two methods."""
        return [
            f"results/{name}/figures/abcd.{suffix}"
            for name, analysis in self._shown()
            if len(analysis.methods) > 1
            for suffix in FIGURES
        ]

    def limits(self) -> list[str]:
        """Return the figure of limits of every analysis whose background samples have a cross section.

        Raises
        ------
        ConfigError
            If there is none, or `limits.methods` names what no analysis has.
        """
        samples = self.plan.config.all_samples()
        figures, without = [], ""
        for name, own in self._shown():
            without = next((sample for sample in own.background if samples[sample].cross_section is None), without)
            if own.background and all(samples[one].cross_section for one in own.background):
                figures.append(f"results/{name}/figures/limits.pdf")
        if not figures:
            words = "no cross_section, and limits count events; give that of every background sample (pb)"
            raise ConfigError(f"samples.{without}: {words}")
        return figures

    def limit_tables(self, analysis: str) -> list[str]:
        """Return the limits of the methods of an analysis that `limits.methods` names, or of all.

        Raises
        ------
        ConfigError
            If the analysis has not all of them.
        """
        methods = self.plan.analyses[analysis].methods
        wanted = self.plan.config.limits.methods or tuple(methods)
        unknown = [name for name in wanted if name not in methods]
        if unknown:
            raise ConfigError(f"limits.methods: {unknown[0]!r} is no method of {analysis}; it has {', '.join(methods)}")
        return [f"results/{analysis}/limits/{name}.csv" for name in wanted]

    def weighted_to(self, analysis: str) -> list[str]:
        """Return `NAME=PB` for the signals and test backgrounds whose scores are weighted to a cross section."""
        given: dict[str, float] = json.loads(self.plan.tested_cross_sections(analysis))
        return [f"{name}={value}" for name, value in given.items()]

    def _shown(self) -> list[tuple[str, Analysis]]:
        return [(name, self.plan.analyses[name]) for name in self.plan.shown()]
