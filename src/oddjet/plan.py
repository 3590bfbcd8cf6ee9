"""What the targets of a run make: leaderboards, figures, reports, the matrix and the experiments.

The rules hold the programs; paths, lists of inputs and targets are here and in `analysis_files`, without Snakemake.
"""

from __future__ import annotations

from dataclasses import dataclass

from oddjet.analysis_files import AnalysisFiles
from oddjet.detectors.registry import trained_on
from oddjet.methods import approximate, ensembles, of_columns, trained, vaes, with_models
from oddjet.report.comparison_figures import FIGURES as COMPARISONS
from oddjet.report.method_figures import FIGURES as OF_METHODS
from oddjet.report.method_figures import OF_TRAINED
from oddjet.report.settings import TABLES as REPORTED
from oddjet.sample_files import FIGURES
from oddjet.samples import Simulated
from oddjet.titles import default_title, titles_of

# Of trainings and backgrounds.
MATRIX = tuple(f"results/matrix/matrix.{suffix}" for suffix in ("csv", "md", *FIGURES))
# What `summarize` writes over all methods.
BOARD_TABLES = ("leaderboard.csv", "grid_means.csv", "merit.csv", "summary.md", "merit.md", "leaderboard.md")


@dataclass(frozen=True)
class Plan(AnalysisFiles):
    """What each target makes under one configuration; attributes as of `AnalysisFiles`."""

    def heatmap(self, analysis: str) -> str:
        """Return the JSON of which axes the figures of an analysis show."""
        return self.analyses[analysis].heatmap.model_dump_json()

    def selection(self, analysis: str) -> str:
        """Say which jets an analysis has: the window, and the energy where all of its samples are simulated."""
        features, samples = self.config.features, self.analyses[analysis].samples
        window = rf"{features.pt_min:g} < $p_\mathrm{{T}}$ < {features.pt_max:g} GeV"
        words = [window, rf"$|\eta|$ < {features.eta_max:g}"]
        if all(isinstance(self.samples[name], Simulated) for name in samples):
            words.append(rf"$\sqrt{{s}}$ = {self.config.simulation.com_energy / 1000:g} TeV")
        return ", ".join(words)

    def titles(self, analysis: str) -> dict[str, str]:
        """Return the title of each method of an analysis."""
        return titles_of(self.analyses[analysis].methods)

    def sample_titles(self, analysis: str) -> dict[str, str]:
        """Return the title of each sample of an analysis."""
        samples = self.config.all_samples()
        return titles_of({name: samples[name] for name in self.analyses[analysis].samples})

    def title(self, analysis: str, method: str) -> str:
        """Return the title of a method of an analysis."""
        return self.titles(analysis)[method]

    def method_tables(self, analysis: str, kind: str) -> list[str]:
        """Return the `auc` or `merit` tables of all methods of an analysis."""
        return [f"results/{analysis}/{kind}/{method}.csv" for method in self.analyses[analysis].methods]

    def all_scores(self, analysis: str) -> list[str]:
        """Return the score tables of all methods of an analysis."""
        return [path for method in self.analyses[analysis].methods for path in self.scores(analysis, method)]

    def column_scores(self, analysis: str) -> list[str]:
        """Return the score tables of the methods of an analysis that see columns alone."""
        return [path for name in of_columns(self.analyses[analysis].methods) for path in self.scores(analysis, name)]

    def approximate(self, analysis: str) -> list[str]:
        """Return the methods of an analysis whose loss is approximate transport; their scores are exact."""
        methods = self.analyses[analysis].methods
        exact = self.config.images.vae.transport == "exact"
        return approximate(methods) + [
            name for name, method in vaes(methods).items() if not exact and method.metric.startswith("wass")
        ]

    def results(self, analysis: str) -> list[str]:
        """Return what a run makes of an analysis."""
        folder = f"results/{analysis}"
        tables = ("summary.md", "leaderboard.csv", "leaderboard.md", "merit.md", "ceilings.md")
        return [
            *(f"{folder}/figures/{name}.{suffix}" for name in self.figure_names(analysis) for suffix in FIGURES),
            *(f"{folder}/{name}" for name in tables),
        ]

    def figure_names(self, analysis: str) -> list[str]:
        """Return the figures of an analysis, without suffixes."""
        return [*self.method_figures(analysis), "features", *COMPARISONS]

    def shown(self) -> list[str]:
        """Return the analyses of the configuration, without those of a scan that are made for one table alone."""
        return [name for name, analysis in self.analyses.items() if not analysis.base]

    def drawn_tables(self, analysis: str) -> dict[str, list[str]]:
        """Return what the figures of each method are drawn from, by the option of `plot_methods`."""
        epochs = trained(self.analyses[analysis].methods)
        return {
            "auc": self.method_tables(analysis, "auc"),
            "scores": self.all_scores(analysis),
            **{
                file: [path for name in epochs for path in self.models(analysis, name, f"{file}.csv")]
                for file in ("history", "auc_by_epoch")
            },
        }

    def method_figures(self, analysis: str) -> dict[str, tuple[str, str]]:
        """Return the figures of each method, without suffixes: what each one shows, of which method."""
        methods = self.analyses[analysis].methods
        epochs = trained(methods)
        return {
            f"{kind}_{method}": (kind, method)
            for kind in OF_METHODS
            for method in methods
            if method in epochs or kind not in OF_TRAINED
        }

    def method_figure_files(self, analysis: str) -> dict[str, tuple[str, str]]:
        """Return the files of the figures of each method: what each one shows, of which method."""
        return {
            f"results/{analysis}/figures/{name}.{suffix}": shown
            for name, shown in self.method_figures(analysis).items()
            for suffix in FIGURES
        }

    def report_settings(self) -> dict[str, dict[str, object]]:
        """Return what the report says of each analysis that stands in none of its tables."""
        return {
            name: {
                "background": list(self.analyses[name].background),
                "trained": list(trained(self.analyses[name].methods)),
                "titles": self.titles(name),
                "heatmap": self.analyses[name].heatmap.model_dump(),
            }
            for name in self.shown()
        }

    def report_scores(self) -> list[str]:
        """Return the score tables of the analyses that the report shows: they know the chosen epochs."""
        return [path for name in self.shown() for path in self.all_scores(name)]

    def report_figures(self) -> list[str]:
        """Return the figures that the report shows."""
        own = [f"results/{name}/figures/{figure}.png" for name in self.shown() for figure in self.figure_names(name)]
        return own + (["results/matrix/matrix.png"] if self.has_matrix() else [])

    def report_tables(self) -> list[str]:
        """Return the tables of the analyses that the report shows."""
        return [f"results/{analysis}/{name}" for analysis in self.shown() for name in REPORTED]

    def report_matrix(self) -> list[str]:
        """Return the table of trainings and backgrounds that the report shows, if it does."""
        return ["results/matrix/matrix.csv"] if self.has_matrix() else []

    def run(self) -> list[str]:
        """Return what the default target makes: the results of every analysis, the matrix, and the report."""
        own = [path for name in self.shown() for path in self.results(name)]
        return [*own, *(MATRIX if self.has_matrix() else ()), "results/report.html"]

    def all_models(self) -> list[str]:
        """Return the models of every analysis of the configuration."""
        return [
            path
            for name in self.shown()
            for method in with_models(self.analyses[name].methods)
            for path in self.models(name, method)
        ] + [
            path
            for name in self.shown()
            for method in vaes(self.analyses[name].methods)
            for path in self.vae_models(name, method, self.analyses[name].seeds)
        ]

    def contaminated_auc(self) -> dict[str, float]:
        """Return the AUC tables of the contamination scan and the share of signal of each."""
        return {
            f"results/{name}/auc/{method}.csv": share
            for share, name in self.contaminated().items()
            for method in self.analyses[name].methods
        }

    def trainings(self) -> list[tuple[str, str]]:
        """Return what each method of the matrix is and what it was trained on, in words, in the order of its tables.

        A method that differs from another one of its kind in more than its background goes by its own title, or by that
        and its analysis.
        """
        found: dict[tuple[str, str], None] = {}
        for analysis, name in self._matrix():
            own, methods = self.analyses[analysis], self.analyses[analysis].methods
            members = ensembles(methods).get(name)
            background = (trained_on(methods[name]) or own.background) if members is None else ()
            words = "each" if members else " + ".join(background)
            if len(background) > 1:
                count = "cross sections" if self.background_cross_sections(analysis) != "{}" else "by weight"
                count = "equal shares" if own.dataset.sample_weights == "equal" else count
                words = f"all, {count}" if background == own.background else words
            title = self.titles(analysis)[name]
            names = default_title(methods[members[0] if members else name].kind), title, f"{title} of {analysis}"
            found[next((name, words) for name in names if (name, words) not in found)] = None
        return list(found)

    def has_matrix(self) -> bool:
        """Return whether a run makes the matrix: trainings on several backgrounds, all tested alike against several."""
        analyses = [self.analyses[name] for name in self.shown()]
        tested = {(frozenset(own.backgrounds), own.signals) for own in analyses}
        backgrounds = {background for _, background in self.trainings()}
        return len(tested) == 1 and len(analyses[0].backgrounds) > 1 and len(backgrounds) > 1

    def matrix_tables(self) -> list[str]:
        """Return the AUC tables of the matrix: of all methods but means, of every analysis of the configuration."""
        return [f"results/{analysis}/auc/{name}.csv" for analysis, name in self._matrix()]

    def _matrix(self) -> list[tuple[str, str]]:
        return [
            (analysis, name)
            for analysis in self.shown()
            for name, method in self.analyses[analysis].methods.items()
            if method.kind != "mean"
        ]

    def experiments(self) -> list[str]:
        """Return the experiments' tables of every analysis with methods that are trained on columns."""
        names = [name for name in self.shown() if with_models(self.analyses[name].methods)]
        return [f"results/{name}/experiments.md" for name in names]

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
