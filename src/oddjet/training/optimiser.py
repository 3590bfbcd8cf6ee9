"""Adam and gradient descent for a group of seeds: one update of all parameters, seeds that have ended left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddjet.arrays import Reals
from oddjet.kernels import kernel
from oddjet.training.settings import Schedule

Number = np.floating[Any]
# Added to the root of the second moment, as by torch's Adam.
SMALLEST = 1e-8


@kernel
def update_weights(
    flat: Reals,
    first: Reals,
    second: Reals,
    gradient: Reals,
    alive: NDArray[np.bool_],
    decays: Reals,
    steps: Reals,
) -> None:
    """Do Adam's step on parameters and moments (S, P); those of seeds that are not alive, (S,), stay.

    torch's operations fuse products where the processor can, and so give other bits on another one.

    Parameters
    ----------
    decays
        1 - decay, square_decay, 1 - square_decay, 1 / sqrt(1 - square_decay^t), and the number that keeps the division
        finite.
    steps
        Of each seed learning rate over 1 - decay^t, and learning rate times weight decay, shape (S, 2).
    """
    new, old_square, new_square, root, tiny = decays
    for seed in range(flat.shape[0]):
        if not alive[seed]:
            continue
        step, shrinking = steps[seed]
        w, m, v, g = flat[seed], first[seed], second[seed], gradient[seed]
        for k in range(flat.shape[1]):
            m[k] += new * (g[k] - m[k])
            v[k] = old_square * v[k] + new_square * (g[k] * g[k])
            w[k] -= step * (m[k] / (np.sqrt(v[k]) * root + tiny)) + shrinking * w[k]


@kernel
def descend(
    flat: Reals, velocity: Reals, gradient: Reals, alive: NDArray[np.bool_], momentum: Number, steps: Reals
) -> None:
    """Do a step of gradient descent with momentum on parameters (S, P), those of seeds that are alive, (S,).

    Parameters
    ----------
    velocity
        Sum of the gradients so far, each step by `momentum` smaller, (S, P).
    steps
        Of each seed learning rate, and learning rate times weight decay, shape (S, 2).
    """
    for seed in range(flat.shape[0]):
        if not alive[seed]:
            continue
        step, shrinking = steps[seed]
        for k in range(flat.shape[1]):
            velocity[seed, k] = momentum * velocity[seed, k] + gradient[seed, k]
            flat[seed, k] -= step * velocity[seed, k] + shrinking * flat[seed, k]


@kernel
def move_towards(averages: Reals, flat: Reals, alive: NDArray[np.bool_], share: Number) -> None:
    """Move averages (S, P) towards the present weights by a share of the way, those of seeds that are alive, (S,)."""
    for seed in range(flat.shape[0]):
        if alive[seed]:
            for k in range(flat.shape[1]):
                averages[seed, k] += share * (flat[seed, k] - averages[seed, k])


class Optimiser:
    """Adam with decoupled weight decay (Kingma and Ba 2014; Loshchilov and Hutter 2017), or gradient descent.

    Parameters
    ----------
    flat
        Parameters (S, P), changed in place.
    schedule
        Which of the two, decay rates, momentum, weight decay.
    """

    def __init__(self, flat: Tensor, schedule: Schedule) -> None:
        self.flat = flat
        self.schedule = schedule
        self.first = torch.zeros_like(flat)
        self.second = torch.zeros_like(flat)
        self.steps = 0

    def step(self, gradient: Tensor, alive: Tensor, rates: Sequence[float]) -> None:
        """Update the parameters of the seeds that are alive, (S,), each with its learning rate."""
        self.steps += 1
        if self.schedule.optimiser == "sgd":
            self._descend(gradient, alive, rates)
        else:
            self._adam(gradient, alive, rates)

    def average(self, averages: Tensor, alive: Tensor) -> None:
        """Move averages (S, P) towards the parameters after a step, those of the seeds that are alive."""
        # The first steps average over about a tenth of the steps so far, or the initial weights would linger.
        decay = min(self.schedule.ema_decay, (1.0 + self.steps) / (10.0 + self.steps))
        if self.flat.device.type == "cpu":
            share = self.flat.numpy().dtype.type(1.0 - decay)
            move_towards(averages.numpy(), self.flat.numpy(), alive.numpy(), share)
            return
        averages.lerp_(self.flat, alive.to(self.flat.dtype).mul_(1.0 - decay).unsqueeze(1))

    def _adam(self, gradient: Tensor, alive: Tensor, rates: Sequence[float]) -> None:
        decay, square_decay = self.schedule.betas
        root = 1.0 / math.sqrt(1.0 - square_decay**self.steps)
        steps = [(rate / (1.0 - decay**self.steps), rate * self.schedule.weight_decay) for rate in rates]
        if self.flat.device.type == "cpu":
            weights, first, second = (tensor.numpy() for tensor in (self.flat, self.first, self.second))
            decays = np.array((1.0 - decay, square_decay, 1.0 - square_decay, root, SMALLEST), weights.dtype)
            numbers = np.array(steps, weights.dtype)
            update_weights(weights, first, second, gradient.numpy(), alive.numpy(), decays, numbers)
            return
        self.first.lerp_(gradient, 1.0 - decay)
        self.second.mul_(square_decay).addcmul_(gradient, gradient, value=1.0 - square_decay)
        scale = self.second.sqrt().mul_(root).add_(SMALLEST)
        self._move(torch.div(self.first, scale), alive, steps)

    def _descend(self, gradient: Tensor, alive: Tensor, rates: Sequence[float]) -> None:
        momentum = self.schedule.momentum
        steps = [(rate, rate * self.schedule.weight_decay) for rate in rates]
        if self.flat.device.type == "cpu":
            weights, velocity = self.flat.numpy(), self.first.numpy()
            numbers = np.array(steps, weights.dtype)
            descend(weights, velocity, gradient.numpy(), alive.numpy(), weights.dtype.type(momentum), numbers)
            return
        self.first.mul_(momentum).add_(gradient)
        self._move(self.first.clone(), alive, steps)

    def _move(self, direction: Tensor, alive: Tensor, steps: Sequence[tuple[float, float]]) -> None:
        """Go against a direction (S, P), which is overwritten, on a device without compiled kernels."""
        step, shrinking = self.flat.new_tensor(steps).T.unsqueeze(2)
        update = direction.mul_(-step)
        if self.schedule.weight_decay:
            update.addcmul_(self.flat, shrinking, value=-1.0)
        # Not a product with `alive`: the update of a seed that has just failed is not finite.
        self.flat.add_(torch.where(alive.unsqueeze(1), update, 0.0))

    def state_dict(self) -> dict[str, Any]:
        """Return moments and step count."""
        return {"first": self.first.clone(), "second": self.second.clone(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.first.copy_(state["first"])
        self.second.copy_(state["second"])
        self.steps = int(state["steps"])
