"""The files of the analyses under one configuration: where tables, splits, models and scores of each lie."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from oddjet.analyses import JETS, Analysis
from oddjet.batches import Batch
from oddjet.config import Config
from oddjet.detectors.mean import GROUP as MEAN
from oddjet.detectors.registry import DetectorSettings
from oddjet.methods import ensembles, of_images, opened_modules, vaes, with_models
from oddjet.sample_files import VariationFiles
from oddjet.samples import Listed, Simulated
from oddjet.sources import Found


@dataclass(frozen=True)
class AnalysisFiles(VariationFiles):
    """Paths and lists of files of all analyses under one configuration.

    Attributes
    ----------
    config
        The configuration.
    found
        The files of each sample that lies in files, from `oddjet.inputs.listed_files`.
    """

    config: Config
    found: Mapping[str, Found]

    @cached_property
    def analyses(self) -> dict[str, Analysis]:
        """All analyses by name."""
        return self.config.all_analyses()

    @cached_property
    def samples(self) -> dict[str, Simulated | Listed]:
        """All samples by name."""
        return self.config.all_samples()

    @cached_property
    def batches(self) -> list[Batch]:
        """The files of all samples by the job that simulates them, or extracts their features."""
        return self.divided(self.config.files_per_job, self.config.signals.masses())

    @cached_property
    def methods(self) -> dict[str, DetectorSettings]:
        """The methods of all analyses by name."""
        return {name: method for analysis in self.analyses.values() for name, method in analysis.methods.items()}

    def method(self, analysis: str, method: str) -> DetectorSettings:
        """Return the settings of a method of an analysis."""
        return self.analyses[analysis].methods[method]

    def opened_modules(self, analysis: str, method: str) -> list[str]:
        """Return what the program `score` imports by name to open a method."""
        return opened_modules(self.analyses[analysis].methods, method)

    def groups(self) -> list[str]:
        """Return the groups of seeds of all analyses."""
        return list(dict.fromkeys(group for analysis in self.analyses.values() for group in analysis.groups()))

    def varied_samples(self, analysis: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the samples of an analysis that are varied: backgrounds that train, and signals."""
        return self.analyses[analysis].background, self.analyses[analysis].signals

    def scored_images(self, analysis: str) -> list[str]:
        """Return the files of images of all jets of an analysis."""
        return self.jet_images(*self.analyses[analysis].samples)

    def vae_models(self, analysis: str, method: str, seeds: Iterable[int]) -> list[str]:
        """Return the models of a VAE of images: of every seed and beta."""
        betas = vaes(self.analyses[analysis].methods)[method].betas
        folder = f"results/{analysis}/models/{method}"
        return [f"{folder}/seed-{seed}/beta-{beta:g}/model.pt" for seed in seeds for beta in betas]

    def background_tables(self, analysis: str) -> list[str]:
        """Return the tables of the background samples of an analysis."""
        return self.tables(*self.analyses[analysis].background)

    def analysis_tables(self, analysis: str) -> list[str]:
        """Return the tables of all samples of an analysis."""
        return self.tables(*self.analyses[analysis].samples)

    def data_tables(self, analysis: str) -> list[str]:
        """Return the tables of the samples that an analysis shows as data."""
        return self.tables(*self.analyses[analysis].data)

    def data_arguments(self, analysis: str) -> list[str]:
        """Return `NAME=FILE,FILE` for each sample that an analysis shows as data."""
        return [f"{name}={','.join(self.tables(name))}" for name in self.analyses[analysis].data]

    def figure_columns(self, analysis: str) -> list[str]:
        """Return the columns of the figure of features: those that the models see, then the kept ones."""
        return list(dict.fromkeys([*self.analyses[analysis].dataset.features, *self.config.features.keep]))

    def analysis_files(self, analysis: str) -> list[str]:
        """Return `SAMPLE=FILE,FILE` for all samples of an analysis, with the names of their files."""
        return [f"{name}={','.join(self.files[name])}" for name in self.analyses[analysis].samples]

    def trains_on_signal(self, analysis: str) -> bool:
        """Return whether the background is kept for dark quarks: an analysis with the roles reversed."""
        samples = self.config.all_samples()
        return all(samples[name].require_match == "dark_quark" for name in self.analyses[analysis].background)

    def _home(self, analysis: str) -> str:
        return self.analyses[analysis].base or analysis

    def split(self, analysis: str, split: str) -> str:
        """Return the background table of a split; of a contaminated analysis the training jets alone are its own."""
        home = analysis if split == "train" else self._home(analysis)
        return f"results/{home}/dataset/{split}.h5"

    def scaler(self, analysis: str) -> str:
        """Return the scaler of an analysis."""
        return f"results/{self._home(analysis)}/dataset/scaler.json"

    def cutflow(self, analysis: str) -> str:
        """Return the file that says that no event of the samples was lost."""
        return f"results/{self._home(analysis)}/cutflow.json"

    def contaminated(self) -> dict[float, str]:
        """Return the name of the analysis of each share of signal among the training jets."""
        return {analysis.share: name for name, analysis in self.analyses.items() if analysis.base}

    def held_out(self, signal: str) -> str:
        """Return the table of the jets of a signal that no training of the contamination scan saw."""
        return f"results/jets/held_out/{signal}.h5"

    def all_held_out(self) -> list[str]:
        """Return the tables of the jets of all signals that no training of the contamination scan saw."""
        return [self.held_out(name) for name in self.analyses[JETS].signals] if JETS in self.analyses else []

    def signals(self, analysis: str) -> dict[str, list[str]]:
        """Return the tables of each signal that an analysis tests on."""
        own = self.analyses[analysis]
        return {name: [self.held_out(name)] if own.base else self.tables(name) for name in own.signals}

    def signal_tables(self, analysis: str) -> list[str]:
        """Return the tables of all signals of an analysis."""
        return [path for paths in self.signals(analysis).values() for path in paths]

    def signal_arguments(self, analysis: str) -> list[str]:
        """Return `NAME=FILE,FILE` for each signal of an analysis."""
        return [f"{name}={','.join(paths)}" for name, paths in self.signals(analysis).items()]

    def test_background_tables(self, analysis: str) -> list[str]:
        """Return the tables of the samples that an analysis tests against alone."""
        return self.tables(*self.analyses[analysis].test_backgrounds)

    def test_background_arguments(self, analysis: str) -> list[str]:
        """Return `NAME=FILE,FILE` for each sample that an analysis tests against alone."""
        return [f"{name}={','.join(self.tables(name))}" for name in self.analyses[analysis].test_backgrounds]

    def points(self, analysis: str) -> str:
        """Return the JSON of signal to point, empty for a signal on no axes."""
        samples = self.config.all_samples()
        return json.dumps({name: samples[name].signal_point() for name in self.analyses[analysis].signals})

    def has_axes(self, analysis: str) -> bool:
        """Return whether a signal of an analysis lies on axes."""
        samples = self.config.all_samples()
        return any(samples[name].signal_point() for name in self.analyses[analysis].signals)

    def background_cross_sections(self, analysis: str) -> str:
        """Return the JSON of background sample to cross section (pb): all samples have one, or none.

        There is none where all samples count the same.
        """
        own = self.analyses[analysis]
        return self._cross_sections(() if own.dataset.sample_weights == "equal" else own.background)

    def tested_cross_sections(self, analysis: str) -> str:
        """Return the JSON of signals and of test backgrounds to cross section (pb), for those that have one.

        It changes no figure of merit, but the weights in the score tables are then in pb. Held-out jets are a part of a
        sample: a cross section says nothing of their number.
        """
        own = self.analyses[analysis]
        return self._cross_sections(() if own.base else (*own.signals, *own.test_backgrounds))

    def _cross_sections(self, names: Iterable[str]) -> str:
        samples = self.config.all_samples()
        given = {name: samples[name].cross_section for name in names}
        return json.dumps({name: value for name, value in given.items() if value is not None})

    def seeds(self, analysis: str, group: str) -> tuple[int, ...]:
        """Return the seeds of a group; a mean has none of its own."""
        return () if group == MEAN else self.analyses[analysis].groups()[group]

    def models(self, analysis: str, method: str, file: str = "model.pt") -> list[str]:
        """Return a file of every group of seeds of a method: its models, or another one of their folders."""
        return [f"results/{analysis}/models/{method}/{group}/{file}" for group in self.analyses[analysis].groups()]

    def scores(self, analysis: str, method: str) -> list[str]:
        """Return the score tables of a method: one a group, or one alone for a mean, which has no seeds."""
        own = self.analyses[analysis]
        groups = [MEAN] if method in ensembles(own.methods) else own.groups()
        return [f"results/{analysis}/scores/{method}/{group}.h5" for group in groups]

    def members(self, analysis: str, method: str) -> list[str]:
        """Return the models of all members of a mean."""
        own = ensembles(self.analyses[analysis].methods)
        return [path for member in own[method] for path in self.models(analysis, member)]

    def opened_from(self, analysis: str, method: str, group: str) -> dict[str, list[str]]:
        """Return what a method is opened from for scoring: files by the option that names them."""
        none: dict[str, list[str]] = {"models": [], "train": [], "validation": [], "images": []}
        methods = self.analyses[analysis].methods
        if method in of_images(methods):
            of_images_alone = none | {"images": self.scored_images(analysis)}
            if method in vaes(methods):
                return of_images_alone | {"models": self.vae_models(analysis, method, self.seeds(analysis, group))}
            return of_images_alone | {"train": [self.split(analysis, "train")]}
        if group == MEAN:
            validation = [self.split(analysis, "validation")]
            return none | {"models": self.members(analysis, method), "validation": validation}
        if method not in with_models(methods):
            raise KeyError(f"{analysis} has no {method} with a model of its own")
        return none | {"models": [f"results/{analysis}/models/{method}/{group}/model.pt"]}
