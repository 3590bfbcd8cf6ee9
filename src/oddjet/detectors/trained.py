"""Baselines with epochs: networks whose loss is the mean of their score, trained by the loop of all networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from oddjet.detectors.baseline_settings import Trained
from oddjet.detectors.registry import kind_named
from oddjet.training.checkpoint import Checkpoints
from oddjet.training.history import HistoryFile
from oddjet.training.loop import fit
from oddjet.training.networks import NetworkGroup, seeded


class ScoringNetwork(Protocol):
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
        See `ScoringNetwork`; computes in float64 from here on, so that scores do not depend on how many come at a time.
    epoch : int
        The epoch that its weights are of.
    """

    def __init__(self, network: nn.Module, epoch: int) -> None:
        self.network, self.epoch = network.double().eval(), epoch

    def __call__(self, jets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score scaled jets (n, D); shape (n,), larger is more anomalous."""
        with torch.no_grad():
            return np.asarray(self.network(torch.from_numpy(np.ascontiguousarray(jets, dtype=np.float64))).numpy())

    def state(self) -> dict[str, Tensor]:
        """Return the weights by name."""
        return {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}


class MeanScore:
    """The objective of one seed: the mean score of its jets, by weight.

    Parameters
    ----------
    network : torch.nn.Module
        See `ScoringNetwork`.
    jets, validation : Tensor, shapes (n, D) and (m, D), float32
        Scaled background jets.
    weights, validation_weights : Tensor, shapes (n,) and (m,), optional
        How much each jet counts, with the mean 1.
    """

    def __init__(
        self,
        network: nn.Module,
        jets: Tensor,
        validation: Tensor,
        weights: Tensor | None = None,
        validation_weights: Tensor | None = None,
    ) -> None:
        self.network, self._jets, self._validation = network, jets, validation
        self._weights, self._validation_weights = weights, validation_weights
        with torch.no_grad():
            cast("ScoringNetwork", network).prepare(jets, weights)

    @property
    def jets(self) -> int:
        """Number of training jets."""
        return len(self._jets)

    @property
    def validation_jets(self) -> int:
        """Number of validation jets."""
        return len(self._validation)

    def loss(self, network: nn.Module, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean score of training jets."""
        return _mean(network(self._jets[rows]), None if self._weights is None else self._weights[rows])

    def validation_loss(self, network: nn.Module) -> float:
        """Return the mean score of the validation jets."""
        return float(_mean(network(self._validation), self._validation_weights))


def build(settings: Trained, n_features: int) -> nn.Module:
    """Build the network of a kind for D features, in float32, from torch's global random numbers."""
    network: nn.Module = kind_named(settings.kind).build(settings, n_features)
    return network


def restore(settings: Trained, n_features: int, state: Mapping[str, Tensor], epoch: int) -> TrainedScore:
    """Rebuild what `TrainedScore.state` gave; raises `RuntimeError` if it is another network's."""
    score = TrainedScore(seeded(lambda: build(settings, n_features), 0), epoch)
    score.network.load_state_dict(state)
    return score


def train(
    settings: Trained,
    jets: Iterable[NDArray[np.floating[Any]]],
    validation: NDArray[np.floating[Any]],
    seeds: Sequence[int],
    weights: Sequence[NDArray[np.float64] | None] | None = None,
    validation_weights: NDArray[np.float64] | None = None,
    checkpoints: Checkpoints | None = None,
    history: HistoryFile | None = None,
) -> list[TrainedScore]:
    """Train a network a seed on background jets; no seed's numbers depend on the others.

    Parameters
    ----------
    settings : Trained
        Kind, widths, schedule.
    jets : sequence of ndarray, shapes (n, D)
        Scaled background jets of each seed.
    validation : ndarray, shape (m, D)
        Scaled background jets; the lowest loss on them chooses the epoch.
    seeds : sequence of int
        Of the initial weights and the batches.
    weights, validation_weights : ndarrays, shapes (n,) for each seed and (m,), optional
        How much each jet counts in the loss; all the same if not given. Single ones may be negative.
    checkpoints, history
        See `oddjet.training.loop.fit`.

    Raises
    ------
    TrainingError, TrainingError
        See `oddjet.training.loop.fit` and `oddjet.training.networks.NetworkGroup`.
    """
    held_out, held_out_weights = _single(validation), _relative(validation_weights)
    objectives = []
    for own, own_weights, seed in zip(jets, weights or [None] * len(seeds), seeds, strict=True):
        network = seeded(lambda own=own: build(settings, own.shape[1]), seed)  # type: ignore[misc]
        objectives.append(MeanScore(network, _single(own), held_out, _relative(own_weights), held_out_weights))
    group = NetworkGroup(type(settings).__name__, objectives, seeds, settings.training)
    state = fit(group, settings.training, checkpoints, history)
    for network, weights_of_best in zip(group.networks, state.chosen(), strict=True):
        network.load_state_dict(weights_of_best)
    return [TrainedScore(network, epoch) for network, epoch in zip(group.networks, state.best_epochs, strict=True)]


def _single(jets: NDArray[np.floating[Any]]) -> Tensor:
    return torch.from_numpy(np.asarray(jets, dtype=np.float32))


def _relative(weights: NDArray[np.float64] | None) -> Tensor | None:
    """Return weights with the mean 1, float32."""
    return None if weights is None else torch.from_numpy((weights / weights.mean()).astype(np.float32))


def _mean(losses: Tensor, factors: Tensor | None) -> Tensor:
    """Return the mean of losses (n,), each times its factor: a batch of heavy jets counts for more than a light one."""
    return losses.mean() if factors is None else (losses * factors).mean()
