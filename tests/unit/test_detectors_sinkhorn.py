"""Sinkhorn's divergence: near the exact cost for a small blur, its gradient that of its value, and always finite."""

from __future__ import annotations

import logging

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.negatives import transport
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import ModelSettings, NetworkSettings
from oddjet.detectors.autoencoder.sinkhorn import sinkhorn
from oddjet.detectors.registry import kind_named

CPU = torch.device("cpu")


def sets(n: int = 40, shift: float = 1.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    points = torch.randn(2, n, 3, generator=generator, dtype=torch.float64)
    targets = 0.5 * torch.randn(2, n, 3, generator=generator, dtype=torch.float64) + shift
    return points, targets


@pytest.mark.parametrize("power", [1, 2])
def test_it_tends_to_the_exact_cost_as_the_blur_goes_to_zero(power: int) -> None:
    points, targets = sets()
    exact, _ = transport(points, targets, power=power)
    errors = []
    for blur in (1.0, 0.3, 0.1):
        values, _ = sinkhorn(points, targets, power=power, blur=blur ** (2 / power), iterations=100)
        errors.append(float(((values - exact).abs() / exact).max()))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.02


def test_its_gradient_tends_to_the_exact_one() -> None:
    points, targets = sets(20)
    _, exact = transport(points, targets)
    _, gradient = sinkhorn(points, targets, blur=0.1, iterations=500)
    assert float((gradient - exact).norm() / exact.norm()) < 0.1


@pytest.mark.parametrize("power", [1, 2])
def test_the_gradient_is_that_of_the_value(power: int) -> None:
    points, targets = sets(12)
    direction = torch.randn(points.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    step, settings = 1e-4, {"power": power, "blur": 0.7, "iterations": 300}
    _, gradient = sinkhorn(points, targets, **settings)
    up, down = (sinkhorn(points + sign * step * direction, targets, **settings)[0] for sign in (1, -1))
    expected = (gradient * direction).sum((1, 2))
    assert torch.allclose((up - down) / (2 * step), expected, rtol=1e-5, atol=1e-8)


def test_equal_sets_have_no_divergence_and_no_gradient() -> None:
    points, _ = sets()
    values, gradient = sinkhorn(points, points.flip(1), blur=0.2, iterations=50)
    assert torch.allclose(values, torch.zeros(2, dtype=torch.float64), atol=1e-4)
    assert float(gradient.abs().max()) < 1e-4


@pytest.mark.parametrize("blur", [1e-6, 1e-2, 10.0])
@pytest.mark.parametrize("power", [1, 2])
def test_value_and_gradient_are_finite(blur: float, power: int) -> None:
    points, targets = (tensor.float() for tensor in sets(shift=30.0))
    points[:, 1] = points[:, 0]
    targets[:, :5] = points[:, :5]
    values, gradient = sinkhorn(points, targets, power=power, blur=blur)
    assert torch.isfinite(values).all()
    assert torch.isfinite(gradient).all()


def test_a_broken_seed_says_so_and_leaves_the_others_alone() -> None:
    points, targets = sets()
    broken = points.clone()
    broken[0, 3, 1] = float("inf")
    values, gradient = sinkhorn(broken, targets)
    expected, slopes = sinkhorn(points[1:], targets[1:])
    assert torch.isnan(values[0])
    assert torch.isnan(gradient[0]).all()
    assert values[1] == pytest.approx(float(expected[0]), rel=1e-6)
    assert torch.allclose(gradient[1], slopes[0], rtol=1e-4, atol=1e-7)


def test_the_wnae_trains_with_it_and_says_that_it_is_approximate(caplog: pytest.LogCaptureFixture) -> None:
    net = Network(NetworkSettings(), 3, 2, dtype=torch.float64)
    net.initialise(Generators((1, 2), "initial weights", CPU))
    _, jets = sets()
    losses, gradients = [], []
    for name in ("exact", "sinkhorn"):
        loss = {"transport": name, "blur": 0.1, "sinkhorn_iterations": 200}
        settings = ModelSettings.model_validate({"kind": "wnae", "loss": loss})
        with caplog.at_level(logging.WARNING, "oddjet"):
            objective = kind_named("wnae").build(settings, (1, 2), 3, CPU, torch.float64, 1)
        assert ("approximate" in caplog.text) == (name == "sinkhorn")
        net.gradient.zero_()
        losses.append(objective.add_gradient(net, jets)["loss"])
        gradients.append(net.gradient.clone())
    assert torch.allclose(*losses, rtol=0.02)
    assert float((gradients[1] - gradients[0]).norm() / gradients[0].norm()) < 0.1


def test_the_option_is_the_wnaes_alone_and_exact_is_the_default() -> None:
    wnae = ModelSettings.model_validate({"kind": "wnae"})
    assert wnae.loss is not None
    assert wnae.loss.transport == "exact"
    with pytest.raises(ValidationError, match="transport sinkhorn is for kind wnae"):
        ModelSettings.model_validate({"kind": "nae", "loss": {"transport": "sinkhorn"}})
    description = type(wnae.loss).model_fields["transport"].description
    assert description is not None
    assert "APPROXIMATE" in description
