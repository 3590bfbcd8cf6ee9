"""Approximate optimal transport: Sinkhorn's divergence, an option of the WNAE's loss where assignment is too slow.

The entropic cost OT_eps(x, y), eps = blur^p, is debiased with those of each set to itself (Feydy et al., Interpolating
between optimal transport and MMD using Sinkhorn divergences, 2019):
S(x, y) = OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2. It tends to the exact W_p^p as the blur goes to 0, and is made of
operations on tensors alone, on any device.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

# The temperature eps falls by this factor from the largest cost to blur^p, with one pair of updates at each.
ANNEALING = 0.5


def sinkhorn(
    points: Tensor, targets: Tensor, *, power: int = 2, blur: float = 0.05, iterations: int = 20
) -> tuple[Tensor, Tensor]:
    """Compute Sinkhorn's divergence of equal sets, approximately W_p^p, each seed for itself.

    The plans are constants where the divergence is differentiated (envelope theorem), so a point x has the gradient
    sum_j P_j dc(x, y_j)/dx - sum_j Q_j dc(x, x_j)/dx with the plans P to the targets and Q to the points themselves.

    Parameters
    ----------
    points, targets
        Shapes (S, B, D).
    power
        2: squared Euclidean cost, no root taken; 1: Euclidean cost.
    blur
        Length below which transport is not resolved, in scaled units.
    iterations
        Pairs of updates at the last temperature.

    Returns
    -------
    Divergences (S,) and their gradients with respect to the points, (S, B, D); NaN for a seed with a point that is not
    finite.
    """
    with torch.no_grad():
        size = points.shape[1]
        broken = ~torch.isfinite(points.sum((1, 2)) + targets.sum((1, 2)))
        points, targets = (tensor.masked_fill(broken.view(-1, 1, 1), 0.0) for tensor in (points, targets))
        between, within, among = (_costs(a, b, power) for a, b in ((points, targets), (points,) * 2, (targets,) * 2))
        largest = max(float(costs.max()) for costs in (between, within, among))
        temperatures = _temperatures(largest, blur**power, iterations)
        of_points, of_targets = _potentials(between, temperatures)
        own_points, own_targets = (_own_potential(costs, temperatures) for costs in (within, among))
        values = (of_points - own_points).mean(-1) + (of_targets - own_targets).mean(-1)
        plan = _plan(between, of_points, of_targets, temperatures[-1])
        own_plan = _plan(within, own_points, own_points, temperatures[-1])
        gradient = _slopes(plan, points, targets, power) - _slopes(own_plan, points, points, power)
        return values.masked_fill(broken, math.nan), (gradient / size).masked_fill(broken.view(-1, 1, 1), math.nan)


def _costs(first: Tensor, second: Tensor, power: int) -> Tensor:
    distances = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.square() if power == 2 else distances


def _temperatures(largest: float, last: float, iterations: int) -> list[float]:
    """From the largest cost down to the last temperature, which is repeated."""
    steps = max(0, math.ceil(math.log(last / max(largest, last)) / math.log(ANNEALING)))
    return [largest * ANNEALING**step for step in range(steps)] + [last] * iterations


def _soft_minimum(costs: Tensor, potential: Tensor, temperature: float) -> Tensor:
    """-eps log mean_j exp((potential_j - cost_ij) / eps): shapes (S, N, M), (S, M) to (S, N)."""
    exponents = (potential.unsqueeze(1) - costs) / temperature
    return -temperature * (torch.logsumexp(exponents, dim=-1) - math.log(costs.shape[-1]))


def _potentials(costs: Tensor, temperatures: list[float]) -> tuple[Tensor, Tensor]:
    """Dual potentials of both sets, by alternating updates; the last one is of the first set."""
    first, second = costs.mean(-1), torch.zeros_like(costs[:, 0])
    for temperature in temperatures:
        second = _soft_minimum(costs.mT, first, temperature)
        first = _soft_minimum(costs, second, temperature)
    return first, second


def _own_potential(costs: Tensor, temperatures: list[float]) -> Tensor:
    """Potential of a set transported to itself, for which the averaged update converges in a few steps."""
    potential = torch.zeros_like(costs[:, 0])
    for temperature in temperatures:
        potential = 0.5 * (potential + _soft_minimum(costs, potential, temperature))
    return potential


def _plan(costs: Tensor, first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Where each row's mass goes: rows of (S, N, M) that sum to 1, whatever the potentials have converged to."""
    return torch.softmax((first.unsqueeze(2) + second.unsqueeze(1) - costs) / temperature, dim=-1)


def _slopes(plan: Tensor, points: Tensor, others: Tensor, power: int) -> Tensor:
    """Gradient of sum_j P_ij |x_i - y_j|^p with respect to x_i: shape (S, N, D)."""
    if power == 2:
        return 2.0 * (points - plan @ others)
    distances = _costs(points, others, 1)
    # Zero is a subgradient of the distance where two points meet.
    weights = torch.where(distances > 0, plan / distances, 0.0)
    return weights.sum(-1, keepdim=True) * points - weights @ others
