"""What the scores of whole events share: their settings, and the events that they read."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from pydantic import Field

from oddjet.arrays import Floats
from oddjet.detectors.opening import Given, Method, Opened, Rows
from oddjet.detectors.registry import DetectorSettings
from oddjet.errors import DetectorError, EventError
from oddjet.events.layout import MET, PT, Events, count_events, read_events
from oddjet.events.settings import GroundSettings, ObjectSettings, ProtocolSettings

# Scores without randomness have one seed and one epoch that mean nothing.
SEEDS, EPOCHS = (0,), (1,)


class EventScores(ProtocolSettings, DetectorSettings):
    """Settings of scores that are made from the protocol's: several methods that share their work."""

    objects: ObjectSettings = Field(default=ObjectSettings(), description="objects and selection of the events")


def training_events(given: Given) -> Path:
    """Return the file of background events that a score is made from; raise `DetectorError` if none is given."""
    if given.train is None:
        raise DetectorError(f"{given.method}: no --train, the background events that it is made from")
    return given.train


def scored_together(
    scores: Callable[[Events], Mapping[str, Floats]], names: Iterable[str], rows: Rows, record: Mapping[str, object]
) -> Opened:
    """Return methods that are scored together: from events to the scores (n,) of each method by its name."""
    methods = tuple(Method(name, SEEDS, EPOCHS) for name in names)

    def score(events: Events) -> list[Floats]:
        found = scores(events)
        return [np.asarray(found[method.name], dtype=np.float64)[:, None] for method in methods]

    return Opened(methods, score, rows, record=record)


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


def objects_argument(arguments: ArgumentParser) -> None:
    """Add `--objects`, what the events were selected with."""
    arguments.add_argument("--objects", metavar="JSON", help="thresholds and acceptances (default: built-in)")
