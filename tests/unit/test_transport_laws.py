"""Weighted samples as sets of equal weight: shares by count, no copies without need, negative weights that cancel."""

from __future__ import annotations

import numpy as np
import pytest

from oddjet.errors import TransportError
from oddjet.transport.assignment import distance_of_samples, law_distance, wasserstein
from oddjet.transport.laws import Law, draw_laws, draw_rows, negative_share


def test_equal_weights_give_every_row_at_most_once_and_from_the_whole_table() -> None:
    rows = draw_rows(np.ones(16_000), 1000)
    assert len(set(rows.tolist())) == 1000
    # Two samples one after the other: each has half of the rows, with the error of a draw without replacement.
    assert (rows >= 8000).mean() == pytest.approx(0.5, abs=5 * 0.5 / 1000**0.5)
    assert np.array_equal(rows, draw_rows(np.full(16_000, 3.0), 1000))
    assert sorted(draw_rows(np.full(50, 0.1), 50).tolist()) == list(range(50))


def test_rows_come_as_often_as_their_weight_says() -> None:
    weights = np.array([0.0, 1.0, 2.5, 0.5] * 25)
    counts = np.bincount(draw_rows(weights, 400), minlength=100)
    expected = 400 * weights / weights.sum()
    assert (counts >= np.floor(expected)).all()
    assert (counts <= np.ceil(expected)).all()
    # A cumulative sum in single precision loses its end here: the last rows would never be drawn.
    many = np.full(4_000_000, 1e-3, np.float32)
    assert np.histogram(draw_rows(many, 20_000), 20, (0, len(many)))[0] == pytest.approx(np.full(20, 1000), abs=160)


@pytest.mark.parametrize("bad", [[1.0, np.nan], [0.0, 0.0], [1.0, -0.5], [1.0, -2.0]])
def test_weights_of_no_law_are_refused(bad: list[float]) -> None:
    with pytest.raises(TransportError, match="weight"):
        draw_rows(np.array(bad), 5)


def test_samples_share_no_jet_and_are_no_larger_than_their_worth() -> None:
    points = np.arange(900.0)[:, None]
    laws = draw_laws(points, np.ones(900), 200, 4)
    assert [law.net for law in laws] == [200] * 4
    assert len({float(value) for law in laws for value in law.positive[:, 0]}) == 800
    assert [law.net for law in draw_laws(points, np.ones(900), 500, 4)] == [225] * 4
    # 1:50: the light half counts for 1/51, and the sample is worth little more than the heavy half.
    uneven = np.where(np.arange(900) < 450, 1.0, 0.02)
    laws = draw_laws(points, uneven, 500, 4)
    assert laws[0].net == 116
    light = np.mean([value >= 450 for law in laws for value in law.positive[:, 0]])
    assert light == pytest.approx(1 / 51, abs=0.005)


def signed(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make a Gaussian about 0 of which a fourth is about 3 and is taken away again: 25 % negative, net half."""
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(n, 2))
    weights = np.ones(n)
    weights[n // 4 * 3 :] = -1.0
    shifted = (np.arange(n) >= n // 2) & (np.arange(n) < n // 4 * 3)
    points[shifted | (weights < 0), 0] += 3.0
    return points, weights


def test_negative_weights_are_taken_away() -> None:
    points, weights = signed(4000, 1)
    assert negative_share(weights) == 0.25
    laws = draw_laws(points, weights, 400, 4)
    assert [(len(law.positive), len(law.negative), law.net) for law in laws] == [(600, 200, 400)] * 4
    generator = np.random.default_rng(2)
    shifts = np.array([[0.0, 0.0], [0.75, 0.0]])
    same, other = (Law(generator.normal(size=(400, 2)) + shift, np.empty((0, 2))) for shift in shifts)
    # The law that is left is N(0, 1): near a sample of it, away from one that is shifted as the positive part is.
    near, far = (np.mean([law_distance(law, target) for law in laws]) for target in (same, other))
    assert near < 0.2
    assert far > 3 * near
    assert np.mean(distance_of_samples(laws)) == pytest.approx(near, abs=0.08)
    plain = Law(points[:400], points[:0])
    assert law_distance(plain, same) == wasserstein(plain.positive, same.positive)
