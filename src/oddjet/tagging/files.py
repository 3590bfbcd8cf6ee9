"""Score ROOT files of events with a detector, chunk by chunk."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.io.atomic import refuse_own_input
from oddjet.io.candidates import CandidateRecord
from oddjet.io.root import EventFile, open_events
from oddjet.jets.extract import opening_of, reading_of
from oddjet.program import progress
from oddjet.provenance.attributes import installed_version
from oddjet.sources import find_files
from oddjet.tagging.outputs import SOURCE, Output, Piece, check_suffix, open_output
from oddjet.tagging.tagger import Tagger

LOGGER = logging.getLogger("oddjet")


class Counts(NamedTuple):
    """What was scored: events read, jets, and those of them that pass the cuts of the detector's training jets."""

    events: int = 0
    jets: int = 0
    in_window: int = 0


def score_files(tagger: Tagger, sources: Sequence[str], output: Path, about: dict[str, str] | None = None) -> Counts:
    """Score the jets of all events of ROOT files.

    Parameters
    ----------
    tagger : Tagger
    sources : sequence of str
        Paths, globs, folders, lists or addresses; of any layout.
    output : Path
        `.root`: a tree `oddjet` with an entry an event, in the order of the files, also for events that were left out
        (bad candidates, `event` 0): a friend of their chain; with run, luminosityBlock, event, and the jets' rank,
        momentum, `in_window` and scores. `.h5` and `.parquet`: a row a jet with the same columns.
    about : dict of str to str, optional
        Stored beside the files' names and the version.

    Raises
    ------
    SourceError, InputFileError
        A source names no file; a file cannot be read or holds no candidates.
    JetError, DatasetError
        A feature of a jet is not finite.
    ConfigError, TableError
        The output has another suffix, or cannot be written.
    """
    check_suffix(output)
    files = list(find_files(sources).parts.values())
    refuse_own_input(output, files)
    columns = [SOURCE, *tagger.columns()]
    attributes = {
        "oddjet_version": installed_version("oddjet"),
        "method": tagger.detector.name,
        "seeds": json.dumps(list(tagger.detector.seeds)),
        "epochs": json.dumps(list(tagger.detector.epochs)),
        "settings": tagger.settings.model_dump_json(),
        "files": json.dumps(files),
        **(about or {}),
    }
    total = Counts()
    with open_output(output, columns, tagger.detector.seeds, attributes) as written:
        for source, path in enumerate(files):
            with open_events(path, opening_of(tagger.settings)) as file:
                found = _score_file(tagger, file, source, written)
            total = Counts(*(one + other for one, other in zip(total, found, strict=True)))
    LOGGER.info(
        "%s: %d jets of %d events, %d of them in the detector's window",
        output,
        total.jets,
        total.events,
        total.in_window,
    )
    return total


def _score_file(tagger: Tagger, file: EventFile, source: int, output: Output) -> Counts:
    settings = tagger.settings
    _, records = file.chunks(reading_of(settings, "none", tagger.branches(file)), settings.chunk_size)
    chunks = math.ceil(file.entries / settings.chunk_size)
    done, jets, inside = 0, 0, 0
    for record in progress(records, total=chunks, description=f"scoring {file.path}"):
        scored = tagger.score_record(record)
        rows = _with_source(scored, source)
        stop = int(record.entry[-1]) + 1 if len(record) else done
        output.add(Piece(done, stop, rows, _events(record, done, stop, source)))
        done, jets, inside = stop, jets + len(rows), inside + int(scored["in_window"].sum())
    if done < file.entries:
        empty = _with_source(np.empty(0, [(c.name, c.dtype) for c in tagger.columns()]), source)
        output.add(Piece(done, file.entries, empty, _events(None, done, file.entries, source)))
    return Counts(file.entries, jets, inside)


def _with_source(scored: NDArray[np.void], source: int) -> NDArray[np.void]:
    rows = np.empty(len(scored), [(SOURCE.name, SOURCE.dtype), *scored.dtype.descr])
    for name in scored.dtype.names or ():
        rows[name] = scored[name]
    rows[SOURCE.name] = source
    return rows


def _events(record: CandidateRecord | None, start: int, stop: int, source: int) -> dict[str, NDArray[Any]]:
    """Return the numbers of the events `start` to `stop` of a file; 0 for those that are not in the record."""
    kinds = {"run": "u4", "luminosityBlock": "u4", "event": "u8", "weight": "f8"}
    columns: dict[str, NDArray[Any]] = {name: np.zeros(stop - start, kind) for name, kind in kinds.items()}
    if record is not None:
        known = (record.run, record.luminosity_block, record.event, record.weight)
        for name, values in zip(kinds, known, strict=True):
            columns[name][record.entry - start] = values
    return {**columns, "entry": np.arange(start, stop), SOURCE.name: np.full(stop - start, source, "u4")}
