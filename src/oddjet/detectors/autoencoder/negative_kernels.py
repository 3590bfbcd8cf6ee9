"""Compiled steps around the chains on the CPU: their first points, and the cost of matched points with its gradient.

A batch is so small that each operation of torch costs as much as its arithmetic; these took about a tenth of a step.
The torch twins are in `negatives` beside this file.
"""

from __future__ import annotations

import numpy as np

from oddjet.arrays import Floats, Ints, Reals
from oddjet.kernels import kernel


@kernel
def fill_starts(points: Reals, uniform: Reals, fresh: Reals, filled: int, numbers: Reals) -> None:
    """Turn fresh points (S, n, D) into first points of chains: some stay, clamped to the box, the rest are kept ones.

    Parameters
    ----------
    points
        The replay buffer, shape (S, capacity, D).
    uniform
        Numbers in [0, 1), shape (S, 2, n): which kept point, and whether a fresh one.
    fresh
        N(0, 1) numbers, changed in place.
    filled
        How many points the buffer holds, at least 1.
    numbers
        The same, the fraction of fresh points, low and high edge of the box; of the kind of `points`.
    """
    count, fraction, low, high = numbers[0], numbers[1], numbers[2], numbers[3]
    for seed in range(fresh.shape[0]):
        for k in range(fresh.shape[1]):
            if uniform[seed, 1, k] < fraction:
                for feature in range(fresh.shape[2]):
                    value = fresh[seed, k, feature]
                    value = low if value < low else value
                    fresh[seed, k, feature] = high if value > high else value
            else:
                # float32 has 24 bits: a uniform number just below 1 may round up to the size of the buffer.
                place = min(int(uniform[seed, 0, k] * count), filled - 1)
                for feature in range(fresh.shape[2]):
                    fresh[seed, k, feature] = points[seed, place, feature]


@kernel
def fill_costs(x: Floats, y: Floats, matches: Ints, costs: Floats, gradient: Reals, power: int) -> None:
    """Fill the mean cost W_p^p of matched points of each seed, shape (S,), and its gradient with respect to `x`.

    Parameters
    ----------
    x, y
        Finite points, shapes (S, B, D), which are numbers of the kind of `gradient`.
    matches
        The y of each x, shape (S, B).
    gradient
        Shape (S, B, D).
    power
        2: squared Euclidean cost; 1: Euclidean cost, where equal points have the gradient 0.
    """
    size = x.shape[1]
    single = gradient.dtype.type
    scale = single(2.0 / size)
    for seed in range(x.shape[0]):
        total = np.float64(0.0)
        for k in range(size):
            other, square = matches[seed, k], np.float64(0.0)
            for feature in range(x.shape[2]):
                difference = single(x[seed, k, feature]) - single(y[seed, other, feature])
                gradient[seed, k, feature] = difference
                square += np.float64(difference) * np.float64(difference)
            if power == 2:
                total += square
                for feature in range(x.shape[2]):
                    gradient[seed, k, feature] *= scale
            else:
                distance = np.sqrt(square)
                total += distance
                length = single(max(distance, 1e-12) * size)
                for feature in range(x.shape[2]):
                    gradient[seed, k, feature] /= length
        costs[seed] = total / size
