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

from oddjet.detectors.autoencoder.energy import measure_energy
from oddjet.detectors.autoencoder.negatives import NegativeSampler, transport_to_law
from oddjet.detectors.autoencoder.network import Network, add_weight_norms
from oddjet.detectors.autoencoder.settings import LossSettings, ModelSettings
from oddjet.detectors.autoencoder.sinkhorn import sinkhorn
from oddjet.detectors.autoencoder.validation import Validation
from oddjet.detectors.autoencoder.validation_jets import ValidationJets, signed_mean

LOGGER = logging.getLogger("oddjet")


class WassersteinObjective:
    """Loss W_p^p(jets, negative samples) of each seed.

    Parameters
    ----------
    settings
        Chain, buffer, loss.
    sampler
        Source of the negative samples.
    validation
        Judge of the networks that are kept.
    threads
        Threads of the assignment solver.
    """

    selection = "wasserstein"

    def __init__(self, settings: ModelSettings, sampler: NegativeSampler, validation: Validation, threads: int) -> None:
        self.loss = settings.loss or LossSettings()
        self.validation = validation
        self.sampler = sampler
        self.threads = threads
        if self.loss.transport == "sinkhorn":
            LOGGER.warning("the loss is Sinkhorn's divergence (blur %g): approximate transport", self.loss.blur)

    def add_gradient(self, network: Network, jets: Tensor, negative: int = 0) -> dict[str, Tensor]:
        """Add the gradient of the loss on a batch (S, B, D) to the network's; return what was measured, (S,) each.

        The last `negative` jets of the batch have a negative weight: they are taken away.
        """
        record = self.sampler.draw(network, jets[:, : jets.shape[1] - 2 * negative], differentiable=True)
        distance, adjoints = self._transport(record.samples, jets, negative)
        record.add_gradient(adjoints)
        return {
            "loss": distance + add_weight_norms(network, self.loss),
            "positive_energy": signed_mean(measure_energy(network, jets), negative),
            "negative_energy": signed_mean(measure_energy(network, record.samples)),
            "wasserstein": distance,
        }

    def _transport(self, samples: Tensor, jets: Tensor, negative: int) -> tuple[Tensor, Tensor]:
        """Cost (S,) and its gradient with respect to the samples (S, B, D): exact, or Sinkhorn's approximation."""
        loss = self.loss
        if loss.transport == "exact":
            return transport_to_law(samples, jets, negative, self.threads, loss.power)
        return sinkhorn(samples, jets, power=loss.power, blur=loss.blur, iterations=loss.sinkhorn_iterations)

    def validate(self, network: Network, rows: ValidationJets, epochs: int = 1) -> dict[str, Tensor]:
        """Measure E+, E- and W, with its error and floor, on validation jets: shape (S,) each.

        Number of epochs since the last validation.
        """
        return self.validation.measure(network, self.sampler.temperatures, rows, epochs)

    def state_dict(self) -> dict[str, Any]:
        """Buffer, generators and the chains of the validation."""
        return {"sampler": self.sampler.state_dict(), "validation": self.validation.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.sampler.load_state_dict(state["sampler"])
        self.validation.load_state_dict(state["validation"])


def build(
    settings: ModelSettings,
    seeds: Sequence[int],
    n_features: int,
    device: torch.device,
    dtype: torch.dtype,
    threads: int,
) -> WassersteinObjective:
    """Make the objective of kind wnae."""
    power = (settings.loss or LossSettings()).power
    validation = Validation(settings, seeds, device, dtype, threads, power)
    sampler = NegativeSampler(settings, seeds, n_features, device, dtype)
    return WassersteinObjective(settings, sampler, validation, threads)
