"""score and monitor_training on a real model file: scaled by its own scaler, scored by its own networks."""

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
from oddjet.detectors.autoencoder.settings import NetworkSettings
from oddjet.detectors.cards import Card
from oddjet.detectors.file import content_of, load, write
from oddjet.detectors.registry import kind_named
from oddjet.evaluation.history import EpochAucRow
from oddjet.evaluation.scores import auc_rows
from oddjet.io.csv import read_rows
from oddjet.io.tables import Column, read_attributes, read_table, write_table
from programs import run_program

FEATURES = ("tau2", "tau3", "softdrop_mass")
IDENTIFIERS = ("run", "luminosityBlock", "event", "source", "entry", "jet_rank")
COLUMNS = [
    *(Column(name, "u8", "1", "identifier") for name in IDENTIFIERS),
    *(Column(name, "f4", "GeV", "value") for name in ("pt", "mass", "weight", *FEATURES)),
]
SETTINGS = '{"minimum_signal_jets": 50}'
SCORED = ("--method", "ae", "--settings", '{"kind": "ae"}', "--evaluation")


def write_jets(path: Path, count: int, shift: float, seed: int) -> Path:
    generator = np.random.default_rng(seed)
    jets = np.zeros(count, dtype=[(column.name, column.dtype) for column in COLUMNS])
    jets["weight"] = 1.0
    for name in FEATURES:
        jets[name] = generator.normal(3.0 + shift, 1.0, count)
    write_table(path, COLUMNS, jets, {})
    return path


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [f"workflow/scripts/{script}.py", *map(str, arguments)]
    return run_program(command)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    background = read_table(write_jets(tmp_path / "test.h5", 300, 0.0, 1))
    write_jets(tmp_path / "signal.h5", 80, 1.0, 2)
    scaler = fit_scaler(background, DatasetSettings(features=FEATURES))
    network = Network(NetworkSettings(), len(FEATURES), 2)
    network.initialise(Generators((3, 8), "initial weights", torch.device("cpu")))
    card = Card("ae", kind_named("ae").settings.model_validate({"kind": "ae"}), scaler)
    write(tmp_path / "model.pt", content_of(network.parameters(), (3, 8), (20, 20), card))
    kept = snapshot_parameters(network, [(1, 0.5 * network.flat), (20, network.flat)])
    write(tmp_path / "snapshots.pt", content_of(kept, (3, 8), (1, 20), card))
    return tmp_path


def test_scoring_and_monitoring_agree_with_the_model(trained: Path) -> None:
    common = ["--signals", f"svj_mphi-1000_rinv-0p5={trained / 'signal.h5'}"]
    common += ["--background", trained / "test.h5"]
    scored = run(
        "score", *common, *SCORED, SETTINGS, "--models", trained / "model.pt", "--output", trained / "scores.h5"
    )
    assert scored.returncode == 0, scored.stderr
    model = load(trained / "model.pt")
    jets = np.concatenate([read_table(trained / name) for name in ("test.h5", "signal.h5")])
    expected = model.score(jets)
    np.testing.assert_array_equal(read_table(trained / "scores.h5")["score"], expected)
    attributes = read_attributes(trained / "scores.h5")
    assert attributes["script"] == "score"
    assert len(json.loads(attributes["inputs"])) == 3

    watched = ["--snapshots", trained / "snapshots.pt", "--output", trained / "e.csv"]
    monitored = run("monitor_training", *common, "--settings", SETTINGS, *watched)
    assert monitored.returncode == 0, monitored.stderr
    rows = read_rows(trained / "e.csv", EpochAucRow)
    assert [(row.epoch, row.seed) for row in rows] == [(1, 3), (1, 8), (20, 3), (20, 8)]
    final = auc_rows(trained / "scores.h5")
    assert [row.auc for row in rows[2:]] == pytest.approx([row.auc for row in final], abs=1e-8)
    assert rows[0].auc != pytest.approx(rows[2].auc, abs=1e-3)


def test_a_signal_with_few_jets_stops_before_anything_is_scored(trained: Path) -> None:
    signal = f"svj_mphi-1000_rinv-0p5={trained / 'signal.h5'}"
    done = run(
        *("score", "--signals", signal, "--background", trained / "test.h5", *SCORED[:-1]),
        *("--models", trained / "model.pt", "--output", trained / "scores.h5"),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: signal svj_mphi-1000_rinv-0p5 has 80 jets after cuts")
    assert not (trained / "scores.h5").exists()
