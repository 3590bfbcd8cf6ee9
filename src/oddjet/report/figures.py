"""What every program that draws figures shares: its options, the files it writes, and the origin beside them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from oddjet.io.atomic import atomic_path
from oddjet.io.origin import write_origin
from oddjet.plotting.style import save_figure


def figure_arguments(
    arguments: argparse.ArgumentParser, *, label: bool = True, written: str = "the figure to write, as PDF and PNG"
) -> None:
    """Add `--output`, and `--label` for a figure that shows data."""
    if label:
        arguments.add_argument(
            "--label", default="Simulation", help="words above the left corner (default: %(default)s)"
        )
    arguments.add_argument("--output", nargs="+", type=Path, required=True, metavar="FILE", help=written)


def write_figure(
    script: str, figure: Figure, outputs: Sequence[Path], settings: Mapping[str, object], inputs: Sequence[Path]
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
    """
    save_figures(figure, outputs)
    write_origin(script, json.dumps(settings), inputs, outputs)


def save_figures(figure: Figure, outputs: Sequence[Path]) -> None:
    """Write one figure to several files, in the format of each one's suffix, each whole or not at all."""
    for output in outputs:
        with atomic_path(output) as path:
            save_figure(figure, path)


def by_name(outputs: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the files of each figure by its name, which has no suffix."""
    figures: dict[str, list[Path]] = {}
    for path in outputs:
        figures.setdefault(path.stem, []).append(path)
    return figures
