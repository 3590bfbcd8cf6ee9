"""Which figure of CMS-MLG-24-002 shows what, of which analysis: numbers as in the analysis summary."""

from __future__ import annotations

import json
from dataclasses import dataclass

from oddjet.analyses import JETS
from oddjet.methods import trained
from oddjet.plan import Plan
from oddjet.sample_files import FIGURES

# Figure to method, by the program that draws it.
EPOCHS = {
    "2a": "ae",
    "3a": "nae",
    "3b": "nae",
    "5": "nae_logcosh",
    "7a": "nae_logcosh",
    "9a": "wnae",
    "9b": "wnae",
    "13": "wnae",
}
HISTOGRAMS = {"4": "nae", "11": "wnae", "12": "wnae"}
# Figure to method, AUC table and title.
HEATMAPS = {
    "2b": ("ae", "results/jets/auc/ae.csv", "AE"),
    "7b": ("nae_logcosh", "results/jets/auc_at/nae_logcosh_lowest_w.csv", "NAE (log cosh), chosen epoch"),
    "7c": ("nae_logcosh", "results/jets/auc_at/nae_logcosh_last.csv", "NAE (log cosh), last epoch"),
    "10": ("wnae", "results/jets/auc/wnae.csv", "WNAE"),
}
SKETCHES = ("1", "6", "8")
# What they show of one training alone: the divergence comes at another epoch for each seed.
ONE_SEED = {"3a", "3b"}
MEASURED = {"2a", "9a"}
# Figure 13: the WNAE trained on semivisible jets and tested on top jets.
REVERSED = "reversed"


@dataclass(frozen=True)
class PaperFigures:
    """The figures that a configuration has the methods for, and what they are drawn from."""

    plan: Plan

    def methods(self) -> list[str]:
        """Return the methods of the paper that are trained; a baseline has no snapshots."""
        known = trained(self.plan.analyses[JETS].methods) if JETS in self.plan.analyses else []
        return [method for method in ("ae", "nae", "nae_logcosh", "wnae") if method in known]

    def signal(self) -> str:
        """Return the signal of the paper's figures, m_phi 2000 GeV and r_inv 0.3, or the nearest on the grid."""
        samples = self.plan.config.all_samples()
        points = {name: samples[name].signal_point() for name in self.plan.analyses[JETS].signals}

        def distance(name: str) -> tuple[float, float]:
            m_phi, r_inv = (points[name].get(axis, float("inf")) for axis in ("m_phi", "r_inv"))
            return abs(m_phi / 2000 - 1), abs(r_inv - 0.3)

        return min(points, key=distance)

    def signal_tables(self) -> list[str]:
        """Return its tables."""
        return self.plan.tables(self.signal())

    def signal_argument(self) -> str:
        """Return `NAME=FILE,FILE` of it."""
        return f"{self.signal()}={','.join(self.signal_tables())}"

    def signal_point(self) -> str:
        """Return the JSON of its name to its grid point."""
        return json.dumps({self.signal(): self.plan.config.all_samples()[self.signal()].signal_point()})

    def title(self, figure: str) -> str:
        """Return the title of the method that a figure by epoch or of histograms shows."""
        return self.plan.titles(REVERSED if figure == "13" else JETS)[{**EPOCHS, **HISTOGRAMS}[figure]]

    def tables(self, figure: str, file: str) -> list[str]:
        """Return a file of every group of the training that a figure by epoch shows."""
        return self.plan.models(REVERSED if figure == "13" else JETS, EPOCHS[figure], file)

    def has_reversed(self) -> bool:
        """Return whether figure 13 can be drawn."""
        analysis = self.plan.analyses.get(REVERSED)
        return analysis is not None and "wnae" in trained(analysis.methods)

    def drawn(self) -> list[str]:
        """Return the numbers of the figures that can be drawn."""
        return [*SKETCHES, *(figure for figure, method in _of_jets().items() if method in self.methods())] + (
            ["13"] if self.has_reversed() else []
        )

    def left_out(self) -> list[str]:
        """Return a line for each method, or analysis, that the configuration lacks for some of the figures."""
        wanted = _of_jets()
        lines = [
            f"The configuration has no method {method}: the paper's figures "
            f"{', '.join(figure for figure in wanted if wanted[figure] == method)} are left out."
            " config/reproduction.yaml has all of its methods."
            for method in sorted(set(wanted.values()) - set(self.methods()))
        ]
        if not self.has_reversed():
            lines.append(
                f"The configuration has no analysis {REVERSED} with the method wnae: the paper's figure 13 is left out."
                " config/reproduction.yaml has both."
            )
        return lines

    def results(self) -> list[str]:
        """Return the figures, and the table of epochs."""
        figures = [f"results/jets/figures/paper/figure_{one}.{suffix}" for one in self.drawn() for suffix in FIGURES]
        return figures + (["results/jets/epoch_choice.md"] if self.methods() else [])


def _of_jets() -> dict[str, str]:
    """Return figure to method of those that show the analysis `jets`."""
    heatmaps = {figure: row[0] for figure, row in HEATMAPS.items()}
    return {**{figure: method for figure, method in EPOCHS.items() if figure != "13"}, **HISTOGRAMS, **heatmaps}
