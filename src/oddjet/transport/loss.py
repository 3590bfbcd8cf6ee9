"""Exact transport as a loss: W_p^p between weighted sets, on torch tensors, with its gradient by the second weights."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oddjet.arrays import Floats
from oddjet.errors import TransportError
from oddjet.transport.images import ground_costs
from oddjet.transport.potentials import transport_gradients

NO_TABLE, NO_POINTS = np.empty((0, 0)), np.empty((1, 0, 0))


def exact_transport(
    target: Tensor,
    weights: Tensor,
    power: float = 1.0,
    *,
    side: float | None = None,
    target_points: Tensor | None = None,
    points: Tensor | None = None,
    threads: int = 1,
) -> Tensor:
    """Return the exact optimal-transport cost W_p^p of pairs of weighted sets, to train with.

    The weights of each set are divided by their sum, and the ground cost is the Euclidean distance to the power p. The
    problem is solved by the network simplex, whose dual potentials are the gradient (envelope theorem):

    d W_p^p / d weights_j = (g_j - sum_k b_k g_k) / sum(weights),  b = weights / sum(weights).

    So the potentials are centred and the division by the sum is differentiated. On a point without weight g is the
    c-transform of the target's potential: what the first grain of weight would cost there. No point is without a
    gradient; at a weight below 0, which counts as 0, it is that of a weight of 0.

    The cost is convex and piecewise linear in b. Where the optimal flow breaks up into parts that balance by themselves
    (some share of sources is exactly that of some sinks: equal sets, single points, weights of few values) the
    potentials of the parts can be moved against each other: the dual problem is degenerate, and what is returned is one
    of the subgradients, always the same one. For equal sets and p <= 1 it is 0 where there is weight and the cost of
    the nearest weight elsewhere.

    Parameters
    ----------
    target
        Weights of the first sets; at or below 0 counts as none. Not differentiated. Shape (n, P, P) on a grid, (n, k)
        on points.
    weights
        Weights of the second sets, the same way, shape (n, P, P) or (n, m).
    power
        p, above 0.
    side
        On a grid: length of its side. A pixel is side / P wide.
    target_points, points
        On points: where the weights are, shapes (k, axes) or (n, k, axes), and (m, axes) or (n, m, axes); left out,
        `points` are the target's. Not differentiated. Sets of different sizes are filled up with weights of 0.
    threads
        That share the pairs; the result has the same bits for any number of them.

    Returns
    -------
    Costs, shape (n,), in the dtype of `weights` and on its device; computed on the CPU in float64.

    Raises
    ------
    TransportError
        Shapes do not fit, a set has no weight above 0 or one that is not finite, or `target` or points want a gradient.

    Examples
    --------
    >>> images, made = torch.rand(16, 40, 40), torch.rand(16, 40, 40, requires_grad=True)
    >>> exact_transport(images, made, 1.0, side=3.2).mean().backward()
    """
    if not power > 0:
        raise TransportError(f"the power of the transport cost must be above 0, not {power}")
    for name, tensor in (("target", target), ("target_points", target_points), ("points", points)):
        if tensor is not None and tensor.requires_grad:
            raise TransportError(
                f"{name} wants a gradient, and transport is differentiated by weights alone: detach it"
            )
    if side is not None:
        if target.shape != weights.shape or target.dim() != 3 or target.shape[1] != target.shape[2]:
            raise TransportError(
                f"weights on a grid have the shape (n, P, P), not {tuple(target.shape)} and {tuple(weights.shape)}"
            )
        problem = _Problem(power, _mirrored(ground_costs(target.shape[1], side, power)), NO_POINTS, NO_POINTS, threads)
    else:
        problem = _point_problem(target, weights, power, target_points, points, threads)
    cost: Tensor = _ExactTransport.apply(target.flatten(1), weights.flatten(1), problem)  # type: ignore[no-untyped-call]
    return cost


class _Problem:
    """Ground cost of a batch: a table of a grid's, or points."""

    def __init__(self, power: float, table: Floats, points: Floats, others: Floats, threads: int) -> None:
        self.power, self.table, self.points, self.others, self.threads = power, table, points, others, threads
        self.metric = power <= 1 and (bool(len(table)) or points is others)

    def solve(self, first: Floats, second: Floats) -> tuple[Floats, Floats]:
        """Give costs (n,) and gradients (n, m) of weights (n, k) and (n, m)."""
        costs, gradients = np.empty(len(first)), np.empty(second.shape)

        def part(chosen: slice) -> None:
            points, others = (array[chosen] if len(array) > 1 else array for array in (self.points, self.others))
            transport_gradients(
                first[chosen],
                second[chosen],
                points,
                others,
                self.table,
                self.power,
                self.metric,
                costs[chosen],
                gradients[chosen],
            )

        workers = max(1, min(self.threads, len(first)))
        edges = np.linspace(0, len(first), workers + 1).astype(int)
        if workers == 1:
            part(slice(None))
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(part, (slice(*pair) for pair in pairwise(edges))))
        return costs, gradients


class _ExactTransport(torch.autograd.Function):
    """Costs of weights (n, k) and (n, m) whose gradient was found together with them."""

    @staticmethod
    def forward(context: Any, target: Tensor, weights: Tensor, problem: _Problem) -> Tensor:  # noqa: ANN401  torch gives it no type
        first, second = (tensor.detach().cpu().double().contiguous().numpy() for tensor in (target, weights))
        for name, array in (("target", first), ("weights", second)):
            bad = ~(np.isfinite(array).all(axis=1) & (array > 0).any(axis=1))
            if bad.any():
                raise TransportError(f"{name} {int(np.argmax(bad))} has no weight above 0, or one that is not finite")
        costs, gradients = problem.solve(first, second)
        if np.isnan(costs).any():
            raise TransportError(f"pair {int(np.argmax(np.isnan(costs)))}: the simplex went in circles")
        found = (torch.from_numpy(array).to(weights.device, weights.dtype) for array in (costs, gradients))
        cost, gradient = found
        context.save_for_backward(gradient)
        return cost

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, slope: Tensor) -> tuple[None, Tensor, None]:  # noqa: ANN401  the same
        (gradient,) = context.saved_tensors
        return None, slope[:, None] * gradient, None


def _mirrored(costs: Floats) -> Floats:
    """Costs by distances from -(P - 1) to P - 1, of those from 0 to P - 1."""
    return np.ascontiguousarray(np.pad(costs, ((len(costs) - 1, 0), (len(costs) - 1, 0)), mode="reflect"))


def _point_problem(
    target: Tensor, weights: Tensor, power: float, first: Tensor | None, second: Tensor | None, threads: int
) -> _Problem:
    if first is None:
        raise TransportError("say where the weights are: the side of their grid, or their points")
    places = [_placed("target", target, first)]
    places.append(places[0] if second is None else _placed("weights", weights, second))
    if target.shape[0] != weights.shape[0] or weights.shape[1] != places[1].shape[1]:
        raise TransportError(f"weights of shape {tuple(weights.shape)} do not fit {tuple(target.shape)} and the points")
    if places[0].shape[2] != places[1].shape[2]:
        raise TransportError(f"points of {places[0].shape[2]} and {places[1].shape[2]} axes have no distance")
    return _Problem(power, NO_TABLE, places[0], places[1], threads)


def _placed(name: str, weights: Tensor, points: Tensor) -> Floats:
    """Points of weights (n, k), shape (1 or n, k, axes)."""
    placed = points[None] if points.dim() == 2 else points
    shape = tuple(placed.shape)
    if weights.dim() != 2 or placed.dim() != 3 or shape[0] not in (1, len(weights)) or shape[1] != weights.shape[1]:
        raise TransportError(f"{name}: weights of shape {tuple(weights.shape)} do not fit points of shape {shape}")
    array: Floats = placed.cpu().double().contiguous().numpy()
    if not np.isfinite(array).all():
        raise TransportError(f"{name}: a point is not finite")
    return array
