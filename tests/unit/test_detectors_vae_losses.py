"""The transport losses of the image VAE against exact transport, where a training ends: close images."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.ndimage import gaussian_filter

from oddjet.detectors.vae.losses import divergence, smooth_root, training_distance
from oddjet.detectors.vae.networks import Shape, Vae
from oddjet.detectors.vae.settings import SinkhornSettings, VaeSettings, VaeTraining
from oddjet.transport.images import distances, metric_of
from oddjet.transport.sparse import sparse_images

SIDE, PIXELS, JETS = 3.2, 40, 24
DEFAULT = SinkhornSettings()


def jets(seed: int = 1) -> np.ndarray:
    """Images of jets of one to three prongs with 25 to 70 constituents, (JETS, PIXELS, PIXELS); each adds up to one."""
    generator = np.random.default_rng(seed)
    images = np.zeros((JETS, PIXELS, PIXELS), np.float32)
    for image in images:
        prongs = generator.integers(1, 4)
        axes = generator.normal(0, 4, (prongs, 2)) * (prongs > 1)
        which = generator.choice(prongs, generator.integers(25, 70), p=generator.dirichlet(np.ones(prongs)))
        radius, angle = 2 * generator.exponential(1, len(which)) ** 1.5, generator.uniform(0, 2 * np.pi, len(which))
        pt = generator.exponential(1, len(which)) ** 2
        where = axes[which] + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        where -= (where * pt[:, None]).sum(0) / pt.sum()
        rows, columns = np.clip(np.floor(where + PIXELS / 2), 0, PIXELS - 1).astype(int).T
        np.add.at(image, (rows, columns), pt)
    return images / images.sum(axis=(1, 2), keepdims=True)


def blurred(images: np.ndarray, width: float) -> np.ndarray:
    """Copies as a good reconstruction gives them, smeared by a Gaussian of so many pixels."""
    return np.stack([gaussian_filter(image, width, mode="constant") for image in images])


def exact(images: np.ndarray, made: np.ndarray, metric: str) -> np.ndarray:
    pairs = np.repeat(np.arange(len(images)), 2).reshape(-1, 2)
    sparse = (sparse_images(part.astype(np.float64), SIDE) for part in (images, made))
    return distances(*sparse, pairs, metric_of(metric))


def trained(metric: str, images: np.ndarray, made: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the training's distances at the default settings and their gradients."""
    given = torch.from_numpy(made).requires_grad_()
    values = training_distance(metric, SIDE, DEFAULT.blur, DEFAULT.scaling)(torch.from_numpy(images), given)
    (gradient,) = torch.autograd.grad(values.sum(), given)
    return values.detach().numpy(), gradient.numpy()


@pytest.mark.parametrize("metric", ["wass1", "wass2"])
@pytest.mark.parametrize("width", [0.7, 1.5, 3.0])
def test_close_images_have_the_exact_distance_nearly(metric: str, width: float) -> None:
    images = jets()
    made = blurred(images, width)
    expected, (found, gradient) = exact(images, made, metric), trained(metric, images, made)
    assert np.corrcoef(found, expected)[0, 1] > 0.95
    assert found.mean() == pytest.approx(expected.mean(), rel=0.1)
    np.testing.assert_allclose(found, expected, rtol=0.15)
    # No image is without a way down: a convex W falls by W at least on the way to the image, its root by half.
    slope = (gradient * (images - made / made.sum(axis=(1, 2), keepdims=True))).sum(axis=(1, 2))
    assert (slope < -0.8 * expected / (1 if metric == "wass1" else 2)).all()


@pytest.mark.parametrize("metric", ["wass1", "wass2"])
def test_images_far_apart_have_the_exact_distance_nearly(metric: str) -> None:
    images = jets()
    made = np.roll(jets(2), 3, axis=0)
    found, gradient = trained(metric, images, made)
    np.testing.assert_allclose(found, exact(images, made, metric), rtol=0.06)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("metric", ["wass1", "wass2"])
def test_equal_images_are_at_zero_and_keep_a_gradient(metric: str) -> None:
    images = jets()
    found, gradient = trained(metric, images, images)
    assert np.abs(found).max() < 0.01
    assert np.isfinite(gradient).all()
    assert (np.abs(gradient).max(axis=(1, 2)) > 1e-3).all()


@pytest.mark.parametrize("metric", ["wass0p5", "wass1", "wass2"])
def test_the_exact_loss_is_the_exact_distance(metric: str) -> None:
    images = jets()
    for made in (blurred(images, 0.7), blurred(images, 1.5) - 1e-3, np.roll(jets(2), 3, axis=0)):
        given = torch.from_numpy(made).double().requires_grad_()
        values = training_distance(metric, SIDE)(torch.from_numpy(images).double(), given)
        np.testing.assert_allclose(values.detach(), exact(images, made, metric), atol=1e-10)
        (gradient,) = torch.autograd.grad(values.sum(), given)
        # An empty pixel is only ever drawn up; one with weight has the whole gradient.
        assert (gradient[given <= 0] <= 0).all()
        assert (gradient[given > 0] != 0).float().mean() > 0.9


def test_a_reconstruction_without_a_pixel_above_zero_comes_up() -> None:
    images = torch.from_numpy(jets()[:4])
    made = torch.full((4, PIXELS, PIXELS), -0.5).requires_grad_()
    distance = training_distance("wass1", SIDE)
    first = distance(images, made)
    (gradient,) = torch.autograd.grad(first.sum(), made)
    # Where the jet is the way leads up.
    assert (gradient[images > 0.05] < 0).all()
    assert (distance(images, made.detach() - 1e3 * gradient) < first).all()


@pytest.mark.parametrize("metric", ["wass0p5", "wass1", "wass2"])
@pytest.mark.parametrize("value", [-1.0, math.nan])
def test_a_reconstruction_that_is_lost_has_no_distance(metric: str, value: float) -> None:
    """An ELU far below zero is -1 to the last bit; the guard of the training ends it then, and keeps the best epoch."""
    images = torch.from_numpy(jets()[:3])
    made = images.clone()
    made[1] = value
    found, before = (training_distance(metric, SIDE)(images, given) for given in (made, images))
    assert torch.isnan(found).tolist() == [False, True, False]
    assert torch.equal(found[::2], before[::2])


@pytest.mark.parametrize("metric", ["wass0p5", "wass1", "wass2"])
def test_a_network_learns_from_the_exact_loss(metric: str) -> None:
    torch.manual_seed(3)
    images = torch.from_numpy(jets()[:8])
    network, distance = Vae(Shape(1, PIXELS)), training_distance(metric, SIDE)
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        loss = distance(images, network(images)[0]).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    # 12 seeds of images and network: 0.45 +- 0.05, 0.25 +- 0.05 and 0.31 +- 0.05 of the first loss.
    assert np.mean(losses[-5:]) < 0.7 * losses[0]


def test_sinkhorn_has_no_cost_of_power_one_half() -> None:
    trainings = {"wass0p5": VaeTraining()}
    assert VaeSettings(trainings=trainings).transport == "exact"
    with pytest.raises(ValidationError, match="wass1 and wass2"):
        VaeSettings(trainings=trainings, transport="sinkhorn")


@pytest.mark.parametrize("p", [1, 2])
def test_the_gradient_is_that_of_the_divergence(p: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # With a blur of a pixel and many updates the iteration converges, and the envelope theorem holds.
    monkeypatch.setattr("oddjet.detectors.vae.losses.UPDATES", 200)
    generator = torch.Generator().manual_seed(3)
    images, made, direction = torch.rand((3, 4, 8, 8), generator=generator, dtype=torch.float64)
    made = (made / made.sum(dim=(1, 2), keepdim=True)).requires_grad_()
    direction = (direction - (direction * made.detach()).sum(dim=(1, 2), keepdim=True)) * made.detach()

    def value(images_made: torch.Tensor) -> torch.Tensor:
        return divergence(images, images_made, p, SIDE, 0.4, 0.7)

    (gradient,) = torch.autograd.grad(value(made).sum(), made)
    with torch.no_grad():
        slope = (value(made + 1e-3 * direction) - value(made - 1e-3 * direction)) / 2e-3
    np.testing.assert_allclose((gradient * direction).sum(dim=(1, 2)), slope, rtol=0.01, atol=1e-6)


def test_a_root_goes_on_along_its_tangent() -> None:
    squares = torch.tensor([1.0, 1e-4, 1e-6, 0.0, -1e-3], requires_grad=True)
    roots = smooth_root(squares)
    (slopes,) = torch.autograd.grad(roots.sum(), squares)
    np.testing.assert_allclose(roots.detach(), [1, 0.01, 0.00505, 0.005, -0.045], rtol=1e-5)
    np.testing.assert_allclose(slopes, [0.5, 50, 50, 50, 50], rtol=1e-5)


@pytest.mark.parametrize("setting", [{"blur": 0.02}, {"blur": 1e-4}, {"scaling": 0.2}, {"scaling": 0.99}])
def test_settings_that_cannot_be_right_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(setting))):
        SinkhornSettings.model_validate(setting)
