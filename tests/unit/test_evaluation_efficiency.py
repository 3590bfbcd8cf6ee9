"""Figures of merit at a cut: against plain counting, identities, and errors against independent samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.evaluation.bootstrap import EVENT, Replicas, standard_error
from oddjet.evaluation.efficiency import (
    MERITS,
    Ranking,
    background_efficiency,
    improvement,
    largest_f1,
    largest_improvement,
    merit_replicas,
    rejection,
    signal_efficiency,
)
from oddjet.evaluation.settings import MeritSettings


def ranking(seed: int, n_background: int = 2000, n_signal: int = 500, decimals: int = 12) -> Ranking:
    generator = np.random.default_rng(seed)
    return Ranking(
        SampleScores("b", generator.normal(0, 1, n_background).round(decimals)),
        SampleScores("s", generator.normal(1.2, 1, n_signal).round(decimals)),
    )


def bootstrap_errors(pair: Ranking, events: tuple[np.ndarray, np.ndarray], count: int, seed: int) -> dict[str, float]:
    """Errors of all figures, of jets whose events have these numbers."""
    samples = [np.zeros(len(numbers), dtype=[(name, "u8") for name in EVENT]) for numbers in events]
    for jets, numbers in zip(samples, events, strict=True):
        jets[EVENT[-1]] = numbers
    replicas = Replicas(samples, MeritSettings(replicas=count, seed=seed))
    drawn = merit_replicas(pair, *(replicas.each(code, pair.orders[code]) for code in (0, 1)))
    return {name: standard_error(values) for name, values in drawn.items()}


@pytest.mark.parametrize("decimals", [12, 1])
def test_the_curve_is_scikit_learns(decimals: int) -> None:
    pair = ranking(1, decimals=decimals)
    curve = pair.curve()
    truth = np.repeat([0, 1], [2000, 500])
    false, true, _ = roc_curve(
        truth, np.concatenate([pair.background.scores, pair.signal.scores]), drop_intermediate=False
    )
    np.testing.assert_allclose(curve.background, false, atol=1e-12)
    np.testing.assert_allclose(curve.signal, true, atol=1e-12)
    np.testing.assert_allclose(curve.background_jets, 2000 * false, atol=1e-9)
    area = float(np.sum(np.diff(curve.background) * (curve.signal[1:] + curve.signal[:-1]) / 2))
    assert area == pytest.approx(compute_auc(pair.background, pair.signal).value, abs=1e-12)


def test_efficiencies_by_counting() -> None:
    """Ten signal jets at 1 to 10, background at 0.5 to 9.5: a cut keeps k signal and k - 1 or k background jets."""
    pair = Ranking(SampleScores("b", np.arange(10) + 0.5), SampleScores("s", np.arange(10) + 1.0))
    curve = pair.curve()
    # The three hardest signal jets (8, 9, 10) pass with 8.5 and 9.5.
    assert background_efficiency(curve, 0.3) == pytest.approx(0.2)
    assert rejection(curve, 0.3).value == pytest.approx(5.0)
    assert improvement(curve, 0.3).value == pytest.approx(0.3 / math.sqrt(0.2))
    # 7.5 passes together with 8, 9, 10.
    assert signal_efficiency(curve, 0.3) == pytest.approx(0.3 + 0.1)
    # Between two cuts: half way up to the next signal jet, with the background jet between.
    assert background_efficiency(curve, 0.35) == pytest.approx(0.3)


def test_the_line_between_cuts_is_the_lot_for_equal_scores() -> None:
    pair = Ranking(SampleScores("b", np.zeros(8)), SampleScores("s", np.zeros(4)))
    for share in (0.0, 0.3, 0.5, 1.0):
        assert background_efficiency(pair.curve(), share) == pytest.approx(share)


def test_a_score_that_says_nothing() -> None:
    scores = np.random.default_rng(0).normal(size=4000)
    curve = Ranking(SampleScores("b", scores), SampleScores("s", scores)).curve()
    assert largest_f1(curve).value == pytest.approx(2 / 3)
    assert largest_f1(curve).where == pytest.approx(1.0)
    assert largest_improvement(curve).value == pytest.approx(1.0)
    assert largest_improvement(curve).where == pytest.approx(1.0)
    assert rejection(curve, 0.5).value == pytest.approx(2.0, rel=0.01)


def test_auc_of_hard_labels() -> None:
    """A yes or no has one working point, and the ROC curve two straight pieces: (1 + eps_s - eps_b) / 2."""
    generator = np.random.default_rng(8)
    background, signal = (SampleScores("x", generator.random(4000) < share) for share in (0.16, 0.68))
    eps_b, eps_s = background.scores.mean(), signal.scores.mean()
    assert compute_auc(background, signal).value == pytest.approx((1 + eps_s - eps_b) / 2, abs=1e-12)


def test_improvement_and_rejection_are_tied() -> None:
    curve = ranking(2).curve()
    assert improvement(curve, 0.5).value == pytest.approx(0.5 * math.sqrt(rejection(curve, 0.5).value), rel=1e-12)


def test_the_largest_values_are_the_largest_over_allowed_cuts() -> None:
    curve = ranking(3).curve()
    best, where = largest_improvement(curve)
    allowed = (curve.signal >= 0.2) & (curve.background_jets >= 10)
    assert best == pytest.approx((curve.signal[allowed] / np.sqrt(curve.background[allowed])).max())
    assert best == pytest.approx(where / math.sqrt(background_efficiency(curve, where)), rel=1e-9)
    tight = Ranking(SampleScores("b", np.arange(9.0)), SampleScores("s", np.arange(9.0))).curve()
    assert math.isnan(largest_improvement(tight).value)


def test_full_separation_has_an_infinite_rejection_and_no_error() -> None:
    pair = Ranking(SampleScores("b", np.arange(100.0)), SampleScores("s", np.arange(100.0) + 1000))
    assert rejection(pair.curve(), 0.3).value == math.inf
    events = (np.arange(100), np.arange(100))
    assert math.isnan(bootstrap_errors(pair, events, 20, 1)["rejection_at_0.3"])


def test_bootstrap_errors_are_the_spread_of_independent_samples() -> None:
    spread = {
        name: np.std([merit(ranking(seed).curve()).value for seed in range(100, 500)]) for name, merit in MERITS.items()
    }
    events = (np.arange(2000), np.arange(500))
    errors = [bootstrap_errors(ranking(seed), events, 60, seed) for seed in range(20)]
    for name in MERITS:
        # One bootstrap of a figure that rests on few jets may be off by two; the middle one of twenty is not.
        assert np.median([found[name] for found in errors]) == pytest.approx(spread[name], rel=0.35), name


def test_two_jets_of_an_event_are_drawn_together() -> None:
    """Every jet twice in one event: the error is that of half the jets, larger by the root of two."""
    given = ranking(5, 500, 200)
    # Its events are counted in the order of the scores, as the doubled ones are.
    pair = Ranking(given.background, given.signal)
    doubled = Ranking(*(SampleScores("x", np.repeat(one.scores, 2)) for one in (pair.background, pair.signal)))
    single = bootstrap_errors(pair, (np.arange(500), np.arange(200)), 300, 1)
    together = bootstrap_errors(doubled, (np.repeat(np.arange(500), 2), np.repeat(np.arange(200), 2)), 300, 1)
    apart = bootstrap_errors(doubled, (np.arange(1000), np.arange(400)), 300, 1)
    assert together["largest_f1"] == pytest.approx(single["largest_f1"], rel=1e-9)
    assert apart["largest_f1"] < 0.85 * together["largest_f1"]


def test_weights_stand_for_repeated_jets() -> None:
    generator = np.random.default_rng(6)
    scores, times = generator.normal(size=300), generator.integers(1, 4, 300)
    signal = SampleScores("s", generator.normal(1, 1, 100))
    weighted = Ranking(SampleScores("b", scores, times.astype(float)), signal).curve()
    repeated = Ranking(SampleScores("b", np.repeat(scores, times)), signal).curve()
    np.testing.assert_allclose(weighted.background, repeated.background, atol=1e-12)


def test_positive_weights_are_summed_as_they_are() -> None:
    pair = ranking(7)
    weights = np.random.default_rng(7).exponential(1.0, 2000)
    curve = Ranking(SampleScores("b", pair.background.scores, weights), pair.signal).curve()
    order = np.argsort(-np.concatenate([pair.background.scores, pair.signal.scores]))
    passed = np.concatenate([[0.0], np.cumsum(np.concatenate([weights, np.zeros(500)])[order])])
    np.testing.assert_array_equal(curve.background, passed / passed[-1])


def test_ten_background_jets_are_ten_by_what_their_weights_are_worth() -> None:
    """Ten jets of weight 1/50 before the others: they are worth ten, and with one of weight 1 among them about one."""
    pair = ranking(9)
    light = np.full(2000, 0.02)
    curve = Ranking(SampleScores("b", pair.background.scores, light), pair.signal).curve()
    np.testing.assert_allclose(curve.background_jets, pair.curve().background_jets, rtol=1e-9)
    light[np.argmax(pair.background.scores)] = 1.0
    curve = Ranking(SampleScores("b", pair.background.scores, light), pair.signal).curve()
    tenth = int(np.searchsorted(pair.curve().background_jets, 10))
    assert curve.background_jets[tenth] == pytest.approx((1 + 9 * 0.02) ** 2 / (1 + 9 * 0.0004))


def test_a_replica_without_jets_has_no_value() -> None:
    """Of two signal jets none is drawn in one replica of seven: no error then, and no division by 0."""
    pair = Ranking(SampleScores("b", np.arange(50.0)), SampleScores("s", np.array([30.0, 40.0])))
    counts = np.ones((50, 2)), np.array([[1.0, 0.0], [2.0, 0.0]])
    found = merit_replicas(pair, *(drawn.T for drawn in counts))
    assert all(math.isfinite(values[0]) and math.isnan(values[1]) for values in found.values())
    assert math.isnan(standard_error(found["largest_f1"]))
