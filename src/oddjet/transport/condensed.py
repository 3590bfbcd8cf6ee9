"""Distances of all pairs, each kept once: (0, 1), (0, 2), ..., as scipy's `squareform` wants them."""

from __future__ import annotations

import numpy as np

from oddjet.arrays import Floats


def square(condensed: Floats) -> Floats:
    """Full symmetric matrix, shape (n, n), of n (n - 1) / 2 distances."""
    n = round((1 + np.sqrt(1 + 8 * len(condensed))) / 2)
    matrix = np.zeros((n, n))
    matrix[np.triu_indices(n, 1)] = condensed
    return matrix + matrix.T
