"""Losses of the image VAE: distances between images and reconstructions, and the weight of the KLD.

Transport is exact (`oddjet.transport.loss`), or Sinkhorn's divergence, which is approximate and made of products of
matrices alone, for a GPU; scores are exact always.

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
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from oddjet.transport.images import metric_of
from oddjet.transport.loss import exact_transport

# From images and reconstructions, (n, pixels, pixels) each, to distances (n,).
Distance: TypeAlias = Callable[[Tensor, Tensor], Tensor]

# Weight of the pixels at or below zero in `probability_images`: all 1600 of them together move W2 by less than a
# hundredth of a pixel. And the least that the sum of an image counts as.
LEAK = 1e-8
SMALLEST = 1e-12
# Square of an eighth of a pixel of 0.08, below which a root is replaced by its tangent.
STRAIGHT = 1e-4
# Pairs of updates at each temperature, and updates of an image's potential to itself.
UPDATES, OWN_UPDATES = 10, 20
# Kernels of a distance with cost above this many temperatures are below a float32's rounding.
REACH = 20.0
# Bounds of scalings, so that a pixel without mass in reach has a finite potential.
LEAST, MOST = 1e-30, 1e20


def kld(mean: Tensor, log_variance: Tensor, reduction: Literal["sum", "mean"] = "sum") -> Tensor:
    """Kullback-Leibler divergence of N(mean, variance) from N(0, 1), over the latent dimensions; shape (n,).

    -1/2 (1 + log s^2 - mu^2 - s^2), arXiv:2110.06948, eq. (3.4).
    """
    terms = -0.5 * (1.0 + log_variance - mean**2 - log_variance.exp())
    return terms.sum(dim=1) if reduction == "sum" else terms.mean(dim=1)


def weighted_loss(distance: Tensor, divergence: Tensor, beta: float) -> Tensor:
    """(1 - beta) distance + beta KLD (eq. 3.5), shape (n,); with beta = 0 the KLD is not read."""
    return distance if beta == 0 else (1.0 - beta) * distance + beta * divergence


def training_distance(metric: str, side: float, blur: float | None = None, scaling: float = 0.5) -> Distance:
    """Return the distance of a training metric.

    Parameters
    ----------
    metric
        `mse`, `mae`, `wass0p5`, `wass1` or `wass2`; wass2 is W2 with the root, wass0p5 the cost itself.
    side
        Length of a side of the images, in eta and phi.
    blur, scaling
        Of Sinkhorn's divergence, for wass1 and wass2, see `divergence`; None: transport is exact.
    """
    if metric == "mse":
        return lambda images, made: ((images - made) ** 2).mean(dim=(1, 2))
    if metric == "mae":
        return lambda images, made: (images - made).abs().mean(dim=(1, 2))
    if blur is None:
        return Exact(metric_of(metric).power, side)
    return Sinkhorn(int(metric.removeprefix("wass")), side, blur, scaling)


class Exact:
    """Exact Wasserstein distance between images and reconstructions, whose pixels at or below zero are empty.

    On an empty pixel the gradient is that of the first grain of weight where this lowers the distance, so that the
    pixel comes up again, and zero where it raises it: less than empty is no nearer. A reconstruction without a pixel
    above zero counts by its height above -1, the least that an ELU gives; one that is -1 everywhere, or not finite,
    has no distance, which ends the training as any loss does that is not finite.

    Parameters
    ----------
    power
        p, of the ground cost; the root is taken for p > 1.
    side
        Length of a side, in eta and phi.
    """

    def __init__(self, power: float, side: float) -> None:
        self.power, self.side = power, side

    def __call__(self, images: Tensor, made: Tensor) -> Tensor:
        """Return the distances, shape (n,)."""
        empty = ~(made > 0).flatten(1).any(dim=1)
        weights: Tensor = _Filled.apply(torch.where(empty[:, None, None], made + 1, made))  # type: ignore[no-untyped-call]
        lost = ~(torch.isfinite(weights).flatten(1).all(dim=1) & (weights > 0).flatten(1).any(dim=1))
        if lost.any():
            weights = torch.where(lost[:, None, None], 1.0, weights)
        cost = exact_transport(images, weights, self.power, side=self.side)
        return torch.where(lost, math.nan, smooth_root(cost) if self.power > 1 else cost)


class _Filled(torch.autograd.Function):
    """The same pixels; the gradient leaves out those that are empty and that it would lower."""

    @staticmethod
    def forward(context: Any, made: Tensor) -> Tensor:  # noqa: ANN401  torch gives it no type
        context.save_for_backward(made)
        return made.view_as(made)

    @staticmethod
    def backward(context: Any, slope: Tensor) -> Tensor:  # noqa: ANN401  the same
        (made,) = context.saved_tensors
        return torch.where((made <= 0) & (slope > 0), 0.0, slope)


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
        """Return the distances, shape (n,); wass1 may be below zero by rounding where the two are all but equal."""
        cost = divergence(images, probability_images(made), self.p, self.side, self.blur, self.scaling)
        return cost if self.p == 1 else smooth_root(cost)


def smooth_root(squares: Tensor) -> Tensor:
    """Take roots, and go on along the tangent below `STRAIGHT`, where rounding may leave less than zero.

    So every image has a gradient, the same one of 1 / (2 sqrt(STRAIGHT)) from there on.
    """
    roots = squares.clamp(min=STRAIGHT).sqrt()
    return torch.where(squares > STRAIGHT, roots, (squares + STRAIGHT) / (2.0 * math.sqrt(STRAIGHT)))


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
    """Return the potential of each image transported to itself, on all pixels; shapes (n, pixels, pixels).

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
