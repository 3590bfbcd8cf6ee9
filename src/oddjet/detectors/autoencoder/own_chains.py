"""Chains of their own for weights that are judged: averaged ones, those of a snapshot, those that are kept.

The training's replay buffer holds chains of the network that is trained. Ten steps of another network from there say
little of that network's own density, so what judges a network follows it with chains that no other network has moved.

Snapshots hold weights and no chains. The law of the negatives is found again by what made it: chains start from N(0, 1)
and run on with the weights of one snapshot after the other, as often as the training moved its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.negatives import run_chains, run_latent_chains
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import ChainSettings, ModelSettings, ReplaySettings
from oddjet.detectors.registry import DetectorSettings
from oddjet.errors import DetectorError

# After this number of rounds at the same weights, with 1 start in 20 fresh, 6 chains in 1000 remember their past.
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
        """Run all chains on from their ends, `rounds` times.

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


def follow_training(
    snapshots: Iterable[tuple[int, Network]],
    settings: ModelSettings,
    seeds: Sequence[int],
    jets: Tensor,
    rounds_per_epoch: float,
) -> Iterator[tuple[int, Tensor]]:
    """Draw as many negative samples as there are jets from each snapshot.

    A round runs all chains once, with starts as in the training: a share `fresh_fraction` from N(0, 1), the others
    from their own ends. Between two snapshots there are as many rounds as the training drew every place
    of its buffer, at least 1 and at most `MOST_ROUNDS`; all of them with the weights of the later snapshot.

    Parameters
    ----------
    snapshots
        Epochs, ascending, and the networks then, float32.
    settings
        Chain and buffer of the method.
    seeds
        Seeds of the group.
    jets
        Scaled background jets, shape (N, D): how many chains there are, and the starts of contrastive divergence.
    rounds_per_epoch
        Rounds an epoch of the training was worth; see `rounds_of`.

    Yields
    ------
    Epoch, and samples of shape (S, N, D). A seed whose energies are no longer finite has samples that are not.

    Raises
    ------
    DetectorError
        The method has no negatives, or trained its temperature, which snapshots do not hold.
    """
    chain = require_negatives(settings)
    chains = OwnChains(settings, seeds, torch.device("cpu"), jets.dtype, "followed chains")
    temperatures = torch.full((len(seeds),), chain.temperature, dtype=jets.dtype)
    before = 0
    for epoch, network in snapshots:
        rounds = min(MOST_ROUNDS, max(1, round((epoch - before) * rounds_per_epoch)))
        samples = chains.advance(network, temperatures, jets, rounds)
        before = epoch
        yield epoch, samples.detach()


def require_negatives(settings: DetectorSettings) -> ChainSettings:
    """Give the settings of the chains; raise `DetectorError` unless negatives can be drawn again from snapshots."""
    if not isinstance(settings, ModelSettings) or settings.chain is None:
        raise DetectorError(f"kind {settings.kind} has no negative samples; give snapshots of a normalized autoencoder")
    if settings.loss is not None and settings.loss.train_temperature:
        raise DetectorError("the temperature was trained and is not in the snapshots: no samples can be drawn again")
    return settings.chain


def rounds_of(batch_size: int, replay: ReplaySettings | None, n_jets: int) -> float:
    """Return how often an epoch over `n_jets` jets replaced the whole buffer."""
    batch = min(batch_size, n_jets)
    return (n_jets // batch) * batch / float((replay or ReplaySettings()).capacity)
