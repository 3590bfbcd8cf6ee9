"""Random generators: one a seed and a purpose, so that no seed's numbers depend on the others of its group."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddjet.detectors.autoencoder.normal_kernels import fill_normal
from oddjet.errors import DetectorError


class Generators:
    """One generator a seed for one purpose.

    Parameters
    ----------
    seeds
        Seeds of the group, in order.
    purpose
        Name of what is drawn ("noise", "batches", ...): the streams of two purposes are unrelated.
    device
        Where the numbers are made.
    """

    def __init__(self, seeds: Sequence[int], purpose: str, device: torch.device) -> None:
        self.device = device
        self.members: list[torch.Generator] = []
        for seed in seeds:
            digest = hashlib.sha256(f"oddjet {purpose} {seed}".encode()).digest()
            generator = torch.Generator(device=device)
            generator.manual_seed(int.from_bytes(digest[:8], "big") >> 1)
            self.members.append(generator)

    def normal(self, *shape: int, dtype: torch.dtype) -> Tensor:
        """Draw N(0, 1) numbers of shape (S, *shape).

        On the CPU in single precision, whatever the dtype, and the same bits on every processor.
        """
        result = torch.empty((len(self.members), *shape), dtype=dtype, device=self.device)
        if self.device.type != "cpu":
            for member, part in zip(self.members, result, strict=True):
                part.normal_(generator=member)
            return result
        count = math.prod(shape)
        uniforms = torch.empty((2, (count + 1) // 2))
        numbers = torch.empty_like(uniforms)
        for member, part in zip(self.members, result, strict=True):
            fill_normal(uniforms.uniform_(generator=member).numpy(), numbers.numpy())
            part.copy_(numbers.view(-1)[:count].view(shape))
        return result

    def uniform(self, *shape: int, dtype: torch.dtype) -> Tensor:
        """Draw numbers uniform in [0, 1) of shape (S, *shape)."""
        result = torch.empty((len(self.members), *shape), dtype=dtype, device=self.device)
        for member, part in zip(self.members, result, strict=True):
            part.uniform_(generator=member)
        return result

    def permutations(self, n: int) -> Tensor:
        """Draw a permutation of n a seed, shape (S, n)."""
        return torch.stack([torch.randperm(n, generator=member, device=self.device) for member in self.members])

    def choices(self, weights: Tensor, n: int) -> Tensor:
        """Draw n indices a seed with replacement, with probability proportional to weights (N,); shape (S, n).

        Weights are added in double precision: of 10^8 equal ones each has its share.

        Raises
        ------
        DetectorError
            A weight is negative or not finite, their sum is not finite, or none is above zero.
        """
        edges = torch.from_numpy(_edges(weights.cpu().numpy())).to(self.device)
        # A number just below 1 times the sum may round up to the sum.
        last = int(torch.searchsorted(edges, edges[-1]))
        drawn = [
            torch.rand(n, dtype=torch.float64, generator=member, device=self.device).mul_(edges[-1])
            for member in self.members
        ]
        return torch.stack([torch.searchsorted(edges, numbers, right=True).clamp_(max=last) for numbers in drawn])

    def state_dict(self) -> dict[str, Tensor]:
        """State of every generator, shape (S, bytes)."""
        return {"states": torch.stack([member.get_state() for member in self.members])}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Continue where a state was taken."""
        for member, part in zip(self.members, state["states"], strict=True):
            member.set_state(part.clone())


def _edges(weights: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Cumulative sums of weights; raises `DetectorError`."""
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        raise DetectorError(
            f"drawing by weight: {len(wrong)} of {len(weights)} weights are negative or not finite, the first in row"
            f" {wrong[0]}: {weights[wrong[0]]:g}; give weights of 0 or more"
        )
    with np.errstate(over="ignore"):
        edges: NDArray[np.float64] = np.cumsum(weights, dtype=np.float64)
    if not len(edges) or not 0.0 < edges[-1] < np.inf:
        total = edges[-1] if len(edges) else 0.0
        raise DetectorError(f"drawing by weight: {len(weights)} weights add up to {total:g}; give one above 0 at least")
    return edges
