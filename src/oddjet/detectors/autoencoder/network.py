"""Autoencoders with batched weights: one for each seed of a group, all evaluated by the same matrix products."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.settings import LossSettings, NetworkSettings

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "silu": functional.silu,
    "tanh": torch.tanh,
}

# Wider layers are faster as torch's matrix products, at 512 more than twice as fast, than in the compiled kernels.
WIDEST_COMPILED = 128


class Network:
    """Fully connected autoencoders, one a seed, whose parameters are views of one array (S, P).

    An activation follows every layer but the latent one and the last (`reference`: CMS-MLG-24-002).

    Parameters
    ----------
    settings
        Widths and activation.
    n_features
        Number of inputs D.
    n_seeds
        Number of autoencoders S.

    Attributes
    ----------
    flat
        All parameters, shape (S, P); the optimiser changes them here.
    gradient
        Gradient of the loss with respect to `flat`, the same shape.
    weights, biases
        Views of `flat`, a layer each, shapes (S, inputs, outputs) and (S, 1, outputs).
    weight_gradients, bias_gradients
        Views of `gradient`, of the same shapes.
    compiled
        Whether energies and chains run in compiled kernels: ReLU, float32, on the CPU, no layer wider than 128.
    threads
        Seeds that the kernels treat at the same time.
    """

    def __init__(
        self,
        settings: NetworkSettings,
        n_features: int,
        n_seeds: int,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.settings = settings
        self.widths = settings.widths(n_features)
        size = sum((fan_in + 1) * fan_out for fan_in, fan_out in self.shapes())
        self.flat = torch.zeros((n_seeds, size), dtype=dtype, device=device)
        self.gradient = torch.zeros_like(self.flat)
        self.weights, self.biases = self._views(self.flat)
        self.weight_gradients, self.bias_gradients = self._views(self.gradient)
        for leaf in (*self.weights, *self.biases):
            leaf.requires_grad_()
        # The latent layer and the output layer are linear.
        linear = {len(settings.hidden), len(self.widths) - 2}
        self.activated = tuple(layer not in linear for layer in range(len(self.widths) - 1))
        self.activation = ACTIVATIONS[settings.activation]
        fits = dtype == torch.float32 and self.flat.device.type == "cpu" and max(self.widths) <= WIDEST_COMPILED
        self.compiled = fits and settings.activation == "relu"
        self.threads = 1
        self._structure = (np.array(self.widths, np.int64), np.array(self.activated, np.bool_))

    def shapes(self) -> list[tuple[int, int]]:
        """Give the inputs and outputs of each layer."""
        return list(zip(self.widths[:-1], self.widths[1:], strict=True))

    def structure(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Give widths of all layers and which are followed by an activation, as the kernels take them."""
        return self._structure

    def _views(self, flat: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        weights, biases, start = [], [], 0
        for fan_in, fan_out in self.shapes():
            stop = start + fan_in * fan_out
            weights.append(flat[:, start:stop].view(len(flat), fan_in, fan_out).detach())
            biases.append(flat[:, stop : stop + fan_out].view(len(flat), 1, fan_out).detach())
            start = stop + fan_out
        return weights, biases

    def initialise(self, generators: Generators) -> None:
        """Draw the parameters as torch.nn.Linear does by default: uniform within 1 / sqrt(inputs)."""
        with torch.no_grad():
            for weight, bias, (fan_in, _) in zip(self.weights, self.biases, self.shapes(), strict=True):
                limit = fan_in**-0.5
                for leaf in (weight, bias):
                    drawn = generators.uniform(*leaf.shape[1:], dtype=leaf.dtype)
                    leaf.copy_(drawn * (2 * limit) - limit)

    def reconstruct(self, x: Tensor) -> Tensor:
        """Reconstruct x, shape (S, B, D), differentiably."""
        return self._pass(x, 0)

    def decode(self, latent: Tensor) -> Tensor:
        """Decode latent points, shape (S, B, latent), to (S, B, D), differentiably."""
        return self._pass(latent, len(self.settings.hidden) + 1)

    def _pass(self, x: Tensor, first: int) -> Tensor:
        for layer in range(first, len(self.weights)):
            x = torch.baddbmm(self.biases[layer], x, self.weights[layer])
            if self.activated[layer]:
                x = self.activation(x)
        return x

    def add_gradient(self, loss: Tensor, weights: Tensor | None = None) -> None:
        """Add the gradient of sum(weights * loss) to `gradient`, by autograd."""
        leaves = [*self.weights, *self.biases]
        parts = torch.autograd.grad(loss, leaves, torch.ones_like(loss) if weights is None else weights)
        for view, part in zip([*self.weight_gradients, *self.bias_gradients], parts, strict=True):
            view.add_(part)

    def parameters(self, flat: Tensor | None = None) -> dict[str, Tensor]:
        """Named copies of the parameters (of `flat` when given), shapes (S, inputs, outputs) and (S, outputs)."""
        weights, biases = self._views(self.flat if flat is None else flat)
        named: dict[str, Tensor] = {}
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            named[f"layers.{layer}.weight"] = weight.detach().clone().cpu()
            named[f"layers.{layer}.bias"] = bias[:, 0].detach().clone().cpu()
        return named

    def load_parameters(self, named: Mapping[str, Tensor]) -> None:
        """Set the parameters from what `parameters` returned."""
        with torch.no_grad():
            for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
                weight.copy_(named[f"layers.{layer}.weight"])
                bias[:, 0].copy_(named[f"layers.{layer}.bias"])


def add_weight_norms(network: Network, settings: LossSettings) -> Tensor:
    """Add the gradients of the squared weight norms to the network's; return the terms of the loss, shape (S,).

    Biases are left out, as in Yoon et al., Autoencoding under normalization constraints (2021).
    """
    total = torch.zeros(len(network.flat), dtype=network.flat.dtype, device=network.flat.device)
    if not settings.encoder_norm and not settings.decoder_norm:
        return total
    with torch.no_grad():
        for layer, weight in enumerate(network.weights):
            encoder = layer <= len(network.settings.hidden)
            factor = settings.encoder_norm if encoder else settings.decoder_norm
            total += (factor * weight.double().square().sum((1, 2))).to(total.dtype)
            network.weight_gradients[layer].add_(weight * (2.0 * factor))
    return total


def each_seed(kernel: Callable[..., None], arrays: Sequence[NDArray[Any]], others: Sequence[Any], threads: int) -> None:
    """Call `kernel(*arrays, *others)` with the arrays cut along their first axis, the seeds, into `threads` pieces.

    The kernel releases the interpreter's lock and treats each seed by itself, so the pieces change no number.
    """
    n_seeds = len(arrays[0])
    pieces = min(threads, n_seeds)
    if pieces == 1:
        kernel(*arrays, *others)
        return
    edges = [n_seeds * piece // pieces for piece in range(pieces + 1)]
    first, *rest = [tuple(array[low:high] for array in arrays) for low, high in pairwise(edges)]
    tasks = [_pool(pieces - 1).submit(kernel, *piece, *others) for piece in rest]
    # The thread that is here works too: to wake one more costs as much as a small kernel.
    kernel(*first, *others)
    for task in tasks:
        task.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)
