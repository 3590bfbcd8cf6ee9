"""Cost matrices of transport problems, compiled: squared Euclidean distances without cancellation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.kernels import kernel


@kernel
def distances_between(x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]], costs: NDArray[np.float64]) -> None:
    """Put |x_i - y_j|^2 into costs[i, j], in float64: x of shape (N, D), y (M, D), costs (N, M).

    NaN and infinity go through, so that the caller sees them.
    """
    n_features = x.shape[1]
    columns = np.empty((n_features, y.shape[0]))
    for j in range(y.shape[0]):
        for feature in range(n_features):
            columns[feature, j] = y[j, feature]
    # Four features at a time: the row of costs is loaded and stored a quarter as often.
    whole = n_features - n_features % 4
    for i in range(x.shape[0]):
        row = costs[i]
        row[:] = 0.0
        for feature in range(0, whole, 4):
            a, b = np.float64(x[i, feature]), np.float64(x[i, feature + 1])
            c, d = np.float64(x[i, feature + 2]), np.float64(x[i, feature + 3])
            first, second, third, fourth = (
                columns[feature],
                columns[feature + 1],
                columns[feature + 2],
                columns[feature + 3],
            )
            for j in range(len(row)):
                pair = (a - first[j]) * (a - first[j]) + (b - second[j]) * (b - second[j])
                row[j] += pair + ((c - third[j]) * (c - third[j]) + (d - fourth[j]) * (d - fourth[j]))
        for feature in range(whole, n_features):
            value = np.float64(x[i, feature])
            column = columns[feature]
            for j in range(len(row)):
                row[j] += (value - column[j]) * (value - column[j])


def aligned_distances(x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]], costs: NDArray[np.float64]) -> None:
    """Put squared distances of aligned points into costs[i, j]: x of shape (N, D), y (M, D), finite.

    For any symmetric positive definite A, |A^(1/2) x - A^(-1/2) y|^2 = |x - y|^2 + f(x) + g(y), and the sums of f and g
    are the same for every permutation; so are those of a shift: the same permutations are optimal as for
    |x_i - y_j|^2. With the A that carries a Gaussian of the covariance of x to one of y (Olkin and Pukelsheim 1982) the
    part of the cost that a linear map explains is gone before the solver starts: on jets and their samples it then
    takes a tenth of the time. Not a kernel itself: with all of those that it calls it would be compiled once more.
    """
    first, second = _aligned(x, y)
    distances_between(first, second, costs)


def straightened_distances(x: Floats, y: Floats, costs: Floats) -> None:
    """Put what is left of the squared distances of aligned points into costs[i, j]: x and y of shape (N, D), finite.

    What a map of each coordinate by itself explains is taken off as well: along each principal axis the potentials of
    the transport of the sorted coordinates, functions of x and of y alone again. So the optimal permutations stay the
    same, and no cost is below zero but for rounding. It helps where the points lie at corners of a box, in clusters or
    on a line, whose map is far from linear, or along which all paths of the solver are long.
    """
    first, second = _aligned(x, y)
    # Aligned points have one covariance.
    axes = np.linalg.eigh(first.T @ first)[1]
    first, second = (np.ascontiguousarray(points @ axes) for points in (first, second))
    distances_between(first, second, costs)
    _subtract(costs, *_sorted_potentials(first, second))


def _sorted_potentials(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return optimal potentials of the squared distances along each axis, summed over axes; shapes (N,)."""
    of_x, of_y = np.zeros(len(x)), np.zeros(len(y))
    for first, second in zip(x.T, y.T, strict=True):
        orders = [np.argsort(values, kind="stable") for values in (first, second)]
        a, b = first[orders[0]], second[orders[1]]
        # Between the least and the largest step for which neighbours do not want to change places.
        steps = np.diff(a) * (a[1:] + a[:-1] - b[1:] - b[:-1])
        potential = np.concatenate([[0.0], np.cumsum(steps)])
        of_x[orders[0]] += potential
        of_y[orders[1]] += (a - b) ** 2 - potential
    return of_x, of_y


@kernel
def _subtract(costs: Floats, rows: Floats, columns: Floats) -> None:
    for i in range(len(costs)):
        row, own = costs[i], rows[i]
        for j in range(len(row)):
            row[j] -= own + columns[j]


@kernel
def _aligned(x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]]) -> tuple[Floats, Floats]:
    """Return both sets, centred, with what a linear map explains taken off; see `aligned_distances`."""
    first, second = _centred(x), _centred(y)
    root, inverse = _roots(_covariance(first))
    middle, _ = _roots(root @ _covariance(second) @ root)
    stretch, squeeze = _roots(inverse @ middle @ inverse)
    return first @ stretch, second @ squeeze


@kernel
def _centred(points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    result = np.empty(points.shape)
    for feature in range(points.shape[1]):
        mean = 0.0
        for i in range(points.shape[0]):
            mean += points[i, feature]
        mean /= points.shape[0]
        for i in range(points.shape[0]):
            result[i, feature] = points[i, feature] - mean
    return result


@kernel
def _covariance(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    covariance: NDArray[np.float64] = np.ascontiguousarray(centred.T) @ centred / centred.shape[0]
    return covariance


@kernel
def _roots(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Square root of a symmetric matrix (D, D) and its inverse, with eigenvalues kept away from zero."""
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    floor = max(1e-6 * values[-1], 1e-12)
    roots = np.sqrt(np.maximum(values, floor))
    transposed = np.ascontiguousarray(vectors.T)
    return (vectors * roots) @ transposed, (vectors / roots) @ transposed
