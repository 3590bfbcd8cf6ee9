"""Negative samples: where chains start, their noise, and what is kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oddjet.models.chains import ChainRecord, langevin
from oddjet.models.energy import latent_energy_and_gradient, measure_energy
from oddjet.models.generators import Generators
from oddjet.models.networks import Network
from oddjet.models.replay import ReplayBuffer
from oddjet.models.settings import ChainSettings, LangevinSettings, ModelSettings, ReplaySettings
from oddjet.models.threads import each_seed
from oddjet.transport.augmenting_paths import fill_matches


class NegativeSampler:
    """Langevin samples of a group of seeds: PCD, CD or on-manifold starts.

    Parameters
    ----------
    settings
        Network, chain, buffer and validation settings.
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
        self.validation = Generators(seeds, "validation chains", device)

    def draw(self, network: Network, jets: Tensor, *, differentiable: bool) -> ChainRecord:
        """Run as many chains as there are jets, shape (S, B, D), and keep their ends in the buffer."""
        starts, kept = self._starts(network, jets, self.replay, self.noise)
        record = self._run(network, starts, self.noise, differentiable=differentiable)
        if self.chain.start != "cd":
            self.buffer.add(record.samples if kept is None else kept)
        return record

    def draw_for_validation(self, network: Network, jets: Tensor) -> Tensor:
        """Run as many chains as there are jets, without gradients and without writing to the buffer: (S, B, D)."""
        starts, _ = self._starts(network, jets, self.validation, self.validation)
        return self._run(network, starts, self.validation, differentiable=False).samples

    def _starts(
        self, network: Network, jets: Tensor, replay: Generators, noise: Generators
    ) -> tuple[Tensor, Tensor | None]:
        """First points of the chains, and the latent points to keep when they were found in the latent space."""
        if self.chain.start == "cd":
            return jets, None
        starts = self.buffer.starts(replay, jets.shape[1])
        latent = self.chain.latent
        if latent is None:
            return starts, None
        with torch.no_grad():
            ends = langevin(
                partial(latent_energy_and_gradient, network),
                starts,
                noise.normal(latent.steps, *starts.shape[1:], dtype=starts.dtype),
                latent,
                uniforms=self._uniforms(noise, latent, starts),
            )
            return network.decode(ends), ends

    def _run(self, network: Network, starts: Tensor, noise: Generators, *, differentiable: bool) -> ChainRecord:
        numbers = noise.normal(self.chain.steps, *starts.shape[1:], dtype=starts.dtype)
        factors = self.chain.noise_factors()
        if factors is not None:
            # Step and temperature fall together, so the noise alone changes from step to step.
            numbers *= numbers.new_tensor(factors).view(1, -1, 1, 1)
        return ChainRecord(
            network,
            starts,
            numbers,
            self.chain,
            differentiable=differentiable,
            temperatures=self.temperatures,
            uniforms=self._uniforms(noise, self.chain, starts),
        )

    @staticmethod
    def _uniforms(generators: Generators, settings: LangevinSettings, starts: Tensor) -> Tensor | None:
        if not settings.metropolis:
            return None
        return generators.uniform(settings.steps, starts.shape[1], dtype=starts.dtype)

    def state_dict(self) -> dict[str, Any]:
        """Buffer and generators."""
        members = ("buffer", "noise", "replay", "validation")
        state = {name: getattr(self, name).state_dict() for name in members}
        return {**state, "temperatures": self.temperatures.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.temperatures.copy_(state["temperatures"])
        for name in ("buffer", "noise", "replay", "validation"):
            getattr(self, name).load_state_dict(state[name])


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
    finite is matched in order: its cost then shows what went wrong.
    """
    sets = [tensor.cpu().numpy().astype(np.float64) for tensor in (points, targets)]
    broken = ~(np.isfinite(sets[0]).all((1, 2)) & np.isfinite(sets[1]).all((1, 2)))
    for array in sets:
        array[broken] = 0.0
    matches = np.empty(sets[0].shape[:2], np.int64)
    each_seed(fill_matches, (*sets, matches), (power,), threads)
    matches[broken] = np.arange(matches.shape[1])
    target_of = torch.from_numpy(matches).to(points.device)
    difference = points - targets.gather(1, target_of.unsqueeze(-1).expand_as(targets))
    if power == 2:
        return difference.square().sum(-1).mean(-1), difference * (2.0 / points.shape[1])
    distances = torch.linalg.vector_norm(difference, dim=-1, keepdim=True)
    # Where a point lies on its target the distance has no gradient, and zero is one of its subgradients.
    return distances.mean((1, 2)), difference / (distances.clamp(min=1e-12) * points.shape[1])


def validate_with_negatives(
    network: Network, sampler: NegativeSampler, jets: Tensor, n: int, threads: int = 1, power: int = 2
) -> dict[str, Tensor]:
    """Measure E+ on all validation jets, and E- and W between the first n of them and as many negatives.

    Parameters
    ----------
    jets
        Scaled validation jets, shape (N, D).
    n
        Size of the two sets; at most N.

    Returns
    -------
    positive_energy, negative_energy, wasserstein: shape (S,) each.
    """
    n = min(n, len(jets))
    seeds = len(network.flat)
    targets = jets[:n].expand(seeds, n, jets.shape[1])
    negatives = sampler.draw_for_validation(network, targets)
    return {
        "positive_energy": measure_energy(network, jets.expand(seeds, *jets.shape)).mean(-1),
        "negative_energy": measure_energy(network, negatives).mean(-1),
        "wasserstein": transport(negatives, targets, threads, power)[0],
    }
