"""Replay buffer of persistent contrastive divergence: where the Langevin chains start."""

from __future__ import annotations

import torch
from torch import Tensor

from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.settings import ReplaySettings


class ReplayBuffer:
    """Ring of the last chain ends, one a seed, in one tensor that is made once.

    Parameters
    ----------
    settings
        Capacity and fraction of fresh starts.
    bounds
        Box of the features, into which fresh starts are moved; None for latent points, which have no box.
    shape
        Seeds S and features D.
    """

    def __init__(
        self,
        settings: ReplaySettings,
        bounds: tuple[float, float] | None,
        shape: tuple[int, int],
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.settings = settings
        self.bounds = bounds
        self.points = torch.zeros((shape[0], settings.capacity, shape[1]), dtype=dtype, device=device)
        self.filled = 0
        self.position = 0

    def starts(self, generators: Generators, n: int) -> Tensor:
        """Draw chain starts, shape (S, n, D): from the buffer, with replacement, or fresh from N(0, 1) in the box.

        As many random numbers are used whatever the buffer holds.
        """
        dtype = self.points.dtype
        uniform = generators.uniform(2, n, dtype=dtype)
        fresh = generators.normal(n, self.points.shape[2], dtype=dtype)
        if self.bounds is not None:
            fresh.clamp_(*self.bounds)
        if not self.filled:
            return fresh
        # float32 has 24 bits: a uniform number just below 1 may round up to the size of the buffer.
        index = (uniform[:, 0] * self.filled).long().clamp_(max=self.filled - 1)
        kept = self.points.gather(1, index.unsqueeze(-1).expand_as(fresh))
        return torch.where((uniform[:, 1] < self.settings.fresh_fraction).unsqueeze(-1), fresh, kept)

    def add(self, points: Tensor) -> None:
        """Put in chain ends, shape (S, B, D); the oldest go."""
        points = points.detach()[:, -self.settings.capacity :]
        first = min(points.shape[1], self.settings.capacity - self.position)
        self.points[:, self.position : self.position + first] = points[:, :first]
        if first < points.shape[1]:
            self.points[:, : points.shape[1] - first] = points[:, first:]
        self.position = (self.position + points.shape[1]) % self.settings.capacity
        self.filled = min(self.filled + points.shape[1], self.settings.capacity)

    def state_dict(self) -> dict[str, Tensor | int]:
        """Contents and position."""
        return {"points": self.points.clone(), "filled": self.filled, "position": self.position}

    def load_state_dict(self, state: dict[str, Tensor | int]) -> None:
        """Continue where a state was taken."""
        points = state["points"]
        assert isinstance(points, Tensor)
        self.points.copy_(points)
        self.filled, self.position = int(state["filled"]), int(state["position"])
