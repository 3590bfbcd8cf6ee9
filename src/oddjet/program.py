"""What every script in `workflow/scripts` shares: arguments, settings as JSON, errors as one line, progress."""

from __future__ import annotations

import argparse
import difflib
import errno
import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from oddjet.errors import ConfigError, OddjetError

LOGGER = logging.getLogger("oddjet")
# A log gets at most a line in so many seconds and one at the end, so that a long job does not fill it.
SECONDS_BETWEEN_LINES = 10.0
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
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
    return _Parser(
        description=description,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # An abbreviated option would have another name in the record.
        allow_abbrev=False,
    )


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
    elif not text.lstrip().startswith("{") and Path(text).is_file():
        text = Path(text).read_text(encoding="utf-8")
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{option}: neither a file nor JSON ({error}): {text[:80]}") from error
    name = option.removeprefix("--")
    if name in _GIVEN:
        # What counts is what stands in the file, not the file's name.
        _GIVEN[name] = [given]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ConfigError(f"{option}: does not fit:\n" + describe_validation(error, given)) from error


def describe_validation(error: ValidationError, given: object) -> str:
    """Turn a pydantic error into one line for each wrong key: dotted path, what is allowed, the value given.

    `given` is what was validated: pydantic's own path also names the branches of unions, which no user ever wrote.
    """
    lines = []
    details = error.errors()
    for detail in details:
        # Of a list whose entries do not fit pydantic says too that it holds none.
        if (
            detail["type"] == "too_short"
            and detail["input"]
            and any(other["loc"][: len(detail["loc"])] == detail["loc"] != other["loc"] for other in details)
        ):
            continue
        keys = keys_of(detail["loc"], given, absent=detail["type"] == "missing")
        path = ".".join(map(str, keys)) or "(top level)"
        value = "" if isinstance(detail["input"], dict) else f" (given: {detail['input']!r})"
        lines.append(f"  {path}: {_words(detail)}{value}")
    return "\n".join(lines)


def _words(detail: ErrorDetails) -> str:
    """Say what is wrong in the words of a configuration, not in those of Python."""
    if detail["type"] == "extra_forbidden":
        return "unknown key"
    if detail["type"] in ("tuple_type", "list_type"):
        alone = detail["input"]
        return "a list is wanted" + (f", as in [{alone}]" if isinstance(alone, int | float | str) else "")
    if detail["type"] in ("dict_type", "model_type", "model_attributes_type"):
        return "keys with values are wanted; leave it out to have the defaults"
    words = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "literal_error" and isinstance(detail["input"], str):
        allowed = {word.lower(): word for word in re.findall(r"'([^']*)'", detail["ctx"]["expected"])}
        meant = difflib.get_close_matches(detail["input"].lower(), allowed, n=1)
        words += f"; did you mean {allowed[meant[0]]!r}?" if meant else ""
    return words


def keys_of(location: tuple[str | int, ...], given: object, *, absent: bool = False) -> list[str | int]:
    """Give the keys and positions that lead to what pydantic calls `location`, without the branches of unions."""
    parts: list[str | int] = []
    for position, part in enumerate(location):
        last = position == len(location) - 1
        if isinstance(given, dict):
            if part in given or (absent and last):
                parts.append(part)
                given = given.get(part)
        elif isinstance(given, list | tuple) and isinstance(part, int):
            parts.append(part)
            given = given[part] if part < len(given) else None
    return parts


def execute(main: Callable[[], None]) -> None:
    """Run a script's `main`: log to standard error, end with status 1 and one message on an error made by oddjet.

    So does a disk that is full or cannot be written. Anything else is a fault of the program and keeps its traceback.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S"
    )
    try:
        main()
    except OddjetError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        sys.stderr.write(f"error: {error}. Make room, or the folder writable, and run again.\n")
        sys.exit(1)


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
