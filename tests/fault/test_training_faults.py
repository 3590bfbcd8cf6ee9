"""What goes wrong in a training: non-finite losses, missing or foreign files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from oddjet.dataset.scaler_file import write_scaler
from oddjet.dataset.scaling import fit_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.autoencoder.group import AutoencoderGroup, BackgroundJets
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.detectors.autoencoder.train import choose_device
from oddjet.errors import TrainingError
from oddjet.io.tables import Column, write_table
from oddjet.training.loop import fit
from programs import run_program

CPU = torch.device("cpu")


def jets(n: int = 64) -> Tensor:
    return torch.randn(n, 8, generator=torch.Generator().manual_seed(1))


def group_of(settings: MethodSettings, seeds: tuple[int, ...] = (1, 2, 3)) -> AutoencoderGroup:
    return AutoencoderGroup(settings, seeds, BackgroundJets(jets(), jets()))


def poisoned(kind: str, on_divergence: str) -> AutoencoderGroup:
    """A group of three whose second seed fails in the second batch of the second epoch."""
    settings = MethodSettings.model_validate(
        {"kind": kind, "training": {"epochs": 4, "batch_size": 16, "on_divergence": on_divergence}}
    )
    group = group_of(settings)
    inner, calls = group.objective.add_gradient, [0]

    def add_gradient(network, batch: Tensor, negative: int) -> dict[str, Tensor]:
        calls[0] += 1
        if calls[0] == 6:
            group.before_failure = network.flat.clone()
            batch = batch.clone()
            batch[1, 3, 2] = torch.nan
        return inner(network, batch, negative)

    group.objective.add_gradient = add_gradient
    return group


@pytest.mark.parametrize("kind", ["ae", "nae", "nae_logcosh", "wnae"])
def test_a_non_finite_loss_fails_before_the_update(kind: str) -> None:
    group = poisoned(kind, "fail")
    with pytest.raises(TrainingError, match=r"seed 2, epoch 2, batch 2: loss or gradient not finite \(loss nan"):
        fit(group, group.settings.training)
    assert torch.equal(group.network.flat[1], group.before_failure[1])
    assert torch.isfinite(group.network.flat).all()


@pytest.mark.parametrize("kind", ["ae", "nae", "nae_logcosh", "wnae"])
def test_a_seed_may_stop_alone(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    group = poisoned(kind, "stop")
    state = fit(group, group.settings.training)
    assert state.guard.stopped == {2: 2}
    assert "seed 2, epoch 2, batch 2" in caplog.text
    assert torch.equal(group.network.flat[1], group.before_failure[1])
    epochs = {seed: [row["epoch"] for row in state.history if row["seed"] == seed] for seed in (1, 2, 3)}
    assert epochs == {1: [1, 2, 3, 4], 2: [1, 2], 3: [1, 2, 3, 4]}
    assert state.best_epochs[1] in (1, 2)
    healthy = group_of(group.settings)
    fit(healthy, group.settings.training)
    assert torch.equal(group.network.flat[[0, 2]], healthy.network.flat[[0, 2]])


def infinite_from(epoch: int, kind: str = "ae") -> AutoencoderGroup:
    """A group of three of which every seed has an infinite loss from the first batch of an epoch on."""
    settings = MethodSettings.model_validate(
        {"kind": kind, "training": {"epochs": 4, "batch_size": 16, "on_divergence": "stop"}}
    )
    group = group_of(settings)
    inner, calls = group.objective.add_gradient, [0]

    def add_gradient(network, batch: Tensor, negative: int) -> dict[str, Tensor]:
        measured = inner(network, batch, negative)
        calls[0] += 1
        # An epoch has four batches.
        return {**measured, "loss": measured["loss"] + (torch.inf if calls[0] > 4 * (epoch - 1) else 0.0)}

    group.objective.add_gradient = add_gradient
    return group


def test_training_ends_when_every_seed_has_stopped() -> None:
    group = infinite_from(2)
    state = fit(group, group.settings.training)
    assert state.epoch == 2
    assert len(state.history) == 6
    assert all(state.best_epochs)


@pytest.mark.parametrize("kind", ["ae", "nae", "wnae"])
def test_a_seed_without_an_epoch_is_an_error_also_where_divergence_stops_it(kind: str) -> None:
    with pytest.raises(TrainingError, match=r"seed 1, epoch 1, batch 1: .* leave the seed out"):
        fit(infinite_from(1, kind), infinite_from(1, kind).settings.training)


def test_seeds_whose_validation_is_never_finite_are_named() -> None:
    group = group_of(MethodSettings.model_validate({"kind": "ae", "training": {"epochs": 2}}), (1, 7))
    group.objective.validate = lambda network, rows, epochs: {"positive_energy": torch.tensor([0.5, torch.inf])}
    with pytest.raises(TrainingError, match=r"no epoch of seed 7 has a finite validation metric"):
        fit(group, group.settings.training)


def test_a_rate_far_too_large_leaves_no_model(tmp_path: Path) -> None:
    columns = [Column(name, "f4", "1", name) for name in ("a", "b", "c", "weight")]
    rows = np.ones(600, [(column.name, column.dtype) for column in columns])
    for number, name in enumerate("abc"):
        rows[name] = np.random.default_rng(number).normal(size=600)
    write_table(tmp_path / "jets.h5", columns, rows, {})
    write_scaler(tmp_path / "scaler.json", fit_scaler(rows, DatasetSettings(features=("a", "b", "c"), log_floors={})))
    training = {"epochs": 3, "batch_size": 64, "learning_rate": 1e3, "on_divergence": "stop"}
    command = ["train_model.py", "--method", "ae", "--seeds", "1", "2"]
    command += ["--settings", json.dumps({"kind": "ae", "training": training}), "--output-dir", str(tmp_path / "model")]
    for part in ("train", "validation"):
        command += [f"--{part}", str(tmp_path / "jets.h5")]
    command += ["--scaler", str(tmp_path / "scaler.json")]
    result = run_program(command)
    assert result.returncode == 1
    assert "there is no model of this seed. Lower training.learning_rate (1000)" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "model" / "model.pt").exists()


def test_a_device_that_is_not_there_is_refused() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(TrainingError, match="no CUDA device"):
            choose_device("cuda")
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize(
    ("settings", "words"),
    [('{"kind": "ae", "chain": {}}', "reads no chain"), ('{"kind": "wnae", "chain": {"steps": 0}}', "chain.steps")],
)
def test_the_script_names_the_wrong_key(tmp_path: Path, settings: str, words: str) -> None:
    files = [word for name in ("train", "validation", "scaler") for word in (f"--{name}", str(tmp_path / name))]
    command = ["train_model.py", "--method", "x", "--seeds", "1", *files]
    command += ["--settings", settings, "--output-dir", str(tmp_path / "out")]
    result = run_program(command)
    assert result.returncode == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
