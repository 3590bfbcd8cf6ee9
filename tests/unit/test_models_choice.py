"""Which epoch is kept: the latest within one error of the lowest metric."""

from __future__ import annotations

import math

from oddjet.models.choice import EpochChoice, choose_epoch


def test_of_epochs_that_the_metric_does_not_tell_apart_the_latest_is_kept() -> None:
    measured = [(1, 5.0, 0.5), (2, 1.0, 0.1), (3, 1.3, 0.1), (4, 1.08, 0.3), (5, 1.1 + 1e-9, 0.1)]
    assert choose_epoch(measured) == EpochChoice(4, 1.08, 1.0, 0.1)
    assert choose_epoch([*measured, (6, 0.95, 0.02), (7, 0.98, 0.5)]) == EpochChoice(6, 0.95, 0.95, 0.02)


def test_what_is_kept_is_always_within_the_error_of_the_lowest() -> None:
    choice = EpochChoice()
    # A slow rise: each step is smaller than the error, all together are not.
    kept = [choice.offer(epoch, 1.0 + 0.04 * epoch, 0.1) for epoch in range(6)]
    assert kept == [True, True, True, False, False, False]
    assert (choice.epoch, choice.lowest) == (2, 1.0)


def test_without_an_error_the_first_of_the_lowest_is_kept() -> None:
    assert choose_epoch([(1, 2.0, 0.0), (2, 1.0, 0.0), (3, 1.0, 0.0), (4, 1.5, 0.0)]).epoch == 2
    assert choose_epoch([(1, 2.0, math.nan), (2, 2.0, math.nan)]).epoch == 1


def test_epochs_without_a_finite_metric_are_none() -> None:
    assert choose_epoch([(1, math.inf, 0.1), (2, math.nan, 0.1)]) == EpochChoice()
    assert choose_epoch([(1, math.inf, 0.1), (2, 3.0, math.inf), (3, 3.0, 0.1)]).epoch == 2
