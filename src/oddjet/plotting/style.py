"""The look of all figures: CMS style without claiming to be CMS, colours that colour-blind readers can tell apart."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import mplhep
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Petroff's ten (arXiv 2107.02270), which the CMS style of mplhep starts from.
BLUE, ORANGE, RED, PURPLE, GREY, VIOLET = "#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#94a4a2", "#7a21dd"

# Of r_inv, from light to dark: ordered in brightness, so that the order survives in grey.
FRACTION_COLOURS = ("#ffa90e", "#e76300", "#bd1f01", "#5b1a18", "#3b0f0e", "#1a0706")

# Settings of matplotlib that are set once for a process.
NOT_LOOKS = ("backend", "date.epoch", "interactive", "toolbar", "webagg")

_TITLES = {
    "ae": "AE",
    "gmm": "GMM",
    "knn": "kNN",
    "lof": "LOF",
    "mahalanobis": "Mahalanobis",
    "nae": "NAE",
    "nae_logcosh": "NAE (log cosh)",
    "pca": "PCA",
    "svm": "SVM",
    "wnae": "WNAE",
}


def method_title(method: str) -> str:
    """Return how a method is written in figures: known short names in capitals, others as the config names them."""
    return _TITLES.get(method, method.replace("_", " "))


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw what is in the block in mplhep's CMS style, on a white page, with text that stays text in a PDF.

    It starts from matplotlib's own defaults: nothing of a user's matplotlibrc shows.
    """
    with mpl.rc_context():
        looks = [name for name in mpl.rcParams if not name.startswith(NOT_LOOKS)]
        mpl.rcParams.update({name: mpl.rcParamsDefault[name] for name in looks})
        mpl.rcParams.update({**mplhep.style.CMS, "pdf.fonttype": 42, "mathtext.fallback": "stixsans"})
        yield


def write_heading(axes: Axes, label: str, right: str) -> None:
    """Write `label` ("Simulation") above the left corner and what the figure shows above the right one."""
    axes.text(0.0, 1.012, label, transform=axes.transAxes, ha="left", va="bottom", style="italic", fontsize=26)
    axes.text(1.0, 1.012, right, transform=axes.transAxes, ha="right", va="bottom", fontsize=24)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PDF or PNG by the suffix of `path`; the same figure gives the same bytes."""
    # fontTools reports every glyph that it embeds, which is not what a log is for.
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    metadata = {"CreationDate": None} if path.suffix == ".pdf" else {"Software": None}
    # Fonts are looked up while text is rendered, so the style must hold here too.
    with figure_style():
        figure.savefig(path, dpi=150, metadata=metadata)
