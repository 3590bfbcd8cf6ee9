"""Compiled Langevin chains of ReLU autoencoders on the CPU, and the gradient through them.

With the masks constant, reconstruction f(x) = J x + c and residual r = x - f, the gradient of the energy is
g = 2/D (I - J)^T r. An adjoint a that meets one step x' = x - drift g(x) + noise therefore becomes
a - drift 2/D (I - J)^T (I - J) a, and leaves for the parameters the gradient of -drift a . g(x)
= -drift 2/D (a - J a) . r: two passes forward (values and tangents along a) and two back. The activations are computed
again from the points of the chain, which is cheaper than to keep them. The torch twin is `chains` beside this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from oddjet.arrays import Bools, Ints, Reals
from oddjet.detectors.autoencoder.energy_kernels import (
    BLOCK,
    backward,
    empty_rows,
    forward,
    load,
    multiply,
    residual,
    sum_of_row,
)
from oddjet.kernels import kernel
from oddjet.lanes import LANES, fused, fused_lanes, lanes_of, no_lanes, sum_of_lanes


@kernel
def chain(
    flat: Reals,
    noise: Reals,
    path: Reals,
    drift: Reals,
    widths: Ints,
    activated: Bools,
    sigma: float,
    low: float,
    high: float,
) -> None:
    """Fill path[:, 1:], points (S, steps + 1, B, D), from the starts path[:, 0] and the noise (S, steps, B, D)."""
    n_features = widths[0]
    rows, adjoint = empty_rows(widths.sum(), path), empty_rows(widths.sum(), path)
    last = rows.shape[0] - n_features
    for seed in range(path.shape[0]):
        # A float64 factor would turn the inner loops into float64.
        scale = path.dtype.type(drift[seed] * 2.0 / n_features)
        for start in range(0, path.shape[2], BLOCK):
            count = load(path[seed, 0], start, rows)
            for step in range(noise.shape[1]):
                forward(flat[seed], widths, activated, rows)
                residual(widths, rows, adjoint[last:])
                backward(flat[seed], widths, activated, rows, adjoint, 0)
                for feature in range(n_features):
                    for k in range(count):
                        gradient = adjoint[last + feature, k] - adjoint[feature, k]
                        value = fused(-scale, gradient, rows[feature, k])
                        value = fused(sigma, noise[seed, step, start + k, feature], value)
                        value = low if value < low else value
                        value = high if value > high else value
                        rows[feature, k] = value
                        path[seed, step + 1, start + k, feature] = value


@kernel
def add_chain_gradient(
    flat: Reals,
    path: Reals,
    adjoints: Reals,
    gradient: Reals,
    drift: Reals,
    widths: Ints,
    activated: Bools,
    low: float,
    high: float,
) -> None:
    """Add to `gradient` (S, P) what the adjoints (S, B, D) of the last points of the chains give.

    Coordinates that a step moved to the edge of the box pass nothing on.
    """
    n_features = widths[0]
    rows, tangent = empty_rows(widths.sum(), path), empty_rows(widths.sum(), path)
    values, tangents = empty_rows(widths.sum(), path), empty_rows(widths.sum(), path)
    last = rows.shape[0] - n_features
    for seed in range(path.shape[0]):
        scale = path.dtype.type(drift[seed] * 2.0 / n_features)
        for start in range(0, path.shape[2], BLOCK):
            count = load(adjoints[seed], start, tangent)
            for step in range(path.shape[1] - 1, 0, -1):
                for feature in range(n_features):
                    for k in range(count):
                        point = path[seed, step, start + k, feature]
                        if point <= low or point >= high:
                            tangent[feature, k] = 0.0
                load(path[seed, step - 1], start, rows)
                forward(flat[seed], widths, activated, rows)
                residual(widths, rows, values[last:])
                backward(flat[seed], widths, activated, rows, values, 1)
                _tangents(flat[seed], widths, activated, rows, tangent)
                residual(widths, tangent, tangents[last:])
                backward(flat[seed], widths, activated, rows, tangents, 0)
                _add_products(widths, rows, tangents, tangent, values, scale, gradient[seed])
                for feature in range(n_features):
                    for k in range(BLOCK):
                        change = tangents[last + feature, k] - tangents[feature, k]
                        tangent[feature, k] = fused(-scale, change, tangent[feature, k])


@kernel
def _tangents(flat: Reals, widths: Ints, activated: Bools, rows: Reals, tangent: Reals) -> None:
    """Fill the rows of all layers with the derivatives along the first, with the masks of `rows`."""
    first, weight = 0, 0
    for layer in range(len(activated)):
        inputs, outputs = widths[layer], widths[layer + 1]
        second = first + inputs
        targets = tangent[second : second + outputs]
        targets[:] = 0.0
        multiply(flat, weight, 1, outputs, tangent[first:second], targets)
        if activated[layer]:
            for o in range(outputs):
                mask = rows[second + o]
                for k in range(BLOCK):
                    targets[o, k] = targets[o, k] if mask[k] > 0.0 else 0.0
        first, weight = second, weight + (inputs + 1) * outputs


@kernel
def _add_products(
    widths: Ints,
    rows: Reals,
    tangents: Reals,
    tangent: Reals,
    values: Reals,
    scale: float | np.floating[Any],
    gradient: Reals,
) -> None:
    """Add scale * (tangents x rows + values x tangent), adjoints of a layer x what the layer before has, to (P,).

    Two rows of adjoints meet two of inputs in one loop: each is loaded half as often. Where a layer has an odd number
    of rows its last one stands in for the one that is missing, and that sum is left out.
    """
    first, weight = 0, 0
    for layer in range(len(widths) - 1):
        inputs, outputs = widths[layer], widths[layer + 1]
        second, bias = first + inputs, weight + inputs * outputs
        for o in range(0, outputs, 2):
            p = min(o + 1, outputs - 1)
            r, s = second + o, second + p
            for i in range(0, inputs, 2):
                j = min(i + 1, inputs - 1)
                x, y = first + i, first + j
                oi, oj, pi, pj = no_lanes(rows), no_lanes(rows), no_lanes(rows), no_lanes(rows)
                for k in range(0, rows.shape[1], LANES):
                    t, u = lanes_of(tangents, r, k), lanes_of(tangents, s, k)
                    v, w = lanes_of(values, r, k), lanes_of(values, s, k)
                    a, b = lanes_of(rows, x, k), lanes_of(rows, y, k)
                    c, d = lanes_of(tangent, x, k), lanes_of(tangent, y, k)
                    oi, oj = fused_lanes(v, c, fused_lanes(t, a, oi)), fused_lanes(v, d, fused_lanes(t, b, oj))
                    pi, pj = fused_lanes(w, c, fused_lanes(u, a, pi)), fused_lanes(w, d, fused_lanes(u, b, pj))
                place = weight + i * outputs + o
                gradient[place] += scale * sum_of_lanes(oi)
                if j > i:
                    gradient[place + outputs] += scale * sum_of_lanes(oj)
                if p > o:
                    gradient[place + 1] += scale * sum_of_lanes(pi)
                if j > i and p > o:
                    gradient[place + outputs + 1] += scale * sum_of_lanes(pj)
        for o in range(outputs):
            gradient[bias + o] += scale * sum_of_row(tangents, second + o)
        first, weight = second, bias + outputs
