"""The weighted AUC and its error: against scikit-learn, DeLong's formula by hand, and the bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import SampleScores, compute_auc, undefined


def two_samples(
    seed: int, n_background: int = 400, n_signal: int = 150, decimals: int = 12
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    background = generator.normal(0.0, 1.0, n_background).round(decimals)
    signal = generator.normal(0.7, 1.4, n_signal).round(decimals)
    return background, signal, generator.exponential(1.0, n_background), generator.exponential(2.0, n_signal)


@pytest.mark.parametrize("decimals", [12, 1, 0])
@pytest.mark.parametrize("seed", range(4))
def test_the_value_agrees_with_scikit_learn_with_weights_and_ties(seed: int, decimals: int) -> None:
    background, signal, background_weights, signal_weights = two_samples(seed, decimals=decimals)
    truth = np.repeat([0, 1], [len(background), len(signal)])
    scores = np.concatenate([background, signal])
    plain = compute_auc(SampleScores("background", background), SampleScores("signal", signal))
    assert plain.value == pytest.approx(roc_auc_score(truth, scores), abs=1e-13)
    weights = np.concatenate([background_weights, signal_weights])
    weighted = compute_auc(
        SampleScores("background", background, background_weights), SampleScores("signal", signal, signal_weights)
    )
    assert weighted.value == pytest.approx(roc_auc_score(truth, scores, sample_weight=weights), abs=1e-12)


def test_the_error_is_the_one_of_delong_at_equal_weights() -> None:
    background, signal, _, _ = two_samples(1, 60, 35, decimals=1)
    wins = (signal[:, None] > background).astype(float) + 0.5 * (signal[:, None] == background)
    expected = math.sqrt(wins.mean(axis=1).var(ddof=1) / 35 + wins.mean(axis=0).var(ddof=1) / 60)
    for weights in (None, 3.7):
        made = [
            SampleScores(name, scores, None if weights is None else np.full(len(scores), weights))
            for name, scores in (("background", background), ("signal", signal))
        ]
        assert compute_auc(*made).error == pytest.approx(expected, rel=1e-12)


def test_integer_weights_give_the_value_of_repeated_jets() -> None:
    background, signal, _, _ = two_samples(2, 50, 40)
    times = np.arange(40) % 3
    weighted = compute_auc(SampleScores("b", background), SampleScores("s", signal, times.astype(float)))
    repeated = compute_auc(SampleScores("b", background), SampleScores("s", np.repeat(signal, times)))
    assert weighted.value == pytest.approx(repeated.value, abs=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_error_agrees_with_the_bootstrap(weighted: bool) -> None:
    background, signal, background_weights, signal_weights = two_samples(3)
    if not weighted:
        background_weights, signal_weights = np.ones(400), np.ones(150)
    generator = np.random.default_rng(0)
    values = []
    for _ in range(1500):
        b, s = generator.integers(400, size=400), generator.integers(150, size=150)
        values.append(
            compute_auc(
                SampleScores("b", background[b], background_weights[b]), SampleScores("s", signal[s], signal_weights[s])
            ).value
        )
    error = compute_auc(
        SampleScores("b", background, background_weights), SampleScores("s", signal, signal_weights)
    ).error
    # The bootstrap's own standard deviation is known to 1 / sqrt(2 * 1500) = 2 %.
    assert error == pytest.approx(np.std(values, ddof=1), rel=0.08)


def test_the_error_covers_the_truth_as_often_as_it_should() -> None:
    """Pull of the AUC of N(0,1) against N(1,1), whose true value is Phi(1/sqrt 2), over 400 toys."""
    truth = 0.5 * (1 + math.erf(0.5))
    generator = np.random.default_rng(8)
    pulls = []
    for _ in range(400):
        auc = compute_auc(
            SampleScores("b", generator.normal(0, 1, 300)), SampleScores("s", generator.normal(1, 1, 100))
        )
        pulls.append((auc.value - truth) / auc.error)
    assert abs(np.mean(pulls)) < 0.15
    assert np.std(pulls) == pytest.approx(1.0, abs=0.12)


def test_equal_samples_give_one_half() -> None:
    scores = np.array([0.1, 0.1, 0.5, 2.0, 3.0])
    auc = compute_auc(SampleScores("background", scores), SampleScores("signal", scores))
    assert auc.value == pytest.approx(0.5, abs=1e-15)
    assert auc.error > 0.1


def test_the_value_is_never_flipped() -> None:
    low, high = SampleScores("low", np.array([0.0, 1.0])), SampleScores("high", np.array([2.0, 3.0]))
    assert compute_auc(low, high) == (1.0, 0.0)
    assert compute_auc(high, low) == (0.0, 0.0)


@pytest.mark.parametrize("odd", [0, 1, 9])
def test_one_score_for_nearly_all_jets_gives_no_number(odd: int) -> None:
    """As after a training that sees nothing, or a column that one jet rules: 0.5 with an error of 0 is no result."""
    scores = np.full(1000, 2.5)
    scores[:odd] = 7.0
    background, signal = SampleScores("b", scores), SampleScores("s", np.full(300, 2.5))
    assert all(map(math.isnan, compute_auc(background, signal)))
    reason = undefined(background, signal)
    assert reason == f"{1000 - odd} of 1000 background and 300 of 300 signal jets have the score 2.5"


def test_one_score_for_one_sample_alone_is_a_result() -> None:
    """Full separation, also where nearly all jets are background; and a yes or no that few jets pass."""
    flat = SampleScores("b", np.zeros(100_000))
    assert compute_auc(flat, SampleScores("s", np.arange(1.0, 300.0))) == (1.0, 0.0)
    rare = SampleScores("s", np.arange(300) < 6)
    assert compute_auc(flat, rare).value == pytest.approx(0.51)
    assert undefined(flat, rare) is None


def test_weights_that_leave_no_share_give_no_number() -> None:
    """Background of weight -1 above all signal and a sum of 2: plain sums give an AUC of 2."""
    weights = np.r_[np.full(22, 1.0), np.full(12, -1.0)]
    background = SampleScores("b", np.r_[np.zeros(22), np.full(12, 9.0)], weights)
    signal = SampleScores("s", np.linspace(1, 2, 50))
    assert all(map(math.isnan, compute_auc(background, signal)))
    reason = undefined(background, signal)
    assert reason == ("weights of both signs give 2.200: 34 background jets are worth 2.94 and 50 signal jets 50")


def test_scores_of_a_diverged_method_are_ranked_all_the_same() -> None:
    background = SampleScores("b", np.array([1e20, 2e20, 3e300]))
    assert compute_auc(background, SampleScores("s", np.array([2.5e20, 1e301]))).value == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    ("scores", "weights", "message"),
    [
        ([], None, r"svj: 0 scored jet\(s\), at least 2"),
        ([1.0], None, r"svj: 1 scored jet\(s\), at least 2"),
        ([1.0, math.nan, math.inf], None, "svj: 2 of 3 scores are not finite"),
        (
            [1.0, 2.0],
            [1.0, math.nan],
            "svj: 1 of 2 weights are not finite; look at the generator weights and the cross",
        ),
        ([1.0, 2.0], [1.0, -1.0], "svj: the weights of 2 jets add up to 0, not above 0"),
        ([1.0, 2.0], [1.0, 0.0], "svj: the weights of 2 jets are worth 1 jets"),
        ([1.0, 2.0], [1.0], "svj: scores have shape"),
        ([[1.0], [2.0]], None, "svj: scores have shape"),
    ],
)
def test_what_cannot_be_used_is_named(scores: list[float], weights: list[float] | None, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        SampleScores("svj", np.array(scores), None if weights is None else np.array(weights))
