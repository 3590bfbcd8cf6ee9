"""Chains, replay buffer and the gradient through the chain."""

from __future__ import annotations

from functools import partial

import numpy as np
import ot
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from oddjet.detectors.autoencoder.chains import ChainRecord, Field, confine, langevin
from oddjet.detectors.autoencoder.energy import energy_and_gradient
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.negative_kernels import fill_costs, fill_starts
from oddjet.detectors.autoencoder.negatives import (
    NegativeSampler,
    ReplayBuffer,
    matched_costs,
    mixed_starts,
    transport,
)
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import ChainSettings, ModelSettings, NetworkSettings, ReplaySettings

CPU = torch.device("cpu")


def network(seeds: tuple[int, ...] = (1, 2), activation: str = "relu") -> Network:
    net = Network(NetworkSettings(activation=activation), 8, len(seeds), dtype=torch.float64)
    net.initialise(Generators(seeds, "initial weights", CPU))
    return net


def drawn(shape: tuple[int, ...], seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def field(net: Network) -> Field:
    return partial(energy_and_gradient, net)


def record(net: Network, starts: Tensor, noise: Tensor) -> ChainRecord:
    return ChainRecord(net, starts, noise, ChainSettings(), differentiable=True)


@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_gradient_through_the_chain_equals_finite_differences(activation: str) -> None:
    net = network(activation=activation)
    starts, noise, jets = drawn((2, 12, 8), 1), drawn((2, 10, 12, 8), 2), 0.5 * drawn((2, 12, 8), 3)
    chains = record(net, starts, noise)
    chains.add_gradient(transport(chains.samples, jets)[1])
    analytic = net.gradient.clone()
    step = 1e-7
    chosen = torch.randperm(534, generator=torch.Generator().manual_seed(4))[:60].tolist()
    numeric = torch.zeros(2, len(chosen), dtype=torch.float64)
    for column, index in enumerate(chosen):
        for sign in (1, -1):
            net.flat[:, index] += sign * step
            numeric[:, column] += sign * transport(record(net, starts, noise).samples, jets)[0] / (2 * step)
            net.flat[:, index] -= sign * step
    assert analytic.abs().max() > 0.05
    assert torch.allclose(analytic[:, chosen], numeric, rtol=1e-4, atol=1e-5)


def test_gradient_through_the_chain_equals_pots_emd2() -> None:
    net = network()
    starts, noise, jets = drawn((2, 32, 8), 1), drawn((2, 10, 32, 8), 2), 0.5 * drawn((2, 32, 8), 3)
    chains = record(net, starts, noise)
    values, adjoints = transport(chains.samples, jets)
    chains.add_gradient(adjoints)
    ours = net.gradient.clone()
    net.gradient.zero_()
    samples = langevin(field(net), starts, noise, ChainSettings())
    uniform = torch.full((32,), 1 / 32, dtype=torch.float64)
    theirs = torch.stack([ot.emd2(uniform, uniform, ot.dist(jets[s], samples[s])) for s in range(2)])
    net.add_gradient(theirs)
    assert torch.allclose(values, theirs, rtol=1e-9)
    assert torch.allclose(ours, net.gradient, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("hidden", "compiled"), [((10, 10), True), ((128,), True), ((129,), False), ((10, 300), False)]
)
def test_networks_that_are_wide_run_in_torch(hidden: tuple[int, ...], compiled: bool) -> None:
    assert Network(NetworkSettings(hidden=hidden), 8, 1).compiled is compiled


@pytest.mark.parametrize("hidden", [(10, 10), (7,), (33, 20)])
def test_compiled_chains_equal_their_torch_twin(hidden: tuple[int, ...]) -> None:
    compiled, twin = (Network(NetworkSettings(hidden=hidden), 8, 3, dtype=torch.float32) for _ in range(2))
    for net in (compiled, twin):
        net.initialise(Generators((1, 2, 3), "initial weights", CPU))
    assert compiled.compiled
    twin.compiled = False
    # 100 points: one full block of the kernel and a part of another; starts reach beyond the box.
    starts, noise = 2 * drawn((3, 100, 8), 1).float(), drawn((3, 10, 100, 8), 2).float()
    adjoints = drawn((3, 100, 8), 3).float()
    ours, theirs = record(compiled, starts, noise), record(twin, starts, noise)
    assert torch.allclose(ours.samples, theirs.samples, atol=2e-5)
    ours.add_gradient(adjoints)
    theirs.add_gradient(adjoints)
    scale = twin.gradient.abs().max()
    assert scale > 1.0
    assert (compiled.gradient - twin.gradient).abs().max() < 1e-4 * scale
    one = compiled.gradient.clone()
    compiled.threads = 2
    ours.add_gradient(adjoints)
    assert torch.allclose(compiled.gradient, 2 * one, rtol=1e-6, atol=1e-5)


def test_a_chain_on_the_edge_passes_no_gradient() -> None:
    for compiled in (True, False):
        net = Network(NetworkSettings(), 8, 1)
        net.initialise(Generators((1,), "initial weights", CPU))
        net.compiled = compiled
        chains = ChainRecord(
            net,
            torch.zeros(1, 5, 8),
            torch.full((1, 1, 5, 8), 9.0),
            ChainSettings(steps=1, noise=1.0),
            differentiable=True,
        )
        assert torch.equal(chains.samples, torch.full((1, 5, 8), 3.0))
        chains.add_gradient(torch.ones(1, 5, 8))
        assert torch.equal(net.gradient, torch.zeros(1, 534))


@pytest.mark.parametrize("metropolis", [False, True])
@pytest.mark.parametrize("at_bounds", ["clamp", "reflect"])
def test_every_point_ends_in_the_box_wherever_it_starts(metropolis: bool, at_bounds: str) -> None:
    settings = ChainSettings(noise=1.0, bounds=(-1.0, 1.0), metropolis=metropolis, at_bounds=at_bounds)
    uniforms = torch.rand((2, 10, 100), generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    starts, noise = 50 * drawn((2, 100, 8), 1), drawn((2, 10, 100, 8), 2)
    samples = langevin(field(network()), starts, noise, settings, uniforms=uniforms)
    assert samples.abs().max() <= 1.0


def test_reflection_folds_at_both_edges() -> None:
    settings = ChainSettings(bounds=(-1.0, 2.0), at_bounds="reflect")
    points = torch.tensor([-1.5, -1.0, 0.3, 2.25, 5.5, -7.0], dtype=torch.float64).requires_grad_()
    folded = confine(points, settings)
    assert folded.tolist() == pytest.approx([-0.5, -1.0, 0.3, 1.75, -0.5, -1.0])
    folded.sum().backward()
    assert points.grad is not None
    assert points.grad[[0, 2, 3, 4]].tolist() == [-1.0, 1.0, -1.0, 1.0]


def gaussian(points: Tensor) -> tuple[Tensor, Tensor]:
    """E = x^2 / 2, whose density exp(-E/T) has the variance T."""
    return 0.5 * points.square().sum(-1), points


def variance(settings: ChainSettings, n: int = 20_000) -> tuple[float, float]:
    """Variance of the chains' ends and its standard error for a Gaussian."""
    generator = torch.Generator().manual_seed(11)
    shape = (1, settings.steps, n, 1)
    noise = torch.randn(shape, generator=generator, dtype=torch.float64)
    uniforms = torch.rand(shape[:3], generator=generator, dtype=torch.float64)
    starts = torch.randn((1, n, 1), generator=generator, dtype=torch.float64)
    samples = langevin(gaussian, starts, noise, settings, uniforms=uniforms)
    return samples.var().item(), settings.temperature * (2 / n) ** 0.5


@pytest.mark.parametrize("temperature", [1.0, 0.25])
def test_metropolis_samples_a_gaussian_with_its_variance(temperature: float) -> None:
    # So large a step that the chain without the test is far off: its variance is T / (1 - step / (2 T)).
    settings = ChainSettings(
        steps=60, noise=None, step=0.8 * temperature, temperature=temperature, bounds=(-30, 30), metropolis=True
    )
    value, error = variance(settings)
    assert abs(value - temperature) < 3 * error
    biased, error = variance(settings.model_copy(update={"metropolis": False}))
    assert abs(biased - temperature / (1 - 0.4)) < 4 * error


@pytest.mark.parametrize("temperature", [1.0, 0.25])
def test_small_steps_sample_the_gaussian_without_the_test(temperature: float) -> None:
    settings = ChainSettings(steps=400, noise=None, step=0.01 * temperature, temperature=temperature, bounds=(-30, 30))
    value, error = variance(settings)
    assert abs(value - temperature / (1 - 0.005)) < 3 * error


def test_metropolis_keeps_a_flat_box_flat() -> None:
    def flat(points: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros_like(points[..., 0]), torch.zeros_like(points)

    generator = torch.Generator().manual_seed(5)
    settings = ChainSettings(steps=200, noise=0.5, bounds=(-1.0, 1.0), metropolis=True)
    starts = torch.zeros((1, 20_000, 1), dtype=torch.float64)
    noise = torch.randn((1, 200, 20_000, 1), generator=generator, dtype=torch.float64)
    uniforms = torch.rand((1, 200, 20_000), generator=generator, dtype=torch.float64)
    for kept in (settings, settings.model_copy(update={"metropolis": False, "at_bounds": "reflect"})):
        samples = langevin(flat, starts, noise, kept, uniforms=uniforms)
        counts = torch.histc(samples, 10, -1.0, 1.0)
        assert ((counts - 2000.0).abs() < 4.5 * 1800.0**0.5).all()


def test_each_seed_has_its_own_temperature() -> None:
    settings = ChainSettings(steps=400, noise=0.1, bounds=(-30, 30))
    noise = drawn((2, 400, 4000, 1), 2)
    temperatures = torch.tensor([1.0, 0.25], dtype=torch.float64)
    starts = temperatures.sqrt().view(2, 1, 1) * drawn((2, 4000, 1), 3)
    # Only the ratio step / T enters the drift: at T = 0.25 the same noise stands for a smaller variance.
    samples = langevin(gaussian, starts, noise, settings, temperatures=temperatures)
    assert samples.var(1).flatten().tolist() == pytest.approx([1.0, 0.25], rel=0.1)
    net = Network(NetworkSettings(), 8, 2)
    net.initialise(Generators((1, 2), "initial weights", CPU))
    results = []
    for compiled in (True, False):
        net.compiled = compiled
        chains = ChainRecord(
            net,
            drawn((2, 20, 8), 1).float(),
            drawn((2, 10, 20, 8), 2).float(),
            ChainSettings(),
            differentiable=True,
            temperatures=temperatures.float() / 5,
        )
        net.gradient.zero_()
        chains.add_gradient(torch.ones(2, 20, 8))
        results.append((chains.samples, net.gradient.clone()))
    assert torch.allclose(results[0][0], results[1][0], atol=1e-5)
    assert torch.allclose(results[0][1], results[1][1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("extra", [{"metropolis": True}, {"at_bounds": "reflect"}])
def test_gradient_flows_through_other_chains_too(extra: dict[str, object]) -> None:
    net = network()
    settings = ChainSettings.model_validate({"noise": 0.3, "bounds": (-1.0, 1.0), **extra})
    starts, noise, adjoints = 0.5 * drawn((2, 9, 8), 1), drawn((2, 10, 9, 8), 2), drawn((2, 9, 8), 3)
    uniforms = torch.rand((2, 10, 9), generator=torch.Generator().manual_seed(4), dtype=torch.float64)

    def run() -> ChainRecord:
        return ChainRecord(net, starts, noise, settings, differentiable=True, uniforms=uniforms)

    run().add_gradient(adjoints)
    for index in (0, 100, 250, 400, 533):
        values = []
        for sign in (1, -1):
            net.flat[:, index] += sign * 1e-7
            values.append((run().samples * adjoints).sum((1, 2)))
            net.flat[:, index] -= sign * 1e-7
        numeric = (values[0] - values[1]) / 2e-7
        assert torch.allclose(net.gradient[:, index], numeric, rtol=1e-4, atol=1e-5)


def test_one_step_is_drift_and_noise() -> None:
    net, starts, noise = network(), 0.1 * drawn((2, 5, 8), 1), drawn((2, 1, 5, 8), 2)
    settings = ChainSettings(steps=1)
    point = starts.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((point - net.reconstruct(point)).square().mean(-1).sum(), point)
    expected = starts - 0.0242 / 0.063 * gradient + 0.22 * noise[:, 0]
    assert torch.allclose(langevin(field(net), starts, noise, settings), expected, atol=1e-13)


def test_an_annealed_chain_cools_down_to_its_temperature() -> None:
    def sampler(**chain: object) -> tuple[ModelSettings, NegativeSampler]:
        settings = ModelSettings.model_validate({"kind": "wnae", "chain": {"steps": 4, **chain}})
        return settings, NegativeSampler(settings, (1, 2), 8, CPU, torch.float64)

    net, jets = network(), 0.5 * drawn((2, 30, 8), 3)
    settings, annealed = sampler(anneal_from=64)
    found = annealed.draw(net, jets, differentiable=False).samples
    # By hand: 64, 16, 4 and 1 times T, the step with it, and so the noise twice, four and eight times as large.
    _, by_hand = sampler()
    starts, _ = by_hand._starts(net, jets)
    noise = by_hand.noise.normal(4, 30, 8, dtype=torch.float64)
    assert settings.chain is not None
    for step, ratio in enumerate((64, 16, 4, 1)):
        temperature, size = 0.063 * ratio, 0.5 * 0.22**2 * ratio
        gradient = energy_and_gradient(net, starts)[1]
        starts = (starts - size / temperature * gradient + (2 * size) ** 0.5 * noise[:, step]).clamp(-3, 3)
    assert torch.allclose(found, starts, rtol=1e-10, atol=1e-12)
    # Without it nothing is scaled: the same numbers as before there was such a setting.
    plain, again = (sampler(**extra)[1].draw(net, jets, differentiable=False) for extra in ({}, {"anneal_from": 1}))
    assert torch.equal(plain.samples, again.samples)
    assert not torch.allclose(plain.samples, found)
    for wrong in ({"metropolis": True}, {"steps": 1}):
        with pytest.raises(ValidationError, match="anneal_from 4 needs two steps or more and no metropolis"):
            ChainSettings.model_validate({"anneal_from": 4, **wrong})


def test_step_and_noise_follow_from_each_other() -> None:
    assert ChainSettings().step_size == pytest.approx(0.0242)
    with pytest.raises(ValidationError, match="latent is read with start omi alone"):
        ChainSettings.model_validate({"latent": {"step": 1.0}})
    # As the schema says: left out beside a step, the noise is sqrt(2 step); left out with it, 0.22.
    assert ChainSettings(noise=None, step=0.02).noise_size == pytest.approx(0.2)
    assert ChainSettings(step=0.02).noise_size == pytest.approx(0.2)
    assert ChainSettings.model_validate_json(ChainSettings(step=0.02).model_dump_json()).noise_size == pytest.approx(
        0.2
    )
    assert (ChainSettings().noise_size, ChainSettings().step_size) == (0.22, pytest.approx(0.0242))
    assert ChainSettings(step=None).noise_size == 0.22
    assert ModelSettings(kind="wnae", chain={"step": 0.02}).chain.noise_size == pytest.approx(0.2)
    both = ChainSettings(noise=0.1, step=3.0)
    assert (both.step_size, both.noise_size) == (3.0, 0.1)
    with pytest.raises(ValidationError, match="noise, step or both"):
        ChainSettings(noise=None)
    with pytest.raises(ValidationError, match="lower end comes first"):
        ChainSettings(bounds=(3.0, -3.0))


def buffer(capacity: int, fresh: float = 0.0, seeds: int = 2) -> ReplayBuffer:
    return ReplayBuffer(ReplaySettings(capacity=capacity, fresh_fraction=fresh), (-3.0, 3.0), (seeds, 1))


def test_replay_is_a_ring() -> None:
    ring = buffer(5)
    ring.add(torch.arange(4.0).view(1, 4, 1).expand(2, 4, 1))
    ring.add(torch.arange(4.0, 7.0).view(1, 3, 1).expand(2, 3, 1))
    assert ring.points[0, :, 0].tolist() == [5.0, 6.0, 2.0, 3.0, 4.0]
    assert ring.filled == 5
    ring.add(torch.arange(10.0, 22.0).view(1, 12, 1).expand(2, 12, 1))
    assert sorted(ring.points[1, :, 0].tolist()) == [17.0, 18.0, 19.0, 20.0, 21.0]


def test_replay_starts_come_from_the_buffer_but_for_a_fresh_share() -> None:
    ring = buffer(100, fresh=0.05)
    generators = Generators([1, 2], "replay", CPU)
    assert ring.starts(generators, 50).abs().max() <= 3.0
    ring.add(torch.full((2, 60, 1), 7.0))
    starts = ring.starts(generators, 20_000)
    share = (starts != 7.0).double().mean().item()
    assert abs(share - 0.05) < 5 * np.sqrt(0.05 * 0.95 / 40_000)
    assert starts[starts != 7.0].abs().max() <= 3.0


def test_compiled_starts_are_those_of_torch() -> None:
    """Kept points, and fresh ones that are moved into the box; a number that rounds up to the size of the buffer."""
    ring = buffer(7, fresh=0.3)
    ring.add(drawn((2, 5, 1), 3).float())
    uniform = Generators([1, 2], "replay", CPU).uniform(2, 500, dtype=torch.float32)
    uniform[0, 0, 0], uniform[0, 1, 0] = 1.0 - 2.0**-24, 0.9
    fresh = 3 * drawn((2, 500, 1), 4).float()
    twin = mixed_starts(ring.points[:, : ring.filled], uniform, fresh, 0.3, (-3.0, 3.0))
    assert set(twin.flatten().tolist()) >= {-3.0, 3.0, *ring.points[0, :5, 0].tolist()}
    numbers = np.array((ring.filled, 0.3, -3.0, 3.0), np.float32)
    fill_starts(ring.points.numpy(), uniform.numpy(), fresh.numpy(), ring.filled, numbers)
    assert torch.equal(fresh, twin)


@pytest.mark.parametrize("power", [1, 2])
def test_compiled_costs_are_those_of_torch(power: int) -> None:
    points, targets = drawn((2, 40, 3), 5).float(), drawn((2, 40, 3), 6).float()
    points[0, 3] = targets[0, 3]
    matches = torch.stack([torch.arange(40), torch.arange(40).flip(0)])
    costs, gradient = np.empty(2), np.empty((2, 40, 3), np.float32)
    sets = (tensor.numpy().astype(np.float64) for tensor in (points, targets))
    fill_costs(*sets, matches.numpy(), costs, gradient, power)
    expected = matched_costs(points, targets, matches, power)
    assert torch.equal(torch.from_numpy(costs.astype(np.float32)), expected[0])
    assert torch.equal(torch.from_numpy(gradient), expected[1])


def test_replay_does_not_depend_on_the_group() -> None:
    points = drawn((3, 40, 1), 6).float()
    rings = {group: buffer(64, 0.2, len(group)) for group in ((4, 5, 6), (5,))}
    starts = {}
    for group, ring in rings.items():
        ring.add(points[[seed - 4 for seed in group]])
        starts[group] = ring.starts(Generators(group, "replay", CPU), 30)
    assert torch.equal(starts[(4, 5, 6)][1], starts[(5,)][0])
