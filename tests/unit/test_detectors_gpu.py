"""On a CUDA device energies, chains and training steps are those of the CPU."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from oddjet.detectors.autoencoder.chains import ChainRecord
from oddjet.detectors.autoencoder.energy import EnergyRecord, energy_and_gradient, measure_energy
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.group import AutoencoderGroup, BackgroundJets
from oddjet.detectors.autoencoder.negatives import transport
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import ChainSettings, MethodSettings, NetworkSettings
from oddjet.detectors.autoencoder.sinkhorn import sinkhorn
from oddjet.training.loop import fit

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
CPU, CUDA = torch.device("cpu"), torch.device("cuda")
SEEDS = (1, 2)


@pytest.fixture(autouse=True)
def the_same_numbers_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw every random number on the CPU and send it: a CUDA generator has a stream of its own."""

    def start(self: Generators, seeds: tuple[int, ...], purpose: str, device: torch.device) -> None:
        original(self, seeds, purpose, CPU)
        self.target = device  # type: ignore[attr-defined]

    original = Generators.__init__
    monkeypatch.setattr(Generators, "__init__", start)
    for name in ("normal", "uniform", "permutations", "choices"):
        drawn = getattr(Generators, name)
        monkeypatch.setattr(Generators, name, lambda self, *a, drawn=drawn, **k: drawn(self, *a, **k).to(self.target))


def network(device: torch.device, dtype: torch.dtype = torch.float64, activation: str = "relu") -> Network:
    net = Network(NetworkSettings.model_validate({"activation": activation}), 8, len(SEEDS), device, dtype)
    net.initialise(Generators(SEEDS, "initial weights", CPU))
    return net


def points(n: int = 50, seed: int = 3) -> Tensor:
    return torch.randn(len(SEEDS), n, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_energies_and_their_gradients(activation: str) -> None:
    results = []
    for device in (CPU, CUDA):
        net, x = network(device, activation=activation), points().to(device)
        values, gradient = energy_and_gradient(net, x)
        record = EnergyRecord(net, x)
        record.add_gradient(torch.cos(record.energy))
        results.append((values, gradient, measure_energy(net, x), net.gradient))
    for ours, theirs in zip(*results, strict=True):
        assert theirs.device.type == "cuda"
        assert torch.allclose(ours, theirs.cpu(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "settings", [{}, {"at_bounds": "reflect"}, {"metropolis": True}], ids=["clamped", "reflected", "metropolis"]
)
def test_chains_and_the_gradient_through_them(settings: dict[str, object]) -> None:
    chain = ChainSettings.model_validate(settings)
    noise = torch.randn(len(SEEDS), chain.steps, 50, 8, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    uniforms = torch.rand(len(SEEDS), chain.steps, 50, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    results = []
    for device in (CPU, CUDA):
        net = network(device)
        starts, drawn = points().to(device), noise.to(device)
        record = ChainRecord(net, starts, drawn, chain, differentiable=True, uniforms=uniforms.to(device))
        record.add_gradient(torch.sin(record.samples))
        results.append((record.samples, net.gradient))
    for ours, theirs in zip(*results, strict=True):
        assert theirs.device.type == "cuda"
        assert torch.allclose(ours, theirs.cpu(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("power", [1, 2])
def test_transport_and_its_approximation(power: int) -> None:
    x, y = points(), points(seed=4)
    for move in (transport, sinkhorn):
        ours, theirs = move(x, y, power=power), move(x.to(CUDA), y.to(CUDA), power=power)
        for one, other in zip(ours, theirs, strict=True):
            assert other.device.type == "cuda"
            assert torch.allclose(one, other.cpu(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("kind", ["ae", "nae", "nae_logcosh", "wnae"])
def test_a_training_takes_the_same_steps(kind: str) -> None:
    settings = {"kind": kind, "training": {"epochs": 2, "batch_size": 32, "ema_decay": 0.9}}
    jets, states = points(70)[0], []
    for device in (CPU, CUDA):
        method = MethodSettings.model_validate(settings)
        background = BackgroundJets(jets.to(device), jets[:30].to(device))
        group = AutoencoderGroup(method, SEEDS, background, device, torch.float64)
        states.append((group, fit(group, method.training)))
    (one_group, ours), (other_group, theirs) = states
    assert other_group.network.flat.device.type == "cuda"
    assert torch.allclose(one_group.network.flat, other_group.network.flat.cpu(), rtol=1e-6, atol=1e-9)
    assert torch.allclose(torch.stack(ours.chosen()), torch.stack(theirs.chosen()), rtol=1e-6, atol=1e-9)
    for one, other in zip(ours.history, theirs.history, strict=True):
        assert {k: v for k, v in one.items() if k != "seconds"} == pytest.approx(
            {k: v for k, v in other.items() if k != "seconds"}, rel=1e-6, nan_ok=True
        )
