"""What holds for every AUC."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oddjet.evaluation.auc import SampleScores, compute_auc

# Few distinct values, so that ties are common.
scores = arrays(float, st.integers(2, 30), elements=st.integers(-5, 5).map(float))
weights = st.floats(0.1, 10.0)


def brute_force(background: np.ndarray, signal: np.ndarray, b: np.ndarray, s: np.ndarray) -> float:
    wins = (signal[:, None] > background) + 0.5 * (signal[:, None] == background)
    return float(s @ wins @ b / (s.sum() * b.sum()))


@given(background=scores, signal=scores, data=st.data())
def test_the_value_is_the_share_of_pairs_that_are_ordered(
    background: np.ndarray, signal: np.ndarray, data: st.DataObject
) -> None:
    b = data.draw(arrays(float, len(background), elements=weights))
    s = data.draw(arrays(float, len(signal), elements=weights))
    assume(len(set(background) | set(signal)) > 1)
    auc = compute_auc(SampleScores("b", background, b), SampleScores("s", signal, s))
    assert auc.value == pytest.approx(brute_force(background, signal, b, s), abs=1e-12)
    assert 0 <= auc.error <= 1


@given(background=scores, signal=scores)
def test_exchanging_the_samples_mirrors_the_value_and_keeps_the_error(
    background: np.ndarray, signal: np.ndarray
) -> None:
    assume(len(set(background) | set(signal)) > 1)
    one = compute_auc(SampleScores("b", background), SampleScores("s", signal))
    other = compute_auc(SampleScores("s", signal), SampleScores("b", background))
    assert one.value + other.value == pytest.approx(1.0, abs=1e-12)
    assert one.error == pytest.approx(other.error, abs=1e-12)


@given(background=scores, signal=scores, data=st.data())
def test_order_and_increasing_maps_of_the_scores_do_not_matter(
    background: np.ndarray, signal: np.ndarray, data: st.DataObject
) -> None:
    order = np.array(data.draw(st.permutations(range(len(signal)))))
    assume(len(set(background) | set(signal)) > 1)
    one = compute_auc(SampleScores("b", background), SampleScores("s", signal))
    other = compute_auc(SampleScores("b", np.exp(background)), SampleScores("s", np.exp(signal[order])))
    assert one.value == pytest.approx(other.value, abs=1e-12)
    assert one.error == pytest.approx(other.error, abs=1e-12)
