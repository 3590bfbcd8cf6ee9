"""Distances between images and their reconstructions that a network can be trained with.

The transport distances here are approximate (geomloss' Sinkhorn iteration); scores are computed with the exact ones of
`oddjet.transport`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

# From images and reconstructions, (n, pixels, pixels) each, to distances (n,).
Distance: TypeAlias = Callable[[Tensor, Tensor], Tensor]

# Weight of the pixels at or below zero in `probability_images`, and what a root is taken of at least.
LEAK = 1e-6
SMALLEST = 1e-12


def training_distance(metric: str, side: float, blur: float, scaling: float) -> Distance:
    """Give the distance of a training metric.

    Parameters
    ----------
    metric
        `mse`, `mae`, `wass1` or `wass2`; wass2 is W2 with the root.
    side
        Length of a side of the images, in eta and phi.
    blur, scaling
        Of geomloss, for wass1 and wass2.
    """
    if metric == "mse":
        return lambda images, made: ((images - made) ** 2).mean(dim=(1, 2))
    if metric == "mae":
        return lambda images, made: (images - made).abs().mean(dim=(1, 2))
    return Sinkhorn(int(metric.removeprefix("wass")), side, blur, scaling)


def probability_images(made: Tensor) -> Tensor:
    """Turn reconstructions (n, pixels, pixels) into images without negative pixels that add up to one.

    Pixels above zero stay as they are. The others, which an ELU keeps above -1, count a little, less the nearer to -1:
    without them a reconstruction that has no pixel above zero would have no gradient and never come back.
    """
    flat = made.flatten(1)
    positive = flat.clamp(min=0) + LEAK * (flat.clamp(min=-1, max=0) + 1)
    return (positive / positive.sum(dim=1, keepdim=True).clamp(min=SMALLEST)).view_as(made)


class Sinkhorn:
    """Approximate Wasserstein distance of order 1 or 2 between images and reconstructions, made probabilities.

    Parameters
    ----------
    p
        1 or 2.
    side, blur, scaling
        See `training_distance`.
    """

    def __init__(self, p: int, side: float, blur: float, scaling: float) -> None:
        from geomloss import SamplesLoss  # type: ignore[import-untyped]

        self.p, self.side = p, side
        # Not debiased: the reconstruction's distance from itself would cost twenty times the rest.
        self.loss = SamplesLoss(
            "sinkhorn",
            p=p,
            blur=blur,
            scaling=scaling,
            diameter=side * math.sqrt(2),
            debias=False,
            backend="tensorized",
        )

    def __call__(self, images: Tensor, made: Tensor) -> Tensor:
        """Give the distances, shape (n,)."""
        size = images.shape[1]
        centres = (torch.arange(size, device=images.device, dtype=images.dtype) + 0.5) * (self.side / size)
        grid = torch.stack(torch.meshgrid(centres, centres, indexing="ij"), dim=-1).view(-1, 2)
        flat = images.flatten(1)
        # An image has some tens of occupied pixels of 1600: the others have no mass to move.
        occupied = max(1, int((flat > 0).sum(dim=1).max()))
        mass, where = flat.topk(occupied, dim=1)
        target = probability_images(made).flatten(1)
        there = grid.expand(len(flat), *grid.shape).contiguous()
        # geomloss leaves gradients switched on, also within torch.no_grad(): switched back here.
        with torch.set_grad_enabled(torch.is_grad_enabled()):
            cost: Tensor = self.loss(mass / mass.sum(dim=1, keepdim=True), grid[where], target, there)
        # geomloss' cost of p = 2 is half the squared distance.
        return cost if self.p == 1 else torch.sqrt((2.0 * cost).clamp(min=SMALLEST))
