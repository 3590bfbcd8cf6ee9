"""What the stages of the protocol share: the events they read, and the score tables they write."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import EventError
from oddjet.events.layout import MET, PT, Events, count_events, read_events
from oddjet.events.scores import BACKGROUND, write_scores
from oddjet.events.settings import GroundSettings


def first_events(path: Path, number: int, start: int = 0, ground: GroundSettings | None = None) -> Events:
    """Read `number` events of a file from row `start` on.

    Parameters
    ----------
    path, number, start
        Which rows of which file.
    ground
        Given where the events are transported in 2D: events that have no point there are refused.

    Raises
    ------
    EventError
        The file has fewer, its events are all the same, or one has nothing to transport; the message names the row.
    """
    if (there := count_events(path)) < start + number:
        raise EventError(
            f"{path}: {there} events, the protocol takes {start + number}; make more (events.sizes) or lower the "
            "numbers under events.protocol"
        )
    events = read_events(path, start, start + number)
    if number > 1 and (events == events[0]).all():
        raise EventError(
            f"{path}: rows {start} to {start + number - 1} are all the same event, so no distance tells anything; give "
            "events that differ"
        )
    if ground is not None:
        refuse_empty(events, path, start, ground)
    return events


def refuse_empty(events: Events, path: Path, start: int, ground: GroundSettings) -> None:
    """Refuse events that have no point in 2D, `EventError` with the row of the first one."""
    weights = events[..., PT] if ground.met_in_2d else events[:, MET.stop :, PT]
    empty = ~(weights > 0).any(axis=1)
    if empty.any():
        what = "no object and no missing momentum" if ground.met_in_2d else "no object, and met_in_2d is false"
        raise EventError(
            f"{path}: row {start + int(np.argmax(empty))}: the event has {what}, so there is nothing to transport in "
            f"2D ({int(empty.sum())} of {len(events)} rows); take such events out"
        )


def test_files(background: Path, signals: Sequence[str]) -> dict[str, Path]:
    """Give the files by sample, the background first; signals as "NAME=FILE".

    Raises
    ------
    EventError
        If one is not of this form.
    """
    files = {BACKGROUND: background}
    for text in signals:
        name, equals, path = text.partition("=")
        if not (name and equals and path) or name in files:
            raise EventError(f"--signals: {text!r} is not NAME=FILE, or the name comes twice")
        files[name] = Path(path)
    return files


def file_arguments(arguments: ArgumentParser) -> None:
    """Add `--background` and `--signals`, the files of test events."""
    arguments.add_argument("--background", type=Path, required=True, help="test events of the background (HDF5)")
    arguments.add_argument("--signals", nargs="+", required=True, metavar="NAME=FILE", help="events of the signals")


def objects_argument(arguments: ArgumentParser) -> None:
    """Add `--objects`, what the events were selected with."""
    arguments.add_argument("--objects", metavar="JSON", help="thresholds and acceptances (default: built-in)")


def write_methods(
    folder: Path, by_sample: Mapping[str, Mapping[str, NDArray[np.float64]]], attributes: Mapping[str, str]
) -> None:
    """Write a score table for each method, `folder/METHOD.h5`; scores by sample and then by method, shape (n,)."""
    for method in by_sample[BACKGROUND]:
        scores = {sample: found[method] for sample, found in by_sample.items()}
        write_scores(folder / f"{method}.h5", method, scores, attributes)
