"""Rows of event files for scoring: as the columns that networks see, or as the events of the test sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.events.layout import Events, count_events, iterate_events
from oddjet.events.protocol import first_events
from oddjet.events.settings import GroundSettings
from oddjet.events.table import flatten
from oddjet.io.tables import Column

ROW = Column("row", "i8", "1", "row of the event in its input file")


class EventRows:
    """The first events of a file, shape (n, 19, 4), all at once.

    Parameters
    ----------
    number
        How many are scored.
    ground
        Given where the events are transported in 2D; see `oddjet.events.protocol.first_events`.
    """

    of_samples = False

    def __init__(self, number: int, ground: GroundSettings | None = None) -> None:
        self._number, self._ground = number, ground

    def columns(self, path: Path) -> list[Column]:
        """Return the row of the event."""
        return [ROW]

    def check(self, paths: Sequence[Path]) -> None:
        """Raise `EventError` for a file whose first events cannot be scored."""
        for path in paths:
            first_events(path, self._number, ground=self._ground)

    def read(
        self, path: Path, kept: Sequence[str], position: int, factor: float
    ) -> Iterator[tuple[Mapping[str, Any], Events]]:
        """Read a file; see `oddjet.detectors.opening.Rows`. Events have no weights."""
        yield {"row": np.arange(self._number)}, first_events(path, self._number, ground=self._ground)


class FlatEvents:
    """All events of a file as structured arrays with the 57 columns of `oddjet.events.table`, chunk by chunk."""

    of_samples = False

    def columns(self, path: Path) -> list[Column]:
        """Return the row of the event."""
        return [ROW]

    def check(self, paths: Sequence[Path]) -> None:
        """Raise `TableError` for a file that holds no events."""
        for path in paths:
            count_events(path)

    def read(
        self, path: Path, kept: Sequence[str], position: int, factor: float
    ) -> Iterator[tuple[Mapping[str, Any], NDArray[np.void]]]:
        """Read a file; see `oddjet.detectors.opening.Rows`. Events have no weights."""
        start = 0
        for events in iterate_events(path):
            yield {"row": np.arange(start, start + len(events))}, flatten(events)
            start += len(events)
