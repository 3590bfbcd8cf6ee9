"""ROOT files of any supported layout, opened once and read in chunks of events into candidate records.

Everything that differs between formats is in `oddjet.io.layouts`. Every failure becomes an `InputFileError` that names
the file (`oddjet.io.failures`); uproot itself raises a different exception for each kind of damage.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import awkward as ak
import numpy as np
import uproot

from oddjet.addresses import NOT_READ, alternatives, is_read, readable, without_scheme
from oddjet.errors import (
    ConfigError,
    DamagedFileError,
    InputFileError,
    MissingFileError,
    OddjetError,
    SourceError,
    TransientError,
    UnreadableFileError,
)
from oddjet.io.candidates import CandidateRecord
from oddjet.io.chunks import ChunkReader, Reading
from oddjet.io.columns import has, stored_name
from oddjet.io.failures import failure_of, is_address, what_it_is
from oddjet.io.layouts import LAYOUTS, Layout
from oddjet.io.network import Patience, after_asking, client_options
from oddjet.io.trees import Tree, check_readable, detect, fields_of, is_there, iterate, nearest

LOGGER = logging.getLogger("oddjet")
# NanoAOD's tree with an entry a luminosity block.
BLOCKS = "LuminosityBlocks"
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Opening:
    """How files are opened.

    Attributes
    ----------
    layout : str
        "auto", which tells the layout by the branches, or the name of the one layout to accept.
    declared : tuple of Layout
        Layouts beside the built-in ones.
    network_seconds : float
        How long passing trouble with the network is waited for.
    prefixes : tuple of str
        Beginnings of addresses that stand for each other (`oddjet.addresses.alternatives`).
    """

    layout: str = "auto"
    declared: tuple[Layout, ...] = ()
    network_seconds: float = 40.0
    prefixes: tuple[str, ...] = ()

    def layouts(self) -> list[Layout]:
        """Give the layouts to try; raises `ConfigError` for a name that is none."""
        known = [*LAYOUTS, *self.declared]
        tried = [one for one in known if self.layout in ("auto", one.name)]
        if not tried:
            names = ", ".join(one.name for one in known)
            raise ConfigError(f"layout {self.layout!r} is unknown; use one of: auto, {names}")
        return tried


class _Open(NamedTuple):
    file: uproot.ReadOnlyDirectory
    layout: Layout
    tree: Tree
    branches: dict[str, str]
    entries: int


class EventFile:
    """An open ROOT file of events; `open_events` gives one.

    Attributes
    ----------
    path : str
    layout : Layout
    branches : dict of str to str
        Names of the tree's branches that layouts know, and their titles.
    entries : int
        Events in the file.
    served : list of str
        The addresses that gave the file, in turn; the path of one on this machine.
    """

    def __init__(self, path: str, opening: Opening) -> None:
        self.path = path
        self.served: list[str] = []
        self._opening = opening
        self._layouts = opening.layouts()
        self._addresses = [path, *alternatives(path, opening.prefixes)]
        self._file, self.layout, self._tree, self.branches, self.entries = self._patiently(self._open_first)

    def close(self) -> None:
        """Close the file; trouble with that is nobody's."""
        with contextlib.suppress(Exception):
            self._file.close()

    def _patiently(self, action: Callable[[], Answer]) -> Answer:
        patience = Patience(self._opening.network_seconds)
        while True:
            try:
                return action()
            except TransientError as error:
                patience.wait(error)

    def _open_first(self) -> _Open:
        """Open the file at the first of its addresses that gives it."""
        failures: list[OddjetError] = []
        for address in self._addresses:
            try:
                opened = _open_at(address, self._layouts)
            except (InputFileError, SourceError) as error:
                failures.append(after_asking(address, error))
                if len(self._addresses) > 1:
                    LOGGER.warning("%s", failures[-1])
                continue
            self.served += [address] if self.served[-1:] != [address] else []
            return opened
        # What may be over in a moment is worth another try at all of them.
        first = next((error for error in failures if isinstance(error, TransientError)), failures[0])
        others = [address for address in self._addresses if not str(first).startswith(address)]
        raise type(first)(f"{first}; nor does it come from {', '.join(others)}" if others else str(first)) from first

    def _reopen(self) -> None:
        """Open the file again, where it served last only if no other address does."""
        self.close()
        self._addresses = [address for address in self._addresses if address != self.served[-1]] + self.served[-1:]
        was = self.served[-1]
        self._file, _, self._tree, _, entries = self._patiently(self._open_first)
        if entries != self.entries:
            raise DamagedFileError(
                f"{self.served[-1]}: has {entries} events, and the same file at {was} has {self.entries}"
            )

    def lacking(self, names: Sequence[str]) -> list[str]:
        """Return those of `names` that no branch of the tree has; of an RNTuple's collections fields are looked up."""
        self.branches |= fields_of(self._tree, names)
        return [name for name in names if not has(self.branches, name)]

    def generated_weight(self) -> tuple[float, str] | None:
        """Sum the generator weights of all events that the file was made from, those too that a skim left out.

        Returns
        -------
        tuple of float and str, or None
            The sum and where it is stored; NanoAOD keeps it in the tree `Runs`. None where a file does not say.

        Raises
        ------
        DamagedFileError
        """
        return self._patiently(self._generated_weight)

    def _generated_weight(self) -> tuple[float, str] | None:
        stored = self.layout.generated
        if stored is None or not is_there(self._file, self.path, stored[0]):
            return None
        try:
            tree = self._file[stored[0]]
            if not isinstance(tree, Tree):
                return None
            name = next((name for name in stored[1] if name in set(tree.keys())), None)
            if name is None:
                return None
            values = tree[name].array(library="np")
        except Exception as error:  # as many kinds as in `_open_file`
            failure = failure_of(self.path, error, f"the tree {stored[0]} is damaged", DamagedFileError)
            raise after_asking(self.served[-1], failure) from error
        if values.ndim != 1 or values.dtype.kind not in "fiu":
            raise UnreadableFileError(
                f"{self.path}: {stored[0]}.{name} is not one number a run; write it so, or leave it out"
            )
        if not len(values):
            return None
        total = float(values.sum())
        if not math.isfinite(total):
            raise DamagedFileError(f"{self.path}: {stored[0]}.{name} adds up to {total}")
        return total, f"{stored[0]}.{name}"

    def luminosity_blocks(self) -> list[tuple[int, int]]:
        """Return (run, luminosity block) of NanoAOD's tree of blocks: those too of which a skim left no event.

        Empty for a file without the tree, and for formats that have none.

        Raises
        ------
        DamagedFileError
        """
        return self._patiently(self._luminosity_blocks)

    def _luminosity_blocks(self) -> list[tuple[int, int]]:
        names = [name for name in (self.layout.run, self.layout.luminosity_block) if name]
        if len(names) < 2 or not is_there(self._file, self.path, BLOCKS):
            return []
        try:
            tree = self._file[BLOCKS]
            if not isinstance(tree, Tree) or not set(names) <= set(tree.keys()):
                return []
            run, block = (tree[name].array(library="np").astype(np.int64) for name in names)
        except Exception as error:  # as many kinds as in `_open_file`
            failure = failure_of(self.path, error, f"the tree {BLOCKS} is damaged", DamagedFileError)
            raise after_asking(self.served[-1], failure) from error
        return list(zip(run.tolist(), block.tolist(), strict=True))

    def chunks(self, reading: Reading, chunk_size: int) -> tuple[ChunkReader, Iterator[CandidateRecord]]:
        """Read the events as records of at most `chunk_size` events; memory is bounded by the chunk.

        Returns
        -------
        ChunkReader
            Says what is read, and, once all records were taken, what was found.
        iterator of CandidateRecord
            In file order; none from a file without events.

        Raises
        ------
        InputFileError
            One subclass a kind of trouble; the iterator too.
        """
        if reading.stored_jets:
            self._check_stored_jets()
        truth = self.layout.truth
        if reading.decays and truth and not (truth.mother and has(self.branches, truth.mother)):
            raise UnreadableFileError(
                f"{self.path}: lacks {truth.mother or 'the mothers of particles'}, by which the decay products of dark "
                "hadrons are told; set require_match: dark_quark, or simulate the file again"
            )
        self._name_missing()
        reader = ChunkReader(self.path, self.layout, self.branches, reading)
        return reader, self._records(reader, chunk_size)

    def _name_missing(self) -> None:
        """Name what a layout of the configuration names and this file lacks, which may be a slip or be of data."""
        missing = [name for name in self.layout.not_of_data() if not has(self.branches, name)]
        if self.layout.declared and missing:
            names = ", ".join(nearest(name, self.branches) for name in missing)
            LOGGER.warning(
                "%s: lacks %s of the layout %s; read without (weights are 1, no truth, no jets of its own)",
                self.path,
                names,
                self.layout.name,
            )

    def _check_stored_jets(self) -> None:
        jets = self.layout.jets
        if jets is None or not jets.linked():
            raise UnreadableFileError(
                f"{self.path}: the layout {self.layout.name} links no jets to their constituents; set recluster: true"
            )
        missing = [name for name in jets.required() if not has(self.branches, name)]
        if missing:
            raise UnreadableFileError(f"{self.path}: lacks {', '.join(missing)} for its own jets; set recluster: true")

    def _records(self, reader: ChunkReader, chunk_size: int) -> Iterator[CandidateRecord]:
        names = [str(stored_name(name, self.branches)) for name in reader.names()]
        check_readable(self.path, self._tree, names)
        allowed = math.ceil(reader.reading.max_bad_events * self.entries)
        entry = bad = 0
        for chunk in self._raw_chunks(names, chunk_size):
            record = reader.read(chunk, entry)
            entry += len(chunk)
            bad += record.losses.events
            if bad > allowed:
                failure = DamagedFileError(
                    f"{self.path}: {bad} of the first {entry} events have a momentum that no particle has, the first "
                    f"is {reader.first_bad}; features.max_bad_event_fraction {reader.reading.max_bad_events:g} allows "
                    f"{allowed} of {self.entries}. Raise it if they may be left out; bad_candidates: candidate keeps "
                    "the rest of the event"
                )
                raise after_asking(self.served[-1], failure)
            yield record
        if entry != self.entries:
            raise DamagedFileError(f"{self.path}: {entry} of {self.entries} entries could be read")

    def _raw_chunks(self, names: list[str], chunk_size: int) -> Iterator[ak.Array]:
        """Read the branches chunk by chunk; where that fails, go on behind the last whole chunk, from another address.

        The address alone that a file has is asked again only where the trouble may pass.
        """
        entry, failed = 0, 0
        patience = Patience(self._opening.network_seconds)
        while entry < self.entries:
            chunks = iterate(self._tree, names, chunk_size, entry)
            try:
                while True:
                    try:
                        chunk = next(chunks, None)
                    except Exception as error:  # zlib.error, ValueError, OSError, DeserializationError ...
                        what = f"truncated or damaged from entry {entry} on"
                        failure = failure_of(self.served[-1], error, what, DamagedFileError)
                        raise after_asking(self.served[-1], failure) from error
                    if chunk is None:
                        return
                    yield chunk
                    entry += len(chunk)
                    failed, patience = 0, Patience(self._opening.network_seconds)
            except (TransientError, DamagedFileError) as error:
                failed += 1
                if failed < len(self._addresses):
                    LOGGER.warning("%s; read on from another address", error)
                elif isinstance(error, TransientError):
                    patience.wait(error)
                else:
                    raise
                self._reopen()


@contextlib.contextmanager
def open_events(path: str | Path, opening: Opening = Opening()) -> Iterator[EventFile]:
    """Open a ROOT file of events, once for everything that is asked of it.

    Parameters
    ----------
    path : str or Path
        A file or a ``root://`` or ``https://`` address.
    opening : Opening

    Raises
    ------
    InputFileError
        One subclass a kind of trouble; see `oddjet.io.failures`.
    ConfigError, SourceError
    """
    file = EventFile(str(path), opening)
    try:
        yield file
    finally:
        file.close()


def read_candidates(
    path: str | Path,
    reading: Reading = Reading(),  # noqa: B008  frozen
    opening: Opening = Opening(),
    *,
    chunk_size: int = 1000,
) -> Iterator[CandidateRecord]:
    """Read the events of a file alone; arguments and errors as of `open_events` and `EventFile.chunks`."""
    with open_events(path, opening) as file:
        yield from file.chunks(reading, chunk_size)[1]


def detect_layout(path: str | Path, opening: Opening = Opening()) -> Layout:
    """Tell the layout of a file by its branches; raises as `open_events` does."""
    with open_events(path, opening) as file:
        return file.layout


def _open_at(path: str, layouts: list[Layout]) -> _Open:
    file = _open_file(path)
    try:
        found, tree, branches = detect(file, path, layouts)
        try:
            entries = int(tree.num_entries)
        except Exception as error:  # an RNTuple keeps it in a footer of its own
            raise failure_of(
                path, error, f"the tree {found.tree} is damaged or cut off", UnreadableFileError
            ) from error
    except BaseException:
        file.close()
        raise
    return _Open(file, found, tree, branches, entries)


def _open_file(path: str) -> uproot.ReadOnlyDirectory:
    """Open a ROOT file, local or remote, with the failures of uproot named."""
    if not is_read(path):
        raise SourceError(f"{path}: {NOT_READ}")
    try:
        there = is_address(path) or Path(without_scheme(path)).is_file()
    except OSError as error:  # a folder above it may not be read, or a mount is gone
        raise failure_of(path, error, "cannot be read", UnreadableFileError) from error
    if not there:
        raise MissingFileError(f"{path}: no such file; check the sample's file list in the config")
    try:
        address = readable(path)
        return uproot.open({address: None}, **client_options(address))
    except Exception as error:  # uproot raises ValueError, IndexError, OSError, struct.error ... by kind of damage
        raise failure_of(path, error, f"not a readable ROOT file{what_it_is(path)}", UnreadableFileError) from error
