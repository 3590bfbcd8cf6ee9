"""Sinkhorn's divergence between images on one grid of pixels: approximate optimal transport that can be differentiated.

The entropic cost OT_eps, eps = blur^p, is debiased with those of each image to itself (Feydy et al., Interpolating
between optimal transport and MMD using Sinkhorn divergences, 2019):
S(a, b) = OT(a, b) - OT(a, a) / 2 - OT(b, b) / 2 = <a, f - h_a> + <b, g - h_b>
with the potentials f, g of the two images and h of each to itself. What is left of the bias is about eps times half the
difference of the two images' entropies. An image has tens of occupied pixels and its reconstruction all of them: f and
g are found on that rectangle. Within the blur, which is a fraction of a pixel, an image is near itself alone: h is
found with a kernel of a few pixels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

# Pairs of updates at each temperature, and updates of an image's potential to itself.
UPDATES, OWN_UPDATES = 10, 20
# Kernels of a distance with cost above this many temperatures are below a float32's rounding.
REACH = 20.0
# Bounds of scalings, so that a pixel without mass in reach has a finite potential.
LEAST, MOST = 1e-30, 1e20


def divergence(images: Tensor, made: Tensor, p: int, side: float, blur: float, scaling: float) -> Tensor:
    """Compute Sinkhorn's divergence of pairs of images, approximately W_p^p.

    The potentials are constants where it is differentiated (envelope theorem): the gradient with respect to `made` is
    g - h_b, on every pixel.

    Parameters
    ----------
    images, made
        Shape (n, pixels, pixels), not negative; those of an image of `made` add up to one, the others are made to.
    p
        1 or 2: the cost is the distance to this power.
    side
        Length of a side, in eta and phi.
    blur
        Length below which transport is not resolved, in eta and phi.
    scaling
        Factor between the lengths of the annealing, from the diagonal of the image to the blur.

    Returns
    -------
    Shape (n,); may be below zero by rounding where the two are all but equal.
    """
    size, flat, target = images.shape[1], images.flatten(1), made.flatten(1)
    with torch.no_grad():
        occupied = max(1, int((flat > 0).sum(dim=1).max()))
        mass, where = flat.topk(occupied, dim=1)
        mass = mass / mass.sum(dim=1, keepdim=True)
        steps = _temperatures(side * math.sqrt(2), p, blur, scaling)
        # One image after the other: its costs stay in the processor's cache.
        pairs = [
            _potentials(_costs(pixels, size, side, p), a, b, steps)
            for pixels, a, b in zip(where.split(1), mass.split(1), target.split(1), strict=True)  # type: ignore[no-untyped-call]
        ]
        first, second = (torch.cat(potentials) for potentials in zip(*pairs, strict=True))
        whole = torch.zeros_like(flat).scatter(1, where, mass)
        own = own_potential(whole.view_as(images), side, p, steps[-1]).flatten(1).gather(1, where)
        slope = second - own_potential(made, side, p, steps[-1]).flatten(1)
        # Padding of images with fewer occupied pixels has no mass, and no potential.
        known = torch.where(mass > 0, mass * (first - own), 0.0).sum(dim=1)
    return known + (slope * target).sum(dim=1)


def own_potential(images: Tensor, side: float, p: int, temperature: float) -> Tensor:
    """Give the potential of each image transported to itself, on all pixels; shapes (n, pixels, pixels).

    The averaged update converges in a few steps (Feydy et al., section 3.1).
    """
    size = images.shape[1]
    reach = min(size - 1, max(1, math.ceil((REACH * temperature) ** (1 / p) * size / side)))
    steps = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device) * (side / size)
    kernel = torch.exp(-(torch.hypot(steps[:, None], steps[None, :]) ** p) / temperature)[None, None]
    scaling = torch.ones_like(images)
    for _ in range(OWN_UPDATES):
        near = torch.nn.functional.conv2d((scaling * images)[:, None], kernel, padding=reach)[:, 0]
        scaling = torch.sqrt(scaling / near.clamp(min=LEAST)).clamp(max=MOST)
    return temperature * scaling.log()


def _temperatures(diagonal: float, p: int, blur: float, scaling: float) -> list[float]:
    """From the diagonal of the image down to the blur, to the power p."""
    steps = max(0, math.ceil(math.log(blur / diagonal) / math.log(scaling)))
    return [(diagonal * scaling**step) ** p for step in range(steps)] + [blur**p]


def _costs(pixels: Tensor, size: int, side: float, p: int) -> Tensor:
    """Cost from each of these pixels, numbers of shape (n, k), to all: shape (n, k, size^2)."""
    along = torch.arange(size, device=pixels.device)
    down, across = (
        ((there[..., None] - along) * (side / size)).square()
        for there in (torch.div(pixels, size, rounding_mode="floor"), pixels % size)
    )
    squared = (down[..., :, None] + across[..., None, :]).flatten(2)
    return squared if p == 2 else squared.sqrt()


def _potentials(costs: Tensor, first: Tensor, second: Tensor, temperatures: list[float]) -> tuple[Tensor, Tensor]:
    """Dual potentials of masses (n, k) and (n, m), the second's with exact marginals where the first has mass.

    At each temperature one update with logarithms, which cannot overflow, and then products with the kernel as it is.
    """
    there, logarithms = first > 0, first.log()
    costs = costs.masked_fill(~there[:, :, None], math.inf)
    one = torch.zeros_like(first)
    two = torch.zeros_like(second)
    for temperature in temperatures:
        exponents = (one[:, :, None] - costs) / temperature
        two = -temperature * torch.logsumexp(exponents + logarithms[:, :, None], dim=1)
        kernel = torch.exp(exponents + (two / temperature)[:, None])
        rows, columns = torch.ones_like(one), torch.ones_like(two)
        for _ in range(UPDATES):
            sums = torch.bmm(kernel, (columns * second)[:, :, None])[:, :, 0]
            rows = torch.where(there, 1.0 / sums.clamp(LEAST, 1 / LEAST), 1.0)
            columns = 1.0 / torch.bmm((rows * first)[:, None], kernel)[:, 0].clamp(LEAST, 1 / LEAST)
        one, two = one + temperature * rows.log(), two + temperature * columns.log()
    return one, two
