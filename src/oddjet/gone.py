"""Input files that are gone since their tables were made: purged from scratch, or on a disk that is not mounted.

The tables stand for them, as long as they are what the configuration asks for: nothing could make them anew.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from oddjet.errors import SourceError, TableError
from oddjet.jets.settings import FeatureSettings
from oddjet.samples import Listed
from oddjet.sources import Found, find_files, part_name


def find_listed(sample: Listed, folder: Path, settings: FeatureSettings) -> Found:
    """Resolve the sources of a sample; a file that is gone counts as long as its table is there.

    Parameters
    ----------
    sample
        A sample that lies in files.
    folder
        Its feature tables, `results/tables/SAMPLE`.
    settings
        Those of the features.

    Returns
    -------
    Found
        Each file that is gone is told, in `left_out`.

    Raises
    ------
    SourceError
        As `find_files`.
        The table of a file that is gone was made with other settings: Snakemake, which cannot make it anew, would go on
        with it.
    """
    tables = sorted(folder.glob("*.h5"))
    try:
        found = find_files(sample.files)
    except SourceError:
        gone = _files_that_are_gone(tables)
        if not gone:
            raise
    else:
        # Tables are opened only where there are some that no file asks for.
        gone = _files_that_are_gone(table for table in tables if table.stem not in found.parts)
        if not gone:
            return found
    found = find_files(sample.files, gone=gone)
    return replace(found, left_out=[*found.left_out, *_kept(found, gone, sample, folder, settings)])


def _files_that_are_gone(tables: Iterable[Path]) -> list[str]:
    try:
        from oddjet.io.tables import read_attributes
    except ImportError:  # Snakemake in an environment of its own
        return []
    gone = []
    for table in tables:
        try:
            files = dict(json.loads(read_attributes(table)["inputs"]))
        except (TableError, KeyError, TypeError, ValueError):
            continue
        # The name of a table is made of its file's path: a table under another name is not that file's.
        gone += [file for file in files if part_name(file) == table.stem and not Path(file).exists()]
    return gone


def _kept(found: Found, gone: list[str], sample: Listed, folder: Path, settings: FeatureSettings) -> list[str]:
    from oddjet.io.tables import read_attributes

    told = []
    for part, file in found.parts.items():
        if file not in gone:
            continue
        table = folder / f"{part}.h5"
        made = read_attributes(table)
        try:
            same = FeatureSettings.model_validate_json(made.get("settings", "")) == settings
            weight = float(made.get("sample_weight", "nan"))
        except ValueError:  # pydantic's, too
            same, weight = False, math.nan
        differing = [] if same else ["features"]
        differing += [] if made.get("require_match") == sample.require_match else ["require_match"]
        differing += [] if weight == sample.weight else ["weight"]
        if differing:
            raise SourceError(
                f"files: {file} is gone, and {table} was made from it with other {', '.join(differing)}. Bring the "
                "file back, or set these as they were."
            )
        told.append(f"{file}: gone; its table {table} is kept (remove it to leave the file out)")
    return told
