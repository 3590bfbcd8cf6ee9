"""Random numbers of a seed: normal ones against their law, draws by weight against their shares."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.normal_kernels import fill_normal
from oddjet.errors import DetectorError

CPU = torch.device("cpu")


def generators(*seeds: int) -> Generators:
    return Generators(seeds or (1,), "test", CPU)


def test_normal_numbers_are_box_and_mullers() -> None:
    edges = np.array([0.0, 2.0**-24, 1 / 8, 0.25, 3 / 8, 0.5, 5 / 8, 0.75, 7 / 8, 1 - 2.0**-24])
    uniforms = np.concatenate([np.array(np.meshgrid(edges, edges)).reshape(2, -1), torch.rand(2, 1000).numpy()], axis=1)
    numbers = np.empty(uniforms.shape, np.float32)
    fill_normal(uniforms.astype(np.float32), numbers)
    radius, angle = np.sqrt(-2 * np.log1p(-uniforms[0])), 2 * np.pi * uniforms[1]
    assert np.abs(numbers - radius * np.array([np.cos(angle), np.sin(angle)])).max() < 2e-6


def test_normal_numbers_follow_their_law_in_any_shape() -> None:
    numbers = generators(1, 2).normal(333, 301, dtype=torch.float32).double().numpy()
    assert numbers.shape == (2, 333, 301)
    # Of seeds 1 to 20, p is 0.07 to 0.93, and the kurtosis 0 with a spread of 0.016.
    for of_seed in numbers.reshape(2, -1):
        assert stats.kstest(of_seed, "norm").pvalue > 1e-3
        assert abs(stats.kurtosis(of_seed)) < 0.08
    assert abs(np.corrcoef(numbers.reshape(2, -1))[0, 1]) < 0.02
    # A seed has the same numbers whatever the shape, and beside whom.
    flat = generators(2).normal(333 * 301, dtype=torch.float32)[0].numpy()
    assert np.array_equal(flat, numbers[1].ravel().astype(np.float32))


def test_ten_million_jets_of_one_weight_are_drawn_equally_often() -> None:
    jets = 10_000_000
    drawn = generators().choices(torch.full((jets,), 0.37), 2_000_000)[0].numpy()
    counts = np.histogram(drawn, 20, (0, jets))[0] / 1e5
    assert np.abs(counts - 1).max() < 0.016  # five times the binomial spread of 0.0031


def test_more_jets_than_single_precision_counts_can_be_drawn() -> None:
    drawn = generators().choices(torch.ones(2**24 + 1), 1000)[0]
    assert drawn.shape == (1000,)
    assert int(drawn.max()) > 2**23


def test_large_weights_are_drawn_by_and_rows_of_weight_zero_never() -> None:
    weights = torch.full((600,), 1e36)
    assert len(generators().choices(weights, 600)[0].unique()) > 300
    weights[::2] = 0
    drawn = generators(1, 2).choices(weights, 6000)
    assert drawn.shape == (2, 6000)
    assert bool((drawn % 2 == 1).all())
    assert len(drawn[0].unique()) == 300
    shares = torch.bincount(generators().choices(torch.tensor([1.0, 0.0, 3.0, 0.0]), 40_000)[0], minlength=4)
    assert shares[1] == shares[3] == 0
    assert abs(int(shares[0]) - 10_000) < 5 * 87


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([1.0, -2.0], "row 1: -2"),
        ([1.0, float("nan")], "row 1: nan"),
        ([float("inf"), 1.0], "row 0: inf"),
        ([0.0, 0.0], "2 weights add up to 0"),
        ([], "0 weights add up to 0"),
    ],
)
def test_weights_that_cannot_be_drawn_by_are_named(weights: list[float], said: str) -> None:
    with pytest.raises(DetectorError, match=said):
        generators().choices(torch.tensor(weights), 3)


def test_a_sum_that_is_not_finite_is_named() -> None:
    with pytest.raises(DetectorError, match="add up to inf"):
        generators().choices(torch.full((4,), 1e308, dtype=torch.float64), 3)
