"""Mix the samples of the background in given proportions into disjoint sets, and gather the events of a signal."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np

from oddjet.errors import EventError
from oddjet.events.layout import Events, count_events, read_events, write_events
from oddjet.events.settings import PARTS, EventSizes, shares

LOGGER = logging.getLogger("oddjet")


def mix_background(
    files: Mapping[str, Sequence[Path]],
    fractions: Mapping[str, float],
    sizes: EventSizes,
    outputs: Mapping[str, Path],
    seed: int,
    attributes: Mapping[str, str],
) -> None:
    """Write training, validation and test events of the background.

    Every sample gives the first of its events to the training set, the next ones to the validation set, then to the
    test set, so that no event is in two sets; each set is shuffled.

    Parameters
    ----------
    files
        Files of each sample.
    fractions
        Share of each sample in every set; they add up to one.
    sizes
        Events of each set.
    outputs
        Where `train`, `validation` and `test` go.
    seed
        Of the shuffling.
    attributes
        Provenance, kept in the files.

    Raises
    ------
    EventError
        A sample has too few events, or a file comes twice.
    TableError
        A file is not of the layout.
    """
    counts = {part: shares(getattr(sizes, part), fractions) for part in PARTS}
    pieces: dict[str, list[Events]] = {part: [] for part in PARTS}
    for name in fractions:
        wanted = [counts[part][name] for part in PARTS]
        events = first_events(name, files[name], sum(wanted))
        for part, stop, count in zip(PARTS, accumulate(wanted), wanted, strict=True):
            pieces[part].append(events[stop - count : stop])
    for purpose, part in enumerate(PARTS):
        events = np.concatenate(pieces[part])
        order = np.random.default_rng([seed, purpose]).permutation(len(events))
        write_events(outputs[part], events[order], {**attributes, "part": part})
        LOGGER.info("%s: %d events, %s", part, len(events), counts[part])


def first_events(name: str, files: Sequence[Path], count: int) -> Events:
    """Read the first `count` events of a sample's files, file by file, and no more than these.

    Raises
    ------
    EventError
        There are fewer, or a file comes twice.
    """
    if len({path.resolve() for path in files}) < len(files):
        raise EventError(f"{name}: a file is given twice: {', '.join(map(str, files))}.")
    pieces = []
    missing = count
    for path in files:
        available = min(count_events(path), missing)
        pieces.append(read_events(path, 0, available))
        missing -= available
    if missing:
        raise EventError(
            f"{name}: its {len(files)} file(s) hold {count - missing} events, {count} are needed. Give more files, or "
            "lower events.sizes."
        )
    return np.concatenate(pieces)
