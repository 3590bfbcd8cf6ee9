"""Run a compiled kernel over the seeds of a group, some at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray


def each_seed(kernel: Callable[..., None], arrays: Sequence[NDArray[Any]], others: Sequence[Any], threads: int) -> None:
    """Call `kernel(*arrays, *others)` with the arrays cut along their first axis, the seeds, into `threads` pieces.

    The kernel releases the interpreter's lock and treats each seed by itself, so the pieces change no number.
    """
    n_seeds = len(arrays[0])
    pieces = min(threads, n_seeds)
    if pieces == 1:
        kernel(*arrays, *others)
        return
    edges = [n_seeds * piece // pieces for piece in range(pieces + 1)]
    first, *rest = [tuple(array[low:high] for array in arrays) for low, high in pairwise(edges)]
    tasks = [_pool(pieces - 1).submit(kernel, *piece, *others) for piece in rest]
    # The thread that is here works too: to wake one more costs as much as a small kernel.
    kernel(*first, *others)
    for task in tasks:
        task.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)
