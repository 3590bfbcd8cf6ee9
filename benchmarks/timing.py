"""Processor time of a piece of work, which other programs on the machine disturb least; for the programs beside it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def times(work: Callable[[], object], repeats: int, warm_up: int = 0) -> list[float]:
    """Return the processor time in seconds of each of `repeats` calls, after `warm_up` that do not count."""
    found = []
    for _ in range(warm_up + repeats):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return found[warm_up:]


def least(work: Callable[[], object], repeats: int, warm_up: int = 0) -> float:
    """Return the least of `times`."""
    return min(times(work, repeats, warm_up))


def median(work: Callable[[], object], repeats: int, warm_up: int = 0) -> float:
    """Return the median of `times`."""
    return statistics.median(times(work, repeats, warm_up))
