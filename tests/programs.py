"""Run a program of `workflow/scripts`, or `oddjet`, in the test's own process: importing torch and numba costs seconds.

A test about signals, kills, the environment or what is imported starts a process of its own instead.
"""

import contextlib
import io
import logging
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from oddjet import program
from oddjet.cli import main

SCRIPTS = Path(__file__).parents[1] / "workflow/scripts"


def run_program(words: Sequence[object]) -> subprocess.CompletedProcess[str]:
    """Run a program as a shell would: its file or name first, then its arguments; returns status and output."""
    script, *arguments = map(str, words)
    path = SCRIPTS / f"{Path(script).stem}.py"
    return _run([script, *arguments], lambda: runpy.run_path(str(path), run_name="__main__"))


def run_command(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run `oddjet` with arguments in a folder, as a shell would; returns status and output."""
    with contextlib.chdir(folder):
        return _run(["oddjet", *map(str, words)], main.program)


def _run(words: list[str], call: Callable[[], object]) -> subprocess.CompletedProcess[str]:
    output, errors = io.StringIO(), io.StringIO()
    status: object = 0
    with (
        _arguments(words),
        _log_to(errors),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        try:
            call()
        except SystemExit as end:
            status = end.code or 0
    return subprocess.CompletedProcess(words, int(str(status)), output.getvalue(), errors.getvalue())


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
