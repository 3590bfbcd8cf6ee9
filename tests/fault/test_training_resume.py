"""A training killed with SIGKILL at any moment goes on with the same numbers, bit for bit."""

from __future__ import annotations

import csv
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from oddjet.detectors.autoencoder.group import AutoencoderGroup, BackgroundJets
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.io.tables import Column, write_table
from oddjet.provenance.attributes import text_digest
from oddjet.training.checkpoint import FORMAT, Checkpoints, checkpoint_digest
from oddjet.training.loop import fit
from oddjet.training.state import TrainingState

ROOT = Path(__file__).parents[2]
FEATURES = [f"x{index}" for index in range(8)]
CPU = torch.device("cpu")


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    rng = np.random.default_rng(1)
    columns = [Column(name, "f4", "1", "A feature.") for name in [*FEATURES, "weight"]]
    for part, n in (("train", 640), ("validation", 100)):
        rows = np.ones(n, [(column.name, column.dtype) for column in columns])
        for name in FEATURES:
            rows[name] = rng.uniform(0, 1, n) ** 2
        write_table(tmp_path / f"{part}.h5", columns, rows, {})
    scale = {"transform": "identity", "floor": None, "minimum": 0.0, "maximum": 1.0, "mean": 0.33, "deviation": 0.3}
    features = [{"name": name, **scale} for name in FEATURES]
    (tmp_path / "scaler.json").write_text(
        json.dumps({"features": features, "scaling": "min_max", "range": [-3.0, 3.0]}), encoding="utf-8"
    )
    return tmp_path


# Runs the program of the training, and stands still for good at a moment of the test's choice: after so many batches,
# or while a checkpoint is written, before the file takes its name.
DRIVER = """
import runpy, signal, sys
from pathlib import Path
import oddjet.io.tensors as tensors
import oddjet.detectors.autoencoder.group as group

where, left, marker = sys.argv.pop(1), int(sys.argv.pop(1)), Path(sys.argv.pop(1))
owner, name = {"batch": (group.AutoencoderGroup, "update"), "checkpoint": (tensors.torch, "save")}[where]
original = getattr(owner, name)

def counted(*arguments, **named):
    global left
    result = original(*arguments, **named)
    left -= 1
    if left == 0:
        marker.touch()
        signal.pause()
    return result

setattr(owner, name, counted)
runpy.run_path("workflow/scripts/train_model.py", run_name="__main__")
"""


def options(folder: Path, output: str, settings: str) -> list[str]:
    words = ["--method", "m", "--seeds", "1", "2"]
    for part, suffix in (("train", "h5"), ("validation", "h5"), ("scaler", "json")):
        words += [f"--{part}", str(folder / f"{part}.{suffix}")]
    return [*words, "--settings", settings, "--output-dir", str(folder / output)]


def command(folder: Path, output: str, settings: str) -> list[str]:
    return [sys.executable, "workflow/scripts/train_model.py", *options(folder, output, settings)]


def kill_at(folder: Path, output: str, settings: str, where: str, count: int) -> None:
    """Start a training and kill it at a moment, with a checkpoint behind it."""
    marker = folder / "reached"
    marker.unlink(missing_ok=True)
    words = [sys.executable, "-c", DRIVER, where, str(count), str(marker), *options(folder, output, settings)]
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)
    while not marker.exists():
        assert process.poll() is None, "the training ended before it could be killed"
        time.sleep(0.01)
    assert (folder / output / "checkpoints" / "state.pt").is_file()
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def results(folder: Path) -> tuple[dict, dict, list[list[str]]]:
    model, snapshots = (torch.load(folder / name, weights_only=True) for name in ("model.pt", "snapshots.pt"))
    with (folder / "history.csv").open(newline="") as file:
        return model, snapshots, [row[:-1] for row in csv.reader(file)]


@pytest.mark.parametrize("kind", ["ae", "wnae"])
def test_killed_and_resumed_equals_undisturbed(dataset: Path, kind: str) -> None:
    training = {"epochs": 30, "batch_size": 64, "ema_decay": 0.99, "checkpoint_seconds": 0}
    settings = json.dumps({"kind": kind, "training": training})
    subprocess.run(command(dataset, "whole", settings), cwd=ROOT, check=True, capture_output=True)
    assert not (dataset / "whole" / "checkpoints").exists()
    # An epoch has ten batches: in the middle of one, and while the checkpoint of a later one is half written.
    for where, count in (("batch", random.Random(kind).randint(11, 49)), ("checkpoint", 3)):
        kill_at(dataset, "killed", settings, where, count)
        assert not (dataset / "killed" / "model.pt").exists()
    last = subprocess.run(command(dataset, "killed", settings), cwd=ROOT, check=True, capture_output=True, text=True)
    assert "going on after epoch" in last.stderr
    for whole, resumed in zip(results(dataset / "whole"), results(dataset / "killed"), strict=True):
        if isinstance(whole, list):
            assert whole == resumed
            continue
        assert whole["epochs"] == resumed["epochs"]
        for name, tensor in whole["parameters"].items():
            assert torch.equal(tensor, resumed["parameters"][name])


class Stopping(Checkpoints):
    """Checkpoints that end a training after some epoch, without a word to it, and keep its state at hand."""

    def __init__(self, epoch: int) -> None:
        super().__init__(Path("nowhere"), "digest", 0)
        self.epoch = epoch

    def after_epoch(self, state: TrainingState) -> None:
        self.state = state
        if state.epoch == self.epoch:
            raise KeyboardInterrupt


def group_of(kind: str = "wnae", total: int = 4) -> AutoencoderGroup:
    settings = MethodSettings.model_validate({"kind": kind, "training": {"epochs": total, "batch_size": 16}})
    jets = torch.randn(64, 8, generator=torch.Generator().manual_seed(1))
    return AutoencoderGroup(settings, (1, 2), BackgroundJets(jets, jets))


def state_after(epochs: int, kind: str = "wnae") -> TrainingState:
    group = group_of(kind)
    if not epochs:
        return TrainingState(group, group.settings.training)
    stopping = Stopping(epochs)
    with pytest.raises(KeyboardInterrupt):
        fit(group, group.settings.training, stopping)
    return stopping.state


@pytest.mark.parametrize("kind", ["ae", "nae", "nae_logcosh", "wnae"])
def test_a_state_carries_everything(tmp_path: Path, kind: str) -> None:
    group, again = group_of(kind), group_of(kind)
    whole = fit(group, group.settings.training)
    checkpoints = Checkpoints(tmp_path, "digest", 0)
    checkpoints.after_epoch(state_after(2, kind))
    resumed = fit(again, again.settings.training, checkpoints)
    assert len({row["epoch"] for row in resumed.history}) == 4
    assert torch.equal(group.network.flat, again.network.flat)
    assert torch.equal(torch.stack(whole.chosen()), torch.stack(resumed.chosen()))
    for name in ("loss_train", "wasserstein_validation", "wasserstein_error_validation"):
        assert [str(row[name]) for row in whole.history] == [str(row[name]) for row in resumed.history]
    assert whole.choices == resumed.choices


RECORD = {"oddjet_version": "1", "script": "train_model", "code_digest": "c", "inputs": "{}", "packages": "{}"}


def digest_of(**training: object) -> str:
    settings = MethodSettings.model_validate({"kind": "wnae", "training": training})
    text = settings.model_dump_json()
    return checkpoint_digest({**RECORD, "settings": text, "settings_digest": text_digest(text)}, [1, 2], "cpu")


def test_a_checkpoint_is_kept_where_nothing_that_steers_the_training_has_changed(tmp_path: Path) -> None:
    Checkpoints(tmp_path, digest_of(checkpoint_seconds=60), 0).after_epoch(state_after(2))
    resumed = state_after(0)
    changed = digest_of(checkpoint_seconds=1, memory_mb=5, device="cpu", tensorboard=True)
    assert Checkpoints(tmp_path, changed, 1).resume(resumed)
    assert resumed.epoch == 2
    for steering in ({"epochs": 99}, {"learning_rate": 0.1}, {"on_divergence": "stop"}, {"snapshot_every": 2}):
        assert digest_of(**steering) != digest_of()
    for name in RECORD:
        assert checkpoint_digest({**RECORD, name: "[]", "settings": "{}"}, [1], "cpu") != checkpoint_digest(
            {**RECORD, "settings": "{}"}, [1], "cpu"
        )


FOREIGN = {
    "foreign": [1, 2],
    "number": 3,
    "tensor": torch.zeros(3),
    "stateless": {"format": FORMAT, "digest": "digest"},
}


@pytest.mark.parametrize("damage", ["digest", "cut", "empty", "foreign", "number", "tensor", "stateless", "old"])
def test_a_checkpoint_of_something_else_is_discarded(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints", "digest", 0)
    checkpoints.after_epoch(state_after(1))
    path = checkpoints.path
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage in FOREIGN:
        torch.save(FOREIGN[damage], path)
    elif damage == "old":
        torch.save({**torch.load(path, weights_only=True), "format": 0}, path)
    state = state_after(0)
    before = state.trainable.network.flat.clone()
    other = Checkpoints(path.parent, "another" if damage == "digest" else "digest", 0)
    assert not other.resume(state)
    assert "discarded" in caplog.text
    assert not path.exists()
    assert state.epoch == 0
    assert torch.equal(state.trainable.network.flat, before)


def test_checkpoints_wait_for_their_time(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints", "digest", 3600.0)
    checkpoints.after_epoch(state_after(1))
    assert not checkpoints.path.exists()
