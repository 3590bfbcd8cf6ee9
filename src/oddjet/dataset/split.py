"""Split and order events by hashes of their numbers (run, luminosityBlock, event).

Both jets of an event go to one part of the dataset, and so do events of equal numbers, which are counted and named.
Rows lie in an order that tells nothing, by a hash of its own: any stretch of them is a fair sample of all, and the jets
of an event lie side by side. Rows that memory does not hold go through files without a name, one a range of the hash,
which end with the process.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oddjet.io.atomic import writing

if TYPE_CHECKING:
    from oddjet.dataset.settings import Fractions

PARTS = ("train", "validation", "test")

# Constants of splitmix64 (Steele, Lea, Flood, OOPSLA 2014; public-domain reference code by S. Vigna).
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the output of one splitmix64 step for every state in `value`.

    Parameters
    ----------
    value : ndarray of uint64, any shape
        States; arithmetic wraps modulo 2**64, as the algorithm wants.

    Returns
    -------
    ndarray of uint64, same shape
    """
    mixed = np.asarray(value, dtype=np.uint64) + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def event_uniform(jets: NDArray[np.void], seed: int) -> NDArray[np.float64]:
    """Hash every jet's event to a number in [0, 1).

    Parameters
    ----------
    jets : structured ndarray, shape (n,)
        Must have the integer columns run, luminosityBlock and event.
    seed : int
        Salt, 0 <= seed < 2**64.

    Returns
    -------
    ndarray of float64, shape (n,)
        53 random bits each; equal for equal (run, luminosityBlock, event).
    """
    state = np.full(len(jets), seed, dtype=np.uint64)
    for name in ("run", "luminosityBlock", "event"):
        # Mixed before the next number comes in: (1, 2, 3) and (2, 1, 3) must not meet.
        state = mix(state) ^ jets[name].astype(np.uint64)
    bits = mix(state) >> np.uint64(11)
    return np.asarray(bits.astype(np.float64) * 2.0**-53)


def assign_parts(jets: NDArray[np.void], fractions: Fractions, seed: int) -> NDArray[np.int8]:
    """Assign each jet to a part of the dataset.

    Parameters
    ----------
    jets : structured ndarray, shape (n,)
        With run, luminosityBlock and event.
    fractions : Fractions
        Shares of the events.
    seed : int
        Salt of the hash.

    Returns
    -------
    ndarray of int8, shape (n,)
        Index into `PARTS`.
    """
    edges = np.array([fractions.train, fractions.train + fractions.validation])
    return np.searchsorted(edges, event_uniform(jets, seed), side="right").astype(np.int8)


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


ROWS_AT_A_TIME = 500_000
# As many files may be open: with more rows each holds more.
MOST_FILES = 256
# The order has a salt of its own: the split's hash is the same number for all rows of the first training events.
SALT = 0x6F72646572


class Interleaved:
    """Take rows in any order and give them back in that of their events' hash.

    Parameters
    ----------
    dtype : numpy.dtype
        Of the rows; with run, luminosityBlock and event.
    rows : int
        About how many will come: it decides the number of files.
    seed : int
        Salt of the hash.
    scratch : Path
        Folder of the files.
    rows_at_a_time : int
        About how many rows of one file are in memory.

    Attributes
    ----------
    count : int
        Number of pieces.
    """

    def __init__(
        self, dtype: np.dtype[np.void], rows: int, seed: int, scratch: Path, rows_at_a_time: int = ROWS_AT_A_TIME
    ) -> None:
        self.dtype, self._seed, self._scratch = dtype, seed ^ SALT, scratch
        self.count = min(max(1, -(-rows // rows_at_a_time)), MOST_FILES)
        scratch.mkdir(parents=True, exist_ok=True)
        self._stack, self._files = ExitStack(), []
        for _ in range(self.count):
            self._files.append(self._stack.enter_context(tempfile.TemporaryFile(dir=scratch)))  # noqa: SIM115

    def __enter__(self) -> Interleaved:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # What they hold goes: a disk that took not all of it is told where it was written.
        with suppress(OSError):
            self._stack.close()

    def add(self, rows: NDArray[np.void]) -> None:
        """Take in rows, shape (n,); raises `DiskError`."""
        place = (event_uniform(rows, self._seed) * len(self._files)).astype(np.intp)
        order = np.argsort(place, kind="stable")
        ends = np.searchsorted(place[order], np.arange(len(self._files) + 1))
        with writing(self._scratch):
            for index, file in enumerate(self._files):
                file.write(np.ascontiguousarray(rows[order[ends[index] : ends[index + 1]]]).tobytes())

    def pieces(self) -> Iterator[NDArray[np.void]]:
        """Give all rows in their new order, a range of the hash at a time; equal events in the order they came in."""
        for file in self._files:
            with writing(self._scratch):
                file.seek(0)
            rows = np.frombuffer(file.read(), self.dtype)
            yield rows[np.argsort(event_uniform(rows, self._seed), kind="stable")]
