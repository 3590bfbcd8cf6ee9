"""Representatives of a set from its matrix of distances: k medoids, and how many of them are worth having."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats, Ints
from oddjet.errors import TransportError

LOGGER = logging.getLogger("oddjet")
# Changes of the cost below this share of it are rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Medoids:
    """K members of a set and how far the others are.

    Attributes
    ----------
    members : int64 array, shape (k,)
        Positions in the set, ascending.
    nearest : float64 array, shape (n,)
        Distance of each to the nearest member.
    cost : float
        Sum of these, weighted.
    """

    members: Ints
    nearest: Floats
    cost: float


@dataclass(frozen=True)
class Restarts:
    """Random starts of the search for k medoids, beside the start from those of k - 1.

    Attributes
    ----------
    number : int
        Starts of each k.
    seed : int
        Of the members that they start from.
    sizes : collection of int or None
        Which k are searched again; None: all.
    """

    number: int = 5
    seed: int = 1
    sizes: Collection[int] | None = None


NO_RESTARTS = Restarts(0)


def find_medoids(
    distances: NDArray[np.floating[Any]],
    largest: int,
    *,
    weights: NDArray[np.floating[Any]] | None = None,
    restarts: Restarts = NO_RESTARTS,
) -> list[Medoids]:
    """Find k medoids for k = 1 to `largest`: build (add the best one), then swap as long as that lowers the cost.

    Each k starts from the medoids of k - 1 and the one that lowers the cost most, so the cost never rises with k (as
    long as no weight is negative). That ends in a local minimum; random starts are swapped as well, and the lowest cost
    is kept, the first one of equals. A member is never chosen twice. Where fewer than k members differ, some of the k
    lie at the same place, and a warning says so.

    Parameters
    ----------
    distances
        Symmetric, not negative, zero on the diagonal: shape (n, n).
    largest
        At most n.
    weights
        What each distance to the nearest member counts in the cost, shape (n,); left out: one each. Some may be
        negative, their sum not.
    restarts
        Random starts.

    Returns
    -------
    list of Medoids, for k = 1, 2, ...

    Raises
    ------
    TransportError
        The matrix is not one of distances, the weights do not fit or do not add up to more than 0, or `largest` does
        not fit.

    References
    ----------
    Kaufman, Rousseeuw, Finding Groups in Data (1990), chapter 2 (PAM); all swaps at once as in Schubert, Rousseeuw,
    Information Systems 101 (2021) 101804.
    """
    matrix = checked_matrix(distances)
    shares = checked_weights(weights, len(matrix))
    if not 1 <= largest <= len(matrix):
        raise TransportError(f"{largest} medoids of {len(matrix)} members: give a number from 1 to {len(matrix)}")
    found: list[Medoids] = []
    members: list[int] = []
    nearest = np.full(len(matrix), np.inf)
    for k in range(1, largest + 1):
        costs = shares @ np.minimum(matrix, nearest[:, None])
        costs[members] = np.inf
        members = _swapped(matrix, shares, [*members, int(np.argmin(costs))])
        if restarts.sizes is None or k in restarts.sizes:
            members = _restarted(matrix, shares, members, restarts)
        nearest = matrix[:, members].min(axis=1)
        found.append(Medoids(np.sort(np.array(members, np.int64)), nearest, float(shares @ nearest)))
    _warn_of_repeats(matrix, found[-1])
    return found


def checked_matrix(distances: NDArray[np.floating[Any]]) -> Floats:
    """Give a matrix of distances as float64.

    Raises
    ------
    TransportError
        It is not square, not finite, not symmetric, or has a negative value or a diagonal that is not zero; the message
        names the first such place.
    """
    matrix = np.asarray(distances, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise TransportError(f"medoids need a square matrix of distances, not one of shape {matrix.shape}")
    for row, values in enumerate(matrix):
        slack = 1e-9 * np.abs(values)
        bad = ~np.isfinite(values) | (values < 0) | ~(np.abs(values - matrix[:, row]) <= slack)
        bad[row] |= values[row] != 0
        if bad.any():
            column = int(np.argmax(bad))
            raise TransportError(
                f"medoids need distances that are finite, symmetric, not negative, and 0 on the diagonal: row {row}, "
                f"column {column} has {values[column]:g}, row {column}, column {row} has {matrix[column, row]:g}"
            )
    return matrix


def checked_weights(weights: NDArray[np.floating[Any]] | None, members: int) -> Floats:
    """Give weights as float64, ones if there are none; raises `TransportError` as `find_medoids` says."""
    if weights is None:
        return np.ones(members)
    given = np.asarray(weights, np.float64)
    if given.shape != (members,) or not np.isfinite(given).all() or not given.sum() > 0:
        raise TransportError(
            f"the weights of {members} members must be as many finite numbers that add up to more than 0, not "
            f"{given.size} with the sum {given.sum():g}"
        )
    return given


def _restarted(matrix: Floats, weights: Floats, members: list[int], restarts: Restarts) -> list[int]:
    """Give the best of these members and of those that random starts lead to."""
    k = len(members)
    generator = np.random.default_rng([restarts.seed, k])
    best, least = members, float(weights @ matrix[:, members].min(axis=1))
    for _ in range(restarts.number if k < len(matrix) else 0):
        start = [int(member) for member in generator.choice(len(matrix), k, replace=False)]
        tried = _swapped(matrix, weights, start)
        cost = float(weights @ matrix[:, tried].min(axis=1))
        if cost < least - ROUNDING * abs(least):
            best, least = tried, cost
    return best


def _swapped(matrix: Floats, weights: Floats, members: list[int]) -> list[int]:
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
        change = weights @ gained + np.stack(
            [weights[order[:, 0] == i] @ lost[order[:, 0] == i] for i in range(len(current))]
        )
        change[:, current] = np.inf
        out, into = np.unravel_index(np.argmin(change), change.shape)
        if change[out, into] >= -ROUNDING * float(np.abs(weights) @ first[:, 0]):
            return current
        current[int(out)] = int(into)


def _warn_of_repeats(matrix: Floats, medoids: Medoids) -> None:
    among = matrix[np.ix_(medoids.members, medoids.members)]
    repeats = int(np.triu(among == 0, 1).any(axis=0).sum())
    if repeats:
        LOGGER.warning(
            "%d of %d medoids lie where another one lies: fewer than %d members differ",
            repeats,
            len(among),
            len(among),
        )


# Above it, two joined lines are taken for one: there is no elbow.
LARGEST_CHANCE = 0.05


def histogram(
    nearest: NDArray[np.floating[Any]], bins: int, weights: NDArray[np.floating[Any]] | None = None
) -> tuple[Floats, float]:
    """Weighted histogram of distances: `bins` contents from 0 on, and the largest distance, where the last one ends."""
    largest = float(np.max(nearest)) or 1.0
    return np.histogram(nearest, bins, (0.0, largest), weights=weights)[0].astype(np.float64), largest


def most_frequent(counts: Floats, largest: float) -> float:
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
    chance : float
        Probability that points around one straight line are joined so well by two (F test with 2 degrees of freedom).
    """

    point: float
    start: float
    slope: float
    bend: float
    chance: float

    @property
    def suggested(self) -> int | None:
        """The first integer that is not below the break; None where the curve does not fall and then flatten."""
        falls = self.slope < 0 < self.bend and -self.slope > abs(self.slope + self.bend)
        return int(np.ceil(self.point - 1e-9)) if falls and self.chance < LARGEST_CHANCE else None

    def value(self, k: Floats) -> Floats:
        """Value of the lines at k, of any shape."""
        return np.asarray(self.start + self.slope * k + self.bend * np.maximum(k - self.point, 0.0))


def elbow(peaks: Sequence[float], steps_a_unit: int = 200) -> Elbow:
    """Fit two joined straight lines to a curve of k = 1, 2, ...: the break with the least sum of squares.

    Each line has two values at least, so the break lies between the second value and the last but one.

    Parameters
    ----------
    peaks
        Values for k = 1 to len(peaks), at least 4.
    steps_a_unit
        Break points that are tried between two values of k; each leaves a linear problem.

    Raises
    ------
    TransportError
        Fewer than 4 values.
    """
    if len(peaks) < 4:
        raise TransportError(f"an elbow needs at least 4 values of k, not {len(peaks)}")
    k, values = np.arange(1, len(peaks) + 1, dtype=np.float64), np.asarray(peaks, dtype=np.float64)
    straight = np.stack([np.ones_like(k), k], axis=1)
    squares_of_one = float(((straight @ np.linalg.lstsq(straight, values, rcond=None)[0] - values) ** 2).sum())
    best, least = (2.0, 0.0, 0.0, 0.0), np.inf
    for point in np.linspace(2, len(peaks) - 1, (len(peaks) - 3) * steps_a_unit + 1):
        model = np.column_stack([straight, np.maximum(k - point, 0.0)])
        start, slope, bend = (float(x) for x in np.linalg.lstsq(model, values, rcond=None)[0])
        squares = float(((model @ [start, slope, bend] - values) ** 2).sum())
        # Where the break may lie anywhere between two values of k, the first place counts, whatever rounding says.
        if squares < least - 1e-15:
            best, least = (float(point), start, slope, bend), squares
    return Elbow(*best, _chance(squares_of_one, least, len(peaks) - 4))


def _chance(squares_of_one: float, squares_of_two: float, degrees: int) -> float:
    """Return the F test's probability; 1 where two lines go through any points, or one line through these."""
    if degrees < 1 or squares_of_one <= 1e-15:
        return 1.0
    from scipy.special import fdtrc  # slow to import, and most who read medoids look for no elbow

    ratio = 0.5 * (squares_of_one - squares_of_two) / max(squares_of_two / degrees, 1e-15 * squares_of_one)
    return float(fdtrc(2, degrees, ratio))
