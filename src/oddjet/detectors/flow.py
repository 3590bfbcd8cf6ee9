"""Neural spline flow: a density whose logarithm is known (Durkan et al., arXiv:1906.04032), from the package zuko."""

from __future__ import annotations

import torch
from torch import Tensor
from zuko.flows import NSF  # type: ignore[import-untyped]

from oddjet.detectors.baseline_settings import NeuralSplineFlow


class Flow(torch.nn.Module):
    """The negative log likelihood of jets under a flow.

    Parameters
    ----------
    settings : NeuralSplineFlow
        Transformations, bins, widths.
    n_features : int
        Number of features D.
    """

    def __init__(self, settings: NeuralSplineFlow, n_features: int) -> None:
        super().__init__()
        # Splines act within (-5, 5), around the scaled range of the training jets; beyond, the density is a Gaussian's.
        self.density = NSF(
            n_features, transforms=settings.transforms, bins=settings.bins, hidden_features=settings.hidden
        )

    def prepare(self, jets: Tensor, weights: Tensor | None) -> None:
        """Do nothing: a flow needs nothing from the jets before it is trained."""

    def forward(self, jets: Tensor) -> Tensor:
        """Give -log p of jets (n, D), shape (n,); its mean is the loss."""
        likelihood: Tensor = self.density().log_prob(jets)
        return -likelihood


def build(settings: NeuralSplineFlow, n_features: int) -> Flow:
    """Build the network for D features, in float32, from torch's global random numbers."""
    return Flow(settings, n_features)
