"""Model files of baselines.

A fitted estimator has no file format that is both safe to load and stable, so a model file holds what makes it: the
scaled training jets, the settings and the seed. Loading fits again, which is cheap and repeatable, and compares with
scores that were stored: a version of scikit-learn that gives other numbers is refused, not believed. A baseline with
epochs is neither cheap nor repeatable on another machine: of it the file holds the weights.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.detectors.baseline_settings import Baseline, Trained
from oddjet.detectors.cards import Card
from oddjet.detectors.file import content_of
from oddjet.detectors.protocol import ScaledDetector
from oddjet.detectors.registry import kind_named
from oddjet.detectors.trained import TrainedScore, train
from oddjet.detectors.trained import restore as restore_network
from oddjet.errors import DetectorError
from oddjet.training.checkpoint import Checkpoints
from oddjet.training.history import HistoryFile
from oddjet.weighted import Weights, check_weights, draw, unequal

LOGGER = logging.getLogger("oddjet")

# From scaled jets (n, D) to scores (n,); larger is more anomalous.
Score: TypeAlias = Callable[[Floats], Floats]

# Scores of this number of training jets are kept, and must come out again to this relative precision.
COMPARED_JETS = 50
PRECISION = 1e-6


class Sample(NamedTuple):
    """What each seed was fitted to: scaled jets, shape (S, n, D), float32, and their weights (S, n), float64."""

    jets: NDArray[np.float32]
    weights: NDArray[np.float64]

    @classmethod
    def pick(
        cls, settings: Baseline, seeds: Sequence[int], scaled: NDArray[np.float32], weights: Weights | None
    ) -> Sample:
        """Pick the jets of each seed, `maximum_jets` at most; raise `DatasetError` for weights that it cannot use.

        Jets that count the same are drawn without replacement. Of others a kind that takes weights has the same draw,
        with their weights; for any other kind jets are drawn by the size of their weights, and keep the sign.
        """
        kind, limit = settings.kind, settings.maximum_jets
        varying = unequal(weights)
        if weights is not None:
            check_weights(weights, kind, signed=settings.signed)
        if varying is not None and not settings.weighted:
            rows = [draw(varying, limit, seed) for seed in seeds]
            LOGGER.info(
                "%s: %d of %d jets, drawn by weight, as many as the weights are worth", kind, len(rows[0]), len(scaled)
            )
            return cls(np.stack([scaled[part] for part in rows]), np.stack([np.sign(varying[part]) for part in rows]))
        every = np.ones(len(scaled)) if varying is None else varying
        size = min(len(scaled), limit)
        picked = [
            np.sort(np.random.default_rng(seed).choice(len(scaled), size, replace=False))
            if size < len(scaled)
            else slice(None)
            for seed in seeds
        ]
        return cls(np.stack([scaled[part] for part in picked]), np.stack([every[part] for part in picked]))


class FittedBaseline(ScaledDetector):
    """A baseline of several seeds.

    Parameters
    ----------
    card : Card
        Its settings are the kind and numbers.
    seeds : sequence of int
        One fit each.
    sample : Sample
        Training jets of each seed; of a baseline with epochs the first ones suffice.
    scores : sequence of callable
        What `fit` gave for each seed.

    Attributes
    ----------
    epochs : tuple of int
        The chosen epoch of each seed; 1 where a fit is one pass.
    """

    def __init__(self, card: Card, seeds: Sequence[int], sample: Sample, scores: Sequence[Score]) -> None:
        epochs = tuple(one.epoch if isinstance(one, TrainedScore) else 1 for one in scores)
        super().__init__(card, tuple(seeds), epochs)
        self.sample, self.jets = sample, sample.jets
        self._scores = list(scores)

    def _score(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([one(rows) for one in self._scores], axis=1)

    def reference(self) -> NDArray[np.float64]:
        """Scores of each seed's first training jets, shape (S, n): what a repeated fit must give again."""
        parts = self.jets[:, :COMPARED_JETS].astype(np.float64)
        return np.stack([one(part) for one, part in zip(self._scores, parts, strict=True)])

    def network(self, index: int) -> Any:  # noqa: ANN401  a module of whatever kind
        """Give the network of a seed, by its position, of a baseline with epochs."""
        score = self._scores[index]
        assert isinstance(score, TrainedScore), self.card.kind
        return score.network

    def weights(self) -> dict[str, torch.Tensor]:
        """Give the weights of a baseline with epochs, named `seed.NAME` by the position of the seed; else nothing."""
        return {
            f"{index}.{name}": tensor
            for index, one in enumerate(self._scores)
            if isinstance(one, TrainedScore)
            for name, tensor in one.state().items()
        }


def fit_baseline(
    card: Card,
    seeds: Sequence[int],
    scaled: NDArray[np.float32],
    validation: NDArray[np.float32] | None = None,
    weights: Weights | None = None,
    validation_weights: Weights | None = None,
    checkpoints: Checkpoints | None = None,
    history: HistoryFile | None = None,
) -> FittedBaseline:
    """Fit a baseline with every seed.

    Parameters
    ----------
    card : Card
        Of its settings' `maximum_jets` jets, if there are more, each seed draws its own sample, see `Sample.pick`.
    seeds : sequence of int
        Also the random state of estimators that have one.
    scaled : ndarray of float32, shape (N, D)
        Scaled training jets, background alone.
    validation : ndarray of float32, shape (M, D), optional
        Scaled validation jets, which choose the epoch of the kinds that have epochs.
    weights, validation_weights : ndarray, shapes (N,) and (M,), optional
        Weights of the two; one each if not given.
    checkpoints, history
        Of the kinds with epochs, see `oddjet.training.loop.fit`.

    Raises
    ------
    DatasetError
        If weights do not add up to more than 0, or are negative where the kind cannot use that.
    DetectorError
        If there are too few jets, or no validation jets where they choose the epoch; see `fit`.
    TrainingError
        See `oddjet.training.loop.fit`.
    """
    settings = baseline_settings(card)
    if validation_weights is not None:
        check_weights(validation_weights, f"{settings.kind}, validation")
    sample = Sample.pick(settings, seeds, scaled, weights)
    held_out = unequal(validation_weights)
    scores: list[Score] | list[TrainedScore]
    if isinstance(settings, Trained):
        check_count(settings, sample.jets.shape[1])
        if validation is None or not len(validation):
            raise DetectorError(f"{settings.kind}: no validation jets; they choose the epoch")
        own = [unequal(weights) for weights in sample.weights]
        scores = train(settings, sample.jets, validation, seeds, own, held_out, checkpoints, history)
    else:
        scores = [fit(settings, jets, seed, unequal(own)) for jets, own, seed in zip(*sample, seeds, strict=True)]
    return FittedBaseline(card, seeds, sample, scores)


def baseline_content(baseline: FittedBaseline) -> dict[str, Any]:
    """Lay out a baseline: what is written to `model.pt`, and for `snapshots.pt`, whose only snapshot it is."""
    weights = baseline.weights()
    kept = COMPARED_JETS if weights else None
    parameters = {
        "jets": torch.from_numpy(baseline.sample.jets[:, :kept].copy()),
        "jet_weights": torch.from_numpy(baseline.sample.weights[:, :kept].copy()),
        "reference": torch.from_numpy(baseline.reference()),
        **weights,
    }
    return content_of(parameters, baseline.seeds, baseline.epochs, baseline.card)


def restore(
    card: Card, seeds: tuple[int, ...], epochs: tuple[int, ...], parameters: Mapping[str, torch.Tensor]
) -> FittedBaseline:
    """Fit a baseline again from what a file holds.

    Raises
    ------
    DetectorError
        If the fit gives other scores than when it was stored.
    KeyError, TypeError, AttributeError, IndexError, ValueError, RuntimeError
        If the parameters are not a baseline's.
    """
    settings = baseline_settings(card)
    jets, weights, reference = (parameters[name].numpy() for name in ("jets", "jet_weights", "reference"))
    if jets.ndim != 3 or jets.shape[2] != len(card.scaler.names):
        raise ValueError(f"jets of shape {jets.shape} for {len(card.scaler.names)} features")
    sample = Sample(jets, weights)
    baseline = FittedBaseline(card, seeds, sample, _read_scores(settings, seeds, epochs, parameters, sample))
    if not np.allclose(baseline.reference(), reference, rtol=PRECISION, atol=0):
        raise DetectorError(
            "a repeated fit gives other scores than the stored ones, probably because scikit-learn or torch changed; "
            "fit the method again"
        )
    return baseline


def baseline_settings(card: Card) -> Baseline:
    """Return the settings of a card that is a baseline's."""
    assert isinstance(card.settings, Baseline)
    return card.settings


def _read_scores(
    settings: Baseline,
    seeds: Sequence[int],
    epochs: Sequence[int],
    parameters: Mapping[str, torch.Tensor],
    sample: Sample,
) -> list[Score] | list[TrainedScore]:
    """Fit each seed again, or give it its weights back."""
    if not isinstance(settings, Trained):
        return [fit(settings, jets, seed, unequal(weights)) for jets, weights, seed in zip(*sample, seeds, strict=True)]
    scores = []
    for index, epoch in enumerate(epochs):
        start = f"{index}."
        state = {name.removeprefix(start): tensor for name, tensor in parameters.items() if name.startswith(start)}
        scores.append(restore_network(settings, sample.jets.shape[2], state, epoch))
    return scores


def fit(settings: Baseline, jets: NDArray[np.floating[Any]], seed: int, weights: Floats | None = None) -> Score:
    """Fit a baseline without epochs.

    Parameters
    ----------
    settings : Baseline
        Kind and numbers.
    jets : ndarray, shape (n, D)
        Scaled training jets.
    seed : int
        For estimators with random starts.
    weights : ndarray, shape (n,), optional
        What `oddjet.weighted.unequal` gives. Kinds that are not `weighted` take none: their jets were drawn by weight.

    Returns
    -------
    callable
        From scaled jets (n, D), float64, to scores (n,); larger is more anomalous.

    Raises
    ------
    DetectorError
        If there are fewer jets than the settings' neighbours, Gaussians or components need, or weights of both signs
        leave a covariance that is none.
    """
    check_count(settings, len(jets))
    score: Score = kind_named(settings.kind).build(settings, np.asarray(jets, dtype=np.float64), seed, weights)
    return score


def check_count(settings: Baseline, count: int) -> None:
    """Raise `DetectorError` if there are fewer jets than the settings' neighbours, Gaussians or components need."""
    least = max(getattr(settings, "neighbours", 1), getattr(settings, "components", 1)) + 1
    if count < least:
        raise DetectorError(f"{settings.kind}: {count} training jets, at least {least} are needed; give more jets")
