"""Watch over a group's losses: a seed whose loss is not finite is left out before its weights change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


class Guard:
    """Which seeds train on, and what the others failed with; kept on the device, read once an epoch.

    Parameters
    ----------
    seeds
        Seeds of the group.
    device
        Where the losses are.

    Attributes
    ----------
    alive
        Which seeds are updated, shape (S,).
    stopped
        Epoch in which the loss of a seed was not finite.
    finished
        Epoch after which a seed has ended by itself: its validation metric no longer improves.
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self.seeds = tuple(seeds)
        self.alive = torch.ones(len(seeds), dtype=torch.bool, device=device)
        self.stopped: dict[int, int] = {}
        self.finished: dict[int, int] = {}
        self._batch = torch.full((len(seeds),), -1, device=device)
        self._values: Tensor | None = None

    def check(self, values: Tensor, gradient: Tensor, batch: int) -> None:
        """Take in the values of a batch, shape (K, S), and a sum of the gradient, (S,): not finite, and a seed dies."""
        if values.device.type == "cpu" and np.isfinite(values.numpy().sum(0) + gradient.numpy()).all():
            # As nearly always: a tenth of the time of the operations below.
            self._values = values if self._values is None else self._values
            return
        finite = torch.isfinite(values.sum(0) + gradient)
        failed = self.alive & ~finite
        self._values = torch.where(failed, values, values if self._values is None else self._values)
        self._batch = torch.where(failed, batch, self._batch)
        self.alive = self.alive & finite

    def finish(self, index: int, epoch: int) -> None:
        """Leave the weights of a seed as they are from here on."""
        self.finished[self.seeds[index]] = epoch
        self.alive[index] = False

    def running(self, epoch: int) -> list[bool]:
        """Return which seeds have a row in an epoch; that in which the loss fails is the last one."""
        return [seed not in self.finished and self.stopped.get(seed, epoch) == epoch for seed in self.seeds]

    @property
    def done(self) -> bool:
        """Whether no seed is left."""
        return len(self.stopped) + len(self.finished) == len(self.seeds)

    def report(self, names: Sequence[str], epoch: int) -> list[str]:
        """Describe the seeds that died in this epoch, a sentence each; call once an epoch."""
        sentences = []
        for index, alive in enumerate(self.alive.tolist()):
            seed = self.seeds[index]
            if alive or seed in self.stopped or seed in self.finished:
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
        """Return who is alive."""
        return {"alive": self.alive.clone(), "stopped": dict(self.stopped), "finished": dict(self.finished)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.alive = state["alive"].clone().to(self.alive.device)
        self.stopped, self.finished = dict(state["stopped"]), dict(state["finished"])
