"""What every program that draws a figure shares: its options, the files it writes, and the origin beside them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from oddjet.io.atomic import atomic_path
from oddjet.io.origin import write_origin
from oddjet.plotting.style import save_figure


def figure_arguments(arguments: argparse.ArgumentParser, *, label: bool = True) -> None:
    """Add `--output-pdf` and `--output-png`, and `--label` for a figure that shows data."""
    if label:
        arguments.add_argument(
            "--label", default="Simulation", help="words above the left corner (default: %(default)s)"
        )
    arguments.add_argument("--output-pdf", type=Path, required=True, help="figure to write")
    arguments.add_argument("--output-png", type=Path, required=True, help="the same figure to write")


def write_figure(
    script: str, figure: Figure, given: argparse.Namespace, settings: Mapping[str, object], inputs: Sequence[Path]
) -> None:
    """Write a figure as PDF and PNG, each whole or not at all, with its origin beside it.

    Parameters
    ----------
    script
        Name of the program without `.py`.
    figure
        What was drawn.
    given
        Parsed options, with those of `figure_arguments`.
    settings
        What steers the figure, as its origin names it.
    inputs
        Files that it was made from.
    """
    outputs = [given.output_pdf, given.output_png]
    save_figures(figure, outputs)
    write_origin(script, json.dumps(settings), inputs, outputs)


def save_figures(figure: Figure, outputs: Sequence[Path]) -> None:
    """Write one figure to several files, in the format of each one's suffix, each whole or not at all."""
    for output in outputs:
        with atomic_path(output) as path:
            save_figure(figure, path)
