"""A trained group of autoencoders as a detector, and how its file is laid out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddjet.detectors.autoencoder.energy import energy
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import ModelSettings
from oddjet.detectors.cards import Card
from oddjet.detectors.protocol import ScaledDetector


class AutoencoderDetector(ScaledDetector):
    """A trained group of seeds: the score is the energy.

    Parameters
    ----------
    card, seeds, epochs
        See `ScaledDetector`.
    network
        The autoencoders, in float64.
    """

    def __init__(self, card: Card, seeds: tuple[int, ...], epochs: tuple[int, ...], network: Network) -> None:
        super().__init__(card, seeds, epochs)
        self.network = network

    @property
    def settings(self) -> ModelSettings:
        """Network, chain and loss."""
        assert isinstance(self.card.settings, ModelSettings)
        return self.card.settings

    def _score(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        with torch.no_grad():
            points = torch.from_numpy(rows)
            return np.asarray(energy(self.network, points.expand(len(self.seeds), *points.shape)).T.numpy())


def restore(
    card: Card, seeds: tuple[int, ...], epochs: tuple[int, ...], parameters: Mapping[str, Tensor]
) -> AutoencoderDetector:
    """Rebuild a group from a file's parameters; raise KeyError, ValueError or RuntimeError if they do not fit."""
    assert isinstance(card.settings, ModelSettings)
    network = Network(card.settings.network, len(card.scaler.names), len(seeds), dtype=torch.float64)
    network.load_parameters(parameters)
    return AutoencoderDetector(card, seeds, epochs, network)


def snapshot_parameters(network: Network, snapshots: Sequence[tuple[int, Tensor]]) -> dict[str, Any]:
    """Stack the named parameters of snapshots, pairs of an epoch and parameters (S, P), along a first axis."""
    named = [network.parameters(flat) for _, flat in snapshots]
    return {name: torch.stack([parameters[name] for parameters in named]) for name in named[0]}
