"""A weighted sample as sets of equal weight: what the exact assignment, and every method without weights, needs.

Rows are drawn by systematic sampling from a random order (Madow 1949): in n rows, one with the share p of all weights
comes floor(n p) or ceil(n p) times. With equal weights that is a draw without replacement.

Simulation at next-to-leading order has jets of negative weight. No set of equal weights holds such a law, but two do: a
set of positive weight, and one that is taken away from it. Their distances are in `oddjet.transport.assignment`: who
only draws laws, as every training does, needs no solver.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import TransportError

Points = NDArray[np.floating[Any]]
# The rows are the same in every training and every comparison of a dataset.
ROWS_SEED = 1


class Law(NamedTuple):
    """Jets of equal weight, shape (p, D), and those that are taken away, shape (q, D), q below p."""

    positive: Points
    negative: Points

    @property
    def net(self) -> int:
        """How many jets of a law without signs it stands for."""
        return len(self.positive) - len(self.negative)


def check_weights(weights: NDArray[np.floating[Any]], what: str = "jets") -> NDArray[np.float64]:
    """Return the weights in float64; raises `TransportError` when they are not finite or their sum is not above 0."""
    checked = np.asarray(weights, np.float64)
    bad = np.flatnonzero(~np.isfinite(checked))
    if len(bad):
        raise TransportError(f"{what}: the weight of row {bad[0]} is {checked[bad[0]]:g}; every weight must be finite")
    if not checked.sum() > 0:
        raise TransportError(
            f"{what}: the weights of {len(checked)} jets add up to {checked.sum():g}; a law needs a sum above 0"
        )
    return checked


def negative_share(weights: NDArray[np.floating[Any]]) -> float:
    """Share of the negative weights in the sum of |w|."""
    magnitudes = np.abs(np.asarray(weights, np.float64))
    return float(magnitudes[np.asarray(weights) < 0].sum() / magnitudes.sum())


def draw_rows(weights: NDArray[np.floating[Any]], n: int, seed: int = ROWS_SEED) -> NDArray[np.int64]:
    """Draw rows that each stand for the same share of the law.

    Parameters
    ----------
    weights
        Shape (N,), none negative.
    n
        How many rows; a row comes more than once only where its weight asks for it.
    seed
        Of the random order and of the first step.

    Returns
    -------
    Row numbers, shape (n,), in random order, copies of a row side by side.

    Raises
    ------
    TransportError
        A weight is negative or not finite, or they add up to 0.
    """
    checked = check_weights(weights)
    if (checked < 0).any():
        raise TransportError(
            f"rows cannot be drawn by weight: {int((checked < 0).sum())} of {len(checked)} are negative"
        )
    generator = np.random.default_rng(seed)
    order = generator.permutation(np.flatnonzero(checked > 0))
    edges = np.cumsum(checked[order])
    steps = (np.arange(n) + generator.uniform()) * (edges[-1] / n)
    return np.asarray(order[np.minimum(np.searchsorted(edges, steps, side="right"), len(order) - 1)], np.int64)


def draw_laws(
    points: Points, weights: NDArray[np.floating[Any]], size: int, draws: int, seed: int = ROWS_SEED
) -> list[Law]:
    """Draw several samples of the same law, of the same size, that share no jet as far as weights allow.

    Parameters
    ----------
    points, weights
        Jets, shape (N, D), and their weights, shape (N,), of either sign.
    size
        Net number of jets of each sample, `Law.net`. It is less where the jets are fewer, or fewer in effect:
        (sum of |w|)^2 / (sum of w^2) rows are drawn at most, or copies of heavy jets would stand for many.
    draws
        How many samples.

    Raises
    ------
    TransportError
        A weight is not finite, or they do not add up to more than 0.
    """
    checked = check_weights(weights)
    share, magnitudes = negative_share(checked), np.abs(checked)
    effective = magnitudes.sum() ** 2 / (magnitudes**2).sum()
    # Rounded down with some room: the last bit of the sums must not cost a jet.
    net = max(1, min(size, int(effective * (1 - 2 * share) / draws + 1e-6)))
    taken = round(net * share / (1 - 2 * share))
    rows = draw_rows(np.maximum(checked, 0.0), draws * (net + taken), seed)
    if not taken:
        return [Law(points[rows[draw::draws]], points[:0]) for draw in range(draws)]
    away = draw_rows(np.maximum(-checked, 0.0), draws * taken, seed)
    # Dealt out in turn, so that copies of a row go to different samples.
    return [Law(points[rows[draw::draws]], points[away[draw::draws]]) for draw in range(draws)]
