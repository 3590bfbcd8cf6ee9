"""Validation jets of every autoencoder: means take all of them with weights, transport takes samples of equal weight.

Apart from what moves chains: the plain autoencoder is judged by the mean energy of jets alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddjet.transport.laws import Law, check_weights, draw_laws


def signed_mean(energies: Tensor, negative: int = 0) -> Tensor:
    """Mean energy of jets of which the last `negative` ones are taken away: shape (S, B) to (S,).

    Summed in double precision, so that the order of the sum shows in no digit of a single one.
    """
    size = energies.shape[1]
    if energies.device.type == "cpu" and not negative:
        array = energies.numpy()
        return torch.from_numpy((array.sum(-1, dtype=np.float64) / size).astype(array.dtype))
    total = energies.double().sum(-1)
    if negative:
        total = total - 2.0 * energies[:, size - negative :].double().sum(-1)
    return (total / (size - 2 * negative)).to(energies.dtype)


class ValidationJets:
    """Validation jets of a training.

    Parameters
    ----------
    jets
        Scaled jets, shape (N, D).
    weights
        Weights, shape (N,), of either sign; left out: equal ones.

    Raises
    ------
    TransportError
        A weight is not finite, or they do not add up to more than 0.
    """

    def __init__(self, jets: Tensor, weights: Tensor | None = None) -> None:
        self.jets = jets
        given: NDArray[np.floating[Any]] = np.ones(len(jets)) if weights is None else weights.cpu().numpy()
        self.weights = check_weights(given, "validation jets")
        shares = torch.from_numpy(self.weights / self.weights.sum())
        self._shares = shares.to(jets.device)
        self._samples: dict[tuple[int, int], list[Law]] = {}

    def mean(self, energies: Tensor) -> Tensor:
        """Weighted mean of the energies of all jets, shape (S, N) to (S,)."""
        return (energies.double() @ self._shares).to(energies.dtype)

    def samples(self, size: int, draws: int) -> list[Law]:
        """Draw samples of equal weight, always the same ones; see `draw_laws`."""
        key = size, draws
        if key not in self._samples:
            self._samples[key] = draw_laws(self.jets.cpu().numpy(), self.weights, size, draws)
        return self._samples[key]
