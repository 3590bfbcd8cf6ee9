"""Weights of both signs: efficiencies are monotonic, finite, and right on average; positive weights stay."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from oddjet.evaluation.auc import SampleScores
from oddjet.evaluation.efficiency import MERITS, Ranking, background_efficiency, rejection, signal_efficiency
from oddjet.weighted import pooled_weights

SHIFT = 2.0
# Share of negative weights by score.
LAWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "a quarter": lambda score: np.full(np.shape(score), 0.25),
    "more where the score is small": lambda score: 0.25 - 0.15 * np.tanh(score),
    "more where the score is large": lambda score: 0.25 + 0.15 * np.tanh(score),
}


def signed(generator: np.random.Generator, count: int, centre: float, law: str) -> SampleScores:
    scores = generator.normal(size=count)
    weights = np.where(generator.random(count) < LAWS[law](scores), -1.0, 1.0)
    return SampleScores("signed", scores + centre, weights)


def true_efficiency(cut: float, law: str) -> float:
    """Share of the weight of N(0, 1) above a cut."""
    scores = np.linspace(-8, 8, 160001)
    density = norm.pdf(scores) * (1 - 2 * LAWS[law](scores))
    return float(density[scores > cut].sum() / density.sum())


@pytest.mark.parametrize("law", LAWS)
def test_the_rejection_is_finite_and_the_efficiency_right_on_average(law: str) -> None:
    found, plain = [], []
    for toy in range(300):
        generator = np.random.default_rng(toy)
        pair = Ranking(signed(generator, 2000, 0.0, law), SampleScores("s", generator.normal(SHIFT, 1, 500)))
        curve = pair.curve()
        assert (np.diff(curve.background) >= 0).all()
        assert all(math.isfinite(merit(curve).value) for merit in MERITS.values())
        found.append(background_efficiency(curve, 0.3))
        cut = np.quantile(pair.signal.scores, 0.7)
        plain.append(pair.background.weights[pair.background.scores > cut].sum())
    found = np.array(found)
    truth = true_efficiency(norm.isf(0.3) + SHIFT, law)
    error = found.std() / math.sqrt(300)
    assert found.mean() == pytest.approx(truth, abs=3 * error)
    # 1 / eps_b of six jets is skew: its median lies above the truth as that of a sample without signs does.
    assert np.median(1 / found) == pytest.approx(1 / truth, rel=0.2)
    # The plain sum of weights cannot be used: a rejection of infinity, or below 0.
    assert law == "more where the score is small" or np.count_nonzero(np.array(plain) <= 0) >= 3


def test_a_signal_of_both_signs_is_treated_alike() -> None:
    found = []
    for toy in range(300):
        generator = np.random.default_rng(toy)
        background = SampleScores("b", generator.normal(size=2000))
        curve = Ranking(background, signed(generator, 500, SHIFT, "a quarter")).curve()
        assert (np.diff(curve.signal) >= 0).all()
        found.append(signal_efficiency(curve, 0.01))
    error = np.std(found) / math.sqrt(300)
    assert np.mean(found) == pytest.approx(norm.sf(norm.isf(0.01) - SHIFT), abs=3 * error)


def test_background_that_passes_with_a_negative_weight_is_no_perfect_rejection() -> None:
    scores, weights = np.r_[np.linspace(-2, 2, 2000), 9, 9.1, 9.2], np.r_[np.ones(2000), -1, -1, -1]
    signal = SampleScores("s", np.linspace(6, 8, 300))
    curve = Ranking(SampleScores("b", scores, weights), signal).curve()
    assert curve.background.min() == 0.0
    assert 0 < rejection(curve, 0.3).value < 2000


def test_in_the_mean_over_all_orders_every_jet_has_the_mean_weight() -> None:
    """Two of eight weights are negative: 28 orders, in the mean of which the sum of weights is a straight line."""
    pooled = []
    for negative in itertools.combinations(range(8), 2):
        weights = np.ones(8)
        weights[list(negative)] = -1.0
        pooled.append(pooled_weights(np.arange(8.0), weights))
    np.testing.assert_allclose(np.mean(pooled, axis=0), 0.5, rtol=1e-12)


def test_a_pair_that_cancels_is_pooled_and_what_lies_far_from_it_is_not() -> None:
    weights = np.array([1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0, 1.0])
    pooled = pooled_weights(-np.arange(8.0), weights)
    np.testing.assert_allclose(pooled, [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5])


values = arrays(float, st.integers(2, 40), elements=st.integers(-4, 4).map(float))


@given(scores=values, data=st.data())
def test_weights_keep_their_sum_and_lose_their_sign(scores: np.ndarray, data: st.DataObject) -> None:
    weights = data.draw(arrays(float, len(scores), elements=st.sampled_from([-2.0, -1.0, 0.0, 0.02, 1.0, 3.0])))
    positive = np.abs(weights)
    assert pooled_weights(scores, positive) is positive
    if weights.sum() ** 2 > 1.01 * np.sum(weights**2) and weights.sum() > 0:
        pooled = pooled_weights(scores, weights)
        assert pooled.min() >= 0
        assert pooled.sum() == pytest.approx(weights.sum(), rel=1e-9)
