"""Negative samples: where chains start, their noise, and what is kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oddjet.models.chains import ChainRecord
from oddjet.models.energy import measure_energy
from oddjet.models.generators import Generators
from oddjet.models.networks import Network
from oddjet.models.replay import ReplayBuffer
from oddjet.models.settings import ChainSettings, ModelSettings, ReplaySettings
from oddjet.transport.assignment import assign, squared_distances


class NegativeSampler:
    """Persistent contrastive divergence for a group of seeds.

    Parameters
    ----------
    settings
        Chain, buffer and validation settings.
    seeds
        Seeds of the group.
    n_features
        Features D.
    """

    def __init__(
        self, settings: ModelSettings, seeds: Sequence[int], n_features: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.chain = settings.chain or ChainSettings()
        replay = settings.replay or ReplaySettings()
        self.buffer = ReplayBuffer(replay, self.chain.bounds, (len(seeds), n_features), device, dtype)
        self.noise = Generators(seeds, "chain noise", device)
        self.replay = Generators(seeds, "replay", device)
        self.validation = Generators(seeds, "validation chains", device)

    def draw(self, network: Network, n: int, *, differentiable: bool) -> ChainRecord:
        """Run n chains a seed from the buffer and put their ends into it."""
        starts = self.buffer.starts(self.replay, n)
        noise = self._noise(self.noise, n)
        record = ChainRecord(network, starts, noise, self.chain, differentiable=differentiable)
        self.buffer.add(record.samples)
        return record

    def draw_for_validation(self, network: Network, n: int) -> Tensor:
        """Run n chains a seed from the buffer, without gradients and without writing to the buffer: (S, n, D)."""
        starts = self.buffer.starts(self.validation, n)
        noise = self._noise(self.validation, n)
        return ChainRecord(network, starts, noise, self.chain, differentiable=False).samples

    def _noise(self, generators: Generators, n: int) -> Tensor:
        points = self.buffer.points
        return generators.normal(self.chain.steps, n, points.shape[2], dtype=points.dtype)

    def state_dict(self) -> dict[str, Any]:
        """Buffer and generators."""
        members = ("buffer", "noise", "replay", "validation")
        return {name: getattr(self, name).state_dict() for name in members}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        for name, part in state.items():
            getattr(self, name).load_state_dict(part)


def transport(points: Tensor, targets: Tensor, threads: int = 1) -> tuple[Tensor, Tensor]:
    """Move points onto targets at the least cost W2^2, exactly, each seed for itself.

    The plan is a permutation and a constant where the cost is differentiated (envelope theorem), so a point x matched
    with the target y has the gradient 2 (x - y) / B.

    Parameters
    ----------
    points, targets
        Shapes (S, B, D).
    threads
        Assignments solved at the same time.

    Returns
    -------
    Costs W2^2, shape (S,), and their gradients with respect to the points, (S, B, D). A seed with a point that is not
    finite is matched in order: its cost then shows what went wrong.
    """
    costs = squared_distances(points.cpu().numpy(), targets.cpu().numpy())
    broken = ~np.isfinite(costs).all((1, 2))
    costs[broken] = 1.0 - np.eye(costs.shape[1])
    columns = torch.from_numpy(assign(costs, threads)).to(points.device)
    difference = points - targets.gather(1, columns.unsqueeze(-1).expand_as(targets))
    return difference.square().sum(-1).mean(-1), difference * (2.0 / points.shape[1])


def validate_with_negatives(
    network: Network, sampler: NegativeSampler, jets: Tensor, n: int, threads: int = 1
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
    negatives = sampler.draw_for_validation(network, n)
    targets = jets[:n].expand(seeds, n, jets.shape[1])
    return {
        "positive_energy": measure_energy(network, jets.expand(seeds, *jets.shape)).mean(-1),
        "negative_energy": measure_energy(network, negatives).mean(-1),
        "wasserstein": transport(negatives, targets, threads)[0],
    }
