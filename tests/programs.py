"""Run a program of `workflow/scripts` inside the test's own process: importing torch and numba again costs seconds.

A test about signals, kills, the environment or what is imported starts a process of its own instead.
"""

import contextlib
import io
import logging
import runpy
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from oddjet import program

SCRIPTS = Path(__file__).parents[1] / "workflow/scripts"


def run_program(words: Sequence[object]) -> subprocess.CompletedProcess[str]:
    """Run a program as a shell would: its file or name first, then its arguments; returns status and output."""
    script, *arguments = map(str, words)
    output, errors = io.StringIO(), io.StringIO()
    status: object = 0
    with (
        _arguments([script, *arguments]),
        _log_to(errors),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        try:
            runpy.run_path(str(SCRIPTS / f"{Path(script).stem}.py"), run_name="__main__")
        except SystemExit as end:
            status = end.code or 0
    return subprocess.CompletedProcess([script, *arguments], int(str(status)), output.getvalue(), errors.getvalue())


@contextlib.contextmanager
def _arguments(words: list[str]) -> Iterator[None]:
    """Put words into `sys.argv`; what the program was given is forgotten afterwards."""
    before, sys.argv = sys.argv, words
    try:
        yield
    finally:
        sys.argv = before
        program._GIVEN.clear()


@contextlib.contextmanager
def _log_to(stream: io.StringIO) -> Iterator[None]:
    """Let `execute` set up its log on a stream, as in a process where nothing has been set up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
