"""Compiled energies and gradients of ReLU autoencoders on the CPU.

These networks are so small that the calls of single tensor operations cost more than their arithmetic. Here a block of
points passes through all layers at once, a layer's values lying in rows of `BLOCK` points so that the inner loops are
vector instructions. Sums over points are kept in lanes (`oddjet.lanes`), so that every processor gives the same bits;
NaN and infinity keep their meaning, for a diverging loss must be seen. The plain torch twins are in
`oddjet.detectors.autoencoder.energy`.

Rows: layer l of widths (8, 10, ...) takes `widths[l]` rows after those of the layers before. Parameters of one seed: as
in `Network.flat`, a weight (inputs, outputs) and a bias a layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from oddjet.arrays import Bools, Ints, Reals
from oddjet.kernels import kernel
from oddjet.lanes import (
    LANES,
    added_lanes,
    fused,
    fused_lanes,
    lanes_of,
    no_lanes,
    sum_of_lanes,
)

# Points a block: as many as a batch of the paper, for every loop over them costs as much as 50 points before it begins.
BLOCK = 256
# Bytes of the widest vectors.
ALIGNMENT = 64


@kernel
def load(points: Reals, start: int, rows: Reals) -> int:
    """Copy points start, start + 1, ... of an array (B, D) into the first D rows; fill up with zeros."""
    count: int = min(BLOCK, points.shape[0] - start)
    for feature in range(points.shape[1]):
        row = rows[feature]
        for k in range(count):
            row[k] = points[start + k, feature]
        for k in range(count, BLOCK):
            row[k] = 0.0
    return count


@kernel
def empty_rows(count: int | np.integer[Any], like: Reals) -> Reals:
    """Make rows (count, BLOCK) of the kind of `like`, where the widest vectors find them in one piece."""
    room = np.empty(count * BLOCK + ALIGNMENT, like.dtype)
    start = (-room.ctypes.data % ALIGNMENT) // room.itemsize
    return room[start : start + count * BLOCK].reshape(count, BLOCK)


@kernel
def add_rows(flat: Reals, weight: int, stride: int, sources: Reals, target: Reals) -> None:
    """Add the rows of `sources` (n, BLOCK), times flat[weight], flat[weight + stride], ..., to `target`.

    Four at a time: the target is loaded and stored a quarter as often.
    """
    count = sources.shape[0]
    whole = count - count % 4
    for i in range(0, whole, 4):
        place = weight + i * stride
        a, b, c, d = flat[place], flat[place + stride], flat[place + 2 * stride], flat[place + 3 * stride]
        for k in range(BLOCK):
            pair = fused(a, sources[i, k], b * sources[i + 1, k])
            target[k] += pair + fused(c, sources[i + 2, k], d * sources[i + 3, k])
    for i in range(whole, count):
        value = flat[weight + i * stride]
        for k in range(BLOCK):
            target[k] = fused(value, sources[i, k], target[k])


@kernel
def add_rows_to_two(
    flat: Reals, weight: int, other: int, stride: int, sources: Reals, target: Reals, second: Reals
) -> None:
    """Do `add_rows` for `target` from flat[weight] on and for `second` from flat[other] on: sources are loaded once."""
    count = sources.shape[0]
    whole = count - count % 4
    for i in range(0, whole, 4):
        p, q = weight + i * stride, other + i * stride
        a, b, c, d = flat[p], flat[p + stride], flat[p + 2 * stride], flat[p + 3 * stride]
        e, f, g, h = flat[q], flat[q + stride], flat[q + 2 * stride], flat[q + 3 * stride]
        for k in range(BLOCK):
            w, x, y, z = sources[i, k], sources[i + 1, k], sources[i + 2, k], sources[i + 3, k]
            target[k] += fused(a, w, b * x) + fused(c, y, d * z)
            second[k] += fused(e, w, f * x) + fused(g, y, h * z)
    for i in range(whole, count):
        value, another = flat[weight + i * stride], flat[other + i * stride]
        for k in range(BLOCK):
            target[k] = fused(value, sources[i, k], target[k])
            second[k] = fused(another, sources[i, k], second[k])


@kernel
def multiply(flat: Reals, weight: int, step: int, stride: int, sources: Reals, targets: Reals) -> None:
    """Add to each row t of `targets` the rows of `sources`, times flat[weight + t step], flat[... + stride], ..."""
    count = targets.shape[0]
    for t in range(0, count - 1, 2):
        place = weight + t * step
        add_rows_to_two(flat, place, place + step, stride, sources, targets[t], targets[t + 1])
    if count % 2:
        add_rows(flat, weight + (count - 1) * step, stride, sources, targets[count - 1])


@kernel
def forward(flat: Reals, widths: Ints, activated: Bools, rows: Reals) -> None:
    """Fill the rows of all layers from those of the first."""
    first, weight = 0, 0
    for layer in range(len(activated)):
        inputs, outputs = widths[layer], widths[layer + 1]
        second, bias = first + inputs, weight + inputs * outputs
        targets = rows[second : second + outputs]
        for o in range(outputs):
            value = flat[bias + o]
            for k in range(BLOCK):
                targets[o, k] = value
        multiply(flat, weight, 1, outputs, rows[first:second], targets)
        if activated[layer]:
            for o in range(outputs):
                for k in range(BLOCK):
                    targets[o, k] = 0.0 if targets[o, k] < 0.0 else targets[o, k]
        first, weight = second, bias + outputs


@kernel
def backward(flat: Reals, widths: Ints, activated: Bools, rows: Reals, adjoint: Reals, last: int) -> None:
    """Fill `adjoint` from the rows of the output down to layer `last`, with the masks of `rows`."""
    layers = len(activated)
    first = rows.shape[0] - widths[layers]
    weight = flat.shape[0]
    for layer in range(layers - 1, last - 1, -1):
        inputs, outputs = widths[layer], widths[layer + 1]
        second = first
        first -= inputs
        weight -= (inputs + 1) * outputs
        targets = adjoint[first:second]
        targets[:] = 0.0
        multiply(flat, weight, outputs, 1, adjoint[second : second + outputs], targets)
        if layer > 0 and activated[layer - 1]:
            for i in range(inputs):
                mask = rows[first + i]
                for k in range(BLOCK):
                    targets[i, k] = targets[i, k] if mask[k] > 0.0 else 0.0


@kernel
def sum_of_row(rows: Reals, row: int) -> float:
    """Sum of a row of `BLOCK` points."""
    total = no_lanes(rows)
    for k in range(0, rows.shape[1], LANES):
        total = added_lanes(total, lanes_of(rows, row, k))
    whole: float = sum_of_lanes(total)
    return whole


@kernel
def add_products(widths: Ints, rows: Reals, adjoint: Reals, gradient: Reals) -> None:
    """Add (adjoint of a layer) x (rows of the layer before) to the gradient (P,).

    Two rows of adjoints meet two of inputs in one loop: each is loaded half as often. Where a layer has an odd number
    of rows its last one stands in for the one that is missing, and that sum is left out. The loop over points ends at
    `rows.shape[1]`, the same as BLOCK: were its length known, all of it would be unrolled, and run half as fast.
    """
    first, weight = 0, 0
    for layer in range(len(widths) - 1):
        inputs, outputs = widths[layer], widths[layer + 1]
        second, bias = first + inputs, weight + inputs * outputs
        for o in range(0, outputs, 2):
            p = min(o + 1, outputs - 1)
            for i in range(0, inputs, 2):
                j = min(i + 1, inputs - 1)
                oi, oj, pi, pj = no_lanes(rows), no_lanes(rows), no_lanes(rows), no_lanes(rows)
                for k in range(0, rows.shape[1], LANES):
                    u, v = lanes_of(adjoint, second + o, k), lanes_of(adjoint, second + p, k)
                    x, y = lanes_of(rows, first + i, k), lanes_of(rows, first + j, k)
                    oi, oj = fused_lanes(u, x, oi), fused_lanes(u, y, oj)
                    pi, pj = fused_lanes(v, x, pi), fused_lanes(v, y, pj)
                place = weight + i * outputs + o
                gradient[place] += sum_of_lanes(oi)
                if j > i:
                    gradient[place + outputs] += sum_of_lanes(oj)
                if p > o:
                    gradient[place + 1] += sum_of_lanes(pi)
                if j > i and p > o:
                    gradient[place + outputs + 1] += sum_of_lanes(pj)
        for o in range(outputs):
            gradient[bias + o] += sum_of_row(adjoint, second + o)
        first, weight = second, bias + outputs


@kernel
def residual(widths: Ints, rows: Reals, target: Reals) -> None:
    """Put input minus output into the first D rows of `target`."""
    n_features = widths[0]
    last = rows.shape[0] - n_features
    for feature in range(n_features):
        for k in range(BLOCK):
            target[feature, k] = rows[feature, k] - rows[last + feature, k]


@kernel
def energies(flat: Reals, points: Reals, result: Reals, widths: Ints, activated: Bools) -> None:
    """Energies of the points (S, B, D) of all seeds into `result` (S, B)."""
    n_features = widths[0]
    rows = empty_rows(widths.sum(), points)
    difference = empty_rows(n_features, points)
    squares = np.empty(BLOCK, points.dtype)
    # A float64 number would turn the loop into float64.
    number = points.dtype.type(n_features)
    for seed in range(points.shape[0]):
        for start in range(0, points.shape[1], BLOCK):
            count = load(points[seed], start, rows)
            forward(flat[seed], widths, activated, rows)
            residual(widths, rows, difference)
            squares[:] = 0.0
            for feature in range(n_features):
                for k in range(BLOCK):
                    squares[k] = fused(difference[feature, k], difference[feature, k], squares[k])
            for k in range(count):
                result[seed, start + k] = squares[k] / number


@kernel
def add_energy_gradient(
    flat: Reals, points: Reals, coefficients: Reals, gradient: Reals, widths: Ints, activated: Bools
) -> None:
    """Add the gradient of sum_b coefficients_b E_b, points (S, B, D), to `gradient` (S, P)."""
    n_features = widths[0]
    rows = empty_rows(widths.sum(), points)
    adjoint = empty_rows(widths.sum(), points)
    difference = empty_rows(n_features, points)
    factor = np.zeros(BLOCK, points.dtype)
    number = points.dtype.type(n_features)
    last = rows.shape[0] - n_features
    for seed in range(points.shape[0]):
        for start in range(0, points.shape[1], BLOCK):
            count = load(points[seed], start, rows)
            forward(flat[seed], widths, activated, rows)
            residual(widths, rows, difference)
            factor[:] = 0.0
            for k in range(count):
                factor[k] = (coefficients[seed, start + k] + coefficients[seed, start + k]) / number
            for feature in range(n_features):
                for k in range(BLOCK):
                    adjoint[last + feature, k] = -factor[k] * difference[feature, k]
            backward(flat[seed], widths, activated, rows, adjoint, 1)
            add_products(widths, rows, adjoint, gradient[seed])
