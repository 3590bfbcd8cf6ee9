"""Networks on images: shapes of the paper, the KLD and the loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from oddjet.detectors.vae.losses import kld, probability_images, training_distance, weighted_loss
from oddjet.detectors.vae.networks import Classifier, Shape, Vae
from oddjet.errors import DetectorError

SIDE = 3.2


def images(count: int, seed: int = 0, pixels: int = 40) -> np.ndarray:
    generator = np.random.default_rng(seed)
    filled = np.zeros((count, pixels, pixels), np.float32)
    for image in filled:
        rows, columns = np.clip(generator.normal(pixels / 2, pixels / 8, (2, 15)), 0, pixels - 1).astype(int)
        np.add.at(image, (rows, columns), generator.exponential(1, 15))
    return filled / filled.sum(axis=(1, 2), keepdims=True)


@pytest.mark.parametrize(("depth", "flat"), [(1, 2000), (2, 500), (3, 125)])
def test_shapes_are_the_papers(depth: int, flat: int) -> None:
    vae = Vae(Shape(depth))
    given = torch.from_numpy(images(3))
    after = vae.encoder(given)
    assert [tuple(flat.shape) for flat in after] == [(3, 5 * (40 // 2**block) ** 2) for block in range(1, depth + 1)]
    assert after[-1].shape[1] == flat == vae.shape.flat
    made, mean, log_variance = vae(given, torch.zeros(3, 64))
    assert made.shape == (3, 40, 40)
    assert mean.shape == log_variance.shape == (3, 64)
    assert Vae(Shape(depth, decoder_start="single")).decoder.dense[2].out_features == flat // 5
    assert Classifier(Shape(depth))(given).shape == (3,)
    # Without noise the latent point is the mean, and noise moves it by sigma.
    torch.testing.assert_close(vae(given)[0], vae(given, torch.zeros(3, 64))[0])
    torch.testing.assert_close(vae.decoder(mean + torch.exp(0.5 * log_variance)), vae(given, torch.ones(3, 64))[0])


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_first_images_are_above_zero_where_transport_has_to_see_them(depth: int) -> None:
    """Of 30 networks 12, 15 and 9 begin without a pixel above zero; none of those that are told to begin above it."""
    given, begun = torch.from_numpy(images(4)), []
    for seed in range(30):
        torch.manual_seed(seed)
        vae = Vae(Shape(depth))
        before = float((vae(given)[0] > 0).double().mean())
        vae.decoder.begin_above_zero()
        begun.append((before, float((vae(given)[0] > 0).double().mean())))
    assert min(before for before, _ in begun) == 0.0
    assert min(after for _, after in begun) > 0.9


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_the_encoder_sees_pixels_times_a_factor(scale: float) -> None:
    """Without one three poolings leave a code that hardly depends on the jet beside the noise of the latent space."""
    given = torch.from_numpy(images(20))
    torch.manual_seed(1)
    scaled, plain = Vae(Shape(3, scale=scale)), Vae(Shape(3))
    plain.load_state_dict(scaled.state_dict())
    with torch.no_grad():
        code, before = scaled.encode(given)[0], plain.encode(given)[0]
        torch.testing.assert_close(code, plain.encode(scale * given)[0])
    # How much it differs from jet to jet: by some millionths, where the noise is of size 1.
    assert before.std(dim=0).mean() < 1e-5
    assert code.std(dim=0).mean() / before.std(dim=0).mean() == pytest.approx(scale, rel=0.3)


def test_an_image_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(DetectorError, match="20 pixels a side cannot be halved 3 times"):
        Shape(3, pixels=20)


def test_the_kld_is_that_of_gaussians() -> None:
    zeros = torch.zeros(2, 64)
    assert kld(zeros, zeros).tolist() == [0.0, 0.0]
    # One dimension N(1, 1): 1/2; one of variance e^2: (e^2 - 3) / 2.
    mean, log_variance = zeros.clone(), zeros.clone()
    mean[0, 3], log_variance[1, 5] = 1.0, 2.0
    expected = [0.5, (np.exp(2.0) - 3) / 2]
    np.testing.assert_allclose(kld(mean, log_variance), expected, rtol=1e-6)
    np.testing.assert_allclose(kld(mean, log_variance, "mean"), np.array(expected) / 64, rtol=1e-6)


def test_beta_weighs_the_two_terms_and_zero_ignores_the_kld() -> None:
    distance = torch.tensor([0.2, 0.4])
    assert weighted_loss(distance, torch.tensor([np.inf, np.nan]), 0.0).tolist() == distance.tolist()
    torch.testing.assert_close(weighted_loss(distance, torch.tensor([1.0, 2.0]), 0.25), torch.tensor([0.4, 0.8]))


def test_errors_are_means_over_all_pixels() -> None:
    one, two = (torch.from_numpy(images(4, seed)) for seed in (1, 2))
    for metric, power in (("mse", 2), ("mae", 1)):
        expected = (np.abs(one.numpy() - two.numpy()) ** power).mean(axis=(1, 2))
        np.testing.assert_allclose(training_distance(metric, SIDE, 0.003, 0.5)(one, two), expected, rtol=1e-5)


def test_reconstructions_become_probabilities() -> None:
    made = torch.tensor([[[3.0, 1.0], [0.0, -1.0]], [[-0.5, -0.5], [-1.0, -1.0]]], requires_grad=True)
    found = probability_images(made)
    assert found.detach().sum(dim=(1, 2)).tolist() == pytest.approx([1, 1])
    np.testing.assert_allclose(found.detach()[0], np.array([[0.75, 0.25], [0, 0]]), atol=1e-5)
    np.testing.assert_allclose(found.detach()[1], [[0.5, 0.5], [0, 0]])
    # Without a pixel above zero there still is a way up.
    (gradient,) = torch.autograd.grad(found[1, 0, 0], made)
    assert gradient[1, 0, 0] > 0
