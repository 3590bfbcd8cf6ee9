"""Adam for a group of seeds: one update of all parameters, seeds that have stopped left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddjet.arrays import Reals
from oddjet.kernels import kernel
from oddjet.training.settings import TrainingSettings

Number = np.floating[Any]
# Added to the root of the second moment, as by torch's Adam.
SMALLEST = 1e-8


@kernel
def update_weights(
    flat: Reals, first: Reals, second: Reals, gradient: Reals, alive: NDArray[np.bool_], rates: Reals
) -> None:
    """Do Adam's step on parameters and moments (S, P); those of seeds that are not alive, (S,), stay.

    torch's operations fuse products where the processor can, and so give other bits on another one.

    Parameters
    ----------
    rates
        1 - decay, square_decay, 1 - square_decay, 1 / sqrt(1 - square_decay^t), learning rate over 1 - decay^t,
        learning rate times weight decay, and the number that keeps the division finite.
    """
    new, old_square, new_square, root, step, shrinking, tiny = rates
    for seed in range(flat.shape[0]):
        if not alive[seed]:
            continue
        w, m, v, g = flat[seed], first[seed], second[seed], gradient[seed]
        for k in range(flat.shape[1]):
            m[k] += new * (g[k] - m[k])
            v[k] = old_square * v[k] + new_square * (g[k] * g[k])
            w[k] -= step * (m[k] / (np.sqrt(v[k]) * root + tiny)) + shrinking * w[k]


@kernel
def move_towards(averages: Reals, flat: Reals, alive: NDArray[np.bool_], share: Number) -> None:
    """Move averages (S, P) towards the present weights by a share of the way, those of seeds that are alive, (S,)."""
    for seed in range(flat.shape[0]):
        if alive[seed]:
            for k in range(flat.shape[1]):
                averages[seed, k] += share * (flat[seed, k] - averages[seed, k])


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
        rate = self.learning_rate(epoch)
        root = 1.0 / math.sqrt(1.0 - square_decay**self.steps)
        step, shrinking = rate / (1.0 - decay**self.steps), rate * self.settings.weight_decay
        if self.flat.device.type == "cpu":
            weights, first, second = (tensor.numpy() for tensor in (self.flat, self.first, self.second))
            rates = (1.0 - decay, square_decay, 1.0 - square_decay, root, step, shrinking, SMALLEST)
            numbers = np.array(rates, weights.dtype)
            update_weights(weights, first, second, gradient.numpy(), alive.numpy(), numbers)
            return
        self.first.lerp_(gradient, 1.0 - decay)
        self.second.mul_(square_decay).addcmul_(gradient, gradient, value=1.0 - square_decay)
        scale = self.second.sqrt().mul_(root).add_(SMALLEST)
        update = torch.div(self.first, scale).mul_(-step)
        if self.settings.weight_decay:
            update.add_(self.flat, alpha=-shrinking)
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
