"""The Wasserstein normalized autoencoder (CMS-MLG-24-002).

The loss is the exact optimal transport cost W2^2 (or W1) between a batch of jets and as many Langevin samples of the
model; as an option it is Sinkhorn's approximation. The plan is constant where the cost is differentiated (envelope
theorem), so a sample x matched with the jet y has the gradient 2 (x - y) / B, and that goes back through every step of
the chain to the weights.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from oddjet.models.energy import measure_energy
from oddjet.models.negatives import NegativeSampler, transport, validate_with_negatives
from oddjet.models.networks import Network
from oddjet.models.regularisers import add_weight_norms
from oddjet.models.settings import LossSettings, ModelSettings, ValidationSettings
from oddjet.models.sinkhorn import sinkhorn

LOGGER = logging.getLogger("oddjet")


class WassersteinObjective:
    """Loss W_p^p(jets, negative samples) of each seed.

    Parameters
    ----------
    settings
        Chain, buffer, loss, validation.
    sampler
        Source of the negative samples.
    threads
        Threads of the assignment solver.
    """

    selection = "wasserstein"

    def __init__(self, settings: ModelSettings, sampler: NegativeSampler, threads: int) -> None:
        self.loss = settings.loss or LossSettings()
        self.validation = settings.validation or ValidationSettings()
        self.sampler = sampler
        self.threads = threads
        if self.loss.transport == "sinkhorn":
            LOGGER.warning("the loss is Sinkhorn's divergence (blur %g): approximate transport", self.loss.blur)

    def add_gradient(self, network: Network, jets: Tensor) -> dict[str, Tensor]:
        """Add the gradient of the loss on a batch (S, B, D) to the network's; return what was measured, (S,) each."""
        record = self.sampler.draw(network, jets, differentiable=True)
        distance, adjoints = self._transport(record.samples, jets)
        record.add_gradient(adjoints)
        return {
            "loss": distance + add_weight_norms(network, self.loss),
            "positive_energy": measure_energy(network, jets).mean(-1),
            "negative_energy": measure_energy(network, record.samples).mean(-1),
            "wasserstein": distance,
        }

    def _transport(self, samples: Tensor, jets: Tensor) -> tuple[Tensor, Tensor]:
        """Cost (S,) and its gradient with respect to the samples (S, B, D): exact, or Sinkhorn's approximation."""
        loss = self.loss
        if loss.transport == "exact":
            return transport(samples, jets, self.threads, loss.power)
        return sinkhorn(samples, jets, power=loss.power, blur=loss.blur, iterations=loss.sinkhorn_iterations)

    def validate(self, network: Network, jets: Tensor) -> dict[str, Tensor]:
        """Measure E+, E- and W on validation jets (N, D): shape (S,) each."""
        return validate_with_negatives(network, self.sampler, jets, self.validation.jets, self.threads, self.loss.power)

    def state_dict(self) -> dict[str, Any]:
        """Buffer and generators."""
        return {"sampler": self.sampler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.sampler.load_state_dict(state["sampler"])


def build(
    settings: ModelSettings,
    seeds: Sequence[int],
    n_features: int,
    device: torch.device,
    dtype: torch.dtype,
    threads: int,
) -> WassersteinObjective:
    """Make the objective of kind wnae."""
    return WassersteinObjective(settings, NegativeSampler(settings, seeds, n_features, device, dtype), threads)
