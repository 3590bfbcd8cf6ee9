"""Jets that do not fit into memory are read from a file, and nothing else changes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from oddjet.dataset.scaler_file import Inputs
from oddjet.dataset.scaling import Scaler
from oddjet.detectors.autoencoder.batches import read_jets
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.detectors.autoencoder.train import train_method
from oddjet.errors import TableError
from oddjet.io.tables import Column, write_table

CPU = torch.device("cpu")
NAMES = ("a", "b")


@pytest.fixture
def files(tmp_path):
    rows = np.ones(1000, [(name, "f4") for name in (*NAMES, "weight")])
    rng = np.random.default_rng(1)
    for name in NAMES:
        rows[name] = rng.uniform(0, 1, len(rows))
    rows["weight"] = rng.uniform(1, 2, len(rows))
    columns = [Column(name, "f4", "1", "A number.") for name in rows.dtype.names]
    for part in ("train", "validation"):
        write_table(tmp_path / f"{part}.h5", columns, rows, {})
    scale = {"transform": "identity", "floor": None, "minimum": 0.0, "maximum": 1.0, "mean": 0.5, "deviation": 0.3}
    scaler = {"features": [{"name": name, **scale} for name in NAMES], "scaling": "min_max", "range": [-3.0, 3.0]}
    (tmp_path / "scaler.json").write_text(json.dumps(scaler))
    return Inputs(tmp_path / "train.h5", tmp_path / "validation.h5", tmp_path / "scaler.json")


@pytest.mark.parametrize("rows", [1, 7, 1000, 5000])
def test_from_a_file_they_are_the_same(files, tmp_path, rows):
    scaler = Scaler.from_dict(json.loads(files.scaler.read_text()))
    kept, weights = read_jets(files.train, scaler, CPU, 1000, tmp_path / "scratch")
    assert not (tmp_path / "scratch").exists()
    # 1000 jets of two numbers are 8000 bytes.
    mapped, same_weights = read_jets(files.train, scaler, CPU, 0.0079, tmp_path / "scratch", rows)
    assert str(tmp_path / "scratch") in Path("/proc/self/maps").read_text()
    assert torch.equal(kept, mapped)
    assert torch.equal(weights, same_weights)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_training_from_a_file_gives_the_same_model(files, tmp_path):
    models = []
    for memory_mb in (1000, 0.001):
        training = {"epochs": 3, "batch_size": 64, "memory_mb": memory_mb}
        settings = MethodSettings.model_validate({"kind": "ae", "training": training})
        train_method("ae", settings, [1, 2], files, tmp_path / str(memory_mb))
        models.append(torch.load(tmp_path / str(memory_mb) / "model.pt", weights_only=True)["parameters"])
    assert all(torch.equal(tensor, models[1][name]) for name, tensor in models[0].items())


def test_a_missing_column_is_named(files, tmp_path):
    content = json.loads(files.scaler.read_text())
    content["features"][1]["name"] = "absent"
    with pytest.raises(TableError, match="column 'absent' is missing"):
        read_jets(files.train, Scaler.from_dict(content), CPU, 1000, tmp_path)
