"""Checkpoints: a training that was killed or told to stop goes on where it was, with the same numbers."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Protocol

from oddjet.errors import DiskError
from oddjet.io.tensors import read_tensors, write_tensors

LOGGER = logging.getLogger("oddjet")
# 3: one state for all networks.
FORMAT = 3
# What identifies a training; the rest of its record (the processor, for example) says where it was made.
RECORDED = ("oddjet_version", "script", "code_digest", "inputs", "packages")
# Settings of the training that change no number: when it is kept, where its jets and networks are, who follows it.
WITHOUT_EFFECT = ("checkpoint_seconds", "memory_mb", "device", "tensorboard")
# Slurm and others send SIGTERM to end a job, and SIGUSR1 where they are asked to warn of the end of its time.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class Resumable(Protocol):
    """A training at one moment."""

    epoch: int

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the training goes on from, in tensors and plain values."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""


def checkpoint_digest(record: Mapping[str, str], seeds: Sequence[int], device: str) -> str:
    """Identify what a checkpoint may be continued with: settings, code, inputs, packages, seeds and kind of device.

    Settings of the training that change no number do not count.

    Parameters
    ----------
    record
        Attributes of the result, `oddjet.provenance.attributes.attributes`. Its options do not count: what steers a
        training stands in its settings.
    """
    settings = json.loads(record["settings"])
    if isinstance(settings.get("training"), dict):
        steering = {name: value for name, value in settings["training"].items() if name not in WITHOUT_EFFECT}
        settings = {**settings, "training": steering}
    kept = {name: record[name] for name in RECORDED}
    content = json.dumps([kept, settings, list(seeds), device], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


class Checkpoints:
    """Folder with the latest state of one training.

    Parameters
    ----------
    folder
        `checkpoints` beside the results; no rule declares it, so Snakemake leaves it alone when a job fails.
    digest
        What the training is made from; a state of another digest is never used.
    seconds
        Shortest time between two states; 0: one after each epoch.
    """

    def __init__(self, folder: Path, digest: str, seconds: float) -> None:
        self.path = folder / "state.pt"
        self.digest = digest
        self.seconds = seconds
        self._last = time.monotonic()

    def after_epoch(self, state: Resumable) -> None:
        """Write the state if the last one is old enough."""
        if time.monotonic() - self._last >= self.seconds:
            self.write(state)

    def write(self, state: Resumable) -> bool:
        """Write the state; the file is whole at every moment.

        Returns
        -------
        Whether the disk took it: a training needs no checkpoint to go on, so that the log alone says if it did not.
        """
        self._last = time.monotonic()
        content = {"format": FORMAT, "digest": self.digest, "state": state.state_dict()}
        try:
            write_tensors(self.path, content)
        except DiskError as error:
            LOGGER.warning("no checkpoint after epoch %d, the training goes on without: %s", state.epoch, error)
            return False
        self._last = time.monotonic()
        return True

    def resume(self, state: Resumable) -> bool:
        """Put the kept state into `state`; a state that is damaged or of another training is discarded, and said so.

        Returns
        -------
        Whether there was a state to go on from.
        """
        if not self.path.is_file():
            return False
        try:
            content = read_tensors(self.path)
            kept, wanted = (content["format"], content["digest"]), (FORMAT, self.digest)
            found = content["state"]
        except Exception as error:  # noqa: BLE001  torch raises EOFError, IndexError ... by kind of damage
            reason = f"it is damaged ({(str(error) or type(error).__name__).splitlines()[0]})"
        else:
            if kept == wanted:
                state.load_state_dict(found)
                LOGGER.info("%s: going on after epoch %d", self.path, state.epoch)
                return True
            reason = "settings, code, inputs, packages or seeds have changed"
        LOGGER.warning("%s: discarded, %s; training starts from the beginning", self.path, reason)
        self.discard()
        return False

    def discard(self) -> None:
        """Remove the folder: the training is done, or the state is of no use."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


class Interruption:
    """Notes that a signal came while the block runs, so that an epoch is ended and kept; twice is once.

    Attributes
    ----------
    name
        Name of the signal that came, `SIGTERM` or `SIGUSR1`; None as long as none came.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.name = signal.Signals(number).name
