"""Everything that a training of a group of seeds consists of at one moment."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

import torch
from torch import Tensor

from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import OBJECTIVES
from oddjet.detectors.autoencoder.validation_jets import ValidationJets
from oddjet.detectors.epoch_choice import EpochChoice
from oddjet.training.guard import Guard
from oddjet.training.method import MethodSettings
from oddjet.training.optimiser import Adam, move_towards


class Objective(Protocol):
    """What a module of `oddjet.detectors.autoencoder.objectives` builds."""

    selection: str

    def add_gradient(self, network: Network, jets: Tensor, negative: int = 0) -> dict[str, Tensor]:
        """Add the gradient of the loss on jets (S, B, D); return `loss` and what else was measured, (S,) each.

        The last `negative` jets have a negative weight.
        """

    def validate(self, network: Network, rows: ValidationJets, epochs: int = 1) -> dict[str, Tensor]:
        """Measure on validation jets: shape (S,) each, with `selection` and, where it has one, `selection`_error.

        The network has trained for so many epochs since the last validation.
        """

    def state_dict(self) -> dict[str, Any]:
        """State of buffers and generators."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""


def build_objective(
    settings: MethodSettings,
    seeds: Sequence[int],
    n_features: int,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    threads: int = 1,
) -> Objective:
    """Import the module of the kind and build its objective: the only place where the loop meets a loss."""
    module = importlib.import_module(OBJECTIVES[settings.kind])
    objective: Objective = module.build(settings, seeds, n_features, device, dtype, threads)
    return objective


class TrainingState:
    """Networks, optimiser, averages, objective, generators and records of a group, after some epoch.

    Parameters
    ----------
    settings
        The method.
    seeds
        Seeds of the group.
    n_features
        Features D.
    device, dtype
        Where and in which precision.
    threads
        Seeds treated at the same time on the CPU; changes no number.

    Attributes
    ----------
    network
        The networks that are trained.
    evaluated
        The networks that are validated and kept: averages, or the same as `network` when there is no averaging.
    epoch, validated
        Epochs done, and the last one of them that was validated.
    best
        Parameters of all seeds at the epoch of each that is kept, shape (S, S, P).
    choices
        Which epoch of each seed that is, and its selection metric.
    history
        Rows of the history.
    snapshots
        Pairs of an epoch and parameters (S, P).
    """

    def __init__(
        self,
        settings: MethodSettings,
        seeds: Sequence[int],
        n_features: int,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        threads: int = 1,
    ) -> None:
        self.settings = settings
        self.seeds = tuple(seeds)
        self.network = Network(settings.network, n_features, len(seeds), device, dtype)
        # On the CPU whatever the device, so that a seed starts from the same weights everywhere.
        self.network.initialise(Generators(seeds, "initial weights", torch.device("cpu")))
        self.evaluated = self.network
        if settings.training.ema_decay:
            self.evaluated = Network(settings.network, n_features, len(seeds), device, dtype)
            self.evaluated.flat.copy_(self.network.flat)
        self.network.threads = self.evaluated.threads = threads
        self.optimiser = Adam(self.network.flat, settings.training)
        self.objective = build_objective(settings, seeds, n_features, device, dtype, threads)
        self.batches = Generators(seeds, "batches", torch.device("cpu"))
        self.guard = Guard(seeds, device)
        self.epoch = 0
        self.validated = 0
        self.best = self.network.flat.expand(len(seeds), *self.network.flat.shape).clone()
        self.choices = [EpochChoice() for _ in seeds]
        self.history: list[dict[str, float]] = []
        self.snapshots: list[tuple[int, Tensor]] = []

    def average(self) -> None:
        """Move the averaged weights towards the present ones, those of seeds that are alive."""
        if self.evaluated is self.network:
            return
        steps = self.optimiser.steps
        # The first steps average over about a tenth of the steps so far, or the initial weights would linger.
        decay = min(self.settings.training.ema_decay, (1.0 + steps) / (10.0 + steps))
        averages, flat, alive = self.evaluated.flat, self.network.flat, self.guard.alive
        if flat.device.type == "cpu":
            share = flat.numpy().dtype.type(1.0 - decay)
            move_towards(averages.numpy(), flat.numpy(), alive.numpy(), share)
            return
        averages.lerp_(flat, alive.to(flat.dtype).mul_(1.0 - decay).unsqueeze(1))

    @property
    def best_epochs(self) -> list[int]:
        """Epoch of each seed that is kept; 0: none yet."""
        return [choice.epoch for choice in self.choices]

    @property
    def best_values(self) -> list[float]:
        """Selection metric of each seed at that epoch; infinite: none yet."""
        return [choice.value for choice in self.choices]

    def select(self, validated: Sequence[Mapping[str, float]]) -> None:
        """Keep the parameters of the seeds that are to be kept at this epoch; see `EpochChoice`.

        Parameters
        ----------
        validated
            What was measured, by seed; empty for a seed that has stopped before.
        """
        metric = self.objective.selection
        for index, measured in enumerate(validated):
            value, error = measured.get(metric, math.inf), measured.get(f"{metric}_error", 0.0)
            if self.choices[index].offer(self.epoch, value, error):
                self.best[index] = self.evaluated.flat

    def chosen(self) -> Tensor:
        """Parameters of each seed at its best epoch, shape (S, P)."""
        return torch.stack([self.best[index, index] for index in range(len(self.seeds))])

    def all_snapshots(self) -> list[tuple[int, Tensor]]:
        """Snapshots in the order of their epochs, those of the best epochs among them."""
        kept = dict(self.snapshots)
        for epoch, flat in zip(self.best_epochs, self.best, strict=True):
            kept.setdefault(epoch, flat.cpu())
        return sorted(kept.items())

    def state_dict(self) -> dict[str, Any]:
        """Everything that a training needs to go on as if it had not stopped: tensors and plain values."""
        return {
            "network": self.network.flat.clone(),
            "evaluated": self.evaluated.flat.clone(),
            "optimiser": self.optimiser.state_dict(),
            "objective": self.objective.state_dict(),
            "batches": self.batches.state_dict(),
            "guard": self.guard.state_dict(),
            "epoch": self.epoch,
            "validated": self.validated,
            "best": self.best.clone(),
            "choices": [asdict(choice) for choice in self.choices],
            "history": [dict(row) for row in self.history],
            "snapshots": [(epoch, flat.clone()) for epoch, flat in self.snapshots],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.network.flat.copy_(state["network"])
        self.evaluated.flat.copy_(state["evaluated"])
        for name in ("optimiser", "objective", "batches", "guard"):
            getattr(self, name).load_state_dict(state[name])
        self.epoch, self.validated = state["epoch"], state["validated"]
        self.best.copy_(state["best"])
        self.choices = [EpochChoice(**choice) for choice in state["choices"]]
        self.history = [dict(row) for row in state["history"]]
        self.snapshots = [(epoch, flat.clone()) for epoch, flat in state["snapshots"]]
