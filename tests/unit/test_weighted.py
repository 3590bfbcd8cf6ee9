"""Weighted means, quantiles and draws, against samples in which every jet comes as often as its weight says."""

from __future__ import annotations

import numpy as np
import pytest

from oddjet.errors import DatasetError
from oddjet.weighted import check_weights, draw, effective_number, mean, quantiles, unequal


def test_equal_weights_are_no_weights() -> None:
    assert unequal(None) is None
    assert unequal(np.full(5, 0.37, np.float32)) is None
    np.testing.assert_array_equal(unequal(np.array([1, 2], np.float32)), [1.0, 2.0])


def test_a_weight_of_three_is_a_jet_three_times() -> None:
    generator = np.random.default_rng(1)
    values, copies = generator.normal(size=(4000, 2)), generator.integers(1, 6, 4000)
    repeated, weights = np.repeat(values, copies, axis=0), copies.astype(float)
    np.testing.assert_allclose(mean(values, weights), repeated.mean(axis=0), rtol=1e-12)
    chances = np.linspace(0.01, 0.99, 50)
    found = quantiles(values[:, 0], chances, weights)
    np.testing.assert_allclose(found, np.quantile(repeated[:, 0], chances), atol=0.02)


def test_negative_weights_take_away_what_is_too_much() -> None:
    """A shifted share with the weight -1, twice in the sample: its jets cancel and the rest has the known quantiles."""
    generator = np.random.default_rng(2)
    plain, extra = generator.normal(size=20_000), generator.normal(1.5, 0.7, 10_000)
    values = np.concatenate([plain, extra, generator.normal(1.5, 0.7, 10_000)])
    weights = np.concatenate([np.ones(30_000), -np.ones(10_000)])
    assert mean(values, weights) == pytest.approx(0, abs=0.03)
    found = quantiles(values, np.array([0.16, 0.5, 0.84]), weights)
    np.testing.assert_allclose(found, [-0.994, 0, 0.994], atol=0.04)
    assert (np.diff(quantiles(values, np.linspace(0, 1, 500), weights)) >= 0).all()


@pytest.mark.parametrize("factor", [1.0, 1e-30, 1e30])
def test_jets_are_drawn_as_often_as_their_weights_say(factor: float) -> None:
    weights = (np.where(np.arange(4000) < 2000, 1.0, 0.02) * factor).astype(np.float32)
    rows = draw(weights, 100_000, 3)
    assert len(rows) == int(effective_number(weights)) == 2079
    assert np.count_nonzero(rows >= 2000) == pytest.approx(2079 * 40 / 2040, abs=1)
    # A jet of the largest weight comes once, or twice by the two per cent that are over.
    assert set(np.bincount(rows, minlength=2000)[:2000].tolist()) == {1, 2}
    assert len(draw(weights, 300, 3)) == 300
    assert not np.array_equal(draw(weights, 300, 3), draw(weights, 300, 4))
    np.testing.assert_array_equal(draw(-weights, 300, 3), draw(weights, 300, 3))


def test_of_a_million_equal_jets_every_block_gets_its_share() -> None:
    rows = draw(np.full(1_000_000, 0.37, np.float32), 500_000, 1)
    assert len(np.unique(rows)) == len(rows)
    np.testing.assert_allclose(np.histogram(rows, 20, (0, 1_000_000))[0] / 25_000, 1, atol=0.02)


def test_weights_that_nothing_can_be_done_with() -> None:
    with pytest.raises(DatasetError, match=r"forest: the weights of 2 jets add up to 0, not to a number above 0"):
        check_weights(np.array([1.0, -1.0]), "forest")
    with pytest.raises(DatasetError, match="forest: 1 of 3 jets have negative weights, and it cannot use them"):
        check_weights(np.array([1.0, 1.0, -1.0]), "forest", signed=False)
    check_weights(np.array([1.0, 1.0, -1.0]), "forest")
    with pytest.raises(DatasetError, match="add up to inf"):
        draw(np.array([np.inf, 1.0]), 5, 1)
