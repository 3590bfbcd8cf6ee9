"""What the stages of the protocol share: the events they read, and the score tables they write."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import OddjetError
from oddjet.events.layout import Events, count_events, read_events
from oddjet.events.scores import BACKGROUND, write_scores


class ProtocolError(OddjetError):
    """A file with fewer events than the protocol takes of it."""


def first_events(path: Path, number: int, start: int = 0) -> Events:
    """Read `number` events of a file from row `start` on.

    Raises
    ------
    ProtocolError
        If the file has fewer.
    """
    if (there := count_events(path)) < start + number:
        raise ProtocolError(
            f"{path}: {there} events, the protocol takes {start + number}; make more (events.sizes) or lower the "
            "numbers under events.protocol"
        )
    return read_events(path, start, start + number)


def test_files(background: Path, signals: Sequence[str]) -> dict[str, Path]:
    """Give the files by sample, the background first; signals as "NAME=FILE".

    Raises
    ------
    ProtocolError
        If one is not of this form.
    """
    files = {BACKGROUND: background}
    for text in signals:
        name, equals, path = text.partition("=")
        if not (name and equals and path) or name in files:
            raise ProtocolError(f"--signals: {text!r} is not NAME=FILE, or the name comes twice")
        files[name] = Path(path)
    return files


def file_arguments(arguments: ArgumentParser) -> None:
    """Add `--background` and `--signals`, the files of test events."""
    arguments.add_argument("--background", type=Path, required=True, help="test events of the background (HDF5)")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE", help="events of the signals")


def write_methods(
    folder: Path, by_sample: Mapping[str, Mapping[str, NDArray[np.float64]]], attributes: Mapping[str, str]
) -> None:
    """Write a score table for each method, `folder/METHOD.h5`; scores by sample and then by method, shape (n,)."""
    for method in by_sample[BACKGROUND]:
        scores = {sample: found[method] for sample, found in by_sample.items()}
        write_scores(folder / f"{method}.h5", method, scores, attributes)
