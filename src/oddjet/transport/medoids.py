"""Representatives of a set from its matrix of distances: k medoids, and how many of them are worth having."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import OddjetError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class MedoidError(OddjetError):
    """A matrix of distances without medoids, or curves without an elbow."""


@dataclass(frozen=True)
class Medoids:
    """K members of a set and how far the others are.

    Attributes
    ----------
    members : int64 array, shape (k,)
        Positions in the set, ascending.
    nearest : float64 array, shape (n,)
        Distance of each to the nearest member.
    """

    members: Ints
    nearest: Floats

    @property
    def cost(self) -> float:
        """Sum of the distances to the nearest member."""
        return float(self.nearest.sum())


def find_medoids(distances: NDArray[np.floating[Any]], largest: int) -> list[Medoids]:
    """Find k medoids for k = 1 to `largest`: build (add the best one), then swap as long as that lowers the cost.

    Each k starts from the medoids of k - 1 and the one that lowers the cost most, so the cost never rises with k.

    Parameters
    ----------
    distances
        Symmetric, shape (n, n).
    largest
        At most n.

    Returns
    -------
    list of Medoids, for k = 1, 2, ...

    Raises
    ------
    MedoidError
        The matrix is not square or not finite, or `largest` does not fit.

    References
    ----------
    Kaufman, Rousseeuw, Finding Groups in Data (1990), chapter 2 (PAM); all swaps at once as in Schubert, Rousseeuw,
    Information Systems 101 (2021) 101804.
    """
    matrix = np.asarray(distances, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise MedoidError(f"medoids need a square matrix of finite distances, not one of shape {matrix.shape}")
    if not 1 <= largest <= len(matrix):
        raise MedoidError(f"{largest} medoids of {len(matrix)} members: give a number from 1 to {len(matrix)}")
    found: list[Medoids] = []
    members: list[int] = []
    nearest = np.full(len(matrix), np.inf)
    for _ in range(largest):
        members.append(int(np.argmin(np.minimum(matrix, nearest[:, None]).sum(axis=0))))
        members = _swapped(matrix, members)
        nearest = matrix[:, members].min(axis=1)
        found.append(Medoids(np.sort(np.array(members, np.int64)), nearest))
    return found


def _swapped(matrix: Floats, members: list[int]) -> list[int]:
    """Exchange a member for a non-member, the best pair at a time, until none lowers the cost."""
    current = list(members)
    while True:
        held = matrix[:, current]
        order = np.argsort(held, axis=1, kind="stable")
        first = np.take_along_axis(held, order[:, :1], 1)
        second = np.take_along_axis(held, order[:, 1:2], 1) if len(current) > 1 else np.full_like(first, np.inf)
        gained = np.minimum(matrix - first, 0.0)
        # What is lost by those whose nearest member goes: they take the new one or their second nearest.
        lost = np.minimum(matrix, second) - first - gained
        change = np.stack([lost[order[:, 0] == i].sum(axis=0) for i in range(len(current))]) + gained.sum(axis=0)
        out, into = np.unravel_index(np.argmin(change), change.shape)
        if change[out, into] >= -1e-12 * first.sum():
            return current
        current[int(out)] = int(into)


def histogram(nearest: NDArray[np.floating[Any]], bins: int) -> tuple[Ints, float]:
    """Histogram of distances: `bins` counts from 0 on, and the largest distance, where the last bin ends."""
    largest = float(np.max(nearest)) or 1.0
    return np.histogram(nearest, bins=bins, range=(0.0, largest))[0].astype(np.int64), largest


def most_frequent(counts: Ints, largest: float) -> float:
    """Position of the peak of such a histogram: the middle of the fullest bin."""
    return float((np.argmax(counts) + 0.5) * largest / len(counts))


@dataclass(frozen=True)
class Elbow:
    """Two straight lines, joined at `point`: value = start + slope k + bend max(0, k - point).

    Attributes
    ----------
    point : float
        Where they break.
    start, slope, bend : float
        Least squares.
    """

    point: float
    start: float
    slope: float
    bend: float

    @property
    def suggested(self) -> int:
        """The first integer that is not below the break."""
        return int(np.ceil(self.point - 1e-9))

    def value(self, k: Floats) -> Floats:
        """Value of the lines at k, of any shape."""
        return np.asarray(self.start + self.slope * k + self.bend * np.maximum(k - self.point, 0.0))


def elbow(peaks: Sequence[float], steps_a_unit: int = 200) -> Elbow:
    """Fit two joined straight lines to a curve of k = 1, 2, ...: the break with the least sum of squares.

    Parameters
    ----------
    peaks
        Values for k = 1 to len(peaks), at least 4.
    steps_a_unit
        Break points that are tried between two values of k; each leaves a linear problem.

    Raises
    ------
    MedoidError
        Fewer than 4 values.
    """
    if len(peaks) < 4:
        raise MedoidError(f"an elbow needs at least 4 values of k, not {len(peaks)}")
    k = np.arange(1, len(peaks) + 1, dtype=np.float64)
    tried = np.linspace(1, len(peaks), (len(peaks) - 1) * steps_a_unit + 1)[1:-1]
    best, least = Elbow(1.0, 0.0, 0.0, 0.0), np.inf
    for point in tried:
        model = np.stack([np.ones_like(k), k, np.maximum(k - point, 0.0)], axis=1)
        fitted = Elbow(float(point), *(float(x) for x in np.linalg.lstsq(model, np.asarray(peaks), rcond=None)[0]))
        squares = float(((fitted.value(k) - peaks) ** 2).sum())
        # Where the break may lie anywhere between two values of k, the first place counts, whatever rounding says.
        if squares < least - 1e-15:
            best, least = fitted, squares
    return best
