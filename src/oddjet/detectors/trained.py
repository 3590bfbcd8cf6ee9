"""Baselines with epochs: one loop for all networks whose loss is the mean of their score."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Mapping
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddjet.detectors.baseline_settings import DeepSvdd, NeuralSplineFlow, Trained
from oddjet.errors import DetectorError

LOGGER = logging.getLogger("oddjet")


class Detector(Protocol):
    """A network from scaled jets (n, D) to scores (n,), a `torch.nn.Module` with one method more."""

    def prepare(self, jets: Tensor, weights: Tensor | None) -> None:
        """Take from the training jets (n, D), with weights (n,), what is fixed before the first epoch."""

    def __call__(self, jets: Tensor) -> Tensor:
        """Score jets; the mean is the loss."""


class TrainedScore:
    """A trained network as a function from jets to scores.

    Parameters
    ----------
    network : torch.nn.Module
        See `Detector`; computes in float64 from here on, so that scores do not depend on how many come at a time.
    epoch : int
        The epoch that its weights are of.
    """

    def __init__(self, network: torch.nn.Module, epoch: int) -> None:
        self.network, self.epoch = network.double().eval(), epoch

    def __call__(self, jets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score scaled jets (n, D); shape (n,), larger is more anomalous."""
        with torch.no_grad():
            return np.asarray(self.network(torch.from_numpy(np.ascontiguousarray(jets, dtype=np.float64))).numpy())

    def state(self) -> dict[str, Tensor]:
        """Give the weights by name."""
        return {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}


def build(settings: Trained, n_features: int) -> torch.nn.Module:
    """Build the network of a kind for D features, in float32, from torch's global random numbers."""
    if isinstance(settings, NeuralSplineFlow):
        from oddjet.detectors.flow import Flow

        return Flow(settings, n_features)
    if isinstance(settings, DeepSvdd):
        from oddjet.detectors.svdd import Svdd

        return Svdd(settings, n_features)
    raise DetectorError(f"{type(settings).__name__}: no network of this kind")


def restore(settings: Trained, n_features: int, state: Mapping[str, Tensor], epoch: int) -> TrainedScore:
    """Rebuild what `TrainedScore.state` gave; raises `RuntimeError` if it is another network's."""
    score = TrainedScore(_seeded(settings, n_features, 0), epoch)
    score.network.load_state_dict(state)
    return score


def train(
    settings: Trained,
    jets: NDArray[np.floating[Any]],
    validation: NDArray[np.floating[Any]],
    seed: int,
    weights: NDArray[np.float64] | None = None,
    validation_weights: NDArray[np.float64] | None = None,
) -> TrainedScore:
    """Train a network on background jets.

    Parameters
    ----------
    settings : Trained
        Kind, widths, epochs.
    jets, validation : ndarray, shapes (n, D) and (m, D)
        Scaled background jets; the lowest loss on `validation` chooses the epoch.
    seed : int
        Of the initial weights and the batches.
    weights, validation_weights : ndarray, shapes (n,) and (m,), optional
        How much each jet counts in the loss; all the same if not given. Single ones may be negative.

    Returns
    -------
    TrainedScore

    Raises
    ------
    DetectorError
        If no epoch has a finite loss on the validation jets.
    """
    inputs, held_out = (torch.from_numpy(np.asarray(part, dtype=np.float32)) for part in (jets, validation))
    factors, held_out_factors = (_relative(given) for given in (weights, validation_weights))
    network = _seeded(settings, inputs.shape[1], seed)
    score = cast("Detector", network)
    with torch.no_grad():
        score.prepare(inputs, factors)
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=getattr(settings, "weight_decay", 0.0)
    )
    generator = torch.Generator().manual_seed(seed)
    best, best_epoch, best_state = math.inf, 0, network.state_dict()
    for epoch in range(1, settings.epochs + 1):
        for rows in torch.split(torch.randperm(len(inputs), generator=generator), settings.batch_size):
            optimiser.zero_grad()
            _mean(score(inputs[rows]), None if factors is None else factors[rows]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        with torch.no_grad():
            loss = float(_mean(score(held_out), held_out_factors))
        if loss < best:
            best, best_epoch, best_state = loss, epoch, copy.deepcopy(network.state_dict())
        elif epoch - best_epoch >= settings.stop_after:
            break
    if not best_epoch:
        raise DetectorError(
            f"{type(settings).__name__}, seed {seed}: the loss on the validation jets is not finite; "
            "lower learning_rate"
        )
    network.load_state_dict(best_state)
    LOGGER.info("seed %d: epoch %d of %d, validation loss %.5g", seed, best_epoch, epoch, best)
    return TrainedScore(network, best_epoch)


def _relative(weights: NDArray[np.float64] | None) -> Tensor | None:
    """Return weights with the mean 1, float32."""
    return None if weights is None else torch.from_numpy((weights / weights.mean()).astype(np.float32))


def _mean(losses: Tensor, factors: Tensor | None) -> Tensor:
    """Return the mean of losses (n,), each times its factor: a batch of heavy jets counts for more than a light one."""
    return losses.mean() if factors is None else (losses * factors).mean()


def _seeded(settings: Trained, n_features: int, seed: int) -> torch.nn.Module:
    """Build a network with initial weights of its own; torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build(settings, n_features)
