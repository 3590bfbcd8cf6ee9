"""Split events by a hash of (run, luminosityBlock, event).

The part of an event depends on its three numbers and the salt alone: not on the order of the events, the chunking, the
number of files or what else is in the sample. Both jets of an event share its numbers and so its part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
