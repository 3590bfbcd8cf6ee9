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

from oddjet.detectors.autoencoder.energy import EnergyRecord
from oddjet.detectors.autoencoder.negatives import NegativeSampler, transport
from oddjet.detectors.autoencoder.network import Network, add_weight_norms
from oddjet.detectors.autoencoder.settings import LossSettings, ModelSettings, ValidationSettings
from oddjet.detectors.autoencoder.validation import Validation
from oddjet.detectors.autoencoder.validation_jets import ValidationJets, signed_mean

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
    validation
        Judge of the networks that are kept.
    threads
        Threads of the assignment solver, for the monitored W.
    """

    selection = "wasserstein"

    def __init__(self, settings: ModelSettings, sampler: NegativeSampler, validation: Validation, threads: int) -> None:
        self.log_cosh = settings.kind == "nae_logcosh"
        self.loss = settings.loss or LossSettings()
        self.validation = validation
        self.monitor_every = (settings.validation or ValidationSettings()).monitor_every
        self.sampler = sampler
        self.threads = threads
        self.batches = 0
        self.distance = torch.zeros_like(sampler.temperatures)

    def add_gradient(self, network: Network, jets: Tensor, negative: int = 0) -> dict[str, Tensor]:
        """Add the gradient of the loss on a batch (S, B, D) to the network's; return what was measured, (S,) each.

        No jets can be taken away from a mean of energies (`BatchPlan` refuses): it would have no lower bound.
        """
        assert not negative
        size = jets.shape[1]
        negatives = self.sampler.draw(network, jets, differentiable=False).samples
        record = EnergyRecord(network, torch.cat([jets, negatives], dim=1))
        of_jets = signed_mean(record.energy[:, :size])
        of_negatives = signed_mean(record.energy[:, size:])
        loss, slopes = self._loss(of_jets, of_negatives)
        coefficients = (slopes / size).repeat_interleave(size, dim=1)
        gamma = self.loss.negative_energy_square
        if gamma:
            squares = record.energy[:, size:]
            loss = loss + gamma * signed_mean(squares.square())
            coefficients[:, size:] += squares * (2.0 * gamma / size)
        record.add_gradient(coefficients)
        loss = loss + add_weight_norms(network, self.loss)
        if self.loss.train_temperature:
            self._train_temperature(of_jets - of_negatives)
        return {
            "loss": loss,
            "positive_energy": of_jets,
            "negative_energy": of_negatives,
            "wasserstein": self._monitor(negatives, jets),
        }

    def _monitor(self, negatives: Tensor, jets: Tensor) -> Tensor:
        """W of this batch, shape (S,), or the last one that was measured: it costs more than all the rest of a step."""
        if self.batches % self.monitor_every == 0:
            self.distance = transport(negatives, jets, self.threads)[0]
        self.batches += 1
        return self.distance

    def _loss(self, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
        """Loss (S,) and its derivatives with respect to E+ and E-, (S, 2)."""
        gap = positive - negative
        if not self.log_cosh:
            one = torch.ones_like(gap)
            return gap, torch.stack([one, -one], dim=1)
        # log cosh x = x + log(1 + exp(-2x)) - log 2, in the form that does not overflow; in double precision, for the
        # last bit of these functions depends on the processor and on the number of seeds.
        precise = gap.double()
        loss = (precise + functional.softplus(-2.0 * precise) - math.log(2.0)).to(gap.dtype)
        slope = torch.tanh(precise).to(gap.dtype)
        alpha = self.loss.positive_energy_weight
        return loss + alpha * positive, torch.stack([slope + alpha, -slope], dim=1)

    def _train_temperature(self, gap: Tensor) -> None:
        """Take a step of gradient descent in log T of the likelihood's -log p = E / T + log Z.

        Its derivative with respect to log T is -(E+ - E-) / T, with E- the mean over the model. A seed whose energies
        are not finite keeps its temperature, and no step changes T by more than a hundredth.
        """
        temperatures = self.sampler.temperatures
        step = (TEMPERATURE_RATE * gap.double() / temperatures).clamp(-0.01, 0.01)
        temperatures.mul_(torch.where(torch.isfinite(step), step, 0.0).exp())

    def validate(self, network: Network, rows: ValidationJets, epochs: int = 1) -> dict[str, Tensor]:
        """Measure E+, E- and W, with its error and floor, on validation jets: shape (S,) each.

        Number of epochs since the last validation.
        """
        return self.validation.measure(network, self.sampler.temperatures, rows, epochs)

    def state_dict(self) -> dict[str, Any]:
        """Buffer, generators, the last W and the chains of the validation."""
        return {
            "sampler": self.sampler.state_dict(),
            "validation": self.validation.state_dict(),
            "batches": self.batches,
            "distance": self.distance.clone(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.sampler.load_state_dict(state["sampler"])
        self.validation.load_state_dict(state["validation"])
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
    validation = Validation(settings, seeds, device, dtype, threads)
    sampler = NegativeSampler(settings, seeds, n_features, device, dtype)
    return NormalizedObjective(settings, sampler, validation, threads)
