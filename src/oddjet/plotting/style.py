"""The look of all figures: CMS style without claiming to be CMS, colours that colour-blind readers can tell apart."""

from __future__ import annotations

import logging
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import mplhep
from fontTools import subset
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

# Petroff's ten (arXiv 2107.02270), which the CMS style of mplhep starts from: of methods, beyond ten with other lines.
METHOD_COLOURS = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)
BLUE, ORANGE, RED, GREY, PURPLE = METHOD_COLOURS[:5]
# Of lines that words have the colour of: a contrast of 4.5 with the page.
WORD_BLUE, WORD_GREEN = "#1f6fd0", "#1f8049"
# A shape a method or variation, where colours alone would repeat.
MARKERS = "osD^vPX*<>"

# Of the values of an axis, from light to dark: ordered in brightness, so that the order survives in grey.
FRACTION_COLOURS = ("#ffa90e", "#e76300", "#bd1f01", "#5b1a18")

# Part of the width of the axes that the two sides of a heading may take on one line.
HEADING_ROOM = 0.96

# TrueType, in a PDF as well (42); formulas have the letters of words, and STIX's where those lack a sign.
FONT = "Fira Sans"
LETTERS: dict[Any, Any] = {
    "font.sans-serif": [FONT],
    **{f"mathtext.{face}": FONT for face in ("rm", "sf", "tt", "cal")},
    "mathtext.bf": f"{FONT}:bold",
    "mathtext.it": f"{FONT}:italic",
    "mathtext.fallback": "stixsans",
    "pdf.fonttype": 42,
    # Inches around axes and words, so that long names do not touch the edge of the page.
    "figure.constrained_layout.w_pad": 0.08,
}

# Tables of a font that place letters. In a PDF each has its place already, and to shorten these tables takes longer
# than to draw the figure.
PLACING = ["GDEF", "GPOS", "GSUB"]

# Size in points of the words below a figure, and the mean width of their letters in that size.
NOTE, LETTER = 18, 0.5

# Settings of matplotlib that are set once for a process.
NOT_LOOKS = ("backend", "date.epoch", "interactive", "toolbar", "webagg")


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw what is in the block in mplhep's CMS style, on a white page, with text that stays text in a PDF.

    The letters are Fira Sans, which comes with mplhep too. Those of the CMS style are PostScript outlines, which
    matplotlib would either draw as pictures (type 3, which journals refuse) or embed under a wrong name.

    It starts from matplotlib's own defaults: nothing of a user's matplotlibrc shows.
    """
    with mpl.rc_context():
        looks = [name for name in mpl.rcParams if not name.startswith(NOT_LOOKS)]
        mpl.rcParams.update({name: mpl.rcParamsDefault[name] for name in looks})
        mpl.rcParams.update({**mplhep.style.CMS, **LETTERS})
        yield


def write_heading(axes: Axes, label: str, right: str) -> None:
    """Write `label` ("Simulation") above the left corner and what the figure shows above the right one.

    Where both do not fit beside each other, the label stands a line higher; words wider than the axes are shrunk.
    """
    left = axes.text(0.0, 1.012, label, transform=axes.transAxes, ha="left", va="bottom", style="italic", fontsize=26)
    other = axes.text(1.0, 1.012, right, transform=axes.transAxes, ha="right", va="bottom", fontsize=24)
    if not label or not right:
        return
    figure = axes.get_figure(root=True)
    assert figure is not None, "axes of a figure"
    # Out of the layout while it is measured: long words would squeeze the axes.
    for text in (left, other):
        text.set_in_layout(False)
    lay_out(figure)
    frame = axes.get_window_extent()
    widths = [text.get_window_extent().width for text in (left, other)]
    if sum(widths) > HEADING_ROOM * frame.width:
        for text, points, width in zip((left, other), (26, 24), widths, strict=True):
            text.set_fontsize(points * min(1.0, frame.width / width))
        left.set_y(1.012 + 1.2 * other.get_window_extent().height / frame.height)
    for text in (left, other):
        text.set_in_layout(True)


def lay_out(figure: Figure) -> None:
    """Give axes and words the places where they will be drawn, and draw nothing."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def write_note(figure: Figure, words: str) -> None:
    """Write below a figure what its numbers rest on: jets, background, errors.

    The figure grows by these lines, so that nothing that was fitted into its axes changes. Where there is a legend
    below the axes, they stand between the two. What the figure says there already comes first.
    """
    width, height = figure.get_size_inches()
    # A formula is not broken at its spaces.
    before = f"{figure.get_supxlabel()} ".lstrip()
    whole = re.sub(r"\$[^$]*\$", lambda formula: formula[0].replace(" ", "\0"), before + words)
    text = textwrap.fill(whole, int(72 * width / (LETTER * NOTE)), break_long_words=False, break_on_hyphens=False)
    text = text.replace("\0", " ")
    figure.set_size_inches(width, height + 1.3 * NOTE / 72 * (1 + text.count("\n")))
    with figure_style():
        if figure.legends:
            figure.legends[0].set_title(text, prop=FontProperties(family=FONT, size=NOTE))
        else:
            figure.supxlabel(text, fontsize=NOTE, x=0.01, ha="left", linespacing=1.2)


def fraction_colours(count: int) -> list[str]:
    """Return as many colours as there are values of an axis, r_inv in the paper, from light to dark."""
    if count <= len(FRACTION_COLOURS):
        return list(FRACTION_COLOURS[:count])
    scale = LinearSegmentedColormap.from_list("fractions", FRACTION_COLOURS)
    return [to_hex(scale(index / (count - 1))) for index in range(count)]


def seeds_words(seeds: int) -> str:
    """Return what a heading says of a number of trainings; 0 stands for the mean of their scores."""
    return f"{seeds} seed{'s' if seeds > 1 else ''}" if seeds else "mean of seeds' scores"


def short_error(error: float) -> str:
    """Return an error in two decimals, or in three where two would be zeros."""
    return f"{error:.3f}" if 0 < error < 0.005 else f"{error:.2f}"


def readable_colour(background: Sequence[float]) -> str:
    """Return black or white, whichever has the higher contrast on a colour (red, green, blue from 0 to 1).

    The contrast is that of WCAG 2.1, https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio; the better one is at least 4.5.
    """
    return "white" if contrast(background, (1.0, 1.0, 1.0)) > contrast(background, (0.0, 0.0, 0.0)) else "black"


def contrast(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the contrast ratio of two colours (red, green, blue from 0 to 1) of WCAG 2.1, from 1 to 21."""
    dark, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: Sequence[float]) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def fix_layout(figure: Figure) -> None:
    """Lay a figure out for the last time: all files of it are drawn alike, and none is laid out again."""
    with figure_style():
        lay_out(figure)
    figure.set_layout_engine("none")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PDF or PNG by the suffix of `path`; the same figure gives the same bytes."""
    # fontTools reports every glyph that it embeds, which is not what a log is for.
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    metadata = {"CreationDate": None} if path.suffix == ".pdf" else {"Software": None}
    # Fonts are looked up while text is rendered, so the style must hold here too.
    with figure_style(), _without_placing():
        figure.savefig(path, dpi=150, metadata=metadata)


@contextmanager
def _without_placing() -> Iterator[None]:
    """Leave the tables of `PLACING` out of embedded fonts; matplotlib gives fontTools its options itself."""
    before = subset.Options._drop_tables_default
    subset.Options._drop_tables_default = [*before, *PLACING]
    try:
        yield
    finally:
        subset.Options._drop_tables_default = before
