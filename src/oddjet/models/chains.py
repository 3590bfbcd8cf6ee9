"""Langevin Monte Carlo on the energy of an autoencoder."""

from __future__ import annotations

import torch
from torch import Tensor

from oddjet.models.energy import energy_and_gradient
from oddjet.models.networks import Network
from oddjet.models.settings import ChainSettings


def langevin(network: Network, starts: Tensor, noise: Tensor, settings: ChainSettings) -> Tensor:
    """Run Langevin chains x' = clamp(x - (step / T) * gradient of E(x) + sigma * noise).

    With sigma^2 = 2 step and small steps the chain samples exp(-E/T) on the box. Where gradients are enabled the result
    is differentiable with respect to the network's parameters, through every step; starts are constants.

    Parameters
    ----------
    network
        S autoencoders.
    starts
        First points, shape (S, B, D).
    noise
        N(0, 1) numbers of all steps, shape (S, steps, B, D).
    settings
        Steps, step size, noise, temperature, box.

    Returns
    -------
    Last points of the chains, shape (S, B, D), inside the box.
    """
    drift = settings.step_size / settings.temperature
    points = starts.detach()
    for step in range(settings.steps):
        gradient = energy_and_gradient(network, points)[1]
        points = torch.add(points, gradient, alpha=-drift)
        points = torch.add(points, noise[:, step], alpha=settings.noise_size)
        points = points.clamp(*settings.bounds)
    return points
