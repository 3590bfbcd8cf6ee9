"""What leaves a run for others: bundles of detectors with a graph, tables for HEPData, thresholds, expected limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from oddjet.detectors.mean import MeanSettings
from oddjet.errors import ConfigError
from oddjet.methods import ensembles
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
    "vae": "a VAE sees an image, which preprocessing makes of a jet's candidates outside of any graph of its features",
    "medoids": "it stands on transport to reference images, which is no formula of fixed size",
    "mean": "it is a mean of methods of which one has no graph",
}
OTHER = "its score is no formula of fixed size"


def exported(methods: Mapping[str, object]) -> list[str]:
    """Return the names of the methods that can be published: of a kind above, or a mean of such."""
    single = [name for name, method in methods.items() if getattr(method, "kind", "") in KINDS]
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
    return [
        f"{name}: {REASONS.get(getattr(method, 'kind', ''), OTHER)}"
        for name, method in methods.items()
        if name not in known
    ]


@dataclass(frozen=True)
class Published:
    """Paths of what can be published of a configuration's analyses, and what it is made from."""

    plan: Plan

    def bundled_models(self, analysis: str, method: str) -> list[str]:
        """Return the models behind a bundle: those of a method, or of all members of a mean."""
        own = self.plan.analyses[analysis].methods
        return self.plan.members(analysis, method) if method in ensembles(own) else self.plan.models(analysis, method)

    def bundles(self) -> list[str]:
        """Return the graphs of the methods that can be published, of every analysis of the configuration."""
        return [
            f"results/{name}/bundle/{method}/{graph}.onnx"
            for name, analysis in self.plan.analyses.items()
            if not analysis.base
            for graph, methods in (("model", exported(analysis.methods)), ("model_int8", quantized(analysis.methods)))
            for method in methods
        ]

    def without_bundle(self) -> list[str]:
        """Return a line with the reason for each method that cannot be published."""
        return not_exported({**self.plan.methods, **self.plan.config.images.methods})

    def submissions(self) -> list[str]:
        """Return the submissions to HEPData of every analysis of the configuration that has a grid."""
        return [
            f"results/{name}/hepdata/submission.tar.gz"
            for name, analysis in self.plan.analyses.items()
            if not analysis.base and self.plan.has_axes(name)
        ]

    def validation_scores(self, analysis: str) -> list[str]:
        """Return the scores of the validation background by all methods of an analysis."""
        home = f"results/{analysis}"
        return [
            path.replace(f"{home}/scores/", f"{home}/validation_scores/", 1)
            for path in self.plan.board_scores(analysis)
        ]

    def flatness(self) -> list[str]:
        """Return the figures of the flatness of every analysis of the configuration."""
        return [
            f"results/{name}/figures/flatness.{suffix}"
            for name, analysis in self.plan.analyses.items()
            if not analysis.base
            for suffix in FIGURES
        ]

    def abcd(self) -> list[str]:
        """Return the figures of an ABCD estimate of every analysis that has two methods."""
        return [
            f"results/{name}/figures/abcd.{suffix}"
            for name, analysis in self.plan.analyses.items()
            if not analysis.base and len(analysis.methods) > 1
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
        for name, own in self.plan.analyses.items():
            without = next((sample for sample in own.background if samples[sample].cross_section is None), without)
            if not own.base and own.background and all(samples[one].cross_section for one in own.background):
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
        """Return `NAME=PB` for the signals whose scores are weighted to a cross section."""
        signals = self.plan.analyses[analysis].signals
        given: dict[str, float] = json.loads(self.plan.tested_cross_sections(analysis))
        return [f"{name}={value}" for name, value in given.items() if name in signals]
