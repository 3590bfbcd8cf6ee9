"""What every program that draws figures shares: its options, the files it writes, and the origin beside them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from matplotlib.figure import Figure

from oddjet.evaluation.backgrounds import by_background, label_of
from oddjet.io.atomic import atomic_path
from oddjet.io.origin import write_origin
from oddjet.plotting.style import fix_layout, save_figure, write_note
from oddjet.titles import Titles


class _Counted(Protocol):
    """A row of a table that says on how many jets its number rests, and against which background."""

    @property
    def background(self) -> str: ...
    @property
    def n_background(self) -> int: ...
    @property
    def n_signal(self) -> int: ...
    @property
    def signal(self) -> str: ...


def figure_arguments(
    arguments: argparse.ArgumentParser, *, label: bool = True, written: str = "the figure to write, as PDF and PNG"
) -> None:
    """Add `--output`, and `--label` for a figure that shows data."""
    if label:
        arguments.add_argument(
            "--label", default="Simulation", help="words above the left corner (default: %(default)s)"
        )
    arguments.add_argument("--output", nargs="+", type=Path, required=True, metavar="FILE", help=written)


def selection_argument(arguments: argparse.ArgumentParser) -> None:
    """Add `--selection`."""
    arguments.add_argument("--selection", default="", help="which jets these are, in words that stand below heatmaps")


def jets_in_words(backgrounds: Mapping[str, Iterable[int]], signals: Mapping[str, int], kind: str = "Test jets") -> str:
    """Say on how many jets a figure rests, as in "Test jets: 2136 top, 3059 QCD, 381 to 489 of each signal".

    Parameters
    ----------
    backgrounds
        What the figure calls each one to its numbers of jets; the empty name stands for the background.
    signals
        Number of jets of each.
    kind
        Which jets.
    """
    words = [f"{span(numbers)} {name or 'background'}" for name, numbers in backgrounds.items()]
    if signals:
        words.append(f"{span(signals.values())} of {'each' if len(signals) > 1 else 'the'} signal")
    return f"{kind}: {', '.join(words)}."


def jets_of_rows(rows: Collection[_Counted], titles: Titles, kind: str = "Test jets") -> str:
    """Say the same of rows of a table; backgrounds have the titles of their samples."""
    backgrounds = {
        label_of(name, titles, several=False): [row.n_background for row in own]
        for name, own in by_background(rows).items()
    }
    return jets_in_words(backgrounds, {row.signal: row.n_signal for row in rows}, kind)


def errors_in_words(seeds: int) -> str:
    """Say what stands behind a ± of this number of trainings; 0 and 1 have no spread."""
    return "±: statistical error" + (f" and standard deviation of {seeds} seeds, in quadrature." if seeds > 1 else ".")


def span(numbers: Iterable[int]) -> str:
    """Return a number, or the smallest and the largest of several: "381 to 489"."""
    found = sorted(set(numbers))
    return str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"


def write_figure(
    script: str,
    figure: Figure,
    outputs: Sequence[Path],
    settings: Mapping[str, object],
    inputs: Sequence[Path],
    note: str = "",
) -> None:
    """Write a figure to one or more files, each whole or not at all, with its origin beside the first.

    Parameters
    ----------
    script
        Name of the program without `.py`.
    figure
        What was drawn.
    outputs
        Files to write; the suffix of each is its format.
    settings
        What steers the figure, as its origin names it.
    inputs
        Files that it was made from.
    note
        Words below the figure: what its numbers rest on.
    """
    if note:
        write_note(figure, note)
    save_figures(figure, outputs)
    write_origin(script, json.dumps(settings), inputs, outputs)


def save_figures(figure: Figure, outputs: Sequence[Path]) -> None:
    """Write one figure to several files, in the format of each one's suffix, each whole or not at all."""
    fix_layout(figure)
    for output in outputs:
        with atomic_path(output) as path:
            save_figure(figure, path)


def by_name(outputs: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the files of each figure by its name, which has no suffix."""
    figures: dict[str, list[Path]] = {}
    for path in outputs:
        figures.setdefault(path.stem, []).append(path)
    return figures
