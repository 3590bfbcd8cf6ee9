"""Whether a training on images has converged: the end of its validation loss, and the mean image."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from oddjet.errors import EvaluationError
from oddjet.images.store import ImageBatch
from oddjet.studies.vae_convergence import late_fall, mean_image_loss, shortcomings
from oddjet.transport.images import distances, metric_of
from oddjet.transport.sparse import sparse_images


def history(path: Path, losses: list[float], seeds: tuple[int, ...] = (1,)) -> Path:
    rows = [f"{seed},{epoch},{loss}" for seed in seeds for epoch, loss in enumerate(losses, start=1)]
    path.write_text("\n".join(["seed,epoch,loss_validation", *rows]))
    return path


@pytest.mark.parametrize(
    ("losses", "fall"),
    [
        # Two of eight epochs, three of nine, one of four: rounded up.
        ([8, 7, 6, 5, 4, 4, 3, 5], 0.25),
        ([9, 8, 7, 6, 5, 5, 4, 5, 5], 0.2),
        ([4, 3, 2, 1], 0.5),
        # The best epoch lies before.
        ([8, 7, 6, 2, 4, 4, 3, 5], 0.0),
        ([2, 1], 0.5),
    ],
)
def test_the_fall_is_that_of_the_last_quarter(tmp_path: Path, losses: list[float], fall: float) -> None:
    assert late_fall(history(tmp_path / "history.csv", losses)) == pytest.approx(fall)


def test_one_epoch_says_nothing_and_a_history_is_of_one_network(tmp_path: Path) -> None:
    assert math.isnan(late_fall(history(tmp_path / "one.csv", [3])))
    with pytest.raises(EvaluationError, match=r"two.csv: holds 2 curves of a validation loss"):
        late_fall(history(tmp_path / "two.csv", [2, 1], (1, 2)))
    (tmp_path / "none.csv").write_text("seed,epoch,loss_train\n1,1,2.0\n")
    with pytest.raises(EvaluationError, match=r"none.csv: holds 0 curves"):
        late_fall(tmp_path / "none.csv")


def images(count: int, seed: int) -> ImageBatch:
    filled = np.random.default_rng(seed).exponential(1, (count, 6, 6)) ** 4
    return ImageBatch(np.zeros(count), sparse_images(filled / filled.sum(axis=(1, 2), keepdims=True), 0.6))


@pytest.mark.parametrize("metric", ["mse", "mae", "wass0p5", "wass1", "wass2"])
def test_the_loss_of_the_mean_image_is_the_mean_distance_from_it(metric: str) -> None:
    train, validation = images(7, 1), images(5, 2)
    mean = train.dense().mean(axis=0)
    if metric.startswith("wass"):
        pairs = np.stack([np.arange(5), np.zeros(5, int)], axis=1)
        law = metric_of(metric)
        values = distances(validation.sparse, sparse_images(mean[None].astype(float), 0.6), pairs, law)
        expected = values.mean()
    else:
        expected = (np.abs(validation.dense() - mean) ** (2 if metric == "mse" else 1)).mean()
    assert mean_image_loss(train, validation, metric) == pytest.approx(expected, rel=1e-5)


def test_a_training_has_converged_where_it_is_flat_and_knows_more_than_the_mean() -> None:
    assert shortcomings(0.0, 0.3) == shortcomings(0.02, 0.79) == shortcomings(0.01, math.nan) == ""
    assert shortcomings(0.051, 0.3) == "still fell by 5 %"
    assert shortcomings(0.0, 0.96) == "0.96 of the mean image's"
    assert shortcomings(0.1, 0.96) == "still fell by 10 %, 0.96 of the mean image's"
    assert shortcomings(math.nan, math.nan) == "a single epoch"
