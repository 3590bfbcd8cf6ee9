"""Rows in an order that tells nothing: by a hash of their event, whatever the samples and files that they come from.

Any stretch of the rows is then a fair sample of all, and the jets of an event lie side by side. Rows that memory does
not hold go through files without a name, one a range of the hash, which end with the process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from oddjet.dataset.split import event_uniform

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
        How many will come, about: they are held in memory so many at a time.
    seed : int
        Salt of the hash.
    scratch : Path
        Folder of the files.
    rows_at_a_time : int
        Rows in memory.

    Attributes
    ----------
    count : int
        Number of pieces.
    """

    def __init__(
        self, dtype: np.dtype[np.void], rows: int, seed: int, scratch: Path, rows_at_a_time: int = ROWS_AT_A_TIME
    ) -> None:
        self.dtype, self._seed = dtype, seed ^ SALT
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
        self._stack.close()

    def add(self, rows: NDArray[np.void]) -> None:
        """Take in rows, shape (n,)."""
        place = (event_uniform(rows, self._seed) * len(self._files)).astype(np.intp)
        order = np.argsort(place, kind="stable")
        ends = np.searchsorted(place[order], np.arange(len(self._files) + 1))
        for index, file in enumerate(self._files):
            file.write(np.ascontiguousarray(rows[order[ends[index] : ends[index + 1]]]).tobytes())

    def pieces(self) -> Iterator[NDArray[np.void]]:
        """Give all rows in their new order, a range of the hash at a time; equal events in the order they came in."""
        for file in self._files:
            file.seek(0)
            rows = np.frombuffer(file.read(), self.dtype)
            yield rows[np.argsort(event_uniform(rows, self._seed), kind="stable")]
