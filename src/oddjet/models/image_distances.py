"""Distances between images and their reconstructions that a network can be trained with.

The transport distances here are approximate (Sinkhorn's divergence); scores are computed with the exact ones of
`oddjet.transport`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from oddjet.models.image_sinkhorn import divergence

# From images and reconstructions, (n, pixels, pixels) each, to distances (n,).
Distance: TypeAlias = Callable[[Tensor, Tensor], Tensor]

# Weight of the pixels at or below zero in `probability_images`: all 1600 of them together move W2 by less than a
# hundredth of a pixel. And the least that the sum of an image counts as.
LEAK = 1e-8
SMALLEST = 1e-12
# Square of an eighth of a pixel of 0.08, below which a root is replaced by its tangent.
STRAIGHT = 1e-4


def training_distance(metric: str, side: float, blur: float, scaling: float) -> Distance:
    """Give the distance of a training metric.

    Parameters
    ----------
    metric
        `mse`, `mae`, `wass1` or `wass2`; wass2 is W2 with the root.
    side
        Length of a side of the images, in eta and phi.
    blur, scaling
        Of wass1 and wass2, see `oddjet.models.image_sinkhorn.divergence`.
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
        self.p, self.side, self.blur, self.scaling = p, side, blur, scaling

    def __call__(self, images: Tensor, made: Tensor) -> Tensor:
        """Give the distances, shape (n,); wass1 may be below zero by rounding where the two are all but equal."""
        cost = divergence(images, probability_images(made), self.p, self.side, self.blur, self.scaling)
        return cost if self.p == 1 else smooth_root(cost)


def smooth_root(squares: Tensor) -> Tensor:
    """Take roots, and go on along the tangent below `STRAIGHT`, where rounding may leave less than zero.

    So every image has a gradient, the same one of 1 / (2 sqrt(STRAIGHT)) from there on.
    """
    roots = squares.clamp(min=STRAIGHT).sqrt()
    return torch.where(squares > STRAIGHT, roots, (squares + STRAIGHT) / (2.0 * math.sqrt(STRAIGHT)))
