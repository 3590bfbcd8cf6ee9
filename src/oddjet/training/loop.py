"""The training loop: epochs, batches, validation, choice of the epoch, snapshots, checkpoints; one for all networks."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from oddjet.errors import TrainingError
from oddjet.program import progress
from oddjet.training.checkpoint import Checkpoints, Interruption
from oddjet.training.history import HistoryFile, row
from oddjet.training.settings import Schedule
from oddjet.training.state import Trainable, TrainingState

LOGGER = logging.getLogger("oddjet")


def fit(
    trainable: Trainable[Any],
    schedule: Schedule,
    checkpoints: Checkpoints | None = None,
    history: HistoryFile | None = None,
) -> TrainingState:
    """Train to the last epoch, or until every seed has ended.

    Parameters
    ----------
    trainable
        A group of seeds at its beginning.
    schedule
        Epochs, learning rates, choice of the epoch.
    checkpoints
        Where the training goes on from if it was killed, and keeps itself. Discard them when the results are written.
    history
        File that gets the rows of each epoch when it is over.

    Returns
    -------
    The training at its end, with the weights that are kept, history and snapshots.

    Raises
    ------
    TrainingError
        A loss or gradient is not finite, and `on_divergence` is fail or the first epoch is not over; or no epoch of
        a seed had a finite validation metric.
    TrainingError
        SIGTERM or SIGUSR1 came and there are checkpoints; the epoch was ended and kept.
    """
    state = TrainingState(trainable, schedule)
    if checkpoints is not None:
        checkpoints.resume(state)
    if history is not None:
        history.start(state.history)
    if checkpoints is None:
        _run(state, history)
    else:
        with Interruption() as interruption:
            _run(state, history, checkpoints, interruption)
    _check_every_seed_has_an_epoch(state)
    return state


def _run(
    state: TrainingState,
    history: HistoryFile | None,
    checkpoints: Checkpoints | None = None,
    interruption: Interruption | None = None,
) -> None:
    for epoch in _epochs(state):
        before, start = len(state.history), time.perf_counter()
        measured = run_epoch(state, epoch)
        state.epoch = epoch
        finish_epoch(state, measured, start)
        if history is not None:
            history.append(state.history[before:])
        if not sys.stderr.isatty():
            _log(state)
        # After the last epoch writing the results takes no longer than a checkpoint.
        if interruption is not None and checkpoints is not None and interruption.name is not None and not state.done:
            kept = checkpoints.write(state)
            raise TrainingError(
                f"{interruption.name} received: the training stops after epoch {epoch} of {state.schedule.epochs} and"
                f" {'keeps it in' if kept else 'cannot keep it: no room for'} {checkpoints.path}."
                f" Start it again to go on from {'there' if kept else 'the last epoch that was kept'}."
            )
        if checkpoints is not None:
            checkpoints.after_epoch(state)
    if state.epoch < state.schedule.epochs:
        LOGGER.info("every seed has ended; the training ends at epoch %d of %d", state.epoch, state.schedule.epochs)


def _epochs(state: TrainingState) -> Iterator[int]:
    """Yield the epochs that are left, with a bar on a terminal."""
    total, name = state.schedule.epochs, state.trainable.name
    epochs: Iterator[int] = iter(range(state.epoch + 1, total + 1))
    if sys.stderr.isatty():
        epochs = progress(epochs, total=total - state.epoch, description=f"training {name}")
    for epoch in epochs:
        if state.done:
            return
        yield epoch


def _check_every_seed_has_an_epoch(state: TrainingState) -> None:
    """Raise `TrainingError` for seeds whose weights would be the initial ones."""
    without = [str(seed) for seed, epoch in zip(state.seeds, state.best_epochs, strict=True) if not epoch]
    if without:
        raise TrainingError(
            f"{state.trainable.name}: no epoch of seed {', '.join(without)} has a finite validation metric, so there is"
            f" no model of it. Lower training.learning_rate ({state.schedule.learning_rate:g}), or leave the seed out"
        )


def run_epoch(state: TrainingState, epoch: int) -> list[dict[str, float]]:
    """Update the weights once a batch; return each seed's mean of what was measured, over its finite batches."""
    trainable, guard, rates = state.trainable, state.guard, state.rates_of(epoch)
    names: list[str] = []
    sums = counts = None
    for number, batch in enumerate(trainable.batches()):
        measured = trainable.add_gradient(batch)
        names = list(measured.values)
        values = torch.stack(list(measured.values.values()))
        guard.check(values, measured.gradient, number)
        trainable.update(guard.alive, rates)
        kept = torch.where(guard.alive, values, 0.0).mul_(measured.size)
        sums = kept if sums is None else sums.add_(kept)
        counted = guard.alive.to(values.dtype).mul_(measured.size)
        counts = counted if counts is None else counts.add_(counted)
    assert sums is not None
    assert counts is not None
    _report(state, names, epoch)
    means: Tensor = (sums / counts).T
    return [dict(zip(names, mean, strict=True)) for mean in means.tolist()]


def _report(state: TrainingState, names: list[str], epoch: int) -> None:
    """Tell which seeds failed in an epoch, or raise `TrainingError` where that is asked for."""
    for sentence in state.guard.report(names, epoch):
        if epoch == 1:
            raise TrainingError(
                f"{sentence}. It is the first epoch, so there is no model of this seed. Lower training.learning_rate"
                f" ({state.schedule.learning_rate:g}), or leave the seed out"
            )
        if state.schedule.on_divergence == "fail":
            raise TrainingError(
                f"{sentence}. Lower training.learning_rate, or set training.on_divergence to stop, which ends this seed"
                " there and keeps its best epoch so far"
            )
        LOGGER.warning("%s: this seed stops here", sentence)


def finish_epoch(state: TrainingState, measured: list[dict[str, float]], start: float) -> None:
    """Validate, choose, keep a snapshot and write the rows of the epoch that was just run."""
    schedule, epoch = state.schedule, state.epoch
    # The epoch in which a seed stops is its last: it has a row, and its weights from before the failure count.
    running, rates = state.guard.running(epoch), state.rates_of(epoch)
    stopping = any(stopped == epoch for stopped in state.guard.stopped.values())
    validated: list[dict[str, float]] = [{} for _ in state.seeds]
    if epoch in (1, schedule.epochs) or epoch % schedule.validate_every == 0 or stopping:
        values = state.trainable.validate(epoch - state.validated)
        state.validated = epoch
        validated = [{name: value[index] for name, value in values.items()} for index in range(len(state.seeds))]
        state.select([values if alive else {} for values, alive in zip(validated, running, strict=True)])
    ending = stopping or epoch in state.guard.finished.values()
    if schedule.keeps(epoch) or (ending and schedule.snapshot_every is not None):
        state.snapshots.append((epoch, state.trainable.weights()))
    seconds = time.perf_counter() - start
    for index, seed in enumerate(state.seeds):
        if running[index]:
            state.history.append(row(seed, epoch, measured[index], validated[index], rates[index], seconds))


def _log(state: TrainingState) -> None:
    """Write one line an epoch: losses and selection metrics of all seeds."""
    rows = [row for row in state.history[-len(state.seeds) :] if row["epoch"] == state.epoch]
    losses = " ".join(f"{row['loss_train']:.4g}" for row in rows)
    metric = f"{state.trainable.selection}_validation"
    values = " ".join(f"{row[metric]:.4g}" for row in rows if row[metric] == row[metric])
    LOGGER.info(
        "%s epoch %d/%d: loss %s%s",
        state.trainable.name,
        state.epoch,
        state.schedule.epochs,
        losses,
        f", {metric} {values}" if values else "",
    )
