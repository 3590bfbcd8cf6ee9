"""Neural spline flow: a density whose logarithm is known (Durkan et al., arXiv:1906.04032), from the package zuko."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from oddjet.detectors.baseline_settings import Trained

if TYPE_CHECKING:
    from torch import Tensor, nn


class NeuralSplineFlow(Trained):
    """Negative log likelihood of a neural spline flow (Durkan et al., arXiv:1906.04032)."""

    # The sign is in the loss.
    signed: ClassVar[bool] = True

    kind: Literal["neural_spline_flow"]
    transforms: int = Field(default=3, ge=1, description="autoregressive spline transformations, one after the other")
    bins: int = Field(default=8, ge=2, description="bins of a spline")


def build(settings: NeuralSplineFlow, n_features: int) -> nn.Module:
    """Build the network for D features, in float32, from torch's global random numbers."""
    import torch
    from zuko.flows import NSF  # type: ignore[import-untyped]

    class Flow(torch.nn.Module):
        """Scores of jets; their mean is the loss."""

        def __init__(self) -> None:
            super().__init__()
            # Splines act within (-5, 5), around the scaled range of the training jets; beyond, the density is a
            # Gaussian's.
            self.density = NSF(
                n_features, transforms=settings.transforms, bins=settings.bins, hidden_features=settings.hidden
            )

        def prepare(self, jets: Tensor, weights: Tensor | None) -> None:
            """Do nothing: a flow needs nothing from the jets before it is trained."""

        def forward(self, jets: Tensor) -> Tensor:
            """Give -log p of jets (n, D), shape (n,)."""
            likelihood: Tensor = self.density().log_prob(jets)
            return -likelihood

    return Flow()
