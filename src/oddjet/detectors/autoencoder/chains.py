"""Langevin Monte Carlo on an energy, with or without the Metropolis-Hastings test."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddjet.detectors.autoencoder.chain_kernels import add_chain_gradient, chain
from oddjet.detectors.autoencoder.energy import energy_and_gradient
from oddjet.detectors.autoencoder.network import Network, each_seed
from oddjet.detectors.autoencoder.settings import ChainSettings, LangevinSettings

# Energies (S, B) and their gradients (S, B, D) at points (S, B, D).
Field = Callable[[Tensor], tuple[Tensor, Tensor]]


def langevin(
    field: Field,
    starts: Tensor,
    noise: Tensor,
    settings: LangevinSettings,
    *,
    temperatures: Tensor | None = None,
    uniforms: Tensor | None = None,
) -> Tensor:
    """Run Langevin chains x' = x - (step / T) * gradient of E(x) + sigma * noise, kept in the box of the settings.

    Where gradients are enabled the result is differentiable with respect to what the field depends on, through every
    step; starts and decisions to accept are constants.

    Parameters
    ----------
    field
        Energy and gradient.
    starts
        First points, shape (S, B, D); those outside the box are first brought into it.
    noise
        N(0, 1) numbers of all steps, shape (S, steps, B, D).
    settings
        Steps, step size, noise, temperature, box, Metropolis-Hastings test.
    temperatures
        T of each seed, shape (S,); left out: that of the settings.
    uniforms
        Numbers uniform in [0, 1) for the Metropolis-Hastings test, shape (S, steps, B).

    Returns
    -------
    Last points of the chains, shape (S, B, D), inside the box.
    """
    if temperatures is None:
        temperatures = torch.full((len(starts),), settings.temperature, dtype=starts.dtype, device=starts.device)
    points = confine(starts.detach(), settings)
    if settings.metropolis:
        assert uniforms is not None
        return _adjusted(field, points, noise, settings, temperatures, uniforms)
    drift = (settings.step_size / temperatures).view(-1, 1, 1)
    for step in range(settings.steps):
        proposal = points - drift * field(points)[1] + settings.noise_size * noise[:, step]
        points = confine(proposal, settings)
    return points


def _adjusted(
    field: Field, points: Tensor, noise: Tensor, settings: LangevinSettings, temperatures: Tensor, uniforms: Tensor
) -> Tensor:
    """Run Metropolis-adjusted Langevin chains (Roberts and Tweedie 1996), each point accepted by its own test."""
    temperature = temperatures.view(-1, 1)
    drift = (settings.step_size / temperatures).view(-1, 1, 1)
    width = 2.0 * settings.noise_size**2
    energies, gradients = field(points)
    for step in range(settings.steps):
        proposal = points - drift * gradients + settings.noise_size * noise[:, step]
        new_energies, new_gradients = field(proposal)
        with torch.no_grad():
            there = (proposal - points + drift * gradients).square().sum(-1) / width
            back = (points - proposal + drift * new_gradients).square().sum(-1) / width
            log_ratio = (energies - new_energies) / temperature + there - back
            accepted = uniforms[:, step].log() < log_ratio
            accepted &= (confine(proposal, settings) == proposal).all(-1)
        points = torch.where(accepted.unsqueeze(-1), proposal, points)
        gradients = torch.where(accepted.unsqueeze(-1), new_gradients, gradients)
        energies = torch.where(accepted, new_energies, energies)
    return points


def confine(points: Tensor, settings: LangevinSettings) -> Tensor:
    """Bring points into the box: clamped to its edges, or reflected at them; without a box they stay."""
    if not isinstance(settings, ChainSettings):
        return points
    low, high = settings.bounds
    if settings.at_bounds == "clamp":
        return points.clamp(low, high)
    width = high - low
    folded = torch.remainder(points - low, 2.0 * width)
    return low + torch.where(folded > width, 2.0 * width - folded, folded)


class ChainRecord:
    """Langevin chains of a network's energy, kept with what the gradient through them needs.

    Compiled where the network is and the settings are plain (clamped, no test); otherwise `langevin` and autograd. Both
    give the same samples and gradients.

    Parameters
    ----------
    network
        S autoencoders.
    starts, noise, settings, temperatures, uniforms
        As for `langevin`.
    differentiable
        Whether `add_gradient` will be called.

    Attributes
    ----------
    samples
        Last points, shape (S, B, D), without a graph.
    """

    def __init__(
        self,
        network: Network,
        starts: Tensor,
        noise: Tensor,
        settings: ChainSettings,
        *,
        differentiable: bool,
        temperatures: Tensor | None = None,
        uniforms: Tensor | None = None,
    ) -> None:
        self.network = network
        self._path: NDArray[np.float32] | None = None
        if network.compiled and not settings.metropolis and settings.at_bounds == "clamp":
            self._run_compiled(starts, noise, settings, temperatures)
            return
        with torch.set_grad_enabled(differentiable):
            self._graph = langevin(
                partial(energy_and_gradient, network),
                starts,
                noise,
                settings,
                temperatures=temperatures,
                uniforms=uniforms,
            )
        self.samples = self._graph.detach()

    def _run_compiled(
        self, starts: Tensor, noise: Tensor, settings: ChainSettings, temperatures: Tensor | None
    ) -> None:
        n_seeds, n_points, n_features = starts.shape
        path = np.empty((n_seeds, settings.steps + 1, n_points, n_features), np.float32)
        path[:, 0] = confine(starts, settings).numpy()
        self._drift: NDArray[np.float32] = np.full(n_seeds, settings.step_size / settings.temperature, np.float32)
        if temperatures is not None:
            self._drift = np.divide(np.float32(settings.step_size), temperatures.numpy(), dtype=np.float32)
        self._bounds = tuple(np.float32(bound) for bound in settings.bounds)
        arrays = (self.network.flat.numpy(), noise.numpy(), path, self._drift)
        others = (*self.network.structure(), np.float32(settings.noise_size), *self._bounds)
        each_seed(chain, arrays, others, self.network.threads)
        self._path = path
        self.samples = torch.from_numpy(path[:, -1])

    def add_gradient(self, adjoints: Tensor) -> None:
        """Add to the network's gradient that of sum(adjoints * samples), adjoints of shape (S, B, D)."""
        if self._path is None:
            self.network.add_gradient(self._graph, adjoints)
            return
        arrays = (self.network.flat.numpy(), self._path, adjoints.numpy(), self.network.gradient.numpy(), self._drift)
        each_seed(add_chain_gradient, arrays, (*self.network.structure(), *self._bounds), self.network.threads)
