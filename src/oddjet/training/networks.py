"""Groups of torch modules, one a seed, as the training loop takes them: flows, image VAEs, classifiers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from oddjet.errors import TrainingError
from oddjet.training.settings import Schedule
from oddjet.training.state import Measured

NetworkT = TypeVar("NetworkT", bound=nn.Module)


class Objective(Protocol):
    """What one seed minimises, and the jets that it sees."""

    @property
    def network(self) -> nn.Module:
        """The network with its initial weights."""

    @property
    def jets(self) -> int:
        """Number of training jets."""

    @property
    def validation_jets(self) -> int:
        """Number of validation jets."""

    def loss(self, network: nn.Module, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean loss of training jets, differentiable."""

    def validation_loss(self, network: nn.Module) -> float:
        """Return the mean loss of the validation jets; equal weights give an equal number."""


def seeded(build: Callable[[], NetworkT], seed: int) -> NetworkT:
    """Build a network with initial weights of its own; torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


class NetworkGroup:
    """A `Trainable` of torch modules; no seed's numbers depend on the others of its group.

    Parameters
    ----------
    name
        For the log.
    objectives
        One a seed, all with as many training jets.
    seeds
        Of batches and of what the losses draw.
    schedule
        Optimiser, size of a batch, averages.

    Raises
    ------
    TrainingError
        There are no training or no validation jets.
    """

    selection = "loss"
    device = torch.device("cpu")

    def __init__(self, name: str, objectives: Sequence[Objective], seeds: Sequence[int], schedule: Schedule) -> None:
        for objective in objectives:
            if not objective.jets or not objective.validation_jets:
                raise TrainingError(
                    f"{name}: {objective.jets} training and {objective.validation_jets} validation jets; give one at "
                    "least of each"
                )
        self.name, self.objectives, self.seeds, self.schedule = name, list(objectives), tuple(seeds), schedule
        self.networks = [objective.network for objective in objectives]
        self.evaluated = self.networks
        if schedule.ema_decay:
            self.evaluated = [copy.deepcopy(network) for network in self.networks]
        self.optimisers = [_optimiser(network, schedule) for network in self.networks]
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.steps = 0
        self._training = [True for _ in seeds]

    def batches(self) -> Iterator[tuple[Tensor, ...]]:
        """Draw the rows of an epoch's batches, for each seed its own: every jet once."""
        orders = [
            torch.randperm(objective.jets, generator=generator)
            for objective, generator in zip(self.objectives, self.generators, strict=True)
        ]
        yield from zip(*(order.split(self.schedule.batch_size) for order in orders), strict=True)  # type: ignore[no-untyped-call]

    def add_gradient(self, batch: Sequence[Tensor]) -> Measured:
        """Compute the losses of a batch and their gradient; of a seed that has ended nothing."""
        losses, sums = (torch.zeros(len(self.seeds), dtype=torch.float64) for _ in range(2))
        for index, rows in enumerate(batch):
            if not self._training[index]:
                continue
            self.optimisers[index].zero_grad()
            loss = self.objectives[index].loss(self.networks[index], rows, self.generators[index])
            loss.backward()  # type: ignore[no-untyped-call]
            losses[index] = loss.detach()
            for parameter in self.networks[index].parameters():
                if parameter.grad is not None:
                    sums[index] += parameter.grad.sum()
        return Measured({"loss": losses}, sums, float(len(batch[0])))

    def update(self, alive: Tensor, rates: Sequence[float]) -> None:
        """Take the optimiser's step with the seeds that are alive."""
        self.steps += 1
        self._training = alive.tolist()
        for index, rate in enumerate(rates):
            if not self._training[index]:
                continue
            optimiser = self.optimisers[index]
            for group in optimiser.param_groups:
                group["lr"] = rate
            if self.schedule.optimiser == "sgd" and self.schedule.weight_decay:
                with torch.no_grad():
                    for parameter in self.networks[index].parameters():
                        parameter.mul_(1.0 - rate * self.schedule.weight_decay)
            optimiser.step()
            self._average(index)

    def _average(self, index: int) -> None:
        if self.evaluated is self.networks:
            return
        # As for the autoencoders: the first steps average over about a tenth of the steps so far.
        decay = min(self.schedule.ema_decay, (1.0 + self.steps) / (10.0 + self.steps))
        pairs = zip(self.evaluated[index].parameters(), self.networks[index].parameters(), strict=True)
        with torch.no_grad():
            for average, present in pairs:
                average.lerp_(present, 1.0 - decay)

    def validate(self, epochs: int = 1) -> dict[str, list[float]]:
        """Measure the mean loss of the validation jets."""
        pairs = zip(self.objectives, self.evaluated, strict=True)
        with torch.no_grad():
            return {"loss": [objective.validation_loss(network) for objective, network in pairs]}

    def weights(self) -> list[dict[str, Tensor]]:
        """Copy the weights of each seed, by name."""
        return [
            {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
            for network in self.evaluated
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return weights, averages, optimisers and generators."""
        return {
            "networks": [network.state_dict() for network in self.networks],
            "evaluated": self.weights(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "generators": [generator.get_state() for generator in self.generators],
            "steps": self.steps,
            "training": list(self._training),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where a state was taken."""
        for index, network in enumerate(self.networks):
            network.load_state_dict(state["networks"][index])
            self.evaluated[index].load_state_dict(state["evaluated"][index])
            self.optimisers[index].load_state_dict(state["optimisers"][index])
            self.generators[index].set_state(state["generators"][index])
        self.steps, self._training = int(state["steps"]), list(state["training"])


def _optimiser(network: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    rate = schedule.learning_rate
    if schedule.optimiser == "sgd":
        return torch.optim.SGD(network.parameters(), lr=rate, momentum=schedule.momentum)
    return torch.optim.AdamW(network.parameters(), lr=rate, betas=schedule.betas, weight_decay=schedule.weight_decay)
