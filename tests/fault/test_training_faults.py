"""What goes wrong in a training: non-finite losses, missing or foreign files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from oddjet.training.guard import NonFiniteLossError
from oddjet.training.loop import train
from oddjet.training.method import MethodSettings
from oddjet.training.run import TrainingInputError, choose_device
from oddjet.training.state import TrainingState

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[2]


def jets(n: int = 64) -> Tensor:
    return torch.randn(n, 8, generator=torch.Generator().manual_seed(1))


def poisoned(kind: str, on_divergence: str) -> TrainingState:
    """A group of three whose second seed fails in the second batch of the second epoch."""
    settings = MethodSettings.model_validate(
        {"kind": kind, "training": {"epochs": 4, "batch_size": 16, "on_divergence": on_divergence}}
    )
    state = TrainingState(settings, (1, 2, 3), 8, CPU)
    inner, calls = state.objective.add_gradient, [0]

    def add_gradient(network, batch: Tensor) -> dict[str, Tensor]:
        calls[0] += 1
        if calls[0] == 6:
            state.before_failure = network.flat.clone()
            batch = batch.clone()
            batch[1, 3, 2] = torch.nan
        return inner(network, batch)

    state.objective.add_gradient = add_gradient
    return state


@pytest.mark.parametrize("kind", ["ae", "nae", "nae_logcosh", "wnae"])
def test_a_non_finite_loss_fails_before_the_update(kind: str) -> None:
    state = poisoned(kind, "fail")
    with pytest.raises(NonFiniteLossError, match=r"seed 2, epoch 2, batch 2: loss or gradient not finite \(loss nan"):
        train(state, jets(), jets())
    assert torch.equal(state.network.flat[1], state.before_failure[1])
    assert torch.isfinite(state.network.flat).all()


@pytest.mark.parametrize("kind", ["ae", "nae", "nae_logcosh", "wnae"])
def test_a_seed_may_stop_alone(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    state = poisoned(kind, "stop")
    train(state, jets(), jets())
    assert state.guard.stopped == {2: 2}
    assert "seed 2, epoch 2, batch 2" in caplog.text
    assert torch.equal(state.network.flat[1], state.before_failure[1])
    epochs = {seed: [row["epoch"] for row in state.history if row["seed"] == seed] for seed in (1, 2, 3)}
    assert epochs == {1: [1, 2, 3, 4], 2: [1, 2], 3: [1, 2, 3, 4]}
    assert state.best_epochs[1] in (1, 2)
    healthy = poisoned(kind, "stop")
    healthy.objective = TrainingState(healthy.settings, (1, 2, 3), 8, CPU).objective
    train(healthy, jets(), jets())
    assert torch.equal(state.network.flat[[0, 2]], healthy.network.flat[[0, 2]])


def test_training_ends_when_every_seed_has_stopped() -> None:
    state = poisoned("ae", "stop")
    state.objective.add_gradient = lambda network, batch: {
        "loss": torch.full((3,), torch.inf),
        "positive_energy": torch.zeros(3),
    }
    train(state, jets(), jets())
    assert state.epoch == 1
    assert len(state.history) == 3


def test_a_device_that_is_not_there_is_refused() -> None:
    if not torch.cuda.is_available():
        with pytest.raises(TrainingInputError, match="no CUDA device"):
            choose_device("cuda")
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize(
    ("settings", "words"),
    [('{"kind": "ae", "chain": {}}', "reads no chain"), ('{"kind": "wnae", "chain": {"steps": 0}}', "chain.steps")],
)
def test_the_script_names_the_wrong_key(tmp_path: Path, settings: str, words: str) -> None:
    files = [word for name in ("train", "validation", "scaler") for word in (f"--{name}", str(tmp_path / name))]
    command = [sys.executable, "workflow/scripts/train_model.py", "--method", "x", "--seeds", "1", *files]
    command += ["--settings", settings, "--output-dir", str(tmp_path / "out")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
