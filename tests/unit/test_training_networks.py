"""Groups of torch modules in the training loop: schedule, guard, averages, snapshots, checkpoints, history."""

from __future__ import annotations

import csv
import importlib.util
import logging
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from oddjet.errors import TrainingError
from oddjet.training.checkpoint import Checkpoints
from oddjet.training.history import HistoryFile
from oddjet.training.loop import fit
from oddjet.training.networks import NetworkGroup, seeded
from oddjet.training.settings import Schedule
from oddjet.training.state import TrainingState

PAPER = {"learning_rate_patience": 5, "stop_after": 12}


class Scripted:
    """An objective with one weight and the validation losses that it is told."""

    jets = validation_jets = 1

    def __init__(self, losses: list[float]) -> None:
        self.network, self.losses, self.seen = nn.Linear(1, 1, bias=False), iter(losses), []

    def loss(self, network: nn.Linear, rows: Tensor, generator: torch.Generator) -> Tensor:
        return network.weight.sum()

    def validation_loss(self, network: nn.Linear) -> float:
        self.seen.append(network.weight.item())
        return next(self.losses)


class Line:
    """A straight line through points, as an objective; the loss draws noise from the seed's generator."""

    def __init__(self, seed: int, jets: int = 40) -> None:
        self.network = seeded(lambda: nn.Linear(2, 1), seed)
        self.points = torch.randn(jets, 2, generator=torch.Generator().manual_seed(7))
        self.jets = self.validation_jets = jets

    def loss(self, network: nn.Module, rows: Tensor, generator: torch.Generator) -> Tensor:
        noise = 0.1 * torch.randn(len(rows), 2, generator=generator)
        return self._error(network, self.points[rows] + noise)

    def validation_loss(self, network: nn.Module) -> float:
        return float(self._error(network, self.points))

    def _error(self, network: nn.Module, points: Tensor) -> Tensor:
        return ((network(points)[:, 0] - points[:, 0] + 2 * points[:, 1]) ** 2).mean()


def group(schedule: Schedule, *seeds: int) -> NetworkGroup:
    return NetworkGroup("line", [Line(seed) for seed in seeds], seeds, schedule)


def numbers(state: TrainingState, seed: int) -> list[dict[str, float]]:
    rows = [row for row in state.history if row["seed"] == seed]
    return [{key: value for key, value in row.items() if key != "seconds" and value == value} for row in rows]


def test_the_rate_falls_and_the_training_ends_by_the_validation_loss() -> None:
    """The rate falls by ten after 5 epochs without improvement, not below 1e-5; the end comes after 12."""
    objective, schedule = Scripted([1.0, 0.5, *[0.6] * 50]), Schedule(epochs=40, **PAPER)
    state = fit(NetworkGroup("scripted", [objective], (1,), schedule), schedule)
    assert state.epoch == 2 + 12
    assert state.guard.finished == {1: 14}
    assert [row["learning_rate"] for row in state.history] == pytest.approx([1e-3] * 7 + [1e-4] * 5 + [1e-5] * 2)
    assert (state.best_epochs, state.best_values) == ([2], [0.5])
    # The weights of the best epoch are kept.
    assert state.chosen()[0]["weight"].item() == objective.seen[1] != objective.seen[-1]


def test_a_seed_that_has_ended_leaves_the_others_as_they_would_be_alone() -> None:
    schedule = Schedule(epochs=60, batch_size=16, stop_after=2, learning_rate=0.1, learning_rate_patience=1)
    together = fit(group(schedule, 3, 1, 2), schedule)
    lengths = {seed: len(numbers(together, seed)) for seed in (1, 2, 3)}
    assert len(set(lengths.values())) > 1, lengths
    for index, seed in enumerate((3, 1, 2)):
        alone = fit(group(schedule, seed), schedule)
        assert numbers(alone, seed) == numbers(together, seed)
        for name, tensor in alone.chosen()[0].items():
            assert torch.equal(tensor, together.chosen()[index][name])


def test_what_is_not_finite_is_an_error_or_ends_its_seed() -> None:
    for losses in ([math.nan] * 3, [math.inf] * 3):
        schedule = Schedule(epochs=3)
        with pytest.raises(TrainingError, match="no epoch of seed 1 has a finite validation metric"):
            fit(NetworkGroup("scripted", [Scripted(losses)], (1,), schedule), schedule)

    def poisoned(epoch: int, on_divergence: str) -> TrainingState:
        schedule = Schedule(epochs=4, batch_size=20, on_divergence=on_divergence, learning_rate=0.1)
        made, calls = group(schedule, 1, 2), []
        loss = made.objectives[1].loss

        def bad(network: nn.Module, rows: Tensor, generator: torch.Generator) -> Tensor:
            calls.append(rows)
            # Two batches an epoch.
            return loss(network, rows, generator) * (math.nan if len(calls) > 2 * (epoch - 1) else 1.0)

        made.objectives[1].loss = bad
        return fit(made, schedule)

    with pytest.raises(TrainingError, match=r"seed 2, epoch 1, batch 1: .*It is the first epoch"):
        poisoned(1, "stop")
    with pytest.raises(TrainingError, match=r"seed 2, epoch 3, batch 1: .* set training.on_divergence to stop"):
        poisoned(3, "fail")
    state = poisoned(3, "stop")
    assert state.guard.stopped == {2: 3}
    assert [row["epoch"] for row in numbers(state, 1)] == [1, 2, 3, 4]
    assert state.best_epochs[1] in (1, 2, 3)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in state.chosen()[1].values())


@pytest.mark.parametrize("changes", [{}, {"ema_decay": 0.9}, {"optimiser": "sgd", "weight_decay": 0.01}])
def test_a_training_goes_on_from_its_checkpoint_with_the_same_numbers(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    schedule = Schedule(epochs=6, batch_size=16, learning_rate=0.05, **PAPER, **changes)
    whole = fit(group(schedule, 1, 2), schedule)

    class Stopping(Checkpoints):
        def after_epoch(self, state: TrainingState) -> None:
            super().after_epoch(state)
            if state.epoch == 3:
                raise KeyboardInterrupt

    path = tmp_path / "history.csv"
    with pytest.raises(KeyboardInterrupt):
        fit(group(schedule, 1, 2), schedule, Stopping(tmp_path, "x", 0), HistoryFile(path, "line"))
    # An epoch after the checkpoint, which is then run again.
    with path.open("a", newline="") as file:
        file.write("line,1,4,,,,,,,,,0.5,0.5,0.05,1\n")
    resumed = fit(group(schedule, 1, 2), schedule, Checkpoints(tmp_path, "x", 0), HistoryFile(path, "line"))
    for seed in (1, 2):
        assert numbers(resumed, seed) == numbers(whole, seed)
    for ours, theirs in zip(whole.chosen(), resumed.chosen(), strict=True):
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["seed"]), int(row["epoch"])) for row in rows] == [(s, e) for e in range(1, 7) for s in (1, 2)]


def test_averages_are_validated_and_kept_and_snapshots_hold_them() -> None:
    schedule = Schedule(epochs=5, batch_size=10, ema_decay=0.9, learning_rate=0.05, snapshot_every=2)
    made = group(schedule, 1)
    state = fit(made, schedule)
    assert [epoch for epoch, _ in state.snapshots] == [1, 2, 4, 5]
    weights = state.snapshots[-1][1][0]["weight"]
    assert torch.equal(weights, made.evaluated[0].weight)
    assert not torch.equal(weights, made.networks[0].weight)
    with torch.no_grad():
        assert state.history[-1]["loss_validation"] == made.objectives[0].validation_loss(made.evaluated[0])


def test_the_history_grows_while_the_training_runs(tmp_path: Path) -> None:
    schedule, seen = Schedule(epochs=3, batch_size=16), []
    path = tmp_path / "history.csv"
    made = group(schedule, 1)
    validate = made.objectives[0].validation_loss
    made.objectives[0].validation_loss = lambda network: (seen.append(path.read_text()), validate(network))[1]
    fit(made, schedule, history=HistoryFile(path, "line"))
    assert [len(text.splitlines()) for text in seen] == [1, 2, 3]
    assert path.read_text().startswith(seen[-1])
    assert len(path.read_text().splitlines()) == 4


def test_tensorboard_can_follow_or_the_log_says_why_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    schedule = Schedule(epochs=2, batch_size=16)
    with caplog.at_level(logging.WARNING, "oddjet"):
        fit(group(schedule, 1, 2), schedule, history=HistoryFile(tmp_path / "history.csv", "line", tensorboard=True))
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 5
    if importlib.util.find_spec("tensorboard") is None:
        assert caplog.text.count("the package tensorboard is not installed") == 1
        return
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for seed in (1, 2):
        events = EventAccumulator(str(tmp_path / "tensorboard" / f"seed-{seed}"))
        events.Reload()
        with (tmp_path / "history.csv").open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["seed"] == str(seed)]
        for name in ("loss_train", "loss_validation", "learning_rate"):
            scalars = events.Scalars(name)
            assert [scalar.step for scalar in scalars] == [1, 2]
            np.testing.assert_allclose([s.value for s in scalars], [float(row[name]) for row in rows], rtol=1e-6)


def test_nothing_to_train_or_to_validate_on_is_an_error() -> None:
    with pytest.raises(TrainingError, match="line: 0 training and 0 validation jets"):
        NetworkGroup("line", [Line(1, jets=0)], (1,), Schedule())
