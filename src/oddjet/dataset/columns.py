"""What a scaler takes from each column: moments by weight, the extreme jets, and whether the column survives it."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.errors import DatasetError
from oddjet.weighted import unequal

LOGGER = logging.getLogger("oddjet")

# Values that differ by no more than this number of units in the last place of a float32 are one value.
LAST_BITS = 8
# A scaling that makes one value of more than this share of a column's distinct ones has lost the column.
LOST = 0.5
# Without so small a share of the jets on either side (one jet at least) the range should not shrink by more than this.
EXTREME_SHARE, SHRINKAGE = 0.001, 100.0


class WeightedMoments:
    """Mean and deviation of columns that arrive in pieces, by weight.

    Sums of differences from the first piece's mean: they add up whatever the signs of the weights, which a running mean
    does not, and equal weights in one piece give NumPy's mean and deviation to the last bit.

    Parameters
    ----------
    size : int
        Number of columns D.
    """

    def __init__(self, size: int) -> None:
        self._total = self._unit = 0.0
        self._centre, self._first, self._second = (np.zeros(size) for _ in range(3))

    def update(self, values: Floats, weights: Floats) -> None:
        """Take in values, shape (n, D), and weights (n,)."""
        if not self._unit:
            self._unit = float(np.abs(weights).max()) or 1.0
            self._centre = np.array([column.mean() for column in values.T])
        # In units of the first weight, so that a cross section on all of them changes no bit.
        relative = weights / self._unit
        varying = unequal(relative)
        self._total += float(relative.sum())
        for index, column in enumerate(values.T):
            if varying is None:
                mean = column.mean()
                shift, weight = mean - self._centre[index], relative[0] * len(column)
                self._first[index] += weight * shift
                self._second[index] += relative[0] * ((column - mean) ** 2).sum() + weight * shift**2
            else:
                difference = column - self._centre[index]
                self._first[index] += varying @ difference
                self._second[index] += varying @ difference**2

    def finish(self, names: Sequence[str]) -> tuple[Floats, Floats]:
        """Return means and deviations, shape (D,) each; `names` of the columns are for the errors.

        Raises
        ------
        DatasetError
            If the weights do not add up to more than 0, or leave a variance that is none.
        """
        if not self._total > 0:
            raise DatasetError(
                f"the weights of the background training jets add up to {self._total * self._unit:g}, not above 0; "
                "look at the generator weights of the samples"
            )
        shift = self._first / self._total
        variance = self._second / self._total - shift**2
        wrong = np.flatnonzero(~(variance > 0))
        if len(wrong):
            raise DatasetError(
                f"feature {names[wrong[0]]}: the weights of both signs leave the variance {variance[wrong[0]]:g}; "
                "too few jets for so many negative weights: give more of them"
            )
        return self._centre + shift, np.sqrt(variance)


class Extremes:
    """The smallest and the largest value of a column, and whose they are.

    Parameters
    ----------
    name : str
        The feature.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.minimum, self.maximum = math.inf, -math.inf
        self._lowest = self._highest = ""

    def update(self, values: Floats, file: str, rows: NDArray[np.intp]) -> None:
        """Take in values (n,) from these rows of a file."""
        low, high = int(np.argmin(values)), int(np.argmax(values))
        if values[low] < self.minimum:
            self.minimum, self._lowest = float(values[low]), _place(file, int(rows[low]))
        if values[high] > self.maximum:
            self.maximum, self._highest = float(values[high]), _place(file, int(rows[high]))

    def check(self, count: int) -> None:
        """Raise `DatasetError` if all `count` jets have one value, or differ by last bits alone."""
        if not self.minimum < self.maximum:
            raise DatasetError(
                f"feature {self.name} has the value {self.minimum:g} (after its transform) in all {count} "
                "background training jets and cannot be scaled; remove it from dataset.features or give more jets"
            )
        largest = max(abs(self.minimum), abs(self.maximum))
        if self.maximum - self.minimum <= LAST_BITS * np.finfo(np.float32).eps * largest:
            raise DatasetError(
                f"feature {self.name} has the value {self.minimum:g} (after its transform) in all {count} background "
                f"training jets but for the last bits ({self._highest} is the largest) and cannot be scaled; remove it "
                "from dataset.features"
            )

    def check_resolution(self, values: Floats, scaled: NDArray[np.float32]) -> None:
        """See whether a few jets rule the scale of the column.

        Parameters
        ----------
        values, scaled : ndarray, shape (n,)
            Of an even sample of the jets, before and after the scaling.

        Raises
        ------
        DatasetError
            If scaling makes one value of most of the distinct ones; where they merely lie close, a warning is logged.
        """
        ascending = np.sort(values)
        left_out = min(max(1, int(EXTREME_SHARE * len(values))), (len(values) - 1) // 2)
        low, high = ascending[left_out], ascending[-1 - left_out]
        above = self.maximum - high > low - self.minimum
        extreme, place = (self.maximum, self._highest) if above else (self.minimum, self._lowest)
        ruled = (
            f"feature {self.name} is {extreme:g} (after its transform) in {place}, while all but a few jets lie "
            f"between {low:g} and {high:g}"
        )
        ways = (
            f"look at that jet; give the feature a logarithm (dataset.log_floors: {{{self.name}: ...}}), or take it or "
            "the jet out"
        )
        before, after = len(np.unique(values)), len(np.unique(scaled))
        if after < LOST * before:
            raise DatasetError(f"{ruled}: scaled to that, {before} different values become {after}; {ways}")
        if 0 < (high - low) * SHRINKAGE < self.maximum - self.minimum:
            LOGGER.warning("%s: its scale depends on so few; %s", ruled, ways)


def _place(file: str, row: int) -> str:
    return f"row {row} of {file}" if file else f"row {row}"
