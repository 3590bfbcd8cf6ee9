"""The plain autoencoder: minimise E+, the mean energy of the training jets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from oddjet.models.energy import EnergyRecord, measure_energy
from oddjet.models.networks import Network
from oddjet.models.settings import ModelSettings


class AutoencoderObjective:
    """Loss E+ of each seed."""

    selection = "positive_energy"

    def add_gradient(self, network: Network, jets: Tensor) -> dict[str, Tensor]:
        """Add the gradient of the loss on a batch (S, B, D) to the network's; return loss and energies, (S,) each."""
        record = EnergyRecord(network, jets)
        positive = record.energy.mean(-1)
        record.add_gradient(torch.full_like(record.energy, 1.0 / jets.shape[1]))
        return {"loss": positive, "positive_energy": positive}

    def validate(self, network: Network, jets: Tensor) -> dict[str, Tensor]:
        """Measure E+ on validation jets (N, D): shape (S,)."""
        return {"positive_energy": measure_energy(network, jets.expand(len(network.flat), *jets.shape)).mean(-1)}

    def state_dict(self) -> dict[str, Any]:
        """Nothing: the loss has no memory."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take nothing."""


def build(
    settings: ModelSettings,
    seeds: Sequence[int],
    n_features: int,
    device: torch.device,
    dtype: torch.dtype,
    threads: int,
) -> AutoencoderObjective:
    """Make the objective of kind ae."""
    return AutoencoderObjective()
