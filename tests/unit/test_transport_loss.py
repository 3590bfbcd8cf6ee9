"""Exact transport as a loss: value and gradient against `ot.emd2`, finite differences, tangents."""

from __future__ import annotations

import numpy as np
import ot
import pytest
import torch
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist
from torch import Tensor

from oddjet.errors import TransportError
from oddjet.transport.loss import exact_transport

SIDE, PIXELS = 3.2, 12
POWERS = (0.5, 1.0, 2.0)


def images(kind: str) -> tuple[Tensor, Tensor]:
    """Five pairs of images (5, PIXELS, PIXELS), float64; sums differ from one."""
    generator = np.random.default_rng(4)
    shape = (5, PIXELS, PIXELS)
    sparse = generator.exponential(1.0, shape) ** 2 * (generator.random(shape) < 0.15)
    sparse[:, 5, 5] += 0.3
    if kind == "random":
        other = generator.exponential(1.0, shape) * (generator.random(shape) < 0.5)
    elif kind == "close":
        other = np.stack([gaussian_filter(image, 0.7, mode="constant") for image in sparse])
    elif kind == "ties":
        sparse, other = ((generator.random(shape) < share).astype(float) for share in (0.2, 0.4))
    elif kind == "one pixel":
        sparse, other = np.zeros(shape), np.zeros(shape)
        for index in range(5):
            sparse[index, index, 3] = other[index, 4, 2 * index] = 1.0 + index
    else:
        other = sparse.copy()
    return torch.from_numpy(sparse), torch.from_numpy(other)


def places() -> np.ndarray:
    steps = np.arange(PIXELS) * SIDE / PIXELS
    return np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)


def reference(target: Tensor, weights: Tensor, power: float) -> tuple[np.ndarray, np.ndarray]:
    """Costs of `ot.emd2` on all pixels and its gradients by normalised weights."""
    costs = torch.from_numpy(cdist(places(), places()) ** power)
    values, slopes = [], []
    for one, two in zip(target.flatten(1), weights.flatten(1), strict=True):
        shares = (two / two.sum()).requires_grad_()
        value = ot.emd2(one / one.sum(), shares, costs, numItermax=1_000_000)
        (slope,) = torch.autograd.grad(value, shares)
        values.append(float(value.detach()))
        slopes.append(slope.numpy())
    return np.array(values), np.array(slopes)


def solved(target: Tensor, weights: Tensor, power: float, **more: object) -> tuple[Tensor, Tensor]:
    given = weights.clone().requires_grad_()
    values = exact_transport(target, given, power, **({"side": SIDE} | more))  # type: ignore[arg-type]
    (gradient,) = torch.autograd.grad(values.sum(), given)
    return values.detach(), gradient


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("kind", ["random", "close", "ties", "one pixel", "equal"])
def test_value_and_subgradient(kind: str, power: float) -> None:
    target, weights = images(kind)
    values, gradient = solved(target, weights, power)
    expected, _ = reference(target, weights, power)
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-10)
    assert torch.isfinite(gradient).all()
    # A factor on all weights changes nothing.
    np.testing.assert_allclose((gradient * weights).sum((1, 2)), 0, atol=1e-12)
    # The cost is convex in the shares: it lies above each of its tangents, wherever one goes, empty pixels too.
    sums = weights.sum((1, 2), keepdim=True)
    for toward in (*(images(other)[1] for other in ("random", "close", "ties", "one pixel")), target):
        step = 0.3 * (toward / toward.sum((1, 2), keepdim=True) - weights / sums)
        there, _ = solved(target, weights / sums + step, power)
        tangent = values + (gradient * sums * step).sum((1, 2))
        assert (there > tangent - 1e-12).all()


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("kind", ["random", "close"])
def test_the_gradient_is_that_of_emd2_where_there_is_weight(kind: str, power: float) -> None:
    target, weights = images(kind)
    _, gradient = solved(target, weights, power)
    _, expected = reference(target, weights, power)
    sums = weights.sum((1, 2)).numpy()
    for own, twin, weight, total in zip(gradient.flatten(1), expected, weights.flatten(1), sums, strict=True):
        there = weight.numpy() > 0
        shares = weight.numpy() / total
        np.testing.assert_allclose(own[there], ((twin - (shares * twin).sum()) / total)[there], atol=1e-10)


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("kind", ["random", "close"])
def test_finite_differences(kind: str, power: float) -> None:
    target, weights = images(kind)
    _, gradient = solved(target, weights, power)
    generator = torch.Generator().manual_seed(2)
    direction = torch.randn(weights.shape, generator=generator, dtype=torch.float64)
    # Empty pixels can only be filled: to one side alone, with the weight that the other pixels lose.
    inside = direction * weights
    step = 1e-7
    up, down = (solved(target, weights + sign * step * inside, power)[0] for sign in (1, -1))
    np.testing.assert_allclose((up - down) / (2 * step), (gradient * inside).sum((1, 2)), rtol=1e-6, atol=1e-8)
    outside = direction.abs() * (weights == 0)
    filled = solved(target, weights + step * outside, power)[0] - solved(target, weights, power)[0]
    np.testing.assert_allclose(filled / step, (gradient * outside).sum((1, 2)), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_points_are_as_good_as_a_grid(power: float) -> None:
    target, weights = images("random")
    values, gradient = solved(target, weights, power)
    points = torch.from_numpy(places())
    for more in ({"target_points": points}, {"target_points": points.expand(5, -1, -1), "points": points + 0.0}):
        found, slopes = solved(target.flatten(1), weights.flatten(1), power, side=None, **more)
        np.testing.assert_allclose(found, values, atol=1e-12)
        np.testing.assert_allclose(slopes, gradient.flatten(1), atol=1e-10)


def test_sets_of_points_of_different_sizes() -> None:
    generator = torch.Generator().manual_seed(5)
    x, y = (torch.randn(3, count, 3, generator=generator, dtype=torch.float64) for count in (6, 9))
    a, b = (torch.rand(3, count, generator=generator, dtype=torch.float64) for count in (6, 9))
    a[0, 4:] = 0.0
    found, _ = solved(a, b, 1.5, side=None, target_points=x, points=y)
    for index in range(3):
        costs = cdist(x[index].numpy(), y[index].numpy()) ** 1.5
        shares = ((weights[index] / weights[index].sum()).numpy() for weights in (a, b))
        assert float(found[index]) == pytest.approx(ot.emd2(*shares, costs), abs=1e-12)


def test_threads_change_no_bit_and_single_precision_is_kept() -> None:
    target, weights = (tensor.float() for tensor in images("close"))
    alone, together = (solved(target, weights, 1.0, threads=threads) for threads in (1, 3))
    assert torch.equal(alone[0], together[0])
    assert torch.equal(alone[1], together[1])
    assert alone[0].dtype == alone[1].dtype == torch.float32


def test_an_empty_pixel_of_equal_images_costs_the_way_from_the_nearest() -> None:
    target = torch.zeros(1, PIXELS, PIXELS, dtype=torch.float64)
    target[0, 2, 2], target[0, 9, 9] = 1.0, 3.0
    values, gradient = solved(target, target, 1.0)
    assert float(values[0]) == 0.0
    assert float(gradient[0, 2, 5]) == pytest.approx(3 * SIDE / PIXELS / 4)
    assert float(gradient[0, 2, 2]) == float(gradient[0, 9, 9]) == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": torch.zeros(2, 4, 4)}, "weights 0 has no weight above 0"),
        ({"target": torch.full((2, 4, 4), float("nan"))}, "target 0 has no weight"),
        ({"target": torch.ones(2, 4, 4, requires_grad=True)}, "target wants a gradient"),
        ({"target": torch.ones(2, 4, 5)}, r"the shape \(n, P, P\)"),
        ({"side": None}, "say where the weights are"),
        ({"side": None, "target_points": torch.ones(4, 2)}, "do not fit points"),
        ({"power": 0.0}, "power of the transport cost"),
    ],
)
def test_what_cannot_be_solved_is_refused(change: dict[str, object], message: str) -> None:
    given = {"target": torch.ones(2, 4, 4), "weights": torch.ones(2, 4, 4), "side": 1.0}
    with pytest.raises(TransportError, match=message):
        exact_transport(**(given | change))  # type: ignore[arg-type]
