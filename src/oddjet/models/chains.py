"""Langevin Monte Carlo on the energy of an autoencoder."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddjet.models.chain_kernels import add_chain_gradient, chain
from oddjet.models.energy import energy_and_gradient
from oddjet.models.networks import Network
from oddjet.models.settings import ChainSettings
from oddjet.models.threads import each_seed


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


class ChainRecord:
    """Langevin chains, kept with what the gradient through them needs.

    Compiled where the network is; otherwise `langevin` and autograd. Both give the same samples and gradients.

    Parameters
    ----------
    network, starts, noise, settings
        As for `langevin`.
    differentiable
        Whether `add_gradient` will be called.

    Attributes
    ----------
    samples
        Last points, shape (S, B, D), without a graph.
    """

    def __init__(
        self, network: Network, starts: Tensor, noise: Tensor, settings: ChainSettings, *, differentiable: bool
    ) -> None:
        self.network = network
        self.settings = settings
        self._path: NDArray[np.float32] | None = None
        if network.compiled:
            self._path = self._run_compiled(starts, noise)
            self.samples = torch.from_numpy(self._path[:, -1])
            return
        with torch.set_grad_enabled(differentiable):
            self._graph = langevin(network, starts, noise, settings)
        self.samples = self._graph.detach()

    def _run_compiled(self, starts: Tensor, noise: Tensor) -> NDArray[np.float32]:
        n_seeds, n_points, n_features = starts.shape
        path = np.empty((n_seeds, self.settings.steps + 1, n_points, n_features), np.float32)
        path[:, 0] = starts.numpy()
        arrays = (self.network.flat.numpy(), noise.numpy(), path)
        numbers = self._numbers()
        each_seed(chain, arrays, (*self.network.structure(), *numbers), self.network.threads)
        return path

    def _numbers(self) -> tuple[np.float32, ...]:
        settings = self.settings
        numbers = (settings.step_size / settings.temperature, settings.noise_size, *settings.bounds)
        return tuple(np.float32(number) for number in numbers)

    def add_gradient(self, adjoints: Tensor) -> None:
        """Add to the network's gradient that of sum(adjoints * samples), adjoints of shape (S, B, D)."""
        if self._path is None:
            self.network.add_gradient(self._graph, adjoints)
            return
        arrays = (self.network.flat.numpy(), self._path, adjoints.numpy(), self.network.gradient.numpy())
        drift, _, low, high = self._numbers()
        others = (*self.network.structure(), drift, low, high)
        each_seed(add_chain_gradient, arrays, others, self.network.threads)
