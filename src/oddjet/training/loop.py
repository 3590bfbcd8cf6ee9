"""The training loop: epochs, batches, validation, choice of the epoch, snapshots."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from oddjet.detectors.autoencoder.validation_jets import ValidationJets
from oddjet.errors import TrainingError
from oddjet.program import progress
from oddjet.training.batches import Batches, BatchPlan
from oddjet.training.history import row
from oddjet.training.state import TrainingState

LOGGER = logging.getLogger("oddjet")


def train(
    state: TrainingState,
    jets: Tensor,
    validation: Tensor,
    weights: Tensor | None = None,
    validation_weights: Tensor | None = None,
    after_epoch: Callable[[TrainingState], None] | None = None,
) -> None:
    """Train from the state's epoch to the last one of its settings, or until every seed has stopped.

    Parameters
    ----------
    state
        Where to start; holds the results at the end.
    jets, validation
        Scaled background jets, shapes (N, D) and (M, D), on the state's device; training jets may also be on the CPU.
    weights, validation_weights
        Weights of the training jets, shape (N,), and of the validation jets, (M,); left out: equal ones.
    after_epoch
        Called with the state after each epoch, for example to write a checkpoint.

    Raises
    ------
    TrainingError
        A loss or gradient is not finite, and `on_divergence` is fail or the first epoch is not over; or no epoch of
        a seed had a finite validation metric.
    TrainingError, TransportError
        No jets, or weights that belong to no law or that the method cannot use.
    """
    if not len(validation):
        raise TrainingError("nothing to validate on: 0 validation jets")
    plan = BatchPlan(state.settings, len(jets), weights)
    rows = ValidationJets(validation, validation_weights)
    total = state.settings.training.epochs
    epochs: Iterator[int] = iter(range(state.epoch + 1, total + 1))
    bar = sys.stderr.isatty()
    if bar:
        epochs = progress(epochs, total=total - state.epoch, description=f"training {state.settings.kind}")
    for epoch in epochs:
        start = time.perf_counter()
        measured = run_epoch(state, epoch, jets, plan.draw(state.batches))
        state.epoch = epoch
        finish_epoch(state, measured, rows, start)
        if not bar:
            _log(state)
        if after_epoch is not None:
            after_epoch(state)
        if len(state.guard.stopped) == len(state.seeds):
            LOGGER.warning("every seed has stopped; the training ends at epoch %d of %d", epoch, total)
            break
    _check_every_seed_has_an_epoch(state)


def _check_every_seed_has_an_epoch(state: TrainingState) -> None:
    """Raise `TrainingError` for seeds whose weights would be the initial ones."""
    without = [str(seed) for seed, epoch in zip(state.seeds, state.best_epochs, strict=True) if not epoch]
    if without:
        raise TrainingError(
            f"no epoch of seed {', '.join(without)} has a finite validation metric, so there is no model of it."
            f" Lower training.learning_rate ({state.settings.training.learning_rate:g}), or leave the seed out of"
            " seeds"
        )


def run_epoch(state: TrainingState, epoch: int, jets: Tensor, batches: Batches) -> list[dict[str, float]]:
    """Update the weights once a batch; return each seed's mean of what was measured, over its finite batches."""
    network, guard = state.network, state.guard
    names: list[str] = []
    sums: Tensor | None = None
    device = network.flat.device
    # Jets that do not fit stay in a file, and their batches are sent one by one.
    indices = batches.indices.to(jets.device)
    counts = torch.zeros(len(state.seeds), dtype=jets.dtype, device=device)
    for batch in range(indices.shape[1]):
        network.gradient.zero_()
        drawn = jets[indices[:, batch]].to(device)
        measured = state.objective.add_gradient(network, drawn, batches.negative[batch])
        names = list(measured)
        values = torch.stack(list(measured.values()))
        guard.check(values, network.gradient, batch)
        state.optimiser.step(network.gradient, guard.alive, epoch)
        state.average()
        kept = torch.where(guard.alive, values, 0.0)
        sums = kept if sums is None else sums.add_(kept)
        counts += guard.alive
    assert sums is not None
    for sentence in guard.report(names, epoch):
        if epoch == 1:
            raise TrainingError(
                f"{sentence}. It is the first epoch, so there is no model of this seed. Lower training.learning_rate"
                f" ({state.settings.training.learning_rate:g}), or leave the seed out of seeds"
            )
        if state.settings.training.on_divergence == "fail":
            raise TrainingError(
                f"{sentence}. Lower training.learning_rate, or set training.on_divergence to stop, which ends this seed"
                " there and keeps its best epoch so far"
            )
        LOGGER.warning("%s: this seed stops here", sentence)
    means = (sums / counts).T.tolist()
    return [dict(zip(names, mean, strict=True)) for mean in means]


def finish_epoch(state: TrainingState, measured: list[dict[str, float]], rows: ValidationJets, start: float) -> None:
    """Validate, choose, keep a snapshot and write the rows of the epoch that was just run."""
    settings, epoch = state.settings.training, state.epoch
    ends = (1, settings.epochs)
    # The epoch in which a seed stops is its last: it has a row, and its weights from before the failure count.
    running = [state.guard.stopped.get(seed, epoch) == epoch for seed in state.seeds]
    stopping = any(stopped == epoch for stopped in state.guard.stopped.values())
    validated: list[dict[str, float]] = [{} for _ in state.seeds]
    if epoch in ends or epoch % settings.validate_every == 0 or stopping:
        found = state.objective.validate(state.evaluated, rows, epoch - state.validated)
        state.validated = epoch
        values = {name: value.tolist() for name, value in found.items()}
        validated = [{name: value[index] for name, value in values.items()} for index in range(len(state.seeds))]
        state.select([values if alive else {} for values, alive in zip(validated, running, strict=True)])
    extra = epoch in settings.snapshot_epochs
    if epoch in ends or epoch % settings.snapshot_every == 0 or extra or stopping:
        state.snapshots.append((epoch, state.evaluated.flat.detach().cpu().clone()))
    seconds = time.perf_counter() - start
    for index, seed in enumerate(state.seeds):
        if running[index]:
            state.history.append(row(seed, epoch, measured[index], validated[index], seconds))


def _log(state: TrainingState) -> None:
    """One line an epoch: losses and selection metrics of all seeds."""
    rows = [row for row in state.history[-len(state.seeds) :] if row["epoch"] == state.epoch]
    losses = " ".join(f"{row['loss_train']:.4g}" for row in rows)
    metric = f"{state.objective.selection}_validation"
    values = " ".join(f"{row[metric]:.4g}" for row in rows if row[metric] == row[metric])
    LOGGER.info(
        "%s epoch %d/%d: loss %s%s",
        state.settings.kind,
        state.epoch,
        state.settings.training.epochs,
        losses,
        f", {metric} {values}" if values else "",
    )
