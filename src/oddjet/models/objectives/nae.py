"""The normalized autoencoder: raise the energy of its own samples while that of the jets falls.

Kinds `nae` (E+ - E-, the maximum likelihood gradient up to 1/T; known to diverge) and `nae_logcosh`
(log cosh(E+ - E-) + alpha E+). The negative samples are constants: no gradient flows through the chain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from oddjet.models.energy import EnergyRecord
from oddjet.models.negatives import NegativeSampler, transport, validate_with_negatives
from oddjet.models.networks import Network
from oddjet.models.regularisers import add_weight_norms
from oddjet.models.settings import LossSettings, ModelSettings, ValidationSettings

# Step of gradient descent in log T; the weights move at a rate of about the same size.
TEMPERATURE_RATE = 1e-3


class NormalizedObjective:
    """Losses of the energies of jets and of detached negative samples.

    Parameters
    ----------
    settings
        Kind, chain, buffer, loss.
    sampler
        Source of the negative samples.
    threads
        Threads of the assignment solver, for the monitored W.
    """

    selection = "wasserstein"

    def __init__(self, settings: ModelSettings, sampler: NegativeSampler, threads: int) -> None:
        self.log_cosh = settings.kind == "nae_logcosh"
        self.loss = settings.loss or LossSettings()
        self.validation = settings.validation or ValidationSettings()
        self.sampler = sampler
        self.threads = threads
        self.batches = 0
        self.distance = torch.zeros_like(sampler.temperatures)

    def add_gradient(self, network: Network, jets: Tensor) -> dict[str, Tensor]:
        """Add the gradient of the loss on a batch (S, B, D) to the network's; return what was measured, (S,) each."""
        size = jets.shape[1]
        negatives = self.sampler.draw(network, jets, differentiable=False).samples
        record = EnergyRecord(network, torch.cat([jets, negatives], dim=1))
        positive = record.energy[:, :size].mean(-1)
        negative = record.energy[:, size:].mean(-1)
        loss, slopes = self._loss(positive, negative)
        coefficients = (slopes / size).repeat_interleave(size, dim=1)
        gamma = self.loss.negative_energy_square
        if gamma:
            squares = record.energy[:, size:]
            loss = loss + gamma * squares.square().mean(-1)
            coefficients[:, size:] += squares * (2.0 * gamma / size)
        record.add_gradient(coefficients)
        loss = loss + add_weight_norms(network, self.loss)
        if self.loss.train_temperature:
            self._train_temperature(positive - negative)
        return {
            "loss": loss,
            "positive_energy": positive,
            "negative_energy": negative,
            "wasserstein": self._monitor(negatives, jets),
        }

    def _monitor(self, negatives: Tensor, jets: Tensor) -> Tensor:
        """W of this batch, shape (S,), or the last one that was measured: it costs more than all the rest of a step."""
        if self.batches % self.validation.monitor_every == 0:
            self.distance = transport(negatives, jets, self.threads)[0]
        self.batches += 1
        return self.distance

    def _loss(self, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
        """Loss (S,) and its derivatives with respect to E+ and E-, (S, 2)."""
        gap = positive - negative
        if not self.log_cosh:
            one = torch.ones_like(gap)
            return gap, torch.stack([one, -one], dim=1)
        # log cosh x = x + log(1 + exp(-2x)) - log 2, in the form that does not overflow.
        loss = gap + functional.softplus(-2.0 * gap) - math.log(2.0)
        slope = torch.tanh(gap)
        alpha = self.loss.positive_energy_weight
        return loss + alpha * positive, torch.stack([slope + alpha, -slope], dim=1)

    def _train_temperature(self, gap: Tensor) -> None:
        """Take a step of gradient descent in log T of the likelihood's -log p = E / T + log Z.

        Its derivative with respect to log T is -(E+ - E-) / T, with E- the mean over the model. A seed whose energies
        are not finite keeps its temperature, and no step changes T by more than a hundredth.
        """
        temperatures = self.sampler.temperatures
        step = (TEMPERATURE_RATE * gap / temperatures).clamp(-0.01, 0.01)
        temperatures.mul_(torch.where(torch.isfinite(step), step, 0.0).exp())

    def validate(self, network: Network, jets: Tensor) -> dict[str, Tensor]:
        """Measure E+, E- and W on validation jets (N, D): shape (S,) each."""
        return validate_with_negatives(network, self.sampler, jets, self.validation.jets, self.threads)

    def state_dict(self) -> dict[str, Any]:
        """Buffer, generators and the last W."""
        return {"sampler": self.sampler.state_dict(), "batches": self.batches, "distance": self.distance.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.sampler.load_state_dict(state["sampler"])
        self.batches = int(state["batches"])
        self.distance.copy_(state["distance"])


def build(
    settings: ModelSettings,
    seeds: Sequence[int],
    n_features: int,
    device: torch.device,
    dtype: torch.dtype,
    threads: int,
) -> NormalizedObjective:
    """Make the objective of kinds nae and nae_logcosh."""
    return NormalizedObjective(settings, NegativeSampler(settings, seeds, n_features, device, dtype), threads)
