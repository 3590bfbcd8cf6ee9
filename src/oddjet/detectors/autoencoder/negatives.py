"""Negative samples: where chains start, their noise, and what is kept of them.

The replay buffer is that of persistent contrastive divergence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oddjet.detectors.autoencoder.chains import ChainRecord, langevin
from oddjet.detectors.autoencoder.energy import latent_energy_and_gradient
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.negative_kernels import fill_costs, fill_starts
from oddjet.detectors.autoencoder.network import Network, each_seed
from oddjet.detectors.autoencoder.settings import ChainSettings, LangevinSettings, ModelSettings, ReplaySettings
from oddjet.transport.augmenting_paths import fill_matches


class ReplayBuffer:
    """Ring of the last chain ends, one a seed, in one tensor that is made once.

    Parameters
    ----------
    settings
        Capacity and fraction of fresh starts.
    bounds
        Box of the features, into which fresh starts are moved; None for latent points, which have no box.
    shape
        Seeds S and features D.
    """

    def __init__(
        self,
        settings: ReplaySettings,
        bounds: tuple[float, float] | None,
        shape: tuple[int, int],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.settings = settings
        self.bounds = bounds
        self.points = torch.zeros((shape[0], settings.capacity, shape[1]), dtype=dtype, device=device)
        self.filled = 0
        self.position = 0

    def starts(self, generators: Generators, n: int) -> Tensor:
        """Draw chain starts, shape (S, n, D): from the buffer, with replacement, or fresh from N(0, 1) in the box.

        As many random numbers are used whatever the buffer holds.
        """
        dtype, bounds = self.points.dtype, self.bounds or (-math.inf, math.inf)
        uniform = generators.uniform(2, n, dtype=dtype)
        fresh = generators.normal(n, self.points.shape[2], dtype=dtype)
        if not self.filled:
            return fresh.clamp_(*bounds)
        if self.points.device.type != "cpu":
            return mixed_starts(self.points[:, : self.filled], uniform, fresh, self.settings.fresh_fraction, bounds)
        points = self.points.numpy()
        numbers = np.array((self.filled, self.settings.fresh_fraction, *bounds), points.dtype)
        fill_starts(points, uniform.numpy(), fresh.numpy(), self.filled, numbers)
        return fresh

    def add(self, points: Tensor) -> None:
        """Put in chain ends, shape (S, B, D); the oldest go."""
        points = points.detach()[:, -self.settings.capacity :]
        first = min(points.shape[1], self.settings.capacity - self.position)
        self.points[:, self.position : self.position + first] = points[:, :first]
        if first < points.shape[1]:
            self.points[:, : points.shape[1] - first] = points[:, first:]
        self.position = (self.position + points.shape[1]) % self.settings.capacity
        self.filled = min(self.filled + points.shape[1], self.settings.capacity)

    def state_dict(self) -> dict[str, Tensor | int]:
        """Contents and position."""
        return {"points": self.points.clone(), "filled": self.filled, "position": self.position}

    def load_state_dict(self, state: dict[str, Tensor | int]) -> None:
        """Continue where a state was taken."""
        points = state["points"]
        assert isinstance(points, Tensor)
        self.points.copy_(points)
        self.filled, self.position = int(state["filled"]), int(state["position"])


def mixed_starts(
    points: Tensor, uniform: Tensor, fresh: Tensor, fraction: float, bounds: tuple[float, float]
) -> Tensor:
    """Choose first points of chains among kept ones (S, C, D) and fresh ones (S, n, D); the twin of `fill_starts`."""
    # float32 has 24 bits: a uniform number just below 1 may round up to the size of the buffer.
    index = (uniform[:, 0] * points.shape[1]).long().clamp_(max=points.shape[1] - 1)
    kept = points.gather(1, index.unsqueeze(-1).expand_as(fresh))
    return torch.where((uniform[:, 1] < fraction).unsqueeze(-1), fresh.clamp(*bounds), kept)


class NegativeSampler:
    """Langevin samples of a group of seeds: PCD, CD or on-manifold starts.

    Parameters
    ----------
    settings
        Network, chain and buffer settings.
    seeds
        Seeds of the group.
    n_features
        Features D.

    Attributes
    ----------
    temperatures
        T of each seed, shape (S,); a loss that trains the temperature changes it in place.
    """

    def __init__(
        self, settings: ModelSettings, seeds: Sequence[int], n_features: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.chain = settings.chain or ChainSettings()
        replay = settings.replay or ReplaySettings()
        latent = self.chain.start == "omi"
        width = settings.network.latent if latent else n_features
        bounds = None if latent else self.chain.bounds
        self.buffer = ReplayBuffer(replay, bounds, (len(seeds), width), device, dtype)
        self.temperatures = torch.full((len(seeds),), self.chain.temperature, dtype=dtype, device=device)
        self.noise = Generators(seeds, "chain noise", device)
        self.replay = Generators(seeds, "replay", device)

    def draw(self, network: Network, jets: Tensor, *, differentiable: bool) -> ChainRecord:
        """Run as many chains as there are jets, shape (S, B, D), and keep their ends in the buffer."""
        starts, kept = self._starts(network, jets)
        record = run_chains(network, starts, self.noise, self.chain, self.temperatures, differentiable=differentiable)
        if self.chain.start != "cd":
            self.buffer.add(record.samples if kept is None else kept)
        return record

    def _starts(self, network: Network, jets: Tensor) -> tuple[Tensor, Tensor | None]:
        """First points of the chains, and the latent points to keep when they were found in the latent space."""
        if self.chain.start == "cd":
            return jets, None
        starts = self.buffer.starts(self.replay, jets.shape[1])
        if self.chain.latent is None:
            return starts, None
        return run_latent_chains(network, starts, self.noise, self.chain.latent)

    def state_dict(self) -> dict[str, Any]:
        """Buffer and generators."""
        members = ("buffer", "noise", "replay")
        state = {name: getattr(self, name).state_dict() for name in members}
        return {**state, "temperatures": self.temperatures.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.temperatures.copy_(state["temperatures"])
        for name in ("buffer", "noise", "replay"):
            getattr(self, name).load_state_dict(state[name])


def run_chains(
    network: Network,
    starts: Tensor,
    noise: Generators,
    settings: ChainSettings,
    temperatures: Tensor,
    *,
    differentiable: bool = False,
) -> ChainRecord:
    """Run chains from starts (S, B, D) with noise of a stream of one's own, annealed where the settings ask for it."""
    numbers = noise.normal(settings.steps, *starts.shape[1:], dtype=starts.dtype)
    factors = settings.noise_factors()
    if factors is not None:
        # Step and temperature fall together, so the noise alone changes from step to step.
        numbers *= numbers.new_tensor(factors).view(1, -1, 1, 1)
    return ChainRecord(
        network,
        starts,
        numbers,
        settings,
        differentiable=differentiable,
        temperatures=temperatures,
        uniforms=_uniforms(noise, settings, starts),
    )


def run_latent_chains(
    network: Network, starts: Tensor, noise: Generators, settings: LangevinSettings
) -> tuple[Tensor, Tensor]:
    """Run chains in the latent space from starts (S, B, latent); return their decoded ends (S, B, D), and the ends."""
    with torch.no_grad():
        ends = langevin(
            partial(latent_energy_and_gradient, network),
            starts,
            noise.normal(settings.steps, *starts.shape[1:], dtype=starts.dtype),
            settings,
            uniforms=_uniforms(noise, settings, starts),
        )
        return network.decode(ends), ends


def _uniforms(generators: Generators, settings: LangevinSettings, starts: Tensor) -> Tensor | None:
    if not settings.metropolis:
        return None
    return generators.uniform(settings.steps, starts.shape[1], dtype=starts.dtype)


def transport(points: Tensor, targets: Tensor, threads: int = 1, power: int = 2) -> tuple[Tensor, Tensor]:
    """Move points onto targets at the least cost W_p^p, exactly, each seed for itself.

    The plan is a permutation and a constant where the cost is differentiated (envelope theorem): a point x matched with
    the target y has the gradient 2 (x - y) / B for p = 2, and (x - y) / |x - y| / B for p = 1.

    Parameters
    ----------
    points, targets
        Shapes (S, B, D).
    threads
        Seeds matched at the same time.
    power
        2: squared Euclidean cost, no root taken; 1: Euclidean cost.

    Returns
    -------
    Costs W_p^p, shape (S,), and their gradients with respect to the points, (S, B, D). A seed with a point that is not
    finite is matched in order: its cost then shows what went wrong. Costs are summed in double precision, so that the
    order shows in no digit of a single one.
    """
    given = [tensor.cpu().numpy() for tensor in (points, targets)]
    sets = [array.astype(np.float64, order="C") for array in given]
    broken = ~(np.isfinite(sets[0]).all((1, 2)) & np.isfinite(sets[1]).all((1, 2)))
    for array in sets:
        array[broken] = 0.0
    matches = np.empty(sets[0].shape[:2], np.int64)
    each_seed(fill_matches, (*sets, matches), (power,), threads)
    if points.device.type == "cpu" and not broken.any():
        costs, gradient = np.empty(len(matches)), np.empty(given[0].shape, given[0].dtype)
        each_seed(fill_costs, (*sets, matches, costs, gradient), (power,), threads)
        return torch.from_numpy(costs.astype(gradient.dtype)), torch.from_numpy(gradient)
    matches[broken] = np.arange(matches.shape[1])
    return matched_costs(points, targets, torch.from_numpy(matches).to(points.device), power)


def matched_costs(points: Tensor, targets: Tensor, target_of: Tensor, power: int) -> tuple[Tensor, Tensor]:
    """Return the mean costs of matched points and their gradients; the twin of `fill_costs`."""
    difference = points - targets.gather(1, target_of.unsqueeze(-1).expand_as(targets))
    squares = difference.double().square().sum(-1)
    if power == 2:
        return squares.mean(-1).to(points.dtype), difference * (2.0 / points.shape[1])
    distances = squares.sqrt()
    # Where a point lies on its target the distance has no gradient, and zero is one of its subgradients.
    lengths = (distances.clamp(min=1e-12) * points.shape[1]).unsqueeze(-1).to(points.dtype)
    return distances.mean(-1).to(points.dtype), difference / lengths


def transport_to_law(
    samples: Tensor, jets: Tensor, negative: int = 0, threads: int = 1, power: int = 2
) -> tuple[Tensor, Tensor]:
    """Move samples to jets of which the last `negative` ones are taken away; see `oddjet.transport.laws`.

    Parameters
    ----------
    samples
        Shape (S, m, D), m = B - 2 negative.
    jets
        Shape (S, B, D).

    Returns
    -------
    Costs W_p^p a sample, shape (S,), and their gradients with respect to the samples, (S, m, D).
    """
    if not negative:
        return transport(samples, jets, threads, power)
    positive, away = jets[:, :-negative], jets[:, -negative:]
    count = samples.shape[1]
    costs, gradients = transport(torch.cat([samples, away], dim=1), positive, threads, power)
    scale = positive.shape[1] / count
    return costs * scale, gradients[:, :count] * scale
