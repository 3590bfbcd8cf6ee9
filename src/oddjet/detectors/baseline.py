"""Fit a baseline from files to files: the same inputs and outputs as a training."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from oddjet.dataset.jet_settings import read_jet_settings
from oddjet.dataset.of_samples import read_of
from oddjet.dataset.scaler_file import Inputs, method_scaler
from oddjet.dataset.scaling import fit_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.baseline_settings import Baseline, Trained
from oddjet.detectors.cards import Card
from oddjet.detectors.density import SingleFeature
from oddjet.detectors.file import write
from oddjet.detectors.fitted import FittedBaseline, baseline_content, fit_baseline
from oddjet.detectors.registry import kind_named
from oddjet.provenance.attributes import attributes
from oddjet.training.checkpoint import Checkpoints, checkpoint_digest
from oddjet.training.history import HistoryFile, row, write_history
from oddjet.weighted import check_weights, mean, unequal


def fit_method(method: str, settings: Baseline, seeds: Sequence[int], inputs: Inputs, output: Path) -> None:
    """Fit a group of seeds; write model.pt, snapshots.pt (one snapshot) and history.csv.

    The history has a row a seed, or of a network one an epoch; a network that was killed goes on from its checkpoint.

    Parameters
    ----------
    method : str
        Name of the method, for the tables.
    settings : Baseline
        Kind and numbers.
    seeds : sequence of int
        One fit each.
    inputs : Inputs
        Training and validation table, scaler. A single feature is scaled by itself: it need not be among the others.
    output : Path
        Folder of the three files.

    Raises
    ------
    TableError, DatasetError, DetectorError
        If an input cannot be read, or there are too few jets for the baseline.
    DatasetError
        If the training jets have weights that the baseline cannot use.
    TrainingError
        See `oddjet.training.loop.fit`.
    """
    start, own = time.monotonic(), settings.background
    # As in the other trainings: a sum in another number of threads has other last bits.
    torch.set_num_threads(1)
    if isinstance(settings, SingleFeature):
        only = DatasetSettings(features=(settings.feature,), log_floors={})
        scaler = fit_scaler(read_of(inputs.train, [settings.feature, "weight"], own), only)
    else:
        scaler = method_scaler(getattr(settings, "scaling", "dataset"), inputs.scaler, inputs.train, own)
    train, validation = (read_of(path, [*scaler.names, "weight"], own) for path in (inputs.train, inputs.validation))
    check_weights(train["weight"], f"method {method}", signed=settings.signed)
    record = attributes("fit_baseline", settings.model_dump_json(), inputs, kind_named(settings.kind).module)
    card = Card(method, settings, scaler, record, jets=read_jet_settings(inputs.train))
    scaled = [scaler.transform(jets) for jets in (train, validation)]
    weights = [np.asarray(jets["weight"], dtype=np.float64) for jets in (train, validation)]
    history, checkpoints = HistoryFile(output / "history.csv", method), None
    if isinstance(settings, Trained):
        schedule = settings.training
        digest = checkpoint_digest(record, seeds, "cpu")
        checkpoints = Checkpoints(output / "checkpoints", digest, schedule.checkpoint_seconds)
        history = HistoryFile(output / "history.csv", method, tensorboard=schedule.tensorboard)
    baseline = fit_baseline(card, seeds, scaled[0], scaled[1], weights[0], weights[1], checkpoints, history)
    means = [mean(baseline.score_scaled(jets), unequal(own)) for jets, own in zip(scaled, weights, strict=True)]
    seconds = time.monotonic() - start
    for name in ("model.pt", "snapshots.pt"):
        write(output / name, baseline_content(baseline))
    write_history(output / "history.csv", method, _with_means(history.rows, baseline, means, seconds))
    if checkpoints is not None:
        checkpoints.discard()


def _with_means(
    rows: Sequence[dict[str, float]], baseline: FittedBaseline, means: Sequence[NDArray[np.float64]], seconds: float
) -> list[dict[str, float]]:
    """Put the mean scores of training and validation jets where a network has its energies: at the epoch that is kept.

    A baseline without epochs has no loss, and the epoch 1.
    """
    made = {(int(entry["seed"]), int(entry["epoch"])): dict(entry) for entry in rows}
    for seed, epoch, on_train, on_validation in zip(baseline.seeds, baseline.epochs, *means, strict=True):
        none = row(seed, epoch, {}, {}, math.nan, seconds)
        energies = {"positive_energy_train": on_train, "positive_energy_validation": on_validation}
        made[seed, epoch] = made.get((seed, epoch), none) | energies
    return list(made.values())
