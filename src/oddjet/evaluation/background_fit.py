"""How well a method fits the background, by background alone and in coordinates that do not depend on the method.

Methods with other coordinates have a validation W in other units. Here their negative samples are brought back into the
coordinates of the dataset, where W compares. The second criterion has no coordinates at all: the AUC of jets whose
features were permuted, each for itself, against the jets they were taken from. Such jets have the background's spectra
and none of its correlations (the artificial class of the unsupervised forests of Shi and Horvath, 2006).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from oddjet.dataset.scaling import Scaler
from oddjet.detectors.autoencoder.detector import AutoencoderDetector
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.own_chains import MOST_ROUNDS, follow_training
from oddjet.detectors.autoencoder.settings import ModelSettings, ValidationSettings
from oddjet.detectors.mean import background_moments
from oddjet.detectors.opening import Method
from oddjet.detectors.protocol import Detector
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.evaluation.history import BACKGROUND, NEGATIVES, SHUFFLED, SnapshotRow
from oddjet.transport.assignment import distance_of_samples, law_distance
from oddjet.transport.laws import Law, draw_laws, draw_rows

LOGGER = logging.getLogger("oddjet")


def measure_fit(model: Detector, background: NDArray[np.void], common: Scaler, seed: int) -> Iterator[SnapshotRow]:
    """Measure the chosen models of a group of seeds.

    Parameters
    ----------
    model : Detector
        From `oddjet.detectors.file.load`.
    background : structured ndarray, shape (n,)
        Validation jets, in physical units, with their weight.
    common : Scaler
        The dataset's coordinates.
    seed : int
        Of the permutations.

    Yields
    ------
    SnapshotRow
        See `measure_correlations` and `measure_negatives`.
    """
    if (background["weight"] < 0).any():
        LOGGER.warning(
            "%s: no AUC of shuffled features: their product has no meaning with weights of both signs",
            model.name,
        )
    else:
        yield from measure_correlations(model, background, seed)
    if isinstance(model, AutoencoderDetector) and model.settings.chain is not None:
        yield from measure_negatives(model, background, common)


def measure_correlations(model: Detector, background: NDArray[np.void], seed: int) -> Iterator[SnapshotRow]:
    """Measure how well scores tell jets from shuffled ones, on as many jets as there are, drawn by weight.

    Yields
    ------
    SnapshotRow
        `auc` of the sample `shuffled`; with several seeds also `ensemble_auc`, that of the mean of their scores, each
        standardised on all validation jets by weight as in any ensemble (under the first seed).
    """
    method = model.name
    drawn = np.sort(draw_rows(background["weight"], len(background)))
    mixed = shuffled(background[drawn], model.card.scaler.names, seed)
    known = model.score(background)
    scores = [known[drawn], model.score(mixed)]
    for column, (one, epoch) in enumerate(zip(model.seeds, model.epochs, strict=True)):
        jets, permuted = (SampleScores(f"{method}, seed {one}", values[:, column]) for values in scores)
        yield SnapshotRow(method, one, epoch, "auc", SHUFFLED, compute_auc(jets, permuted).value)
    if len(model.seeds) > 1:
        who = Method(method, tuple(model.seeds), tuple(model.epochs))
        mean, deviation = background_moments(known, background["weight"].astype(np.float64), who)
        jets, permuted = (SampleScores(method, ((values - mean) / deviation).mean(axis=1)) for values in scores)
        value = compute_auc(jets, permuted).value
        yield SnapshotRow(method, model.seeds[0], model.epochs[0], "ensemble_auc", SHUFFLED, value)


def measure_negatives(
    model: AutoencoderDetector, background: NDArray[np.void], common: Scaler
) -> Iterator[SnapshotRow]:
    """Measure W2^2 between negatives of the chosen weights and validation jets, as the training's validation does.

    As many draws of as many jets as there, and the same jets; but chains that have run `MOST_ROUNDS` rounds at these
    weights, and the dataset's coordinates.

    Yields
    ------
    SnapshotRow
        `distance_to_background` of `negatives`, its standard error `distance_error`, and `distance_to_background` of
        the background: W between the draws of jets themselves, the floor of W.
    """
    method, own, settings = model.name, model.card.scaler, model.settings
    validation = settings.validation or ValidationSettings()
    plan = background["weight"], validation.jets, validation.draws
    laws = draw_laws(common.transform(background), *plan)
    floor = float(np.mean(distance_of_samples(laws))) if len(laws) > 1 else np.nan
    starts = [law.positive[: law.net] for law in draw_laws(own.transform(background), *plan)]
    negatives = draw_negatives(model, settings, np.concatenate(starts))
    for one, epoch, points in zip(model.seeds, model.epochs, negatives, strict=True):
        if not np.isfinite(points).all():
            LOGGER.warning("%s, seed %d: negatives are not finite, so they have no distance", method, one)
            continue
        samples = np.split(common.transform(in_physical_units(own, points)), len(laws))
        distances = [law_distance(law, Law(part, part[:0])) for law, part in zip(laws, samples, strict=True)]
        error = float(np.std(distances, ddof=1)) / len(laws) ** 0.5 if len(laws) > 1 else np.nan
        yield SnapshotRow(method, one, epoch, "distance_to_background", NEGATIVES, float(np.mean(distances)))
        yield SnapshotRow(method, one, epoch, "distance_error", NEGATIVES, error)
        yield SnapshotRow(method, one, epoch, "distance_to_background", BACKGROUND, floor)


def shuffled(jets: NDArray[np.void], names: tuple[str, ...], seed: int) -> NDArray[np.void]:
    """Permute each of the named columns for itself; the others are left out."""
    generator = np.random.default_rng(seed)
    mixed = np.empty(len(jets), dtype=[(name, jets.dtype[name]) for name in names])
    for name in names:
        mixed[name] = generator.permutation(jets[name])
    return mixed


def draw_negatives(model: AutoencoderDetector, settings: ModelSettings, jets: NDArray[np.float32]) -> NDArray[Any]:
    """Draw as many negatives of the chosen weights as jets (n, D), after `MOST_ROUNDS` rounds: shape (S, n, D)."""
    network = Network(settings.network, jets.shape[1], len(model.seeds))
    network.load_parameters(model.network.parameters())
    ((_, samples),) = follow_training([(1, network)], settings, model.seeds, torch.from_numpy(jets), MOST_ROUNDS)
    return np.asarray(samples.numpy())


def in_physical_units(scaler: Scaler, points: NDArray[np.floating[Any]]) -> NDArray[np.void]:
    """Undo the scaling of points (n, D): a structured array with a column a feature."""
    values = scaler.inverse(points)
    jets = np.empty(len(values), dtype=[(name, "f8") for name in scaler.names])
    for index, name in enumerate(scaler.names):
        jets[name] = values[:, index]
    return jets
