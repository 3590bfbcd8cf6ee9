"""Snapshots measured: energies, distances that are known, and the table of negative samples from a real file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from oddjet.dataset.scaling import fit_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.autoencoder.detector import snapshot_parameters
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.cards import Card
from oddjet.detectors.file import content_of, write
from oddjet.detectors.registry import kind_named
from oddjet.errors import EvaluationError
from oddjet.evaluation.history import SnapshotRow
from oddjet.evaluation.snapshots import Jets, measure_distances, measure_energies, read_negatives
from oddjet.io.csv import read_rows
from oddjet.io.tables import Column, read_attributes, write_table
from programs import run_program

FEATURES = ("tau2", "tau3", "softdrop_mass")


def test_energies_are_means_of_each_sample() -> None:
    def score(jets: np.ndarray) -> np.ndarray:
        return np.stack([jets.sum(axis=1), -jets.sum(axis=1)], axis=1)

    signal = Jets(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([3.0, 1.0]))
    samples = {"background": Jets(np.ones((4, 2)), np.ones(4)), "svj": signal}
    rows = list(measure_energies([(7, score)], "ae", (3, 8), samples))
    assert [(row.seed, row.epoch, row.sample, row.value) for row in rows] == [
        (3, 7, "background", 2.0),
        (8, 7, "background", -2.0),
        (3, 7, "svj", 4.0),
        (8, 7, "svj", -4.0),
    ]


def test_distances_of_shifted_sets_are_known() -> None:
    jets = np.random.default_rng(1).normal(size=(40, 8))
    # More jets than samples, most of no weight: those that have one are compared, wherever they stand.
    more = Jets(np.concatenate([99.0 + jets, jets]), np.repeat([0.0, 2.0], 40))
    signal = Jets(jets - 1.0, np.full(40, 0.1))
    rows = measure_distances({(1, 5): jets[::-1] + 2.0}, "wnae", more, ("svj", signal))
    assert [(row.quantity, row.sample, row.epoch) for row in rows] == [
        ("distance_to_background", "negatives", 5),
        ("distance_to_background", "svj", 5),
        ("distance_to_negatives", "svj", 5),
    ]
    assert [row.value for row in rows] == pytest.approx([32.0, 8.0, 72.0])


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    columns = [Column("weight", "f4", "1", "weight"), *(Column(name, "f4", "1", "value") for name in FEATURES)]
    jets = np.ones(300, dtype=[(column.name, column.dtype) for column in columns])
    generator = np.random.default_rng(1)
    for name in FEATURES:
        jets[name] = generator.normal(3.0, 1.0, 300)
    write_table(tmp_path / "train.h5", columns, jets, {})
    given = {"kind": "wnae", "replay": {"capacity": 100}, "training": {"batch_size": 64}}
    settings = kind_named("wnae").settings.model_validate(given)
    network = Network(settings.network, len(FEATURES), 2)
    network.initialise(Generators((3, 8), "initial weights", torch.device("cpu")))
    card = Card("wnae", settings, fit_scaler(jets, DatasetSettings(features=FEATURES)))
    broken = network.flat.clone()
    broken[1] = float("nan")
    parameters = snapshot_parameters(network, [(1, network.flat), (4, broken)])
    write(tmp_path / "snapshots.pt", content_of(parameters, (3, 8), (1, 4), card))
    return tmp_path


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [f"workflow/scripts/{script}.py", *map(str, arguments)]
    return run_program(command)


def test_negatives_of_real_snapshots_leave_out_what_is_not_finite(trained: Path) -> None:
    table = trained / "negatives.h5"
    common = ["--snapshots", trained / "snapshots.pt"]
    done = run("sample_negatives", *common, "--train", trained / "train.h5", "--chains", 50, "--output", table)
    assert done.returncode == 0, done.stderr
    assert "seed 8, epoch 4: samples are not finite" in done.stderr
    negatives = read_negatives([table], FEATURES[::-1])
    assert {key: points.shape for key, points in negatives.items()} == {
        (3, 1): (50, 3),
        (8, 1): (50, 3),
        (3, 4): (50, 3),
    }
    assert max(np.abs(points).max() for points in negatives.values()) <= 3.0
    attributes = read_attributes(table)
    # 300 jets are 4 batches of 64, which replace a buffer of 100 by 2.56 times.
    assert json.loads(attributes["settings"]) == {"chains": 50, "rounds_per_epoch": 2.56}
    assert attributes["script"] == "sample_negatives"
    # Histograms scale the jets as the method does, and ask for no other scaler.
    (trained / "history.csv").write_text(
        "method,seed,epoch,positive_energy_train,negative_energy_train\nwnae,3,1,2,1\n"
    )
    done = run(
        *("plot_histograms", "--figure", "11", "--title", "WNAE", "--seed", 3, "--negatives", table),
        *("--history", trained / "history.csv", "--background", trained / "train.h5"),
        *("--signal", f"svj_mphi-2000_rinv-0p3={trained / 'train.h5'}"),
        *("--output", trained / "11.pdf", trained / "11.png"),
    )
    assert done.returncode == 0, done.stderr
    assert (trained / "11.png").read_bytes().startswith(b"\x89PNG")


def test_the_script_measures_without_negatives_too(trained: Path) -> None:
    signal = f"svj_mphi-2000_rinv-0p3={trained / 'train.h5'}"
    done = run(
        *("measure_snapshots", "--snapshots", trained / "snapshots.pt", "--background", trained / "train.h5"),
        *("--signal", signal, "--output", trained / "s.csv"),
    )
    assert done.returncode == 0, done.stderr
    rows = read_rows(trained / "s.csv", SnapshotRow)
    assert {(row.quantity, row.sample) for row in rows} == {
        ("energy", "background"),
        ("energy", "svj_mphi-2000_rinv-0p3"),
    }
    # The same jets under two names.
    assert rows[0].value == rows[2].value


def test_no_sample_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no negative sample"):
        read_negatives([], FEATURES)
