"""Adam's step and the averaged weights against torch's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from oddjet.training.optimiser import Adam, move_towards
from oddjet.training.settings import TrainingSettings

S, P = 3, 53


@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_adam_is_that_of_torch(decay: float) -> None:
    generator = torch.Generator().manual_seed(1)
    flat = torch.randn((S, P), generator=generator, dtype=torch.float64)
    theirs = flat.clone().requires_grad_()
    settings = TrainingSettings(learning_rate=1e-2, weight_decay=decay)
    ours = Adam(flat, settings)
    reference = torch.optim.AdamW([theirs], lr=1e-2, betas=settings.betas, weight_decay=decay, eps=1e-8)
    for _ in range(20):
        gradient = torch.randn((S, P), generator=generator, dtype=torch.float64)
        ours.step(gradient, torch.ones(S, dtype=torch.bool), 1)
        theirs.grad = gradient.clone()
        reference.step()
    assert torch.allclose(flat, theirs, rtol=1e-12, atol=1e-14)


def test_a_seed_that_is_not_alive_keeps_its_weights() -> None:
    flat = torch.ones((2, P))
    optimiser = Adam(flat, TrainingSettings())
    optimiser.step(torch.full((2, P), float("nan")), torch.tensor([False, False]), 1)
    assert bool((flat == 1).all())
    optimiser.step(torch.ones((2, P)), torch.tensor([True, False]), 1)
    assert bool((flat[0] < 1).all())
    assert bool((flat[1] == 1).all())


def test_averages_move_by_their_share() -> None:
    averages, flat = np.zeros((2, P), np.float32), np.ones((2, P), np.float32)
    move_towards(averages, flat, np.array([True, False]), np.float32(0.25))
    assert np.array_equal(averages, np.repeat([[0.25], [0.0]], P, axis=1).astype(np.float32))
