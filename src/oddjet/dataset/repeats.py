"""Events that have the same numbers as others: counted and named once, and kept together by every hash of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LOGGER = logging.getLogger("oddjet")

NUMBERS = ("run", "luminosityBlock", "event")
IDENTITY = ("source", "entry")


class RepeatedEvents:
    """Count the events whose run, luminosity block and event number are those of another one.

    An event is told by its file and its entry there. Simulated samples, Delphes files and merged private productions
    repeat the numbers; such events go to one part of the dataset, as both jets of one event do.

    Parameters
    ----------
    sources : sequence of str
        Names of the files, for the message.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        self._sources = sources
        self.events = 0
        self.repeated = 0
        self._first = ""

    def update(self, jets: NDArray[np.void]) -> None:
        """Take in all jets of some numbers, shape (n,): those of equal numbers must not come in two pieces."""
        events = np.unique(jets[[*NUMBERS, *IDENTITY]])
        self.events += len(events)
        if not len(events):
            return
        # `unique` sorts: events of the same numbers are neighbours.
        same = events[list(NUMBERS)][1:] == events[list(NUMBERS)][:-1]
        shared = np.concatenate([same, [False]]) | np.concatenate([[False], same])
        self.repeated += int(np.count_nonzero(shared))
        if shared.any() and not self._first:
            one, other = events[int(np.argmax(shared))], events[int(np.argmax(shared)) + 1]
            files = " and ".join(
                f"entry {event['entry']} of {self._sources[event['source']]}" for event in (one, other)
            )
            self._first = f"{one['run']}:{one['luminosityBlock']}:{one['event']} is {files}"

    def attributes(self) -> dict[str, str]:
        """Give what a table says of it."""
        return {"repeated_events": str(self.repeated)}

    def log(self) -> None:
        """Say it once, if there are any."""
        if self.repeated:
            LOGGER.warning(
                "%d of %d events share run, luminosity block and event number with another one (%s); they are told by "
                "file and entry, and stay in one part of the dataset",
                self.repeated,
                self.events,
                self._first,
            )
