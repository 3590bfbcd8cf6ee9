"""Tables made of several files together, which stand for those of the files that are gone since.

The images and the events have such tables; those of the jets, one a file, are the work of `oddjet.inputs`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from oddjet.errors import SourceError
from oddjet.sources import ROOT_FILES, Found, find_files


@dataclass(frozen=True)
class Kept:
    """A sample whose files are read together into a few tables, which stand for those of its files that are gone."""

    sources: tuple[str, ...]
    """As the configuration names them."""
    tables: tuple[Path, ...]
    options: Mapping[str, list[Any]]
    """Those of the program that makes the tables, which they must have been made with."""

    def whole(self) -> bool:
        """Whether all tables are there."""
        return bool(self.tables) and all(table.is_file() for table in self.tables)


def find_kept(samples: Mapping[str, Kept], section: str, suffixes: Sequence[str] = ROOT_FILES) -> dict[str, Found]:
    """Resolve the sources of several samples by name; files that are gone count while the tables are there.

    Raises
    ------
    SourceError
        As `find_files`, with the sample's place, as in `images.samples.top.files`; or a file is gone and the tables
        were made with other options or of other files.
    """
    found = {}
    for name, sample in samples.items():
        try:
            found[name] = _find_kept(sample, suffixes)
        except SourceError as error:
            raise SourceError(f"{section}.{name}.{error}") from None
    return found


def _find_kept(sample: Kept, suffixes: Sequence[str]) -> Found:
    try:
        found = find_files(sample.sources, suffixes)
    except SourceError:
        if not sample.whole():
            raise
        found = None
    # Only a folder, a glob or a list can have lost a file and still name others.
    if found is not None and (set(found.parts.values()) <= set(sample.sources) or not sample.whole()):
        return found
    made = _attributes_of(sample.tables[0])
    try:
        inputs, options = list(json.loads(made["inputs"])), dict(json.loads(made["options"]))
    except (KeyError, TypeError, ValueError):
        inputs, options = [], {}
    gone = [file for file in inputs if not Path(file).exists()]
    kept = find_files(sample.sources, suffixes, gone)
    lost = [file for file in kept.parts.values() if file in gone]
    if not lost:
        return kept
    differing = [name for name, value in sample.options.items() if options.get(name) != value]
    if set(kept.parts.values()) - set(inputs):
        differing.append("files")
    if differing:
        raise SourceError(
            f"files: {lost[0]} is gone, and {sample.tables[0]} was made from it with other {', '.join(differing)}. "
            "Bring the file back, or set these as they were."
        )
    told = [f"{file}: gone; {sample.tables[0].parent} is kept (remove it to leave the file out)" for file in lost]
    return replace(kept, left_out=[*kept.left_out, *told])


def _attributes_of(table: Path) -> dict[str, str]:
    """Give the attributes of an HDF5 file of any layout; none of one that cannot be read."""
    try:
        from oddjet.io.hdf5 import attributes_of, open_hdf5

        with open_hdf5(table) as file:
            return {name: str(value) for name, value in attributes_of(file).items()}
    except (ImportError, OSError, RuntimeError, ValueError):
        return {}
