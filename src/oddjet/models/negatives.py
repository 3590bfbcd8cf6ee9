"""Negative samples: where chains start, their noise, and what is kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from oddjet.models.chains import langevin
from oddjet.models.energy import energy
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

    def draw(self, network: Network, n: int) -> Tensor:
        """Run n chains a seed from the buffer and put their ends into it; differentiable where gradients are enabled.

        Returns shape (S, n, D).
        """
        starts = self.buffer.starts(self.replay, n)
        samples = langevin(network, starts, self._noise(self.noise, n), self.chain)
        self.buffer.add(samples)
        return samples

    def draw_for_validation(self, network: Network, n: int) -> Tensor:
        """Run n chains a seed from the buffer, without gradients and without writing to the buffer: (S, n, D)."""
        with torch.no_grad():
            starts = self.buffer.starts(self.validation, n)
            return langevin(network, starts, self._noise(self.validation, n), self.chain)

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


def match(points: Tensor, targets: Tensor, threads: int = 1) -> Tensor:
    """Match points with targets at the least total squared distance, each seed for itself.

    Parameters
    ----------
    points, targets
        Shapes (S, B, D).
    threads
        Assignments solved at the same time.

    Returns
    -------
    Index of each point's target, shape (S, B), on the device of the points. A seed whose points are not finite gets
    the identity: its loss then shows what went wrong.
    """
    first = points.detach().cpu().numpy()
    costs = squared_distances(first, targets.detach().cpu().numpy())
    broken = ~np.isfinite(costs).all((1, 2))
    costs[broken] = 1.0 - np.eye(costs.shape[1])
    return torch.from_numpy(assign(costs, threads)).to(points.device)


def wasserstein(points: Tensor, targets: Tensor, columns: Tensor, power: int = 2) -> Tensor:
    """Transport cost of matched sets, W_p^p: the mean over the points of |x - y|^p; (S, B, D) twice to (S,)."""
    matched = targets.gather(1, columns.unsqueeze(-1).expand_as(targets))
    squares = (points - matched).square().sum(-1)
    return squares.mean(-1) if power == 2 else squares.clamp(min=1e-24).sqrt().mean(-1)


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
    with torch.no_grad():
        negatives = sampler.draw_for_validation(network, n)
        targets = jets[:n].expand(seeds, n, jets.shape[1])
        return {
            "positive_energy": energy(network, jets.expand(seeds, *jets.shape)).mean(-1),
            "negative_energy": energy(network, negatives).mean(-1),
            "wasserstein": wasserstein(negatives, targets, match(negatives, targets, threads)),
        }
