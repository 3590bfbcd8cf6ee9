"""The files of samples: ROOT files, the tables and images that are made of them, and their systematic variations."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Protocol

from oddjet.addresses import is_remote
from oddjet.batches import Batch, batches_of, without_gone
from oddjet.jets.correction_settings import CorrectionSettings
from oddjet.jets.settings import FeatureSettings
from oddjet.samples import Listed, Simulated
from oddjet.sources import Found


class SampleFiles(ABC):
    """Base of `oddjet.plan.Plan`.

    Attributes
    ----------
    found
        The files of each sample that lies in files, from `oddjet.inputs.listed_files`.
    """

    found: Mapping[str, Found]

    @property
    @abstractmethod
    def samples(self) -> Mapping[str, Simulated | Listed]:
        """All samples by name."""

    @cached_property
    def files(self) -> dict[str, dict[str, str | None]]:
        """Name to ROOT file of every sample; None where Pythia makes the file."""
        return {
            name: (
                dict.fromkeys(f"{number:04d}" for number in range(sample.parts))
                if isinstance(sample, Simulated)
                else dict(self.found[name].parts)
            )
            for name, sample in self.samples.items()
        }

    def divided(self, size: int, related: Mapping[str, float]) -> list[Batch]:
        """Divide the files of all samples into batches; see `oddjet.batches.batches_of`."""
        batches = batches_of(self.files, size, related)
        gone = {
            (name, part) for name, own in self.found.items() for part, file in own.parts.items() if file in own.gone
        }
        return without_gone(batches, gone)

    def simulated(self, sample: str) -> list[str]:
        """Return the ROOT files of a sample that Pythia makes."""
        return [f"results/samples/{sample}/{name}.root" for name, file in self.files[sample].items() if file is None]

    def candidates(self, sample: str, file: str) -> str:
        """Return the ROOT file, or its address, behind a table."""
        return self.files[sample][file] or f"results/samples/{sample}/{file}.root"

    def local_candidates(self, sample: str, file: str) -> list[str]:
        """Return the same as a list, empty for an address: it is read by uproot and no file on this machine."""
        path = self.candidates(sample, file)
        return [] if is_remote(path) else [path]

    def golden_json(self, sample: str) -> list[str]:
        """Return the golden JSON of a sample of data, as a list that is empty for one without."""
        path = self.samples[sample].own_selection().golden_json
        return [] if path is None else [path]

    def tables(self, *samples: str) -> list[str]:
        """Return the tables of samples."""
        return [f"results/tables/{sample}/{name}.h5" for sample in samples for name in self.files[sample]]

    def jet_images(self, *samples: str) -> list[str]:
        """Return the files of images of the jets of samples."""
        return [f"results/jet_images/{sample}/{name}.h5" for sample in samples for name in self.files[sample]]


FIGURES = ("pdf", "png")


class WithFeatures(Protocol):
    """A configuration, as far as it is asked here."""

    @property
    def features(self) -> FeatureSettings:
        """Settings of the features."""


class VariationFiles(SampleFiles):
    """Base of `oddjet.plan.Plan`.

    Attributes
    ----------
    config
        The configuration.
    """

    config: WithFeatures

    def corrections(self, sample: str) -> CorrectionSettings:
        """Return the corrections of a sample."""
        return self.samples[sample].own_features(self.config.features).corrections

    @abstractmethod
    def varied_samples(self, analysis: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the samples of an analysis that are varied: backgrounds that train, and signals."""

    @abstractmethod
    def all_scores(self, analysis: str) -> list[str]:
        """Return the score tables of all methods of an analysis."""

    @abstractmethod
    def column_scores(self, analysis: str) -> list[str]:
        """Return the score tables of the methods of an analysis that see columns alone."""

    def payloads(self, *samples: str) -> list[str]:
        """Return the files of the corrections of samples, each once."""
        return list(dict.fromkeys(file for sample in samples for file in self.corrections(sample).files()))

    def shifted(self, analysis: str) -> list[str]:
        """Return the variations of jets that a sample of an analysis has."""
        background, signals = self.varied_samples(analysis)
        every = [name for sample in (*background, *signals) for name in self.corrections(sample).shifted()]
        return list(dict.fromkeys(every))

    def varied(self, analysis: str) -> bool:
        """Return whether a sample of an analysis has a variation, of jets or of weights."""
        background, signals = self.varied_samples(analysis)
        weights = any(self.corrections(name).reweighted() for name in (*background, *signals))
        return weights or bool(self.shifted(analysis))

    def shifted_tables(self, variation: str, *samples: str) -> list[str]:
        """Return the tables of samples under a variation of jets: the nominal ones of a sample that has it not."""
        return [
            path.replace("results/tables/", f"results/variations/{variation}/", 1)
            if variation in self.corrections(sample).shifted()
            else path
            for sample in samples
            for path in self.tables(sample)
        ]

    def shifted_signals(self, analysis: str, variation: str) -> list[str]:
        """Return `NAME=FILE,FILE` for each signal of an analysis under a variation of jets."""
        _, names = self.varied_samples(analysis)
        return [f"{name}={','.join(self.shifted_tables(variation, name))}" for name in names]

    def signal_cross_sections(self, analysis: str) -> str:
        """Return the JSON of signal to cross section (pb), for those that have one."""
        given = {name: self.samples[name].cross_section for name in self.varied_samples(analysis)[1]}
        return json.dumps({name: value for name, value in given.items() if value is not None})

    def shifted_scores(self, analysis: str, variation: str) -> list[str]:
        """Return the score tables of the methods under a variation of jets: images of shifted jets there are none."""
        folder = f"results/{analysis}/variations/{variation}"
        return [path.replace(f"results/{analysis}", folder, 1) for path in self.column_scores(analysis)]

    def all_variations(self, names: Iterable[str]) -> list[str]:
        """Return what `snakemake variations` makes of those analyses that have a variation, and methods that see it."""
        varied = [name for name in names if self.varied(name) and self.column_scores(name)]
        figures = [f"results/{name}/figures/variations.{suffix}" for name in varied for suffix in FIGURES]
        return [*(f"results/{name}/variations.md" for name in varied), *figures]
