"""Titles of methods, samples and axes: the configuration, paths and CSV files have short names.

Figures and tables call a method by its title; figures call a sample by it too, tables keep the sample's name.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from unicodedata import category

from pydantic import Field, RootModel

from oddjet.axes import HeatmapSettings
from oddjet.program import read_settings
from oddjet.settings import Settings

# Of matplotlib's reason, which may list all that a formula can hold.
MAXIMUM_LETTERS = 100
# Names that need more than their words.
KNOWN = {
    "mahalanobis": "Mahalanobis distance",
    "nae_logcosh": "NAE (log cosh)",
    "pca": "PCA residual",
    "one_class_svm": "one-class SVM",
    "deep_svdd": "deep SVDD",
    "ot_2d": "2D OT",
    "ot_2d_mean": "2D OT, mean",
    "ot_2d_max": "2D OT, maximum",
    "ot_3d": "3D OT",
    "ot_3d_mean": "3D OT, mean",
    "ot_3d_max": "3D OT, maximum",
    "ot_3d_knn": "3D OT + anomaly kNN",
    "ot_3d_svm": "3D OT + one-class SVM",
    "ot_3d_svm_labels": "3D OT + one-class SVM, labels",
    "ot_3d_svm_paper": "3D OT + one-class SVM, the paper's gamma (not blind)",
    "ot_3d_svm_paper_labels": "3D OT + one-class SVM, the paper's gamma (not blind), labels",
    "ot_3d_linear": "3D OT, linearised",
    "sorted_pt": "sorted pT alone",
    "total_pt": "total pT",
    "multiplicity": "total multiplicity",
}
WORDS = {
    **{word.lower(): word for word in ("AE", "NAE", "WNAE", "VAE", "GMM", "kNN", "LOF", "MAE", "MSE", "MET", "PCA")},
    "jec": "JEC",
    "jer": "JER",
    "qcd": "QCD",
    "svj": "SVJ",
    "svm": "SVM",
    "w": "W",
    "z": "Z",
    "svdd": "SVDD",
    "gaussian": "Gaussian",
    "mahalanobis": "Mahalanobis",
    "wass1": "W1",
}
# Scores with fewer references than the others, with another scale of pT, with medoids as references.
FEWER = re.compile(r"(ot_[23]d)_n(\d+)")
SCALE = re.compile(r"ot_3d_pt([\dp]+)")
MEDOIDS = re.compile(r"ot_3d_medoids(\d+)")


class Titled(Settings):
    """Settings of a method. The title changes no result, so it is left out of what trainings get and of records."""

    title: str | None = Field(
        default=None,
        exclude=True,
        min_length=1,
        max_length=80,
        description="what figures and tables call the method; left out: the words of its name, wnae_long as WNAE long",
    )


class TitledSample(Titled):
    """Settings of a sample. Its title is left out of what jobs get and of records as well."""

    title: str | None = Field(
        default=None,
        exclude=True,
        min_length=1,
        max_length=80,
        description="what figures call the sample; left out: the words of its name, qcd as QCD",
    )


def one_line(text: str) -> str:
    """Return a text for figures; raise ValueError for one with signs that cannot be seen, or a formula that is none."""
    if any(category(sign) in ("Cc", "Cs") for sign in text):
        raise ValueError("one line of text is wanted, without signs that cannot be seen")
    if "$" in text:
        try:
            check_formulas(text)
        except ImportError:  # Snakemake in an environment of its own
            return text
        except ValueError as error:
            raise ValueError(f"no formula stands between $ and $: {error}. A plain dollar is \\$") from None
    return text


def check_formulas(text: str) -> None:
    """Read formulas between dollar signs as a figure would.

    Raises
    ------
    ValueError
        With matplotlib's reason, one line, for what is no formula.
    """
    from matplotlib.cbook import is_math_text
    from matplotlib.mathtext import MathTextParser

    # A dollar alone is drawn as it is.
    if not is_math_text(text):
        return
    try:
        MathTextParser("path").parse(text)
    except ValueError as error:
        raise ValueError(str(error).strip().splitlines()[-1][:MAXIMUM_LETTERS]) from None


def default_title(name: str) -> str:
    """Return the title of a method or sample that was given none: a known one, or the words of its name."""
    if name in KNOWN:
        return KNOWN[name]
    if fewer := FEWER.fullmatch(name):
        return f"{KNOWN[fewer[1]]}, N = {fewer[2]}"
    if scale := SCALE.fullmatch(name):
        return f"3D OT, pT / {scale[1].replace('p', '.')} GeV"
    if medoids := MEDOIDS.fullmatch(name):
        return f"3D OT to {medoids[1]} medoids"
    return " ".join(WORDS.get(word, word) for word in name.split("_") if word)


def titles_of(titled: Mapping[str, Titled]) -> dict[str, str]:
    """Return the title of each method or sample by its name."""
    return {name: one.title or default_title(name) for name, one in titled.items()}


@dataclass(frozen=True)
class Titles:
    """What figures and tables call methods, samples and the axes of signals.

    Attributes
    ----------
    given
        Title by name; a name that is not there has its default title.
    approximate
        Names of methods whose loss is approximate transport; tables say so.
    samples
        As `given`, of samples.
    heatmap
        Titles and units of the axes, and which of them a figure shows.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    approximate: tuple[str, ...] = ()
    samples: Mapping[str, str] = field(default_factory=dict)
    heatmap: HeatmapSettings = field(default_factory=HeatmapSettings)

    def __call__(self, name: str) -> str:
        """Return the title of a method."""
        return self.given.get(name) or default_title(name)

    def sample(self, name: str) -> str:
        """Return the title of a sample."""
        return self.samples.get(name) or default_title(name)

    def in_table(self, name: str) -> str:
        """Return the same with the mark of a loss that is approximate transport."""
        return f"{self(name)} (approximate)" if name in self.approximate else self(name)

    def record(self) -> dict[str, object]:
        """Return what the origin of a table says of them."""
        axes = self.heatmap.model_dump(exclude_defaults=True)
        return {"titles": dict(self.given), "approximate": list(self.approximate)} | ({"heatmap": axes} if axes else {})

    def notes(self) -> list[str]:
        """Return what the mark means, if a method has it."""
        note = "(approximate): the loss is Sinkhorn's divergence and not exact transport; of an ensemble, that of at "
        return [f"{note}least one member.\n"] if self.approximate else []


class _Given(RootModel[dict[str, str]]):
    """Titles by name, as JSON."""


def titles_argument(
    arguments: argparse.ArgumentParser,
    *,
    approximate: bool = False,
    methods: bool = True,
    samples: bool = False,
    axes: bool = False,
) -> None:
    """Add `--titles`, and what tables of methods (`--approximate`), figures (`--sample-titles`) and both need."""
    words = "(default: the words of the names)"
    if methods:
        arguments.add_argument("--titles", metavar="JSON", help=f"name to title of methods {words}")
    if samples:
        arguments.add_argument("--sample-titles", metavar="JSON", help=f"name to title of samples {words}")
    if axes:
        arguments.add_argument(
            "--heatmap", metavar="JSON", help="axes of the signals (default: the two with most values)"
        )
    if approximate:
        arguments.add_argument(
            "--approximate", nargs="*", default=[], help="methods whose loss is approximate transport"
        )


def read_titles(given: argparse.Namespace) -> Titles:
    """Return what the options of `titles_argument` say.

    Raises
    ------
    ConfigError
        `--titles` or `--sample-titles` is no JSON of texts, or `--heatmap` none of axes.
    """
    methods, samples = (
        read_settings(getattr(given, option.strip("-").replace("-", "_"), None), _Given, option).root
        for option in ("--titles", "--sample-titles")
    )
    heatmap = read_settings(getattr(given, "heatmap", None), HeatmapSettings, "--heatmap")
    return Titles(methods, tuple(getattr(given, "approximate", ())), samples, heatmap)
