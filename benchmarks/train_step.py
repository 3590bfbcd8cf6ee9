"""Measure a training step of the WNAE against the straightforward implementation; prints lines `ratio NAME VALUE`.

The straightforward one is below: a torch module, a Langevin chain by autograd with its graph kept, `ot.emd2` on
`ot.dist`, a replay buffer as a Python list. Both train the same networks on the same jets; first the loss and the
gradient of one step with the same starts and noise are compared. One thread each, but for the ensemble, which may use
`--threads`; its ratio is per seed. Ratios are of medians, in a training that has run for some steps: of processor time
where one thread works (other programs disturb it least), of wall time for the ensemble (the machine must be quiet).

Example: python benchmarks/train_step.py --steps 20
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import ot
import torch
from torch import Tensor, nn

from oddjet.detectors.autoencoder.chains import ChainRecord
from oddjet.detectors.autoencoder.group import AutoencoderGroup, BackgroundJets
from oddjet.detectors.autoencoder.negatives import transport
from oddjet.detectors.autoencoder.settings import ChainSettings, MethodSettings
from oddjet.training.guard import Guard

CPU = torch.device("cpu")
CHAIN = ChainSettings()


class Straightforward:
    """The WNAE as one writes it down: what the ratios are relative to."""

    def __init__(self, group: AutoencoderGroup) -> None:
        parameters = group.network.parameters()
        layers: list[nn.Module] = []
        for layer, activated in enumerate(group.network.activated):
            weight, bias = parameters[f"layers.{layer}.weight"][0], parameters[f"layers.{layer}.bias"][0]
            linear = nn.Linear(*weight.shape)
            linear.weight.data, linear.bias.data = weight.T.clone(), bias.clone()
            layers += [linear, nn.ReLU()] if activated else [linear]
        self.model = nn.Sequential(*layers)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        buffer = group.objective.sampler.buffer
        self.buffer = [row.unsqueeze(0).clone() for row in buffer.points[0, : buffer.filled]]

    def energy(self, x: Tensor) -> Tensor:
        """Mean squared reconstruction error, shape (B,)."""
        return (x - self.model(x)).square().mean(-1)

    def starts(self, n: int) -> Tensor:
        """N rows of the buffer, one in twenty fresh."""
        rows = random.choices(self.buffer, k=n)  # noqa: S311
        return torch.cat([torch.randn(1, 8) if random.random() < 0.05 else row for row in rows])  # noqa: S311

    def chain(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Langevin samples with the whole graph."""
        x = x.detach().requires_grad_()
        for step in range(CHAIN.steps):
            (gradient,) = torch.autograd.grad(self.energy(x).sum(), x, create_graph=True)
            diffusion = torch.randn_like(x) if noise is None else noise[step]
            x = x - CHAIN.step_size / CHAIN.temperature * gradient + CHAIN.noise_size * diffusion
            x = x.clamp(*CHAIN.bounds)
        return x

    def loss(self, jets: Tensor, negatives: Tensor) -> Tensor:
        """Exact transport cost W2^2 by network simplex."""
        uniform = torch.full((len(jets),), 1.0 / len(jets))
        return ot.emd2(uniform, uniform, ot.dist(jets, negatives), numItermax=1_000_000)

    def step(self, jets: Tensor) -> None:
        """One update."""
        negatives = self.chain(self.starts(len(jets)))
        loss = self.loss(jets, negatives)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        with torch.no_grad():
            self.energy(jets).mean().item(), self.energy(negatives).mean().item()
        for row in negatives.detach():
            self.buffer.append(row.unsqueeze(0))
            if len(self.buffer) > 10_000:
                self.buffer.pop(0)


def jets(n: int) -> Tensor:
    """Correlated, skewed and bounded like scaled jet features: shape (n, 8) inside the box."""
    rng = np.random.default_rng(1)
    latent = rng.gamma(2.0, 1.0, (n, 3)) @ rng.normal(0, 0.5, (3, 8)) + 0.5 * rng.normal(size=(n, 8))
    low, high = latent.min(0), latent.max(0)
    return torch.from_numpy(6.0 * (latent - low) / (high - low) - 3.0).float()


def running(
    seeds: int, batch: int, data: Tensor, threads: int, steps: int
) -> tuple[AutoencoderGroup, Callable[[], None]]:
    """Give a group after some steps and the function that does one more."""
    settings = MethodSettings.model_validate({"kind": "wnae", "training": {"batch_size": batch}})
    group = AutoencoderGroup(settings, range(seeds), BackgroundJets(data, data[:100]), CPU, threads=threads)
    guard, rates = Guard(group.seeds, CPU), [settings.training.learning_rate] * seeds
    order = torch.Generator().manual_seed(2)

    def step() -> None:
        chosen = torch.randint(len(data), (seeds, batch), generator=order)
        measured = group.add_gradient((data[chosen], 0))
        guard.check(torch.stack(list(measured.values.values())), measured.gradient, 0)
        group.update(guard.alive, rates)

    for _ in range(steps):
        step()
    return group, step


def agree(group: AutoencoderGroup, plain: Straightforward, data: Tensor, batch: int) -> None:
    """Compare loss and gradient of one step with the same starts and noise."""
    starts, noise = plain.starts(batch).clamp(*CHAIN.bounds), torch.randn(CHAIN.steps, batch, 8)
    negatives = plain.chain(starts, noise)
    loss = plain.loss(data[:batch], negatives)
    loss.backward()
    theirs = torch.cat([p.grad.T.reshape(-1) if p.ndim == 2 else p.grad for p in plain.model.parameters()])
    network = group.network
    network.gradient.zero_()
    record = ChainRecord(network, starts[None], noise[None], CHAIN, differentiable=True)
    value, adjoints = transport(record.samples, data[None, :batch])
    record.add_gradient(adjoints)
    difference = (network.gradient[0] - theirs).abs().max() / theirs.abs().max()
    print(f"# batch {batch}: loss {loss.item():.6f} and {value.item():.6f}, gradients within {difference:.1e}")
    assert abs(loss.item() - value.item()) < 1e-4 * loss.item()
    assert difference < 1e-2


def median_times(
    theirs: Callable[[], None], ours: Callable[[], None], steps: int, clock: Callable[[], float]
) -> tuple[float, float]:
    """Median seconds of a step of each, taken in turns of five: what else the machine does then strikes both."""
    times: tuple[list[float], list[float]] = ([], [])
    while len(times[0]) < steps:
        for step, taken in zip((theirs, ours), times, strict=True):
            for _ in range(5):
                start = clock()
                step()
                taken.append(clock() - start)
    return float(np.median(times[0])), float(np.median(times[1]))


def plain_step(plain: Straightforward, data: Tensor, batch: int) -> None:
    plain.step(data[torch.randint(len(data), (batch,))])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--steps", type=int, default=20, help="steps measured")
    arguments.add_argument("--warm-up", type=int, default=300, help="steps of training before")
    arguments.add_argument("--threads", type=int, default=2, help="threads of the ensemble of 8 seeds")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    random.seed(1)
    data = jets(10_000)
    plain_steps = {}
    for batch in (256, 1024):
        warm_up = given.warm_up * 256 // batch
        group, step = running(1, batch, data, 1, warm_up)
        plain = Straightforward(group)
        agree(group, plain, data, batch)
        plain_steps[batch] = partial(plain_step, plain, data, batch)
        theirs, ours = median_times(plain_steps[batch], step, given.steps, time.process_time)
        print(f"# batch {batch}: {1e3 * theirs:.2f} ms and {1e3 * ours:.2f} ms a step")
        print(f"ratio wnae_step_{batch} {theirs / ours:.2f}", flush=True)
    _, step = running(8, 256, data, given.threads, given.warm_up)
    theirs, ours = median_times(plain_steps[256], step, given.steps, time.perf_counter)
    print(f"# 8 seeds, {given.threads} threads: {1e3 * theirs:.2f} ms and {1e3 * ours / 8:.2f} ms a step and seed")
    print(f"ratio wnae_ensemble_8 {8 * theirs / ours:.2f}")


if __name__ == "__main__":
    main()
