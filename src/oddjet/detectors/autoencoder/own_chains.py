"""Chains of their own for weights that are judged: averaged ones, those of a snapshot, those that are kept.

The training's replay buffer holds chains of the network that is trained. Ten steps of another network from there say
little of that network's own density, so what judges a network follows it with chains that no other network has moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.negatives import run_chains, run_latent_chains
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import ChainSettings, ModelSettings, ReplaySettings

# After so many rounds at the same weights, with 1 start in 20 fresh, 6 chains in 1000 remember how it was before.
MOST_ROUNDS = 100


class OwnChains:
    """Persistent Langevin chains: each goes on from its own end, or afresh from N(0, 1) as often as in training.

    Parameters
    ----------
    settings
        Chain, and the share of fresh starts.
    seeds
        Seeds of the group.
    purpose
        Name of the random stream.

    Attributes
    ----------
    points
        Ends of the last round, shape (S, C, D), in the latent space for start omi; None before the first.
    """

    def __init__(
        self, settings: ModelSettings, seeds: Sequence[int], device: torch.device, dtype: torch.dtype, purpose: str
    ) -> None:
        self.chain = settings.chain or ChainSettings()
        self.fresh_fraction = (settings.replay or ReplaySettings()).fresh_fraction
        self.width = settings.network.latent if self.chain.start == "omi" else None
        self.dtype = dtype
        self.random = Generators(seeds, purpose, device)
        self.points: Tensor | None = None

    def advance(self, network: Network, temperatures: Tensor, jets: Tensor, rounds: int) -> Tensor:
        """Run all chains so many times on from their ends.

        Parameters
        ----------
        network
            S autoencoders.
        temperatures
            T of each seed, shape (S,).
        jets
            Scaled jets, shape (C, D): how many chains there are, and the starts of contrastive divergence.

        Returns
        -------
        Ends of the last round, shape (S, C, D).
        """
        if self.chain.start == "cd":
            starts = jets.expand(len(temperatures), *jets.shape).contiguous()
            return run_chains(network, starts, self.random, self.chain, temperatures).samples
        samples: Tensor | None = None
        for _ in range(max(1, rounds)):
            samples = self._round(network, temperatures, *jets.shape)
        assert samples is not None
        return samples

    def _round(self, network: Network, temperatures: Tensor, count: int, n_features: int) -> Tensor:
        uniform = self.random.uniform(count, dtype=self.dtype)
        starts = self.random.normal(count, self.width or n_features, dtype=self.dtype)
        if self.width is None:
            starts.clamp_(*self.chain.bounds)
        if self.points is not None:
            starts = torch.where((uniform < self.fresh_fraction).unsqueeze(-1), starts, self.points)
        if self.chain.latent is not None:
            starts, self.points = run_latent_chains(network, starts, self.random, self.chain.latent)
        samples = run_chains(network, starts, self.random, self.chain, temperatures).samples
        if self.chain.latent is None:
            self.points = samples
        return samples

    def state_dict(self) -> dict[str, Any]:
        """Chain ends and generators."""
        points = None if self.points is None else self.points.clone()
        return {"points": points, "random": self.random.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        points = state["points"]
        self.points = None if points is None else points.clone().to(self.random.device)
        self.random.load_state_dict(state["random"])
