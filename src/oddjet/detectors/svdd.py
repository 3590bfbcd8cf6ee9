"""Deep support vector data description (Ruff et al., ICML 2018): jets drawn to a centre by a network without biases."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from oddjet.detectors.baseline_settings import NetworkSchedule, Trained

if TYPE_CHECKING:
    from torch import Tensor, nn

# A coordinate of the centre near zero would let the network answer with zero weights (Ruff et al., section 3.3).
SMALLEST_COORDINATE = 0.1


class SvddSchedule(NetworkSchedule):
    """Schedule of deep support vector data description."""

    epochs: int = Field(default=100, ge=1, description="passes over the training jets, at most")
    weight_decay: float = Field(default=1e-6, ge=0, description="decoupled weight decay (AdamW)")


class DeepSvdd(Trained):
    """Squared distance from a fixed centre, in the space of a network without biases (Ruff et al., ICML 2018)."""

    # Not `signed`: a squared distance with a negative weight has no lowest value, such jets would be sent ever farther.

    kind: Literal["deep_svdd"]
    training: SvddSchedule = Field(default=SvddSchedule(), description="epochs, optimiser, learning rate")
    latent: int = Field(default=8, ge=1, description="dimension of the space of the centre")


def build(settings: DeepSvdd, n_features: int) -> nn.Module:
    """Build the network for D features, in float32, from torch's global random numbers."""
    import torch
    from torch import nn
    from torch.nn.functional import leaky_relu

    class Svdd(nn.Module):
        """The squared distance of jets from the centre."""

        centre: Tensor

        def __init__(self) -> None:
            super().__init__()
            widths = (n_features, *settings.hidden, settings.latent)
            # Without biases, and with an activation that has no bound: else one constant answer fits every jet.
            self.layers = nn.ModuleList(nn.Linear(fan_in, fan_out, bias=False) for fan_in, fan_out in pairwise(widths))
            self.register_buffer("centre", torch.zeros(settings.latent))

        def prepare(self, jets: Tensor, weights: Tensor | None) -> None:
            """Fix the centre: where the untrained network sends the jets (n, D), of weights (n,), on average."""
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

    return Svdd()
