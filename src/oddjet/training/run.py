"""Train a method's group of seeds from files to files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from oddjet.dataset.scaler_file import method_scaler
from oddjet.detectors.autoencoder.detector import snapshot_parameters
from oddjet.detectors.autoencoder.settings import OBJECTIVES
from oddjet.detectors.cards import Card
from oddjet.detectors.file import content_of, write
from oddjet.errors import TrainingError
from oddjet.provenance.attributes import attributes
from oddjet.training.checkpoint import Checkpoints, checkpoint_digest
from oddjet.training.history import write_history
from oddjet.training.interrupt import Interruption
from oddjet.training.jets import read_jets
from oddjet.training.loop import train
from oddjet.training.method import MethodSettings
from oddjet.training.state import TrainingState

LOGGER = logging.getLogger("oddjet")


@dataclass(frozen=True)
class TrainingFiles:
    """What a training reads: background jets alone, and the scaler fitted on them."""

    train: Path
    validation: Path
    scaler: Path

    def paths(self) -> tuple[Path, Path, Path]:
        """All of them, for the provenance."""
        return self.train, self.validation, self.scaler


def train_method(
    method: str,
    settings: MethodSettings,
    seeds: Sequence[int],
    files: TrainingFiles,
    output: Path,
    threads: int = 1,
) -> None:
    """Train a group of seeds and write model.pt, snapshots.pt and history.csv into a folder.

    A training that was killed goes on from the folder's checkpoint, if nothing that it is made from has changed.

    Parameters
    ----------
    method
        Name of the method, for the tables.
    settings
        The method's settings.
    seeds
        Seeds trained together; each one's numbers are independent of the others.
    files
        Training and validation table, scaler.
    output
        Folder `results/jets/models/{method}/{group}`.
    threads
        CPU threads; they change no number.

    Raises
    ------
    TrainingError
        No seeds or the same twice, no CUDA device where one is asked for.
    TrainingError, TableError, DatasetError, TrainingError, TransportError
        See `oddjet.training.loop.train`, `oddjet.io.tables.read_table` and `oddjet.dataset.scaling`.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise TrainingError(f"seeds: give at least one, each once, not {list(seeds)}")
    device = choose_device(settings.training.device)
    # The tensors are small: torch's own threads cost more than they bring. Threads are for seeds.
    torch.set_num_threads(1)
    record = attributes("train_model", settings.model_dump_json(), files.paths(), OBJECTIVES[settings.kind])
    scaler = method_scaler(settings.scaling, files.scaler, files.train)
    memory_mb = settings.training.memory_mb
    jets, weights = read_jets(files.train, scaler, device, memory_mb, output)
    validation, validation_weights = read_jets(files.validation, scaler, device, float("inf"), output)
    LOGGER.info(
        "%s: seeds %s on %s, %d training and %d validation jets",
        method,
        list(seeds),
        device,
        len(jets),
        len(validation),
    )
    state = TrainingState(settings, seeds, len(scaler.names), device, threads=threads)
    checkpoints = Checkpoints(
        output / "checkpoints", checkpoint_digest(record, seeds, device.type), settings.training.checkpoint_seconds
    )
    checkpoints.resume(state)
    train_until_told(state, (jets, weights), (validation, validation_weights), checkpoints)
    selection = {
        "metric": f"{state.objective.selection}_validation",
        "values": state.best_values,
        "lowest": [choice.lowest for choice in state.choices],
        "errors": [choice.error for choice in state.choices],
    }
    stopped = {str(seed): epoch for seed, epoch in state.guard.stopped.items()}
    write_results(output, state, Card(method, settings, scaler, record, selection, stopped))
    checkpoints.discard()


def train_until_told(
    state: TrainingState, jets: tuple[Tensor, Tensor], validation: tuple[Tensor, Tensor], checkpoints: Checkpoints
) -> None:
    """Train on jets and validate on others, each with weights.

    On SIGTERM or SIGUSR1 end the epoch, keep it, and raise `TrainingError`.
    """
    with Interruption() as interruption:

        def after_epoch(state: TrainingState) -> None:
            # A last epoch is done: writing its results takes no longer than a checkpoint.
            if interruption.name is None or state.epoch == state.settings.training.epochs:
                checkpoints.after_epoch(state)
                return
            checkpoints.write(state)
            raise TrainingError(
                f"{interruption.name} received: the training stops after epoch {state.epoch} of"
                f" {state.settings.training.epochs} and keeps it in {checkpoints.path}."
                " Start it again to go on from there."
            )

        train(state, jets[0], validation[0], jets[1], validation[1], after_epoch)


def write_results(output: Path, state: TrainingState, card: Card) -> None:
    """Write history.csv, snapshots.pt and model.pt, each whole or not at all."""
    write_history(output / "history.csv", card.method, state.history)
    network, kept = state.network, state.all_snapshots()
    epochs = [epoch for epoch, _ in kept]
    write(output / "snapshots.pt", content_of(snapshot_parameters(network, kept), state.seeds, epochs, card))
    write(output / "model.pt", content_of(network.parameters(state.chosen()), state.seeds, state.best_epochs, card))


def choose_device(name: str) -> torch.device:
    """Turn auto, cpu or cuda into a device; raises `TrainingError` when there is no CUDA device for cuda."""
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise TrainingError("training.device is cuda and torch finds no CUDA device; set it to auto or cpu")
    return torch.device("cuda" if name != "cpu" and available else "cpu")
