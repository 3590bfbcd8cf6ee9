"""Steps of Adam and of gradient descent, and the averaged weights, against torch's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from oddjet.training.optimiser import Optimiser, move_towards
from oddjet.training.settings import Schedule

S, P = 3, 53


@pytest.mark.parametrize("kind", ["adam", "sgd"])
@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_a_step_is_that_of_torch_with_a_rate_for_each_seed(kind: str, decay: float) -> None:
    generator = torch.Generator().manual_seed(1)
    flat = torch.randn((S, P), generator=generator, dtype=torch.float64)
    theirs = [row.clone().requires_grad_() for row in flat]
    rates = [1e-2, 1e-3, 5e-3]
    settings = Schedule(optimiser=kind, weight_decay=decay, **({"momentum": 0.8} if kind == "sgd" else {}))
    ours = Optimiser(flat, settings)
    if kind == "adam":
        reference = torch.optim.AdamW([{"params": [row]} for row in theirs], weight_decay=decay, eps=1e-8)
    else:
        reference = torch.optim.SGD([{"params": [row]} for row in theirs], lr=1.0, momentum=0.8)
    for group, rate in zip(reference.param_groups, rates, strict=True):
        group["lr"] = rate
    for _ in range(20):
        gradient = torch.randn((S, P), generator=generator, dtype=torch.float64)
        ours.step(gradient, torch.ones(S, dtype=torch.bool), rates)
        for row, rate, part in zip(theirs, rates, gradient, strict=True):
            row.grad = part.clone()
            if kind == "sgd":
                row.data.mul_(1.0 - rate * decay)
        reference.step()
    assert torch.allclose(flat, torch.stack([row.detach() for row in theirs]), rtol=1e-12, atol=1e-14)


def test_a_seed_that_is_not_alive_keeps_its_weights() -> None:
    flat = torch.ones((2, P))
    optimiser = Optimiser(flat, Schedule())
    optimiser.step(torch.full((2, P), float("nan")), torch.tensor([False, False]), [1e-3, 1e-3])
    assert bool((flat == 1).all())
    optimiser.step(torch.ones((2, P)), torch.tensor([True, False]), [1e-3, 1e-3])
    assert bool((flat[0] < 1).all())
    assert bool((flat[1] == 1).all())


def test_averages_move_by_their_share() -> None:
    averages, flat = np.zeros((2, P), np.float32), np.ones((2, P), np.float32)
    move_towards(averages, flat, np.array([True, False]), np.float32(0.25))
    assert np.array_equal(averages, np.repeat([[0.25], [0.0]], P, axis=1).astype(np.float32))
