"""Which epoch is kept: the latest within two errors of the lowest metric."""

from __future__ import annotations

import math

import numpy as np
import pytest

from oddjet.training.epoch_choice import POOLED, EpochChoice, choose_epoch


def test_of_epochs_that_the_metric_does_not_tell_apart_the_latest_is_kept() -> None:
    measured = [(1, 5.0, 0.1), (2, 1.0, 0.1), (3, 1.3, 0.1), (4, 1.15, 0.1), (5, 1.2 + 1e-6, 0.1)]
    choice = choose_epoch(measured)
    assert (choice.epoch, choice.value, choice.lowest, choice.error) == pytest.approx((4, 1.15, 1.0, 0.1))
    assert choose_epoch([*measured, (6, 0.9, 0.1), (7, 1.05, 0.1), (8, 1.2, 0.1)]).epoch == 7


def test_what_is_kept_is_always_within_the_band_of_the_lowest() -> None:
    choice = EpochChoice()
    # A slow rise: each step is smaller than the error, all together are not.
    kept = [choice.offer(epoch, 1.0 + 0.09 * epoch, 0.1) for epoch in range(6)]
    assert kept == [True, True, True, False, False, False]
    assert (choice.epoch, choice.lowest) == (2, 1.0)


def test_the_error_is_pooled_over_the_last_validations() -> None:
    errors = [0.5, *([0.03, 0.07] * (POOLED // 2))]
    choice = choose_epoch([(epoch, 3.0 - 0.1 * epoch, error) for epoch, error in enumerate(errors, start=1)])
    assert choice.error == pytest.approx(math.sqrt((0.03**2 + 0.07**2) / 2))
    assert choice.limit == pytest.approx(choice.lowest + 2 * choice.error)


def test_a_training_that_stays_as_good_as_it_is_keeps_a_late_epoch_and_one_that_drifts_an_early_one() -> None:
    epochs, generator = np.arange(1, 201), np.random.default_rng(1)
    falling = 1.0 + 15.0 * np.exp(-epochs / 15.0)
    drifting = falling + 0.3 * (epochs > 150)
    for _ in range(20):
        noise = generator.normal(0.0, 0.05, 200)
        stable, left = (
            choose_epoch(zip(epochs.tolist(), (curve + noise).tolist(), [0.05] * 200, strict=True))
            for curve in (falling, drifting)
        )
        assert stable.epoch > 180
        assert 100 < left.epoch <= 150


def test_without_an_error_the_first_of_the_lowest_is_kept() -> None:
    assert choose_epoch([(1, 2.0, 0.0), (2, 1.0, 0.0), (3, 1.0, 0.0), (4, 1.5, 0.0)]).epoch == 2
    assert choose_epoch([(1, 2.0, math.nan), (2, 2.0, math.nan)]).epoch == 1


def test_epochs_without_a_finite_metric_are_none() -> None:
    assert choose_epoch([(1, math.inf, 0.1), (2, math.nan, 0.1)]) == EpochChoice()
    assert choose_epoch([(1, math.inf, 0.1), (2, 3.0, math.inf), (3, 3.0, 0.1)]).epoch == 2
