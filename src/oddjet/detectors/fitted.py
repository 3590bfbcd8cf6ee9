"""Model files of baselines.

A fitted estimator has no file format that is both safe to load and stable, so a model file holds what makes it: the
scaled training jets, the settings and the seed. Loading fits again, which is cheap and repeatable, and compares with
scores that were stored: a version of scikit-learn that gives other numbers is refused, not believed. A baseline with
epochs is neither cheap nor repeatable on another machine: of it the file holds the weights.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from oddjet.detectors.baseline_settings import BaselineSettings, Trained
from oddjet.detectors.density import SIGNED, WEIGHTED, Score, fit
from oddjet.detectors.modelfile import FORMAT
from oddjet.detectors.trained import TrainedScore, restore
from oddjet.errors import DetectorError
from oddjet.weighted import Weights, check_weights, draw, unequal

LOGGER = logging.getLogger("oddjet")

# Scores of so many training jets are kept for the comparison, and must come out again to this relative precision.
COMPARED_JETS = 50
PRECISION = 1e-6


class Sample(NamedTuple):
    """What each seed was fitted to: scaled jets, shape (S, n, D), float32, and their weights (S, n), float64."""

    jets: NDArray[np.float32]
    weights: NDArray[np.float64]

    @classmethod
    def pick(
        cls, settings: BaselineSettings, seeds: Sequence[int], scaled: NDArray[np.float32], weights: Weights | None
    ) -> Sample:
        """Pick the jets of each seed, `maximum_jets` at most; raise `DatasetError` for weights that it cannot use.

        Jets that count the same are drawn without replacement. Of others a kind that takes weights has the same draw,
        with their weights; for any other kind jets are drawn by the size of their weights, and keep the sign.
        """
        kind, limit = settings.root.kind, settings.root.maximum_jets
        varying = unequal(weights)
        if weights is not None:
            check_weights(weights, kind, signed=kind in SIGNED)
        if varying is not None and kind not in WEIGHTED:
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


class FittedBaseline:
    """A baseline of several seeds, with the interface of `oddjet.detectors.modelfile.ModelFile`.

    Parameters
    ----------
    settings : BaselineSettings
        Kind and numbers.
    seeds : sequence of int
        One fit each.
    sample : Sample
        Training jets of each seed; of a baseline with epochs the first ones suffice.
    metadata : mapping
        `method`, `settings`, `scaler`, `features`, `provenance`.
    scores : sequence of callable
        What `oddjet.detectors.density.fit` gave for each seed.

    Attributes
    ----------
    epochs : tuple of int
        The chosen epoch of each seed; 1 where a fit is one pass.
    """

    def __init__(
        self,
        settings: BaselineSettings,
        seeds: Sequence[int],
        sample: Sample,
        metadata: Mapping[str, Any],
        scores: Sequence[Score],
    ) -> None:
        self.settings, self.seeds, self.metadata = settings, tuple(seeds), dict(metadata)
        self.epochs = tuple(one.epoch if isinstance(one, TrainedScore) else 1 for one in scores)
        self.sample, self.jets = sample, sample.jets
        self._scores = list(scores)

    def score(self, scaled: NDArray[np.floating[Any]], chunk: int = 65_536) -> NDArray[np.float64]:
        """Score jets.

        Parameters
        ----------
        scaled : ndarray, shape (N, D)
            Scaled features.
        chunk : int
            Jets scored at a time.

        Returns
        -------
        ndarray of float64, shape (N, S)
            A column a seed; larger is more anomalous.

        Raises
        ------
        DetectorError
            If the jets have another number of features than the training jets.
        """
        if scaled.ndim != 2 or scaled.shape[1] != self.jets.shape[2]:
            raise DetectorError(f"score: the model takes jets of shape (N, {self.jets.shape[2]}), not {scaled.shape}")
        scores = np.empty((len(scaled), len(self.seeds)))
        for start in range(0, len(scaled), chunk):
            part = np.asarray(scaled[start : start + chunk], dtype=np.float64)
            for column, one in enumerate(self._scores):
                scores[start : start + chunk, column] = one(part)
        return scores

    def reference(self) -> NDArray[np.float64]:
        """Scores of each seed's first training jets, shape (S, n): what a repeated fit must give again."""
        parts = self.jets[:, :COMPARED_JETS].astype(np.float64)
        return np.stack([one(part) for one, part in zip(self._scores, parts, strict=True)])

    def weights(self) -> dict[str, torch.Tensor]:
        """Give the weights of a baseline with epochs, named `seed.NAME` by the position of the seed; else nothing."""
        return {
            f"{index}.{name}": tensor
            for index, one in enumerate(self._scores)
            if isinstance(one, TrainedScore)
            for name, tensor in one.state().items()
        }


def fit_baseline(
    settings: BaselineSettings,
    seeds: Sequence[int],
    scaled: NDArray[np.float32],
    metadata: Mapping[str, Any],
    validation: NDArray[np.float32] | None = None,
    weights: Weights | None = None,
    validation_weights: Weights | None = None,
) -> FittedBaseline:
    """Fit a baseline with every seed.

    Parameters
    ----------
    settings : BaselineSettings
        Kind and numbers; of more than `maximum_jets` jets each seed draws its own sample, see `Sample.pick`.
    seeds : sequence of int
        Also the random state of estimators that have one.
    scaled : ndarray of float32, shape (N, D)
        Scaled training jets, background alone.
    metadata : mapping
        See `FittedBaseline`; `settings` is added.
    validation : ndarray of float32, shape (M, D), optional
        Scaled validation jets, which choose the epoch of the kinds that have epochs.
    weights, validation_weights : ndarray, shapes (N,) and (M,), optional
        Weights of the two; one each if not given.

    Raises
    ------
    DatasetError
        If weights do not add up to more than 0, or are negative where the kind cannot use that.
    DetectorError
        See `oddjet.detectors.density.fit`.
    """
    if validation_weights is not None:
        check_weights(validation_weights, f"{settings.root.kind}, validation")
    sample = Sample.pick(settings, seeds, scaled, weights)
    held_out = unequal(validation_weights)
    scores = [
        fit(settings, jets, seed, validation, unequal(own), held_out)
        for jets, own, seed in zip(*sample, seeds, strict=True)
    ]
    return FittedBaseline(settings, seeds, sample, {**metadata, "settings": settings.model_dump(mode="json")}, scores)


def baseline_content(baseline: FittedBaseline) -> dict[str, Any]:
    """Lay out a baseline: what `torch.save` gets for `model.pt`, and for `snapshots.pt`, whose only snapshot it is."""
    weights = baseline.weights()
    kept = COMPARED_JETS if weights else None
    return {
        "format": FORMAT,
        "parameters": {
            "jets": torch.from_numpy(baseline.sample.jets[:, :kept].copy()),
            "jet_weights": torch.from_numpy(baseline.sample.weights[:, :kept].copy()),
            "reference": torch.from_numpy(baseline.reference()),
            **weights,
        },
        "seeds": list(baseline.seeds),
        "epochs": list(baseline.epochs),
        "metadata": json.dumps(baseline.metadata),
    }


def read_baseline(path: Path, content: Mapping[str, Any]) -> FittedBaseline:
    """Fit a baseline again from what a model file holds.

    Parameters
    ----------
    path : Path
        The file, for messages.
    content : mapping
        What `oddjet.detectors.modelfile.read_content` gave.

    Raises
    ------
    DetectorError
        If the settings or arrays are not a baseline's, or the fit gives other scores than when it was stored.
    """
    metadata = content["metadata"]
    try:
        settings = BaselineSettings.model_validate(metadata["settings"])
        names = ("jets", "jet_weights", "reference")
        jets, weights, reference = (content["parameters"][name].numpy() for name in names)
        sample = Sample(jets, weights)
        scores = _read_scores(settings, content, sample)
        baseline = FittedBaseline(settings, content["seeds"], sample, metadata, scores)
    except (KeyError, TypeError, AttributeError, IndexError, ValidationError, ValueError, RuntimeError) as error:
        raise DetectorError(
            f"{path}: not the file of a baseline ({' '.join(str(error).split())[:200]}); fit the method again"
        ) from error
    if not np.allclose(baseline.reference(), reference, rtol=PRECISION, atol=0):
        raise DetectorError(
            f"{path}: a repeated fit gives other scores than the stored ones, probably because scikit-learn or torch "
            "changed; fit the method again"
        )
    return baseline


def _read_scores(
    settings: BaselineSettings, content: Mapping[str, Any], sample: Sample
) -> list[Score] | list[TrainedScore]:
    """Fit each seed again, or give it its weights back."""
    if not isinstance(settings.root, Trained):
        return [
            fit(settings, jets, seed, weights=unequal(weights))
            for jets, weights, seed in zip(*sample, content["seeds"], strict=True)
        ]
    scores = []
    for index, epoch in enumerate(content["epochs"]):
        start = f"{index}."
        state = {
            name.removeprefix(start): tensor for name, tensor in content["parameters"].items() if name.startswith(start)
        }
        scores.append(restore(settings.root, sample.jets.shape[2], state, epoch))
    return scores
