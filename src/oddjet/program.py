"""What every script in `workflow/scripts` shares: arguments, settings as JSON, errors as one line, progress."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from oddjet.errors import DISK_ERRORS, ConfigError, OddjetError
from oddjet.io.atomic import disk_refusal, remove_temporaries
from oddjet.messages import describe_validation, missing_package, repeated

LOGGER = logging.getLogger("oddjet")
# A log gets at most one line per this number of seconds and one at the end, so that a long job does not fill it.
SECONDS_BETWEEN_LINES = 10.0
# What ends a job from outside: batch systems, a terminal that is closed, Ctrl-C.
ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
# Options that change no number: a result is the same with any of their values.
WITHOUT_EFFECT = ("threads",)

Item = TypeVar("Item")
Model = TypeVar("Model", bound=BaseModel)


# The options that the program of this process was given; a process that is none of our programs has none.
_GIVEN: dict[str, list[Any]] = {}


class _Parser(argparse.ArgumentParser):
    """Keeps what it is given: the record of a result holds all of it, and no program can leave an option out."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:  # noqa: ANN401  as the base class has it
        """Parse as the base class does, and keep the options."""
        words = sys.argv[1:] if args is None else args
        parsed = super().parse_args(words, namespace)
        _GIVEN.clear()
        _GIVEN.update(options_of(words))
        return parsed


def parser(description: str, example: str) -> argparse.ArgumentParser:
    """Make an argument parser whose `--help` ends with an example that works."""
    return _Parser(**dressed(description, example))


def dressed(description: str, example: str) -> dict[str, Any]:
    """Return what every parser of ours is made with, that of a command within a program too."""
    return {
        "description": description,
        "epilog": f"example:\n  {example}",
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        # An abbreviated option would have another name in the record.
        "allow_abbrev": False,
    }


def options_of(words: Sequence[str]) -> dict[str, list[Any]]:
    """Sort the words of a command line by option.

    Parameters
    ----------
    words
        As a shell passes them to a program of `workflow/scripts`, without the program's own name.

    Returns
    -------
    dict of str to list
        The values of each option by its name without dashes; a JSON object is read, so that its order and spaces do not
        count. Options that change no number are left out.
    """
    options: dict[str, list[Any]] = {}
    values: list[Any] = []
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.removeprefix("--").partition("=")
            values = options[name] = [_value(value)] if equals else []
        else:
            values.append(_value(word))
    return {name: values for name, values in options.items() if name not in WITHOUT_EFFECT}


def _value(text: str) -> Any:  # noqa: ANN401  whatever the JSON holds
    try:
        return json.loads(text) if text.startswith("{") else text
    except json.JSONDecodeError:
        return text


def given_options() -> dict[str, list[Any]]:
    """Give the options that the program of this process was given, as `options_of` does; none outside a program."""
    return dict(_GIVEN)


def settings_argument(arguments: argparse.ArgumentParser) -> None:
    """Add `--settings`: JSON, or the path of a JSON file; left out, the defaults of the stage hold."""
    arguments.add_argument(
        "--settings",
        metavar="JSON",
        help="settings of this stage, as JSON or the path of a JSON file (default: the built-in ones)",
    )


def read_settings(text: str | None, model: type[Model], option: str = "--settings") -> Model:
    """Read the settings of a stage.

    Parameters
    ----------
    text
        JSON, the path of a JSON file, or None for the defaults.
    model
        The settings model of the stage.
    option
        Which option the text was given with, for the messages.

    Raises
    ------
    ConfigError
        The text is not JSON, or does not fit the model; one line for each wrong key, with its dotted path and value.
    """
    if text is None:
        text = "{}"
    elif not text.lstrip().startswith("{"):
        text = _of_file(text, option)
    try:
        given = json.loads(text, object_pairs_hook=partial(_each_once, option))
    except (ValueError, RecursionError) as error:  # thousands of digits, or of brackets
        raise ConfigError(f"{option}: neither a file nor JSON ({error}): {text[:80]}") from error
    name = option.removeprefix("--")
    if name in _GIVEN:
        # What counts is what stands in the file, not the file's name.
        _GIVEN[name] = [given]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ConfigError(f"{option}: does not fit:\n" + describe_validation(error, given)) from error


def _of_file(text: str, option: str) -> str:
    """Return the content of a file, and what is the path of none as it is."""
    try:
        return Path(text).read_text(encoding="utf-8-sig") if Path(text).is_file() else text
    except UnicodeDecodeError:
        raise ConfigError(f"{option}: {text}: is not text in UTF-8. Save it as UTF-8.") from None
    except (OSError, ValueError):  # no path, or not to be read: said of the text
        return text


def _each_once(option: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = repeated(pairs)
    if twice is not None:
        raise ConfigError(f"{option}: the key {twice!r} stands twice in one section, and only one would count")
    return dict(pairs)


def execute(main: Callable[[], None]) -> None:
    """Run a script's `main`: log to standard error, end with status 1 and one message on an error made by oddjet.

    So does a disk that is full or cannot be written, and a package of an extra that is not installed. SIGTERM, SIGHUP
    and Ctrl-C end it with one message too, once what is half-written is gone (status 128 and the signal's number).
    Anything else is a fault of the program and keeps its traceback.
    """
    if sys.stderr is None:  # closed by who started this
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  for the rest of the process
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S"
    )
    try:
        with ended_by_signals(), _log_without_tracebacks():
            main()
    except OddjetError as error:
        _end(str(error), 1)
    except ModuleNotFoundError as error:
        missing = missing_package(error)
        if missing is None:
            raise
        _end(missing, 1)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        # Files without a name are temporary ones.
        _end(str(disk_refusal(Path(error.filename or tempfile.gettempdir()), error)), 1)


@contextmanager
def _log_without_tracebacks() -> Iterator[None]:
    """Pass over lines that a log does not take, whose disk is full."""
    before, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        yield
    finally:
        logging.raiseExceptions = before


def _end(message: str, status: int) -> NoReturn:
    with suppress(OSError):
        sys.stderr.write(f"error: {message}\n")
    sys.exit(status)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """End the process at SIGTERM, SIGHUP and Ctrl-C during a block, without the halves of files that it is writing.

    An exception would be lost where Python cannot pass it on: in the middle of what HDF5 calls, for example.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets signals
        return

    def end(number: int, frame: FrameType | None) -> NoReturn:
        remove_temporaries()
        with suppress(OSError):
            sys.stderr.write(f"error: {signal.Signals(number).name} received; nothing half-written stays\n")
            sys.stderr.flush()
        os._exit(128 + number)

    # One that is ignored (`nohup`) stays so.
    before = {one: signal.getsignal(one) for one in ENDING if signal.getsignal(one) != signal.SIG_IGN}
    for one in before:
        signal.signal(one, end)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def progress(items: Iterable[Item], *, total: int, description: str) -> Iterator[Item]:
    """Pass on `items` and show how far they are: a bar on a terminal, plain lines in a log."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track

        yield from track(items, total=total, description=description, console=Console(stderr=True))
        return
    start = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if done == total or now - last >= SECONDS_BETWEEN_LINES:
            last = now
            LOGGER.info("%s: %d of %d in %.1f s", description, done, total, now - start)
