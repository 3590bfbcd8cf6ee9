"""The loop: updates, averages, choice of the epoch, snapshots, independence of the group."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from oddjet.detectors.autoencoder.batches import Batches, BatchPlan
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.group import AutoencoderGroup, BackgroundJets
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.errors import TrainingError
from oddjet.training.history import COLUMNS, row, write_history
from oddjet.training.loop import fit
from oddjet.training.optimiser import Optimiser
from oddjet.training.settings import Schedule
from oddjet.training.state import TrainingState

CPU = torch.device("cpu")
KINDS = ("ae", "nae", "nae_logcosh", "wnae")


def method(kind: str = "ae", **training: object) -> MethodSettings:
    return MethodSettings.model_validate(
        {"kind": kind, "training": {"epochs": 3, "batch_size": 32, "learning_rate": 1e-3, **training}}
    )


def jets(n: int, seed: int = 1) -> Tensor:
    return 0.4 * torch.randn(n, 8, generator=torch.Generator().manual_seed(seed)) + 1.0


def trained(settings: MethodSettings, seeds: tuple[int, ...] = (1, 2), n: int = 100) -> TrainingState:
    return fit(AutoencoderGroup(settings, seeds, BackgroundJets(jets(n), jets(60, seed=2))), settings.training)


def batches(settings: MethodSettings, seeds: tuple[int, ...], n_jets: int, weights: Tensor | None) -> Batches:
    return BatchPlan(settings, n_jets, weights).draw(Generators(seeds, "batches", CPU))


def parameters(state: TrainingState) -> Tensor:
    """Return the weights that were trained, (S, P); those that are kept may be averages."""
    return state.trainable.network.flat


def without_seconds(state: TrainingState, seed: int) -> list[dict[str, float]]:
    rows = [{k: v for k, v in row.items() if k != "seconds" and v == v} for row in state.history]
    return [row for row in rows if row["seed"] == seed]


def test_learning_rate_follows_half_a_cosine() -> None:
    falling = Schedule(epochs=11, learning_rate=1.0, learning_rate_end=0.2)
    assert [falling.rate_of(epoch) for epoch in (1, 6, 11)] == pytest.approx([1.0, 0.6, 0.2])
    assert Schedule(epochs=1, learning_rate_end=0.2).rate_of(1) == 1e-3
    assert [row["learning_rate"] for row in trained(method(learning_rate_end=1e-4), (1,)).history] == pytest.approx(
        [1e-3, 5.5e-4, 1e-4]
    )
    with pytest.raises(ValidationError, match="learning_rate_patience by the validation metric: give one"):
        Schedule(learning_rate_end=1e-4, learning_rate_patience=3)


def test_every_jet_is_seen_once_an_epoch_in_an_order_of_each_seeds_own() -> None:
    indices = batches(method(), (1, 2), 100, None).indices
    assert indices.shape == (2, 3, 32)
    for seed in indices:
        assert len(set(seed.flatten().tolist())) == 96
    assert not torch.equal(indices[0], indices[1])
    assert batches(method(), (1, 2), 5, None).indices.shape == (2, 1, 5)


def test_weighted_sampling_follows_the_weights() -> None:
    settings = method(sampling="weighted")
    weights = torch.tensor([0.0, 1.0, 3.0] + [0.0] * 9997)
    drawn = batches(settings, (1,), 10_000, weights).indices.flatten()
    assert set(drawn.tolist()) == {1, 2}
    assert (drawn == 2).double().mean().item() == pytest.approx(0.75, abs=5 * math.sqrt(0.1875 / 9984))
    for bad in (None, torch.zeros(10), -torch.ones(10)):
        with pytest.raises(TrainingError, match="weights"):
            batches(settings, (1,), 10, bad)


@pytest.mark.parametrize("kind", KINDS)
def test_training_lowers_what_it_minimises(kind: str) -> None:
    state = trained(method(kind, epochs=8, learning_rate=5e-3), n=320)
    for seed in (1, 2):
        rows = without_seconds(state, seed)
        assert [row["epoch"] for row in rows] == list(range(1, 9))
        assert rows[-1]["loss_train"] < rows[0]["loss_train"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_is_trained_alike_alone_and_in_a_group(kind: str) -> None:
    settings = method(kind, ema_decay=0.9)
    group, alone = trained(settings, (1, 2, 3)), trained(settings, (2,))
    assert torch.allclose(parameters(group)[1], parameters(alone)[0], rtol=1e-4, atol=1e-6)
    assert torch.allclose(group.chosen()[1], alone.chosen()[0], rtol=1e-4, atol=1e-6)
    for ours, theirs in zip(without_seconds(group, 2), without_seconds(alone, 2), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_numbers(kind: str) -> None:
    first, second = trained(method(kind)), trained(method(kind))
    assert torch.equal(parameters(first), parameters(second))
    assert without_seconds(first, 1) == without_seconds(second, 1)


@pytest.mark.parametrize("kind", ["ae", "wnae"])
def test_threads_change_no_number(kind: str) -> None:
    settings, background = method(kind), BackgroundJets(jets(100), jets(60, seed=2))
    groups = [AutoencoderGroup(settings, (1, 2, 3), background, threads=threads) for threads in (1, 2)]
    states = [fit(group, settings.training) for group in groups]
    assert torch.equal(*map(parameters, states))


def test_the_best_epoch_is_the_least_of_the_validation_metric() -> None:
    for kind, metric in (("ae", "positive_energy_validation"), ("wnae", "wasserstein_validation")):
        state = trained(method(kind, epochs=6, learning_rate=0.02))
        for index, seed in enumerate((1, 2)):
            values = {row["epoch"]: row[metric] for row in without_seconds(state, seed)}
            lowest = min(values, key=values.__getitem__)
            rows = [row for row in without_seconds(state, seed) if row["epoch"] <= lowest]
            error = math.sqrt(np.mean([row.get("wasserstein_error_validation", 0.0) ** 2 for row in rows]))
            best = max(epoch for epoch in values if values[epoch] <= values[lowest] + 2 * error)
            assert state.best_epochs[index] == best
            assert state.best_values[index] == values[best]
            assert (kind == "wnae") == (error > 0)


def test_snapshots_first_every_nth_and_last_and_best_are_the_averages() -> None:
    settings = method("ae", epochs=7, snapshot_every=3, snapshot_epochs=(2,), ema_decay=0.9)
    state = trained(settings)
    assert [epoch for epoch, _ in state.snapshots] == [1, 2, 3, 6, 7]
    averages = state.trainable.evaluated.flat
    assert torch.equal(state.snapshots[-1][1], averages)
    assert not torch.equal(averages, parameters(state))
    assert state.best_epochs == [7, 7]
    assert torch.equal(torch.stack(state.chosen()), averages)
    state.choices[0].epoch = 4
    assert [epoch for epoch, _ in state.all_snapshots()] == [1, 2, 3, 4, 6, 7]


def test_averaging_follows_the_weights_by_its_decay() -> None:
    flat = torch.randn(2, 50, generator=torch.Generator().manual_seed(1))
    averages, start = flat.clone(), flat.clone()
    optimiser = Optimiser(flat, Schedule(ema_decay=0.5))
    flat.add_(1.0)
    optimiser.steps = 1000
    optimiser.average(averages, torch.tensor([True, False]))
    assert torch.allclose(averages[0], start[0] + 0.5)
    assert torch.equal(averages[1], start[1])


def test_validation_may_be_rarer_than_epochs() -> None:
    state = trained(method("wnae", epochs=5, validate_every=2))
    measured = [
        row["epoch"] for row in state.history if row["seed"] == 1 and not math.isnan(row["wasserstein_validation"])
    ]
    assert measured == [1, 2, 4, 5]


def test_history_has_the_columns_of_the_contract(tmp_path: Path) -> None:
    rows = [row(2, 1, {"loss": 0.5, "positive_energy": 0.5}, {"positive_energy": math.inf}, 1e-3, 1.25)]
    write_history(tmp_path / "history.csv", "ae", rows)
    with (tmp_path / "history.csv").open(newline="") as file:
        table = list(csv.reader(file))
    assert tuple(table[0]) == COLUMNS
    assert table[1] == ["ae", "2", "1", "0.5", "", "", "", "", "", "", "", "0.5", "", "0.001", "1.25"]


def test_no_jets_is_an_error() -> None:
    with pytest.raises(TrainingError, match="0 training jets"):
        AutoencoderGroup(method(), (1,), BackgroundJets(jets(0), jets(5)))
    with pytest.raises(TrainingError, match="0 validation jets"):
        AutoencoderGroup(method(), (1,), BackgroundJets(jets(5), jets(0)))


def test_settings_refuse_what_a_kind_does_not_read() -> None:
    with pytest.raises(ValidationError, match="reads no chain"):
        MethodSettings.model_validate({"kind": "ae", "chain": {}})
    with pytest.raises(ValidationError, match="kind"):
        MethodSettings.model_validate({"kind": "vae"})
    filled = MethodSettings.model_validate({"kind": "wnae"})
    assert filled.chain is not None
    assert MethodSettings.model_validate_json(filled.model_dump_json()) == filled
