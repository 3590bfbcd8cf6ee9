"""The judge of a training: its W is that of chains run for long, whatever the buffer of the training holds."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from oddjet.detectors.autoencoder.group import AutoencoderGroup, BackgroundJets
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.own_chains import OwnChains
from oddjet.detectors.autoencoder.settings import MethodSettings, ModelSettings, NetworkSettings
from oddjet.detectors.autoencoder.validation import Validation, distances_to_laws, stack_laws
from oddjet.detectors.autoencoder.validation_jets import ValidationJets
from oddjet.training.loop import fit

CPU = torch.device("cpu")
D = 3
LONG = 100


def jets(n: int, seed: int) -> Tensor:
    return 0.5 * torch.randn(n, D, generator=torch.Generator().manual_seed(seed)) + torch.tensor([1.0, 0.0, -1.0])


def long_run(
    settings: ModelSettings, network: Network, seeds: tuple[int, ...], rows: ValidationJets
) -> tuple[Tensor, Tensor]:
    """Measure W and its error, (S,) each, with chains that start at N(0, 1) and run for long at these weights."""
    assert settings.validation is not None
    laws = rows.samples(settings.validation.jets, settings.validation.draws)
    chains = OwnChains(settings, seeds, CPU, torch.float32, "other chains")
    samples = chains.advance(network, torch.full((len(seeds),), 0.063), torch.zeros(len(laws) * laws[0].net, D), LONG)
    distances = distances_to_laws(samples, stack_laws(laws), len(laws[0].negative))
    return distances.mean(0), distances.std(0) / math.sqrt(len(laws))


def harmonic(centre: float, seeds: int) -> Network:
    """Reconstruct every jet as one point: E = |x - centre|^2 / D."""
    network = Network(NetworkSettings(), D, seeds)
    network.flat.zero_()
    with torch.no_grad():
        network.biases[-1].fill_(centre)
    return network


def test_chains_of_the_judge_are_those_of_the_weights_that_are_judged() -> None:
    # Stiff chains: ten steps take a chain a small part of the way to another minimum.
    settings = ModelSettings.model_validate(
        {"kind": "wnae", "chain": {"noise": 0.05}, "validation": {"jets": 200, "draws": 4, "rounds": 10}}
    )
    rows, seeds = ValidationJets(jets(800, 1)), (1, 2)
    averaged = harmonic(1.5, 2)
    judge = Validation(settings, seeds, CPU, torch.float32)
    for _ in range(8):
        measured = judge.measure(averaged, torch.full((2,), 0.063), rows)
    expected, error = long_run(settings, averaged, seeds, rows)
    for index in range(2):
        tolerance = 4 * math.hypot(error[index], measured["wasserstein_error"][index])
        assert tolerance < 0.25 * expected[index]
        assert float(measured["wasserstein"][index]) == pytest.approx(float(expected[index]), abs=tolerance)
    # Chains that the trained network's buffer would have given: ten steps from another minimum.
    away = OwnChains(settings, seeds, CPU, torch.float32, "training")
    count = torch.zeros(800, D)
    away.advance(harmonic(-1.5, 2), torch.full((2,), 0.063), count, LONG)
    ten_steps = away.advance(averaged, torch.full((2,), 0.063), count, 1)
    biased = distances_to_laws(ten_steps, stack_laws(rows.samples(200, 4))).mean(0)
    assert bool(((biased - expected).abs() > 4 * error).all())


@pytest.mark.parametrize(("kind", "every"), [("wnae", 1), ("nae_logcosh", 1), ("nae_logcosh", 8)])
def test_the_w_of_a_history_is_that_of_chains_run_for_long(kind: str, every: int) -> None:
    settings = MethodSettings.model_validate(
        {
            "kind": kind,
            "validation": {"jets": 150, "draws": 4},
            "training": {
                "epochs": 25,
                "batch_size": 64,
                "learning_rate": 3e-3,
                "ema_decay": 0.99,
                "validate_every": every,
            },
        }
    )
    seeds, others = (1, 2, 3), jets(600, 2)
    group = AutoencoderGroup(settings, seeds, BackgroundJets(jets(1280, 1), others))
    state = fit(group, settings.training)
    expected, error = long_run(settings, group.evaluated, seeds, ValidationJets(others))
    rows = [row for row in state.history if row["epoch"] == 25]
    for index, row in enumerate(rows):
        tolerance = 4 * math.hypot(error[index], row["wasserstein_error_validation"])
        assert row["wasserstein_validation"] == pytest.approx(float(expected[index]), abs=tolerance)
        # The error means something: it is small beside what training has gained.
        assert tolerance < 0.5 * next(r for r in state.history if r["seed"] == row["seed"])["wasserstein_validation"]


def test_the_floor_is_what_two_draws_of_jets_are_apart_and_more_draws_make_the_error_smaller() -> None:
    measured = {}
    for draws in (4, 36):
        settings = ModelSettings.model_validate({"kind": "wnae", "validation": {"jets": 50, "draws": draws}})
        judge = Validation(settings, (1,), CPU, torch.float32)
        measured[draws] = judge.measure(harmonic(0.0, 1), torch.full((1,), 0.063), ValidationJets(jets(1800, 1)))
    floors = [float(one["wasserstein_floor"]) for one in measured.values()]
    assert floors[0] == pytest.approx(floors[1], rel=0.3)
    # A ball of 50 points in three dimensions: neighbours are about 50^(-1/3) of the size apart.
    assert 0.03 < floors[1] < 0.3
    assert float(measured[36]["wasserstein_error"]) < float(measured[4]["wasserstein_error"])
    single = ModelSettings.model_validate({"kind": "wnae", "validation": {"jets": 50, "draws": 1}})
    one = Validation(single, (1,), CPU, torch.float32).measure(
        harmonic(0.0, 1), torch.full((1,), 0.063), ValidationJets(jets(90, 1))
    )
    assert math.isnan(float(one["wasserstein_error"]))
    assert math.isnan(float(one["wasserstein_floor"]))


def test_contrastive_divergence_is_judged_from_the_jets_of_each_draw() -> None:
    settings = ModelSettings.model_validate(
        {"kind": "nae", "chain": {"start": "cd", "noise": 1e-6, "step": 1e-9}, "validation": {"jets": 50, "draws": 4}}
    )
    measured = Validation(settings, (1, 2), CPU, torch.float32).measure(
        harmonic(0.0, 2), torch.full((2,), 0.063), ValidationJets(jets(300, 1))
    )
    assert measured["wasserstein"].tolist() == pytest.approx([0.0, 0.0], abs=1e-6)
