"""Fit a baseline from files to files: the same inputs and outputs as a training."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from oddjet.dataset.scaler_file import method_scaler
from oddjet.dataset.scaling import fit_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.baseline_settings import BaselineSettings, SingleFeature
from oddjet.detectors.cards import Card
from oddjet.detectors.density import SIGNED
from oddjet.detectors.file import write
from oddjet.detectors.fitted import baseline_content, fit_baseline
from oddjet.io.tables import read_table
from oddjet.provenance.attributes import attributes
from oddjet.training.history import row, write_history
from oddjet.weighted import check_weights, mean, unequal


class BaselineInputs(NamedTuple):
    """What a fit reads: background jets alone, and the scaler fitted on them."""

    train: Path
    validation: Path
    scaler: Path


def fit_method(
    method: str, settings: BaselineSettings, seeds: Sequence[int], inputs: BaselineInputs, output: Path
) -> None:
    """Fit a group of seeds; write model.pt, snapshots.pt (one snapshot) and history.csv (one row a seed).

    Parameters
    ----------
    method : str
        Name of the method, for the tables.
    settings : BaselineSettings
        Kind and numbers.
    seeds : sequence of int
        One fit each.
    inputs : BaselineInputs
        Training and validation table, scaler. A single feature is scaled by itself: it need not be among the others.
    output : Path
        Folder of the three files.

    Raises
    ------
    TableError, DatasetError, DetectorError
        If an input cannot be read, or there are too few jets for the baseline.
    DatasetError
        If the training jets have weights that the baseline cannot use.
    """
    start = time.monotonic()
    # As in the other trainings: a sum in another number of threads has other last bits.
    torch.set_num_threads(1)
    train, validation = read_table(inputs.train), read_table(inputs.validation)
    check_weights(train["weight"], f"method {method}", signed=settings.root.kind in SIGNED)
    if isinstance(settings.root, SingleFeature):
        scaler = fit_scaler(train, DatasetSettings(features=(settings.root.feature,), log_floors={}))
    else:
        scaler = method_scaler(settings.root.scaling, inputs.scaler, inputs.train)
    record = attributes("fit_baseline", settings.model_dump_json(), inputs)
    card = Card(method, settings.root, scaler, record)
    scaled = [scaler.transform(jets) for jets in (train, validation)]
    weights = [np.asarray(jets["weight"], dtype=np.float64) for jets in (train, validation)]
    baseline = fit_baseline(card, seeds, scaled[0], scaled[1], *weights)
    means = [mean(baseline.score_scaled(jets), unequal(own)) for jets, own in zip(scaled, weights, strict=True)]
    seconds = time.monotonic() - start
    for name in ("model.pt", "snapshots.pt"):
        write(output / name, baseline_content(baseline))
    # The mean score stands where a network has its energy; there is no loss.
    rows = [
        row(seed, epoch, {"positive_energy": on_train, "loss": math.nan}, {"positive_energy": on_validation}, seconds)
        for seed, epoch, on_train, on_validation in zip(seeds, baseline.epochs, *means, strict=True)
    ]
    write_history(output / "history.csv", method, rows)
