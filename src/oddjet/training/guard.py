"""Watch over a group's losses: a seed whose loss is not finite is left out before its weights change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class Guard:
    """Which seeds are alive, and what the others failed with; kept on the device, read once an epoch.

    Parameters
    ----------
    seeds
        Seeds of the group.
    device
        Where the losses are.
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self.seeds = tuple(seeds)
        self.alive = torch.ones(len(seeds), dtype=torch.bool, device=device)
        self.stopped: dict[int, int] = {}
        self._batch = torch.full((len(seeds),), -1, device=device)
        self._values: Tensor | None = None

    def check(self, values: Tensor, gradient: Tensor, batch: int) -> None:
        """Take in the values of a batch, shape (K, S), and the gradient (S, P): seeds where one is not finite die."""
        finite = torch.isfinite(values.sum(0) + gradient.sum(1))
        failed = self.alive & ~finite
        self._values = torch.where(failed, values, values if self._values is None else self._values)
        self._batch = torch.where(failed, batch, self._batch)
        self.alive = self.alive & finite

    def report(self, names: Sequence[str], epoch: int) -> list[str]:
        """Describe the seeds that died in this epoch, a sentence each; call once an epoch."""
        sentences = []
        for index, alive in enumerate(self.alive.tolist()):
            seed = self.seeds[index]
            if alive or seed in self.stopped:
                continue
            self.stopped[seed] = epoch
            assert self._values is not None
            values = ", ".join(
                f"{name} {value:g}" for name, value in zip(names, self._values[:, index].tolist(), strict=True)
            )
            where = f"seed {seed}, epoch {epoch}, batch {int(self._batch[index]) + 1}"
            sentences.append(f"{where}: loss or gradient not finite ({values})")
        return sentences

    def state_dict(self) -> dict[str, Any]:
        """Who is alive."""
        return {"alive": self.alive.clone(), "stopped": dict(self.stopped)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.alive = state["alive"].clone().to(self.alive.device)
        self.stopped = dict(state["stopped"])
