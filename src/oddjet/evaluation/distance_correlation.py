"""Distance correlation of two quantities of the same jets: 0 if, and only if, they are independent.

Szekely, Rizzo and Bakirov, Ann. Stat. 35 (2007) 2769; with weights as in arXiv:2001.05310.
"""

from __future__ import annotations

import math

import numpy as np

from oddjet.arrays import Floats


def centered_distances(values: Floats, shares: Floats) -> Floats:
    """Return the distances between all values, from which the means of their rows and columns are taken.

    Parameters
    ----------
    values : ndarray, shape (n,)
    shares : ndarray, shape (n,)
        Weights that add up to 1.

    Returns
    -------
    ndarray, shape (n, n)
        8 n^2 bytes.
    """
    distances = np.abs(values[:, None] - values[None, :])
    means = distances @ shares
    distances -= means[:, None]
    distances -= means[None, :]
    distances += float(shares @ means)
    return distances


def distance_correlation(first: Floats, second: Floats, shares: Floats) -> float:
    """Return the distance correlation (0 to 1) of two quantities from their centered distances.

    Parameters
    ----------
    first, second : ndarray, shape (n, n)
        From `centered_distances`, with the same shares.
    shares : ndarray, shape (n,)
        Weights that add up to 1.

    Returns
    -------
    float
        NaN where a quantity has one value alone, or weights of both signs leave none.
    """
    covariance, *variances = (
        float(shares @ (a * b) @ shares) for a, b in ((first, second), (first,) * 2, (second,) * 2)
    )
    if min(variances) <= 0:
        return math.nan
    return math.sqrt(max(covariance, 0.0) / math.sqrt(variances[0] * variances[1]))
