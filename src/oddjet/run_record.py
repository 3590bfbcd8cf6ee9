"""What a results folder remembers of the configuration that it belongs to.

Two configurations in one folder overwrite each other's results: names of methods and samples are often the same. An
edit of a configuration is another matter, for which the workflow makes anew what depends on it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from oddjet.errors import ResultsError
from oddjet.io.atomic import write_text

NAME = "run.json"


def file_names(configfiles: Sequence[Path], folder: Path) -> list[str]:
    """Name configuration files as seen from the folder of the run, so that a folder that moves is still the same."""
    folder = folder.resolve()
    paths = [folder.joinpath(path).resolve() for path in configfiles]
    return [str(path.relative_to(folder) if path.is_relative_to(folder) else path) for path in paths]


class Remembered(NamedTuple):
    """The files of a configuration, and all its values."""

    files: list[str]
    configuration: dict[str, Any]


def remembered(results: Path) -> Remembered | None:
    """Return which configuration a results folder says that it belongs to; None where it does not say, or illegibly."""
    try:
        record = json.loads((results / NAME).read_text(encoding="utf-8"))
        files = record["files"]
        return Remembered(files, dict(record["configuration"])) if isinstance(files, list) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def other_configuration(results: Path, configuration: Mapping[str, Any], files: Sequence[str]) -> str | None:
    """Say which other configuration a results folder belongs to.

    Parameters
    ----------
    results
        Results folder.
    configuration
        The configuration with all its values.
    files
        Its files, as `file_names` gives them.

    Returns
    -------
    str or None
        One line; None where the folder remembers nothing, the same values, or the same files (which were edited). A
        damaged memory may be of any other one.
    """
    before = remembered(results)
    if before is None:
        damaged = os.path.lexists(results / NAME)
        return f"{results / NAME} is damaged, which says whose results these are" if damaged else None
    made_by, values = before
    known = json.loads(json.dumps(configuration))
    if made_by == list(files) or values == known:
        return None
    differing = [key for key in known if values.get(key) != known[key]]
    return (
        f"{results} was made with {' '.join(made_by) or 'another configuration'}, which differs from {' '.join(files)} "
        f"in {', '.join(differing)}"
    )


def remember(results: Path, configuration: Mapping[str, Any], files: Sequence[str]) -> None:
    """Write down which configuration a results folder belongs to; raises `DiskError`."""
    text = json.dumps({"files": list(files), "configuration": configuration}, indent=1)
    write_text(results / NAME, text + "\n")


def check_start(results: Path, configuration: Mapping[str, Any], files: Sequence[str], on_other_results: str) -> None:
    """Refuse to overwrite the results of another configuration, or take them over where that is allowed.

    Raises
    ------
    ResultsError
        The folder belongs to another configuration and `on_other_results` is "fail".
        It is no folder, or a link to one that is not there.
    """
    if os.path.lexists(results) and not results.is_dir():
        what = f"a link to {results.readlink()}, which is not there" if results.is_symlink() else "no folder"
        raise ResultsError(f"{results}: is {what}. Mount or make that folder, or take it out of the way.")
    other = other_configuration(results, configuration, files)
    if other is not None and on_other_results == "fail":
        raise ResultsError(
            f"{other}: its results would be overwritten. Run in a folder of its own (--directory FOLDER), or allow it: "
            "--config on_other_results=overwrite"
        )
    remember(results, configuration, files)
