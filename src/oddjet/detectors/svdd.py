"""Deep support vector data description (Ruff et al., ICML 2018): jets drawn to a centre by a network without biases."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu

from oddjet.detectors.baseline_settings import DeepSvdd

# A coordinate of the centre near zero would let the network answer with zero weights (Ruff et al., section 3.3).
SMALLEST_COORDINATE = 0.1


class Svdd(torch.nn.Module):
    """The squared distance of jets from the centre.

    Parameters
    ----------
    settings : DeepSvdd
        Widths and dimension of the centre's space.
    n_features : int
        Number of features D.
    """

    centre: Tensor

    def __init__(self, settings: DeepSvdd, n_features: int) -> None:
        super().__init__()
        widths = (n_features, *settings.hidden, settings.latent)
        # Without biases, and with an activation that has no bound: else one constant answer fits every jet.
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(fan_in, fan_out, bias=False) for fan_in, fan_out in pairwise(widths)
        )
        self.register_buffer("centre", torch.zeros(settings.latent))

    def prepare(self, jets: Tensor, weights: Tensor | None) -> None:
        """Put the centre where the untrained network sends the jets (n, D), of weights (n,), on average, and fix it."""
        embedded = self._embed(jets)
        mean = embedded.mean(dim=0) if weights is None else (embedded * weights[:, None]).mean(dim=0)
        sign = torch.where(mean < 0, -1.0, 1.0)
        self.centre = torch.where(mean.abs() < SMALLEST_COORDINATE, sign * SMALLEST_COORDINATE, mean)

    def forward(self, jets: Tensor) -> Tensor:
        """Give the squared distances of jets (n, D), shape (n,); their mean is the loss."""
        return ((self._embed(jets) - self.centre) ** 2).sum(dim=1)

    def _embed(self, jets: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            jets = leaky_relu(layer(jets), 0.1)
        embedded: Tensor = self.layers[-1](jets)
        return embedded


def build(settings: DeepSvdd, n_features: int) -> Svdd:
    """Build the network for D features, in float32, from torch's global random numbers."""
    return Svdd(settings, n_features)
