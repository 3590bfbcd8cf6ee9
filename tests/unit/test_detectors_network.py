"""Batched networks and their energies against torch's own layers and autograd."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from oddjet.detectors.autoencoder.energy import EnergyRecord, energy, energy_and_gradient, measure_energy
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.network import ACTIVATIONS, Network
from oddjet.detectors.autoencoder.settings import NetworkSettings

CPU = torch.device("cpu")
SEEDS = (3, 1, 8)


def network(activation: str = "relu", dtype: torch.dtype = torch.float64, seeds: tuple[int, ...] = SEEDS) -> Network:
    result = Network(NetworkSettings(activation=activation), 8, len(seeds), dtype=dtype)
    result.initialise(Generators(seeds, "initial weights", CPU))
    return result


def jets(n: int = 20, seeds: int = len(SEEDS)) -> Tensor:
    return torch.randn(seeds, n, 8, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def sequential(parameters: dict[str, Tensor], index: int, activated: tuple[bool, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for layer, active in enumerate(activated):
        weight = parameters[f"layers.{layer}.weight"][index]
        linear = nn.Linear(*weight.shape, dtype=weight.dtype)
        linear.weight.data, linear.bias.data = weight.T.contiguous(), parameters[f"layers.{layer}.bias"][index]
        layers += [linear, nn.ReLU()] if active else [linear]
    return nn.Sequential(*layers)


def test_default_is_the_papers_network() -> None:
    net = network()
    assert net.widths == (8, 10, 10, 6, 10, 10, 8)
    assert net.flat.shape == (3, 534)
    assert net.activated == (True, True, False, True, True, False)


def test_each_seed_is_an_ordinary_network() -> None:
    net, x = network(), jets()
    for index in range(len(SEEDS)):
        ours = net.reconstruct(x)[index]
        theirs = sequential(net.parameters(), index, net.activated)(x[index])
        assert torch.allclose(ours, theirs, atol=1e-14)
        assert torch.allclose(energy(net, x)[index], (x[index] - theirs).square().mean(-1), atol=1e-14)


def test_initial_parameters_are_torchs_default_distribution() -> None:
    net = Network(NetworkSettings(hidden=(200,), latent=50), 8, 1)
    net.initialise(Generators([1], "initial weights", CPU))
    for weight, bias, (fan_in, _) in zip(net.weights, net.biases, net.shapes(), strict=True):
        limit = fan_in**-0.5
        assert weight.abs().max() <= limit
        assert bias.abs().max() <= limit
        assert weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.05)


def test_a_seed_starts_alike_in_every_group() -> None:
    assert torch.equal(network(seeds=(1,)).flat[0], network().flat[1])
    assert not torch.equal(network().flat[0], network().flat[1])


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_input_gradient_equals_autograd(activation: str) -> None:
    net, x = network(activation), jets().requires_grad_()
    (expected,) = torch.autograd.grad(energy(net, x).sum(), x)
    with torch.no_grad():
        energies, ours = energy_and_gradient(net, x.detach())
    assert torch.allclose(ours, expected, atol=1e-13)
    assert torch.allclose(energies, energy(net, x), atol=1e-13)
    assert not ours.requires_grad


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_gradient_of_the_gradient_equals_autograd(activation: str) -> None:
    net, x = network(activation), jets().requires_grad_()
    (gradient,) = torch.autograd.grad(energy(net, x).sum(), x, create_graph=True)
    direction = torch.randn(gradient.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    leaves = [x, *net.weights, *net.biases]
    expected = torch.autograd.grad((gradient * direction).sum(), leaves, allow_unused=True, materialize_grads=True)
    ours = torch.autograd.grad(
        (energy_and_gradient(net, x)[1] * direction).sum(), leaves, allow_unused=True, materialize_grads=True
    )
    for first, second in zip(ours, expected, strict=True):
        assert torch.allclose(first, second, atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_parameter_gradient_equals_autograd_and_adds_up(activation: str) -> None:
    net, x = network(activation), jets()
    coefficients = torch.randn(x.shape[:2], generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    net.add_gradient(energy(net, x), coefficients)
    expected = net.gradient.clone()
    net.gradient.zero_()
    record = EnergyRecord(net, x)
    assert torch.allclose(record.energy, energy(net, x), atol=1e-14)
    record.add_gradient(coefficients)
    assert expected.abs().max() > 0.01
    assert torch.allclose(net.gradient, expected, atol=1e-13)
    EnergyRecord(net, x).add_gradient(coefficients)
    assert torch.allclose(net.gradient, 2 * expected, atol=1e-13)


@pytest.mark.parametrize("n_points", [1, 64, 200])
def test_compiled_energies_equal_their_torch_twin(n_points: int) -> None:
    compiled = Network(NetworkSettings(hidden=(10, 9)), 8, 3)
    compiled.initialise(Generators(SEEDS, "initial weights", CPU))
    exact = Network(compiled.settings, 8, 3, dtype=torch.float64)
    exact.flat.copy_(compiled.flat)
    x = jets(n_points)
    coefficients = torch.rand(3, n_points, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    assert torch.allclose(measure_energy(compiled, x.float()).double(), energy(exact, x), rtol=1e-5)
    EnergyRecord(compiled, x.float()).add_gradient(coefficients.float())
    EnergyRecord(exact, x).add_gradient(coefficients)
    assert (compiled.gradient - exact.gradient).abs().max() < 1e-5 * exact.gradient.abs().max()


def test_compiled_kernels_let_nan_and_infinity_through() -> None:
    net = Network(NetworkSettings(), 8, 2)
    net.initialise(Generators((1, 2), "initial weights", CPU))
    for bad in (torch.nan, torch.inf):
        x = torch.zeros(2, 70, 8)
        x[1, 66, 3] = bad
        assert torch.isfinite(measure_energy(net, x)).sum() == 139
    net.flat[0, 5] = torch.nan
    assert not torch.isfinite(measure_energy(net, torch.ones(2, 3, 8))[0]).any()


def test_parameters_go_out_and_back() -> None:
    net = network()
    other = Network(net.settings, 8, 3, dtype=torch.float64)
    other.load_parameters(net.parameters())
    assert torch.equal(other.flat, net.flat)


def test_generators_of_two_purposes_and_seeds_are_unrelated() -> None:
    draws = [Generators([seed], name, CPU).normal(2000, dtype=torch.float64)[0] for seed in (1, 2) for name in "ab"]
    correlations = torch.corrcoef(torch.stack(draws)) - torch.eye(4, dtype=torch.float64)
    assert correlations.abs().max() < 0.1
    generators = Generators([1, 2], "a", CPU)
    generators.load_state_dict(state := generators.state_dict())
    first = generators.normal(5, dtype=torch.float32)
    generators.load_state_dict(state)
    assert torch.equal(generators.normal(5, dtype=torch.float32), first)
