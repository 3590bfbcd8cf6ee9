"""Adam for a group of seeds: one update of all parameters, seeds that have stopped left out."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from oddjet.training.settings import TrainingSettings


class Adam:
    """Adam with decoupled weight decay (Kingma and Ba 2014; Loshchilov and Hutter 2017) on parameters (S, P).

    Parameters
    ----------
    flat
        Parameters, changed in place.
    settings
        Learning rates, decay rates, weight decay, epochs.
    """

    def __init__(self, flat: Tensor, settings: TrainingSettings) -> None:
        self.flat = flat
        self.settings = settings
        self.first = torch.zeros_like(flat)
        self.second = torch.zeros_like(flat)
        self.steps = 0

    def learning_rate(self, epoch: int) -> float:
        """Learning rate of an epoch, counted from 1."""
        start, end = self.settings.learning_rate, self.settings.learning_rate_end
        if end is None or self.settings.epochs == 1:
            return start
        share = (epoch - 1) / (self.settings.epochs - 1)
        return end + 0.5 * (start - end) * (1.0 + math.cos(math.pi * share))

    def step(self, gradient: Tensor, alive: Tensor, epoch: int) -> None:
        """Update the parameters of the seeds that are alive, shape (S,)."""
        decay, square_decay = self.settings.betas
        self.steps += 1
        self.first.lerp_(gradient, 1.0 - decay)
        self.second.mul_(square_decay).addcmul_(gradient, gradient, value=1.0 - square_decay)
        scale = self.second.sqrt().mul_(1.0 / math.sqrt(1.0 - square_decay**self.steps)).add_(1e-8)
        rate = self.learning_rate(epoch)
        update = torch.div(self.first, scale).mul_(-rate / (1.0 - decay**self.steps))
        if self.settings.weight_decay:
            update.add_(self.flat, alpha=-rate * self.settings.weight_decay)
        # Not a product with `alive`: the update of a seed that has just failed is not finite.
        self.flat.add_(torch.where(alive.unsqueeze(1), update, 0.0))

    def state_dict(self) -> dict[str, Any]:
        """Moments and step count."""
        return {"first": self.first.clone(), "second": self.second.clone(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.first.copy_(state["first"])
        self.second.copy_(state["second"])
        self.steps = int(state["steps"])
