"""The plain autoencoder: minimise E+, the mean energy of the training jets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from oddjet.detectors.autoencoder.energy import EnergyRecord, measure_energy
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import ModelSettings
from oddjet.detectors.autoencoder.validation_jets import ValidationJets, signed_mean


class AutoencoderObjective:
    """Loss E+ of each seed."""

    selection = "positive_energy"

    def add_gradient(self, network: Network, jets: Tensor, negative: int = 0) -> dict[str, Tensor]:
        """Add the gradient of the loss on a batch (S, B, D) to the network's; return loss and energies, (S,) each.

        No jets can be taken away from a mean of energies (`BatchPlan` refuses): it would have no lower bound.
        """
        assert not negative
        record = EnergyRecord(network, jets)
        positive = signed_mean(record.energy)
        record.add_gradient(torch.full_like(record.energy, 1.0 / jets.shape[1]))
        return {"loss": positive, "positive_energy": positive}

    def validate(self, network: Network, rows: ValidationJets, epochs: int = 1) -> dict[str, Tensor]:
        """Measure E+ on validation jets: shape (S,)."""
        energies = measure_energy(network, rows.jets.expand(len(network.flat), *rows.jets.shape))
        return {"positive_energy": rows.mean(energies)}

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
