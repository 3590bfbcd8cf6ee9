"""How well a method fits the background, by background alone and in coordinates that do not depend on the method.

Methods with other coordinates have a validation W in other units. Here their negative samples are brought back into the
coordinates of the dataset, where W compares. The second criterion has no coordinates at all: the AUC of jets whose
features were permuted, each for itself, against the jets they were taken from. Such jets have the background's spectra
and none of its correlations (the artificial class of the unsupervised forests of Shi and Horvath, 2006).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from oddjet.evaluation.follow import model_settings
from oddjet.evaluation.merit import SampleScores, compute_auc
from oddjet.evaluation.tables import NEGATIVES, SnapshotRow
from oddjet.models.follow import MOST_ROUNDS, follow_training
from oddjet.models.load import Scorer
from oddjet.models.modelfile import ModelFile
from oddjet.models.networks import Network
from oddjet.transport.assignment import wasserstein

SHUFFLED = "shuffled"
# Chains that start at N(0, 1) have forgotten it after so many rounds of the training's own length.
CHAINS = 1000


class Coordinates(Protocol):
    """Scaled features and back: `oddjet.dataset.scaling.Scaler`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Features, in order."""

    def transform(self, jets: NDArray[np.void]) -> NDArray[np.float32]:
        """Scale a table to (n, D)."""

    def inverse(self, scaled: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Undo it, (n, D)."""


def measure_fit(
    model: Scorer, background: NDArray[np.void], own: Coordinates, common: Coordinates, seed: int
) -> Iterator[SnapshotRow]:
    """Measure the chosen models of a group of seeds.

    Parameters
    ----------
    model : Scorer
        From `load_scorer`.
    background : structured ndarray, shape (n,)
        Validation jets, in physical units.
    own, common : Scaler
        The method's coordinates and the dataset's.
    seed : int
        Of the permutations.

    Yields
    ------
    SnapshotRow
        `auc` of the sample `shuffled`; with several seeds also `ensemble_auc`, that of the mean of their scores, each
        standardised on the jets (under the first seed); for methods with negative samples `distance_to_background` of
        `negatives`, W2^2 between `CHAINS` of them and as many jets, in the dataset's coordinates.
    """
    method = str(model.metadata["method"])
    mixed = shuffled(background, own.names, seed)
    scores = [model.score(own.transform(jets)) for jets in (background, mixed)]
    for column, (one, epoch) in enumerate(zip(model.seeds, model.epochs, strict=True)):
        jets, permuted = (SampleScores(f"{method}, seed {one}", values[:, column]) for values in scores)
        yield SnapshotRow(method, one, epoch, "auc", SHUFFLED, compute_auc(jets, permuted).value)
    if len(model.seeds) > 1:
        mean, deviation = scores[0].mean(axis=0), scores[0].std(axis=0)
        jets, permuted = (SampleScores(method, ((values - mean) / deviation).mean(axis=1)) for values in scores)
        value = compute_auc(jets, permuted).value
        yield SnapshotRow(method, model.seeds[0], model.epochs[0], "ensemble_auc", SHUFFLED, value)
    if isinstance(model, ModelFile) and model.metadata["settings"].get("chain") is not None:
        targets = common.transform(background)
        for one, epoch, points in zip(model.seeds, model.epochs, draw_negatives(model, own, background), strict=True):
            negatives = common.transform(in_physical_units(own, points))
            size = min(len(negatives), len(targets))
            distance = wasserstein(targets[:size], negatives[:size])
            yield SnapshotRow(method, one, epoch, "distance_to_background", NEGATIVES, distance)


def shuffled(jets: NDArray[np.void], names: tuple[str, ...], seed: int) -> NDArray[np.void]:
    """Permute each of the named columns for itself; the others are left out."""
    generator = np.random.default_rng(seed)
    mixed = np.empty(len(jets), dtype=[(name, jets.dtype[name]) for name in names])
    for name in names:
        mixed[name] = generator.permutation(jets[name])
    return mixed


def draw_negatives(model: ModelFile, scaler: Coordinates, background: NDArray[np.void]) -> NDArray[Any]:
    """Draw negatives of the chosen weights, shape (S, n, D), after `MOST_ROUNDS` rounds from an empty buffer."""
    settings = model_settings(model.metadata["settings"])
    network = Network(settings.network, len(scaler.names), len(model.seeds))
    network.load_parameters(model.network.parameters())
    jets = torch.from_numpy(scaler.transform(background[:CHAINS]))
    ((_, samples),) = follow_training([(1, network)], settings, model.seeds, jets, MOST_ROUNDS)
    return np.asarray(samples.numpy())


def in_physical_units(scaler: Coordinates, points: NDArray[np.floating[Any]]) -> NDArray[np.void]:
    """Undo the scaling of points (n, D): a structured array with a column a feature."""
    values = scaler.inverse(points)
    jets = np.empty(len(values), dtype=[(name, "f8") for name in scaler.names])
    for index, name in enumerate(scaler.names):
        jets[name] = values[:, index]
    return jets
