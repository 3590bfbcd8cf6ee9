"""Negative samples of a training that is over: chains of their own that follow its snapshots.

Snapshots hold weights and no chains. The law of the negatives is found again by what made it: chains start from N(0, 1)
and run on with the weights of one snapshot after the other, as often as the training moved its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.own_chains import MOST_ROUNDS, OwnChains
from oddjet.detectors.autoencoder.settings import ModelSettings, ReplaySettings
from oddjet.errors import DetectorError


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
    if settings.chain is None:
        raise DetectorError(f"kind {settings.kind} has no negative samples; give snapshots of a normalized autoencoder")
    if settings.loss is not None and settings.loss.train_temperature:
        raise DetectorError("the temperature was trained and is not in the snapshots: no samples can be drawn again")
    chains = OwnChains(settings, seeds, torch.device("cpu"), jets.dtype, "followed chains")
    temperatures = torch.full((len(seeds),), settings.chain.temperature, dtype=jets.dtype)
    before = 0
    for epoch, network in snapshots:
        rounds = min(MOST_ROUNDS, max(1, round((epoch - before) * rounds_per_epoch)))
        samples = chains.advance(network, temperatures, jets, rounds)
        before = epoch
        yield epoch, samples.detach()


def rounds_of(batch_size: int, replay: ReplaySettings | None, n_jets: int) -> float:
    """Return how often an epoch over `n_jets` jets replaced the whole buffer."""
    batch = min(batch_size, n_jets)
    return (n_jets // batch) * batch / float((replay or ReplaySettings()).capacity)
