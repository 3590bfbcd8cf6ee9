"""Cost matrices of many transport problems, compiled: squared Euclidean distances without cancellation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True, error_model="numpy")
def fill_squared_distances(
    x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]], costs: NDArray[np.float64]
) -> None:
    """Put |x_i - y_j|^2 into costs[s, i, j], in float64: x of shape (S, N, D), y (S, M, D), costs (S, N, M).

    NaN and infinity go through, so that the caller sees them.
    """
    n_features = x.shape[2]
    columns = np.empty((n_features, y.shape[1]))
    for seed in range(x.shape[0]):
        for j in range(y.shape[1]):
            for feature in range(n_features):
                columns[feature, j] = y[seed, j, feature]
        for i in range(x.shape[1]):
            row = costs[seed, i]
            row[:] = 0.0
            for feature in range(n_features):
                value = np.float64(x[seed, i, feature])
                column = columns[feature]
                for j in range(len(row)):
                    row[j] += (value - column[j]) * (value - column[j])
