"""Being told to stop: a batch system ends a job, or its time is nearly over."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Any

# Slurm and others send SIGTERM to end a job, and SIGUSR1 where they are asked to warn of the end of its time.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


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
