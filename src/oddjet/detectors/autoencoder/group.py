"""A group of autoencoders, one a seed, as the training loop takes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from oddjet.detectors.autoencoder.batches import BatchPlan
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.detectors.autoencoder.validation_jets import ValidationJets
from oddjet.detectors.registry import kind_named
from oddjet.errors import TrainingError
from oddjet.training.optimiser import Optimiser
from oddjet.training.state import Measured


class Objective(Protocol):
    """What a module of `oddjet.detectors.autoencoder.objectives` builds."""

    selection: str

    def add_gradient(self, network: Network, jets: Tensor, negative: int = 0) -> dict[str, Tensor]:
        """Add the gradient of the loss on jets (S, B, D); return `loss` and what else was measured, (S,) each.

        The last `negative` jets have a negative weight.
        """

    def validate(self, network: Network, rows: ValidationJets, epochs: int = 1) -> dict[str, Tensor]:
        """Measure on validation jets: shape (S,) each, with `selection` and, where it has one, `selection`_error.

        The network has trained for that many epochs since the last validation.
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
    """Import the module of the kind and build its objective: the only place where a training meets a loss."""
    objective: Objective = kind_named(settings.kind).build(settings, seeds, n_features, device, dtype, threads)
    return objective


class BackgroundJets(NamedTuple):
    """Scaled background jets that a group is trained on and validated with.

    Attributes
    ----------
    train, validation
        Shapes (N, D) and (M, D), on the group's device; training jets may also be on the CPU.
    weights, validation_weights
        Shapes (N,) and (M,); None: equal ones.
    """

    train: Tensor
    validation: Tensor
    weights: Tensor | None = None
    validation_weights: Tensor | None = None


class AutoencoderGroup:
    """Networks, optimiser, averages, objective and generators of a group: an `oddjet.training.state.Trainable`.

    Parameters
    ----------
    settings
        The method.
    seeds
        Seeds of the group.
    jets
        What it sees.
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

    Raises
    ------
    TrainingError, TransportError
        No jets, or weights that belong to no law or that the method cannot use.
    """

    def __init__(
        self,
        settings: MethodSettings,
        seeds: Sequence[int],
        jets: BackgroundJets,
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
        threads: int = 1,
    ) -> None:
        if not len(jets.validation):
            raise TrainingError("nothing to validate on: 0 validation jets")
        device, n_features = device or torch.device("cpu"), jets.train.shape[1]
        self.name: str = settings.kind
        self.settings, self.seeds, self.jets = settings, tuple(seeds), jets.train
        self.network = Network(settings.network, n_features, len(seeds), device, dtype)
        # On the CPU whatever the device, so that a seed starts from the same weights everywhere.
        self.network.initialise(Generators(seeds, "initial weights", torch.device("cpu")))
        self.evaluated = self.network
        if settings.training.ema_decay:
            self.evaluated = Network(settings.network, n_features, len(seeds), device, dtype)
            self.evaluated.flat.copy_(self.network.flat)
        self.network.threads = self.evaluated.threads = threads
        self.optimiser = Optimiser(self.network.flat, settings.training)
        self.objective = build_objective(settings, seeds, n_features, device, dtype, threads)
        self.generators = Generators(seeds, "batches", torch.device("cpu"))
        self.plan = BatchPlan(settings, len(jets.train), jets.weights)
        self.validation = ValidationJets(jets.validation, jets.validation_weights)

    @property
    def selection(self) -> str:
        """Measure on validation jets that chooses the epoch."""
        return self.objective.selection

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.network.flat.device

    def batches(self) -> Iterator[tuple[Tensor, int]]:
        """Draw the batches of an epoch: jets (S, B, D), and how many of the last ones are taken away."""
        batches = self.plan.draw(self.generators)
        # Jets that do not fit stay in a file, and their batches are sent one by one.
        indices = batches.indices.to(self.jets.device)
        for number, negative in enumerate(batches.negative):
            yield self.jets[indices[:, number]].to(self.device), negative

    def add_gradient(self, batch: tuple[Tensor, int]) -> Measured:
        """Compute the loss of a batch and its gradient."""
        self.network.gradient.zero_()
        measured = self.objective.add_gradient(self.network, *batch)
        return Measured(measured, self.network.gradient.sum(1))

    def update(self, alive: Tensor, rates: Sequence[float]) -> None:
        """Take the optimiser's step, and move the averaged weights towards the present ones."""
        self.optimiser.step(self.network.gradient, alive, rates)
        if self.evaluated is not self.network:
            self.optimiser.average(self.evaluated.flat, alive)

    def validate(self, epochs: int) -> dict[str, list[float]]:
        """Measure on the validation jets."""
        measured = self.objective.validate(self.evaluated, self.validation, epochs)
        return {name: value.tolist() for name, value in measured.items()}

    def weights(self) -> Tensor:
        """Copy the parameters that are validated, shape (S, P), to the CPU."""
        return self.evaluated.flat.detach().cpu().clone()

    def state_dict(self) -> dict[str, Any]:
        """Return parameters, averages, moments, buffers and generators."""
        return {
            "network": self.network.flat.clone(),
            "evaluated": self.evaluated.flat.clone(),
            "optimiser": self.optimiser.state_dict(),
            "objective": self.objective.state_dict(),
            "generators": self.generators.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        self.network.flat.copy_(state["network"])
        self.evaluated.flat.copy_(state["evaluated"])
        for name in ("optimiser", "objective", "generators"):
            getattr(self, name).load_state_dict(state[name])
