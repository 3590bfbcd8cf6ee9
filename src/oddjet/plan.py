"""The files of a run: where samples, tables and the results of each analysis lie, and what a target makes.

The rules hold the programs; paths, lists of inputs and targets are here, without Snakemake.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from oddjet.addresses import is_remote
from oddjet.analyses import JETS, Analysis
from oddjet.config import Config
from oddjet.methods import approximate, ensembles, trained, with_models
from oddjet.samples import Simulated
from oddjet.sources import Found

# Tables and a figure over the methods of `jets` and those that score its jets by their images.
WITH_IMAGES = "jets_with_images"
FIGURES = ("pdf", "png")


@dataclass(frozen=True)
class Plan:
    """Paths and lists of files under one configuration.

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
    def files(self) -> dict[str, dict[str, str | None]]:
        """Name to ROOT file of every sample; None where Pythia makes the file."""
        return {
            name: (
                dict.fromkeys(f"{number:04d}" for number in range(sample.parts))
                if isinstance(sample, Simulated)
                else dict(self.found[name].parts)
            )
            for name, sample in self.config.all_samples().items()
        }

    @cached_property
    def methods(self) -> dict[str, object]:
        """The methods of all analyses by name."""
        return {name: method for analysis in self.analyses.values() for name, method in analysis.methods.items()}

    @cached_property
    def image_methods(self) -> list[str]:
        """Methods that score the jets of `jets` by their images."""
        return list(self.config.images.methods) if JETS in self.analyses else []

    def groups(self) -> list[str]:
        """Return the groups of seeds of all analyses."""
        return list(dict.fromkeys(group for analysis in self.analyses.values() for group in analysis.groups()))

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

    def tables(self, *samples: str) -> list[str]:
        """Return the tables of samples."""
        return [f"results/tables/{sample}/{name}.h5" for sample in samples for name in self.files[sample]]

    def grid_images(self, *samples: str) -> list[str]:
        """Return the files of images of the jets of samples."""
        return [f"results/jets/images/{sample}/{name}.h5" for sample in samples for name in self.files[sample]]

    def scored_images(self) -> list[str]:
        """Return the files of images of all jets of the analysis `jets`."""
        jets = self.analyses[JETS]
        return self.grid_images(*jets.background, *jets.signals)

    def background_tables(self, analysis: str) -> list[str]:
        """Return the tables of the background samples of an analysis."""
        return self.tables(*self.analyses[analysis].background)

    def analysis_tables(self, analysis: str) -> list[str]:
        """Return the tables of all samples of an analysis."""
        own = self.analyses[analysis]
        return self.tables(*own.background, *own.signals)

    def analysis_files(self, analysis: str) -> list[str]:
        """Return `SAMPLE=FILE,FILE` for all samples of an analysis, with the names of their files."""
        own = self.analyses[analysis]
        return [f"{name}={','.join(self.files[name])}" for name in (*own.background, *own.signals)]

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

    def points(self, analysis: str) -> str:
        """Return the JSON of signal to [m_phi, r_inv], nulls for a signal that is on no grid."""
        samples = self.config.all_samples()
        return json.dumps(
            {name: samples[name].grid_point() or (None, None) for name in self.analyses[analysis].signals}
        )

    def has_grid(self, analysis: str) -> bool:
        """Return whether a signal of an analysis has a place in a heatmap."""
        samples = self.config.all_samples()
        return any(samples[name].grid_point() for name in self.analyses[analysis].signals)

    def background_cross_sections(self, analysis: str) -> str:
        """Return the JSON of background sample to cross section (pb): all samples have one, or none."""
        return self._cross_sections(self.analyses[analysis].background)

    def signal_cross_sections(self, analysis: str) -> str:
        """Return the JSON of signal to cross section (pb), for those that have one.

        It changes no figure of merit, but the weights in the score tables are then in pb. Held-out jets are a part of a
        sample: a cross section says nothing of their number.
        """
        own = self.analyses[analysis]
        return self._cross_sections(() if own.base else own.signals)

    def _cross_sections(self, names: Iterable[str]) -> str:
        samples = self.config.all_samples()
        given = {name: samples[name].cross_section for name in names}
        return json.dumps({name: value for name, value in given.items() if value is not None})

    def seeds(self, analysis: str, group: str) -> tuple[int, ...]:
        """Return the seeds of a group."""
        return self.analyses[analysis].groups()[group]

    def models(self, analysis: str, method: str, file: str = "model.pt") -> list[str]:
        """Return a file of every group of seeds of a method: its models, or another one of their folders."""
        return [f"results/{analysis}/models/{method}/{group}/{file}" for group in self.analyses[analysis].groups()]

    def scores(self, analysis: str, method: str) -> list[str]:
        """Return the score tables of a method: one a group, or one alone for a mean, which has no seeds."""
        if method in ensembles(self.analyses[analysis].methods):
            return [f"results/{analysis}/scores/{method}.h5"]
        return [f"results/{analysis}/scores/{method}/{group}.h5" for group in self.analyses[analysis].groups()]

    def members(self, analysis: str, method: str, of: str) -> list[str]:
        """Return the `models` or `scores` of all members of a mean."""
        paths = self.models if of == "models" else self.scores
        return [
            path for member in ensembles(self.analyses[analysis].methods)[method] for path in paths(analysis, member)
        ]

    def board_methods(self, board: str) -> list[str]:
        """Return the methods of a leaderboard: those of an analysis, or of `jets` with the image methods."""
        if board == WITH_IMAGES:
            return [*self.analyses[JETS].methods, *self.image_methods]
        return list(self.analyses[board].methods)

    def board_tables(self, board: str, kind: str) -> list[str]:
        """Return the `auc` or `merit` tables of all methods of a leaderboard."""
        return [f"results/{board_analysis(board)}/{kind}/{method}.csv" for method in self.board_methods(board)]

    def board_scores(self, board: str) -> list[str]:
        """Return the score tables of all methods of a leaderboard."""
        analysis = board_analysis(board)
        return [path for method in self.board_methods(board) for path in self.scores(analysis, method)]

    def approximate(self, board: str) -> list[str]:
        """Return the methods of a leaderboard whose loss is approximate transport; their scores are exact."""
        found = approximate(self.analyses[board_analysis(board)].methods)
        if board == WITH_IMAGES:
            found += [name for name, one in self.config.images.vae_methods().items() if one.metric.startswith("wass")]
        return found

    def results(self, analysis: str) -> list[str]:
        """Return what a run makes of an analysis."""
        folder, own = f"results/{analysis}", self.analyses[analysis]
        names = [f"training_{method}" for method in trained(own.methods)]
        names += [f"auc_heatmap_{method}" for method in own.methods if self.has_grid(analysis)]
        return [
            *(f"{folder}/figures/{name}.{suffix}" for name in names for suffix in FIGURES),
            f"{folder}/figures/leaderboard.pdf",
            *(
                f"{folder}/{name}"
                for name in ("summary.md", "leaderboard.csv", "leaderboard.md", "merit.md", "ceilings.md")
            ),
        ]

    def run(self) -> list[str]:
        """Return what the default target makes: the results of every analysis of the configuration."""
        return [path for name, analysis in self.analyses.items() if not analysis.base for path in self.results(name)]

    def all_models(self) -> list[str]:
        """Return the models of every analysis of the configuration."""
        return [
            path
            for name, analysis in self.analyses.items()
            if not analysis.base
            for method in with_models(analysis.methods)
            for path in self.models(name, method)
        ]

    def contaminated_auc(self) -> dict[str, float]:
        """Return the AUC tables of the contamination scan and the share of signal of each."""
        return {
            f"results/{name}/auc/{method}.csv": share
            for share, name in self.contaminated().items()
            for method in self.analyses[name].methods
        }

    def experiments(self) -> list[str]:
        """Return the experiments' tables of every analysis of the configuration."""
        return [f"results/{name}/experiments.md" for name, analysis in self.analyses.items() if not analysis.base]

    def compared(self, analysis: str) -> list[str]:
        """Return what the experiments' table of an analysis is made from."""
        own, folder = self.analyses[analysis], f"results/{analysis}"
        methods = with_models(own.methods)
        of_groups = [
            path for name in methods for file in ("model.pt", "fit.csv") for path in self.models(analysis, name, file)
        ]
        return [
            *(f"{folder}/auc/{name}.csv" for name in methods),
            *(path for name in methods for path in self.scores(analysis, name)),
            *of_groups,
            *(path for name in trained(own.methods) for path in self.models(analysis, name, "auc_by_epoch.csv")),
            self.split(analysis, "validation"),
        ]

    def image_scores(self) -> list[str]:
        """Return what `snakemake image_scores` makes."""
        tables = [f"results/jets/{kind}/{name}.csv" for name in self.image_methods for kind in ("auc", "merit")]
        maps = [
            f"results/jets/figures/auc_heatmap_{name}.{suffix}" for name in self.image_methods for suffix in FIGURES
        ]
        board = [f"results/{WITH_IMAGES}/{name}" for name in ("leaderboard.csv", "leaderboard.md")]
        return [*tables, *maps, *board, *(f"results/{WITH_IMAGES}/figures/leaderboard.{suffix}" for suffix in FIGURES)]


def board_analysis(board: str) -> str:
    """Return the analysis that a leaderboard is of."""
    return JETS if board == WITH_IMAGES else board
