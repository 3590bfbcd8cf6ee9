"""Terms that keep energies and weights small (Yoon et al., Autoencoding under normalization constraints, 2021)."""

from __future__ import annotations

import torch
from torch import Tensor

from oddjet.models.networks import Network
from oddjet.models.settings import LossSettings


def add_weight_norms(network: Network, settings: LossSettings) -> Tensor:
    """Add the gradients of the squared weight norms to the network's; return the terms of the loss, shape (S,).

    Biases are left out, as in Yoon et al.
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
