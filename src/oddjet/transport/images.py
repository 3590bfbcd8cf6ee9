"""Distances between sparse images: exact p-Wasserstein on the occupied pixels, mean absolute and mean square error.

For a ground cost d^p with p <= 1, which is a metric, what two images have in common on a pixel may stay where it is: it
is taken off both before the transport problem is solved, which is then smaller and has the same cost.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from oddjet.arrays import Floats, Ints
from oddjet.errors import TransportError
from oddjet.kernels import kernel
from oddjet.program import progress
from oddjet.transport.assignment import plan
from oddjet.transport.simplex import transport_costs
from oddjet.transport.sparse import SparseImages

# Pairs that a thread works on before it asks for the next ones.
PAIRS_A_TASK = 2000


@dataclass(frozen=True)
class Metric:
    """A distance between images.

    Attributes
    ----------
    name : str
        `mae`, `mse`, or `wass` and the power of the ground cost, `wass1`, `wass0p5`.
    power : float
        Of the ground cost, or of the difference of two pixels.
    transport : bool
        Whether it is a Wasserstein distance.
    root : bool
        Whether the root 1/p of the transport cost is taken; for p < 1 the cost itself is the metric.
    """

    name: str
    power: float
    transport: bool
    root: bool


def metric_of(name: str, *, root: bool = True) -> Metric:
    """Look up a metric by name; with `root` false the Wasserstein distances are transport costs.

    Raises
    ------
    TransportError
        The name is none of those above.
    """
    if name in ("mae", "mse"):
        return Metric(name, 1.0 if name == "mae" else 2.0, transport=False, root=False)
    found = re.fullmatch(r"wass(\d+(?:p\d+)?)", name)
    power = float(found[1].replace("p", ".")) if found else 0.0
    if power <= 0:
        raise TransportError(f"there is no metric {name!r}: give mae, mse, or wass and a power, as wass1 or wass0p5")
    return Metric(name, power, transport=True, root=root and power >= 1)


def ground_costs(pixels: int, side: float, power: float) -> Floats:
    """Cost between two pixels by their distance in rows and columns, shape (pixels, pixels)."""
    steps = np.arange(pixels) * (side / pixels)
    costs: Floats = np.hypot(steps[:, None], steps[None, :]) ** power
    return costs


@kernel
def _mean_errors(
    first: tuple[Ints, Ints, Floats], second: tuple[Ints, Ints, Floats], pairs: Ints, square: bool, errors: Floats
) -> None:  # pragma: no cover - compiled
    """Fill `errors` with the sum of absolute or squared differences of the pixels of each pair."""
    indptr1, pixel1, value1 = first
    indptr2, pixel2, value2 = second
    for k in range(len(pairs)):
        a, end1 = indptr1[pairs[k, 0]], indptr1[pairs[k, 0] + 1]
        b, end2 = indptr2[pairs[k, 1]], indptr2[pairs[k, 1] + 1]
        total = 0.0
        while a < end1 or b < end2:
            difference = 0.0
            here = pixel1[a] if a < end1 else np.int64(1 << 62)
            there = pixel2[b] if b < end2 else np.int64(1 << 62)
            if here <= there:
                difference += value1[a]
                a += 1
            if there <= here:
                difference -= value2[b]
                b += 1
            total += difference * difference if square else abs(difference)
        errors[k] = total


def distances(first: SparseImages, second: SparseImages, pairs: Ints, metric: Metric) -> Floats:
    """Measure pairs of images, on one thread.

    Parameters
    ----------
    first, second : SparseImages
        Of the same size.
    pairs : int64 array, shape (n, 2)
        Which image of the first with which of the second.
    metric : Metric

    Returns
    -------
    float64 array, shape (n,)
        In units of eta and phi (to the power p without root); errors are means over all pixels.

    Raises
    ------
    TransportError
        The images differ in size.
    """
    if (first.pixels, first.side) != (second.pixels, second.side):
        raise TransportError(
            f"images of {first.pixels} pixels over {first.side:g} cannot be compared with images of {second.pixels} "
            f"pixels over {second.side:g}"
        )
    one, two = ((images.indptr, images.pixel, images.value) for images in (first, second))
    pairs = np.ascontiguousarray(pairs, np.int64)
    measured = np.empty(len(pairs))
    if not len(pairs):
        return measured
    if not metric.transport:
        _mean_errors(one, two, pairs, metric.power == 2.0, measured)
        return np.asarray(measured / first.pixels**2)
    table = ground_costs(first.pixels, first.side, metric.power)
    transport_costs(one, two, pairs, table, metric.power <= 1.0, measured)
    for k in np.flatnonzero(np.isnan(measured)):
        # The compiled simplex went in circles (never seen): the general solver is slower and does not.
        measured[k] = _general(first, second, int(pairs[k, 0]), int(pairs[k, 1]), table)
    return np.asarray(np.maximum(measured, 0.0) ** (1.0 / metric.power)) if metric.root else measured


def _general(first: SparseImages, second: SparseImages, one: int, two: int, table: Floats) -> float:
    sets = [images.take(np.array([which])) for images, which in ((first, one), (second, two))]
    rows, columns = zip(*(np.divmod(images.pixel, images.pixels) for images in sets), strict=True)
    costs = table[np.abs(rows[0][:, None] - rows[1]), np.abs(columns[0][:, None] - columns[1])]
    return float((plan(costs, sets[0].value, sets[1].value) * costs).sum())


def all_distances(first: SparseImages, second: SparseImages, pairs: Ints, metric: Metric, threads: int = 1) -> Floats:
    """Measure pairs of images on several threads, with a progress bar; see `distances`."""
    tasks = [pairs[start : start + PAIRS_A_TASK] for start in range(0, len(pairs), PAIRS_A_TASK)]
    with ThreadPoolExecutor(max(1, min(threads, os.cpu_count() or 1))) as pool:
        done: Iterator[Floats] = pool.map(lambda task: distances(first, second, task, metric), tasks)
        parts = list(progress(done, total=len(tasks), description=f"{metric.name}, {len(pairs)} pairs"))
    return np.concatenate(parts) if parts else np.empty(0)


def pairwise(images: SparseImages, metric: Metric, threads: int = 1) -> Floats:
    """Measure every pair once: float64 array of shape (n (n - 1) / 2,), ordered as scipy's `squareform` wants it."""
    return all_distances(images, images, np.column_stack(np.triu_indices(len(images), 1)), metric, threads)


def cross(first: SparseImages, second: SparseImages, metric: Metric, threads: int = 1) -> Floats:
    """Measure every image of the first with every one of the second: float64 array of shape (n, m)."""
    pairs = np.column_stack([index.ravel() for index in np.indices((len(first), len(second)))])
    return all_distances(first, second, pairs, metric, threads).reshape(len(first), len(second))
