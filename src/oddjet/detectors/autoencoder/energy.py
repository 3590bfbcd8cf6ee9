"""Energy of an autoencoder: the mean over the features of the squared reconstruction error, and its gradients.

For a ReLU network the reconstruction is linear around almost every point, x_hat = J x + c, so with the residual
r = x - x_hat the gradient of E = |r|^2 / D is 2/D (I - J)^T r: one pass of r back through the transposed weights.
Written with ordinary operations (the ReLU masks are constants) it can be differentiated once more by a plain backward
pass: training through a Langevin chain needs no double backward.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddjet.detectors.autoencoder.energy_kernels import add_energy_gradient, energies
from oddjet.detectors.autoencoder.network import Network, each_seed


def energy(network: Network, x: Tensor) -> Tensor:
    """Energy E of each point: shape (S, B, D) to (S, B), differentiable."""
    return (x - network.reconstruct(x)).square().mean(-1)


def energy_and_gradient(network: Network, x: Tensor) -> tuple[Tensor, Tensor]:
    """Energy and its gradient with respect to x, both differentiable where gradients are enabled.

    Parameters
    ----------
    network
        S autoencoders.
    x
        Points, shape (S, B, D).

    Returns
    -------
    Energies (S, B) and gradients (S, B, D).
    """
    if network.settings.activation != "relu":
        return _by_autograd(network, x)
    layers = list(zip(network.weights, network.biases, network.activated, strict=True))
    hidden, masks = x, []
    for weight, bias, activated in layers:
        hidden = torch.baddbmm(bias, hidden, weight)
        mask = None
        if activated:
            hidden = torch.relu(hidden)
            mask = (hidden.detach() > 0).to(x.dtype)
        masks.append(mask)
    residual = x - hidden
    backward = residual
    for (weight, _, _), mask in zip(reversed(layers), reversed(masks), strict=True):
        if mask is not None:
            backward = backward * mask
        backward = torch.bmm(backward, weight.mT)
    return residual.square().mean(-1), (residual - backward) * (2.0 / x.shape[-1])


def _by_autograd(network: Network, x: Tensor) -> tuple[Tensor, Tensor]:
    keep = torch.is_grad_enabled()
    with torch.enable_grad():
        point = x if x.requires_grad else x.detach().requires_grad_()
        values = energy(network, point)
        (gradient,) = torch.autograd.grad(values.sum(), point, create_graph=keep)
    return (values, gradient) if keep else (values.detach(), gradient)


def latent_energy_and_gradient(network: Network, latent: Tensor) -> tuple[Tensor, Tensor]:
    """Energy of decoded latent points, E(D(z)), and its gradient with respect to z; not differentiable any further.

    Shapes (S, B, latent) to (S, B) and (S, B, latent).
    """
    with torch.enable_grad():
        point = latent.detach().requires_grad_()
        values = energy(network, network.decode(point))
        (gradient,) = torch.autograd.grad(values.sum(), point)
    return values.detach(), gradient


def measure_energy(network: Network, x: Tensor) -> Tensor:
    """Energy E of each point, without gradients: shape (S, B, D) to (S, B)."""
    if network.compiled:
        return torch.from_numpy(_compiled_energy(network, np.ascontiguousarray(x.detach().numpy())))
    with torch.no_grad():
        return energy(network, x)


def _compiled_energy(network: Network, points: NDArray[np.float32]) -> NDArray[np.float32]:
    result = np.empty(points.shape[:2], np.float32)
    # To wake a thread costs as much as the energies of some thousand points.
    threads = network.threads if result.size > 10_000 else 1
    each_seed(energies, (network.flat.numpy(), points, result), network.structure(), threads)
    return result


class EnergyRecord:
    """Energies of points, kept with what the gradient with respect to the parameters needs.

    The gradient is taken after the energies are known because the losses weight each energy by a function of all of
    them: 1/B for the AE, tanh(E+ - E-)/B for the log-cosh NAE.

    Parameters
    ----------
    network
        S autoencoders.
    x
        Points, shape (S, B, D); no gradient flows to them.
    """

    def __init__(self, network: Network, x: Tensor) -> None:
        self.network = network
        self._inputs: list[Tensor] = []
        self._points: NDArray[np.float32] | None = None
        if network.compiled:
            self._points = np.ascontiguousarray(x.detach().numpy())
            self.energy = torch.from_numpy(_compiled_energy(network, self._points))
            return
        if network.settings.activation != "relu":
            with torch.enable_grad():
                self._graph = energy(network, x.detach())
            self.energy = self._graph.detach()
            return
        with torch.no_grad():
            hidden = x
            for weight, bias, activated in zip(network.weights, network.biases, network.activated, strict=True):
                self._inputs.append(hidden)
                hidden = torch.baddbmm(bias, hidden, weight)
                if activated:
                    hidden.relu_()
            self._residual = hidden.sub_(x)
            self.energy = self._residual.square().mean(-1)

    def add_gradient(self, coefficients: Tensor) -> None:
        """Add the gradient of sum_b coefficients_b E_b, shape (S, B), to the network's gradient."""
        if self._points is not None:
            arrays = (self.network.flat.numpy(), self._points, coefficients.numpy(), self.network.gradient.numpy())
            each_seed(add_energy_gradient, arrays, self.network.structure(), self.network.threads)
            return
        if not self._inputs:
            self.network.add_gradient(self._graph, coefficients)
            return
        network = self.network
        with torch.no_grad():
            backward = self._residual * (coefficients * (2.0 / self._residual.shape[-1])).unsqueeze(-1)
            for layer in reversed(range(len(self._inputs))):
                inputs = self._inputs[layer]
                network.weight_gradients[layer].baddbmm_(inputs.mT, backward)
                network.bias_gradients[layer].add_(backward.sum(1, keepdim=True))
                if layer:
                    backward = torch.bmm(backward, network.weights[layer].mT)
                    if network.activated[layer - 1]:
                        backward.mul_(inputs > 0)
