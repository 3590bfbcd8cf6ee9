"""Random generators: one a seed and a purpose, so that no seed's numbers depend on the others of its group."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


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
        """Draw N(0, 1) numbers of shape (S, *shape)."""
        result = torch.empty((len(self.members), *shape), dtype=dtype, device=self.device)
        for member, part in zip(self.members, result, strict=True):
            part.normal_(generator=member)
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
        """Draw n indices a seed with replacement, with probability proportional to weights; shape (S, n)."""
        return torch.stack(
            [torch.multinomial(weights, n, replacement=True, generator=member) for member in self.members]
        )

    def state_dict(self) -> dict[str, Tensor]:
        """State of every generator, shape (S, bytes)."""
        return {"states": torch.stack([member.get_state() for member in self.members])}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Continue where a state was taken."""
        for member, part in zip(self.members, state["states"], strict=True):
            member.set_state(part.clone())
