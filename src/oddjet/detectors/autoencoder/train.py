"""Train a method's group of seeds from files to files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from oddjet.dataset.jet_settings import read_jet_settings
from oddjet.dataset.scaler_file import Inputs, method_scaler
from oddjet.detectors.autoencoder.batches import read_jets
from oddjet.detectors.autoencoder.detector import snapshot_parameters
from oddjet.detectors.autoencoder.group import AutoencoderGroup, BackgroundJets
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.detectors.cards import Card
from oddjet.detectors.file import content_of, write
from oddjet.detectors.registry import kind_named
from oddjet.errors import TrainingError
from oddjet.provenance.attributes import attributes
from oddjet.training.checkpoint import Checkpoints, checkpoint_digest
from oddjet.training.history import HistoryFile, write_history
from oddjet.training.loop import fit
from oddjet.training.state import TrainingState

LOGGER = logging.getLogger("oddjet")


def train_method(
    method: str,
    settings: MethodSettings,
    seeds: Sequence[int],
    inputs: Inputs,
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
    inputs
        Training and validation table, scaler.
    output
        Folder of the three files.
    threads
        CPU threads; they change no number.

    Raises
    ------
    TrainingError
        No seeds or the same twice, no CUDA device where one is asked for.
    TrainingError, TableError, DatasetError, TrainingError, TransportError
        See `oddjet.training.loop.fit`, `oddjet.io.tables.read_table` and `oddjet.dataset.scaling`.
    """
    if not seeds or len(set(seeds)) != len(seeds):
        raise TrainingError(f"seeds: give at least one, each once, not {list(seeds)}")
    device = choose_device(settings.training.device)
    # The tensors are small: torch's own threads cost more than they bring. Threads are for seeds.
    torch.set_num_threads(1)
    record = attributes("train_model", settings.model_dump_json(), inputs, kind_named(settings.kind).module)
    own = settings.background
    scaler = method_scaler(settings.scaling, inputs.scaler, inputs.train, own)
    jets, weights = read_jets(inputs.train, scaler, device, settings.training.memory_mb, output, samples=own)
    others, other_weights = read_jets(inputs.validation, scaler, device, float("inf"), output, samples=own)
    words = "%s: seeds %s on %s, %d training and %d validation jets"
    LOGGER.info(words, method, list(seeds), device, len(jets), len(others))
    group = AutoencoderGroup(
        settings, seeds, BackgroundJets(jets, others, weights, other_weights), device, threads=threads
    )
    digest = checkpoint_digest(record, seeds, device.type)
    checkpoints = Checkpoints(output / "checkpoints", digest, settings.training.checkpoint_seconds)
    history = HistoryFile(output / "history.csv", method, tensorboard=settings.training.tensorboard)
    state = fit(group, settings.training, checkpoints, history)
    selection = {
        "metric": f"{group.selection}_validation",
        "values": state.best_values,
        "lowest": [choice.lowest for choice in state.choices],
        "errors": [choice.error for choice in state.choices],
    }
    stopped = {str(seed): epoch for seed, epoch in state.guard.stopped.items()}
    told = read_jet_settings(inputs.train)
    write_results(output, state, group, Card(method, settings, scaler, record, selection, stopped, told))
    checkpoints.discard()


def write_results(output: Path, state: TrainingState, group: AutoencoderGroup, card: Card) -> None:
    """Write history.csv, snapshots.pt and model.pt, each whole or not at all."""
    write_history(output / "history.csv", card.method, state.history)
    network, kept = group.network, state.all_snapshots()
    epochs = [epoch for epoch, _ in kept]
    write(output / "snapshots.pt", content_of(snapshot_parameters(network, kept), state.seeds, epochs, card))
    chosen = network.parameters(torch.stack(state.chosen()))
    write(output / "model.pt", content_of(chosen, state.seeds, state.best_epochs, card))


def choose_device(name: str) -> torch.device:
    """Turn auto, cpu or cuda into a device; raises `TrainingError` when there is no CUDA device for cuda."""
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise TrainingError("training.device is cuda and torch finds no CUDA device; set it to auto or cpu")
    return torch.device("cuda" if name != "cpu" and available else "cpu")
