"""The training loop of networks on images: Adam, a falling learning rate, the best epoch (arXiv:2110.06948)."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from oddjet.errors import TrainingError
from oddjet.images.vae_settings import VaeSettings
from oddjet.training.checkpoint import Checkpoints
from oddjet.training.interrupt import Interruption

LOGGER = logging.getLogger("oddjet")
# Shortest time between two checkpoints (s).
CHECKPOINT_SECONDS = 60.0


class Objective(Protocol):
    """What is minimised."""

    @property
    def jets(self) -> int:
        """Number of training jets."""

    def loss(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Give the mean loss of training jets, differentiable."""

    def validation_loss(self) -> float:
        """Give the mean loss of the validation jets; equal weights give an equal number."""


class ImageTraining:
    """A training at one moment.

    Parameters
    ----------
    network
        What is trained.
    settings
        Schedule and seed.

    Attributes
    ----------
    epoch
        Epochs that were run.
    best_loss, best_epoch, best_parameters
        The lowest validation loss, its epoch, and the weights then.
    waited
        Epochs without improvement: since the best one, and since the learning rate was lowered.
    history
        One row an epoch: epoch, loss_train, loss_validation, learning_rate, seconds.
    """

    def __init__(self, network: nn.Module, settings: VaeSettings) -> None:
        self.network, self.settings = network, settings
        self.optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.epoch, self.best_epoch, self.best_loss = 0, 0, math.inf
        self.best_parameters = copy.deepcopy(network.state_dict())
        self.waited = [0, 0]
        self.history: list[dict[str, float]] = []

    @property
    def learning_rate(self) -> float:
        """Adam's learning rate now."""
        return float(self.optimiser.param_groups[0]["lr"])

    def judge(self, loss: float) -> None:
        """Take in the validation loss of the epoch that was just run: keep the weights, or lower the learning rate."""
        if loss < self.best_loss:
            self.best_loss, self.best_epoch, self.waited = loss, self.epoch, [0, 0]
            self.best_parameters = copy.deepcopy(self.network.state_dict())
            return
        self.waited = [self.waited[0] + 1, self.waited[1] + 1]
        if self.waited[1] >= self.settings.learning_rate_patience:
            lowered = max(self.learning_rate * self.settings.learning_rate_factor, self.settings.learning_rate_floor)
            self.optimiser.param_groups[0]["lr"], self.waited[1] = lowered, 0

    @property
    def stopped(self) -> bool:
        """Whether the validation loss has not improved for as long as the settings say."""
        return self.waited[0] >= self.settings.stop_after

    def state_dict(self) -> dict[str, Any]:
        """Give what a checkpoint holds."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
            "best": self.best_parameters,
            "numbers": [self.epoch, self.best_epoch, self.best_loss, *self.waited],
            "history": self.history,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.generator.set_state(state["generator"])
        self.best_parameters, self.history = state["best"], list(state["history"])
        self.epoch, self.best_epoch, self.best_loss, *self.waited = state["numbers"]


def seeded(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Build a network with initial weights of its own; torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def train_until_done(training: ImageTraining, objective: Objective, epochs: int, folder: Path, digest: str) -> None:
    """Train to the last epoch, or until validation no longer improves; the network has its best weights then.

    A training that was killed goes on from the checkpoint in `folder`, if nothing that it is made from has changed.

    Parameters
    ----------
    training
        From its beginning.
    objective
        Loss on training and validation jets.
    epochs
        Passes over the training jets, at most.
    folder
        Of the results; `checkpoints` lies in it.
    digest
        What the training is made from, see `oddjet.training.checkpoint.checkpoint_digest`.

    Raises
    ------
    TrainingError
        There are no training jets, or no epoch had a finite validation loss.
        SIGTERM or SIGUSR1 came; the epoch was ended and kept.
    """
    if not objective.jets:
        raise TrainingError("nothing to train on: the file of training images holds no jet")
    checkpoints = Checkpoints(folder / "checkpoints", digest, CHECKPOINT_SECONDS)
    checkpoints.resume(training)
    with Interruption() as interruption:
        while training.epoch < epochs and not training.stopped:
            _run_epoch(training, objective)
            if interruption.name is not None and training.epoch < epochs:
                checkpoints.write(training)
                raise TrainingError(
                    f"{interruption.name} received: the training stops after epoch {training.epoch} and keeps it in"
                    f" {checkpoints.path}. Start it again to go on from there."
                )
            checkpoints.after_epoch(training)
    if not training.best_epoch:
        raise TrainingError("the validation loss was finite in no epoch; lower images.vae.learning_rate")
    training.network.load_state_dict(training.best_parameters)
    training.network.eval()
    checkpoints.discard()


def _run_epoch(training: ImageTraining, objective: Objective) -> None:
    start = time.monotonic()
    total = 0.0
    order = torch.randperm(objective.jets, generator=training.generator)
    for rows in torch.split(order, training.settings.batch_size):
        training.optimiser.zero_grad()
        loss = objective.loss(rows, training.generator)
        loss.backward()  # type: ignore[no-untyped-call]
        training.optimiser.step()
        total += float(loss.detach()) * len(rows)
    training.epoch += 1
    with torch.no_grad():
        validation = objective.validation_loss()
    row = {
        "epoch": training.epoch,
        "loss_train": total / objective.jets,
        "loss_validation": validation,
        "learning_rate": training.learning_rate,
        "seconds": time.monotonic() - start,
    }
    training.history.append(row)
    training.judge(validation)
    LOGGER.info("epoch %d: loss %.6g, validation %.6g, %.1f s", *(row[name] for name in list(row)[:3]), row["seconds"])
