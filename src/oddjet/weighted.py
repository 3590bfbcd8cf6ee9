"""Means, quantiles and draws of jets that do not count the same: one place for what an event's weight does to them.

Weights may have both signs, as those of NLO generators have: a sum over many jets is then still that of the physical
distribution. Equal weights give the plain numbers of NumPy, to the last bit.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.errors import DatasetError

Weights: TypeAlias = NDArray[np.floating[Any]]


def unequal(weights: Weights | None) -> Floats | None:
    """Return weights (n,) in float64, or None if there are none or all are equal: every jet then counts the same."""
    if weights is None or not len(weights) or bool((weights == weights[0]).all()):
        return None
    return np.asarray(weights, dtype=np.float64)


def check_weights(weights: Weights, what: str, *, signed: bool = True) -> None:
    """Raise `DatasetError` where no sample has such weights.

    Parameters
    ----------
    weights : ndarray, shape (n,)
    what : str
        Begins the message: whose weights, and who asks.
    signed : bool
        Whether single weights may be negative; their sum never may.
    """
    exact = np.asarray(weights, dtype=np.float64)
    total, negative = float(exact.sum()), int(np.count_nonzero(exact < 0))
    if not 0 < total < np.inf:
        raise DatasetError(f"{what}: the weights of {len(exact)} jets add up to {total:g}, not to a number above 0")
    if negative and not signed:
        raise DatasetError(
            f"{what}: {negative} of {len(exact)} jets have negative weights, and it cannot use them; take the method "
            "off the config, or give a sample without negative weights"
        )


def effective_number(weights: Weights) -> float:
    """Return the number of equally weighted jets that are worth as much, (sum w)^2 / sum w^2 (Kish 1965)."""
    exact = np.asarray(weights, dtype=np.float64)
    return float(exact.sum() ** 2 / np.sum(exact**2))


def mean(values: NDArray[np.floating[Any]], weights: Floats | None) -> Any:  # noqa: ANN401  a number or an array
    """Return the mean of values (n, ...) over their first axis; weights (n,) as `unequal` gives them."""
    return values.mean(axis=0) if weights is None else np.tensordot(weights, values, axes=(0, 0)) / weights.sum()


def quantiles(values: Floats, probabilities: NDArray[np.float64] | float, weights: Floats | None) -> Floats:
    """Return quantiles of values (n,) at probabilities (k,); weights (n,) as `unequal` gives them.

    A value stands at the share of weight below it plus half its own, linearly in between. Of weights of both signs that
    share goes up and down; the mean of the largest so far and the smallest yet to come takes its place.
    """
    if weights is None:
        return np.asarray(np.quantile(values, probabilities))
    order = np.argsort(values, kind="stable")
    sorted_weights = weights[order]
    share = (np.cumsum(sorted_weights) - 0.5 * sorted_weights) / sorted_weights.sum()
    rising = 0.5 * (np.maximum.accumulate(share) + np.minimum.accumulate(share[::-1])[::-1])
    return np.asarray(np.interp(probabilities, rising, values[order]))


def draw(weights: Weights, limit: int, seed: int) -> NDArray[np.intp]:
    """Draw jets by the size of their weights, as many as the weights are worth.

    Parameters
    ----------
    weights : ndarray, shape (n,)
        Of a negative one its size counts; whoever draws carries the sign.
    limit : int
        Draw no more than so many.
    seed : int

    Returns
    -------
    ndarray of int, shape (m,)
        Ascending rows, m = min(limit, `effective_number` of the sizes). A jet comes as often as its share of m says,
        rounded up or down at random (systematic sampling, Madow 1949): jets of the largest weight come once or
        twice, and a sample of few heavy jets is not copied over and over.

    Raises
    ------
    DatasetError
        If the sizes do not add up to a finite number above 0.
    """
    sizes = np.abs(np.asarray(weights, dtype=np.float64))
    check_weights(sizes, "a draw by weight")
    generator = np.random.default_rng(seed)
    # By size, so that light jets together get their share, and at random among equals: neighbours in the table would
    # otherwise keep one another out.
    order = generator.permutation(len(sizes))
    order = order[np.argsort(sizes[order], kind="stable")]
    reached = np.cumsum(sizes[order])
    count = max(1, min(limit, int(effective_number(sizes) + 1e-6)))
    marks = (generator.random() + np.arange(count)) * (reached[-1] / count)
    places = np.minimum(np.searchsorted(reached, marks, side="right"), len(sizes) - 1)
    return np.sort(order[places])
