"""ROOT files of any supported layout, opened once and read in chunks of events into candidate records.

Everything that differs between formats is in `oddjet.io.layouts`. Every failure becomes an `InputFileError` that names
the file (`oddjet.io.failures`); uproot itself raises a different exception for each kind of damage.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias, TypeVar

import awkward as ak
import uproot

from oddjet.addresses import readable, without_scheme
from oddjet.errors import (
    ConfigError,
    DamagedFileError,
    InputFileError,
    MissingFileError,
    OddjetError,
    TransientError,
    UnreadableFileError,
)
from oddjet.io.answers import wrong_answer
from oddjet.io.candidates import CandidateRecord
from oddjet.io.chunks import ChunkReader, Reading
from oddjet.io.columns import has, stored_name
from oddjet.io.failures import failure_of, is_address, one_line
from oddjet.io.layouts import LAYOUTS, Layout
from oddjet.io.network import Patience, client_options

# Seconds of patience with a network where no setting says another.
NETWORK_SECONDS = 40.0
# Names of trees and folders that a refusal lists.
LISTED_NAMES = 20

Tree: TypeAlias = uproot.TTree | uproot.behaviors.RNTuple.RNTuple
Answer = TypeVar("Answer")


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
    """

    def __init__(self, path: str, layout: str, network_seconds: float) -> None:
        self.path = path
        self._network_seconds = network_seconds
        self._file, self.layout, self._tree, self.branches, self.entries = self._patiently(lambda: self._open(layout))

    def close(self) -> None:
        """Close the file; trouble with that is nobody's."""
        with contextlib.suppress(Exception):
            self._file.close()

    def _patiently(self, action: Callable[[], Answer]) -> Answer:
        patience = Patience(self._network_seconds)
        while True:
            try:
                return action()
            except TransientError as error:
                patience.wait(error)

    def _open(self, layout: str) -> tuple[uproot.ReadOnlyDirectory, Layout, Tree, dict[str, str], int]:
        file = _open_file(self.path)
        try:
            found, tree, branches = _detect(file, self.path, layout)
            try:
                entries = int(tree.num_entries)
            except Exception as error:  # an RNTuple keeps it in a footer of its own
                raise _failure(
                    self.path, error, f"the tree {found.tree} is damaged or cut off", UnreadableFileError
                ) from error
        except BaseException:
            file.close()
            raise
        return file, found, tree, branches, entries

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
        if stored is None or stored[0] not in _names(self._file, self.path):
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
            raise _failure(self.path, error, f"the tree {stored[0]} is damaged", DamagedFileError) from error
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
        if reading.decays and truth and not has(self.branches, truth.mother):
            raise UnreadableFileError(
                f"{self.path}: lacks {truth.mother}, by which the decay products of dark hadrons are told; set "
                "require_match: dark_quark, or simulate the file again"
            )
        reader = ChunkReader(self.path, self.layout, self.branches, reading)
        return reader, self._records(reader, chunk_size)

    def _check_stored_jets(self) -> None:
        jets = self.layout.jets
        if jets is None or jets.links is None:
            raise UnreadableFileError(
                f"{self.path}: the layout {self.layout.name} links no jets to their constituents; set recluster: true"
            )
        missing = [name for name in jets.required() if not has(self.branches, name)]
        if missing:
            raise UnreadableFileError(f"{self.path}: lacks {', '.join(missing)} for its own jets; set recluster: true")

    def _records(self, reader: ChunkReader, chunk_size: int) -> Iterator[CandidateRecord]:
        names = [str(stored_name(name, self.branches)) for name in reader.names()]
        _check_readable(self.path, self._tree, names)
        allowed = math.ceil(reader.reading.max_bad_events * self.entries)
        entry = bad = 0
        for chunk in self._raw_chunks(names, chunk_size):
            record = reader.read(chunk, entry)
            entry += len(chunk)
            bad += record.losses.events
            if bad > allowed:
                raise DamagedFileError(
                    f"{self.path}: {bad} of the first {entry} events have a bad candidate, the first is "
                    f"{reader.first_bad}; features.max_bad_event_fraction {reader.reading.max_bad_events:g} allows "
                    f"{allowed} of {self.entries}. Raise it if they may be left out; bad_candidates: candidate keeps "
                    "the rest of the event"
                )
            yield record
        if entry != self.entries:
            raise DamagedFileError(f"{self.path}: {entry} of {self.entries} entries could be read")

    def _raw_chunks(self, names: list[str], chunk_size: int) -> Iterator[ak.Array]:
        """Read the branches chunk by chunk; where the network fails, go on behind the last whole chunk."""
        entry, patience = 0, Patience(self._network_seconds)
        while entry < self.entries:
            chunks = _iterate(self._tree, names, chunk_size, entry)
            try:
                while True:
                    try:
                        chunk = next(chunks, None)
                    except Exception as error:  # zlib.error, ValueError, OSError, DeserializationError ...
                        what = f"truncated or damaged from entry {entry} on"
                        raise _failure(self.path, error, what, DamagedFileError) from error
                    if chunk is None:
                        return
                    yield chunk
                    entry += len(chunk)
                    patience = Patience(self._network_seconds)
            except TransientError as error:
                patience.wait(error)
                self.close()
                self._file, _, self._tree, _, _ = self._patiently(lambda: self._open(self.layout.name))


@contextlib.contextmanager
def open_events(
    path: str | Path, layout: str = "auto", network_seconds: float = NETWORK_SECONDS
) -> Iterator[EventFile]:
    """Open a ROOT file of events, once for everything that is asked of it.

    Parameters
    ----------
    path : str or Path
        A file or a ``root://`` or ``https://`` address.
    layout : str
        "auto", which tells the layout by the branches, or the name of the one layout to accept.
    network_seconds : float
        How long passing trouble with the network is waited for.

    Raises
    ------
    InputFileError
        One subclass a kind of trouble; see `oddjet.io.failures`.
    ConfigError, SourceError
    """
    known = [candidate.name for candidate in LAYOUTS]
    if layout != "auto" and layout not in known:
        raise ConfigError(f"layout {layout!r} is unknown; use one of: auto, {', '.join(known)}")
    file = EventFile(str(path), layout, network_seconds)
    try:
        yield file
    finally:
        file.close()


def read_candidates(
    path: str | Path,
    reading: Reading = Reading(),  # noqa: B008  frozen
    *,
    chunk_size: int = 1000,
    layout: str = "auto",
    network_seconds: float = NETWORK_SECONDS,
) -> Iterator[CandidateRecord]:
    """Read the events of a file alone; arguments and errors as of `open_events` and `EventFile.chunks`."""
    with open_events(path, layout, network_seconds) as file:
        yield from file.chunks(reading, chunk_size)[1]


def detect_layout(path: str | Path, layout: str = "auto") -> Layout:
    """Tell the layout of a file by its branches; raises as `open_events` does."""
    with open_events(path, layout) as file:
        return file.layout


def _failure(path: str, error: Exception, what: str, in_file: type[InputFileError]) -> OddjetError:
    """As `failure_of`; before a file on a web server is called damaged, the server's answers are looked at."""
    failure = failure_of(path, error, what, in_file)
    return (isinstance(failure, in_file) and wrong_answer(path)) or failure


def _open_file(path: str) -> uproot.ReadOnlyDirectory:
    """Open a ROOT file, local or remote, with the failures of uproot named."""
    try:
        there = is_address(path) or Path(without_scheme(path)).is_file()
    except OSError as error:  # a folder above it may not be read, or a mount is gone
        raise _failure(path, error, "cannot be read", UnreadableFileError) from error
    if not there:
        raise MissingFileError(f"{path}: no such file; check the sample's file list in the config")
    try:
        address = readable(path)
        return uproot.open({address: None}, **client_options(address))
    except Exception as error:  # uproot raises ValueError, IndexError, OSError, struct.error ... by kind of damage
        raise _failure(path, error, "not a readable ROOT file", UnreadableFileError) from error


def _names(file: uproot.ReadOnlyDirectory, path: str) -> set[str]:
    try:
        return {name.split(";")[0] for name in file.keys(recursive=False)}
    except Exception as error:
        raise _failure(path, error, "the list of its contents is damaged", UnreadableFileError) from error


def _branches(tree: Tree) -> dict[str, str]:
    """Give the names of a tree's branches and their titles."""
    if isinstance(tree, uproot.TTree):
        return {name.split("/")[-1]: branch.title for name, branch in tree.items()}
    # `keys` of an RNTuple takes a time that grows with the square of its fields (10 s for CMS's 1800), so only the
    # fields at the top are listed, and those of the collections that a layout knows.
    known = {name.split("_")[0] for layout in LAYOUTS for name in layout.known()}
    found = {field.name: field.description for field in tree.fields}
    for field in tree.fields:
        if field.name in known:
            found |= {f"{field.name}.{inner.name}": inner.description for inner in _inner_fields(field)}
    return found


def _inner_fields(field: uproot.behaviors.RNTuple.HasFields) -> list[uproot.behaviors.RNTuple.HasFields]:
    return list(field.fields)


def _iterate(tree: Tree, names: list[str], step: int, start: int) -> Iterator[ak.Array]:
    """Read branches in steps of entries from `start` on."""
    if isinstance(tree, uproot.TTree):
        yield from tree.iterate(names, step_size=step, entry_start=start, library="ak")
        return
    # Field by field: asked for several at once, uproot lists all fields of the tree for each step (see `_branches`).
    for first in range(start, tree.num_entries, step):
        stop = min(first + step, tree.num_entries)
        yield ak.Array({name: tree[name].array(entry_start=first, entry_stop=stop) for name in names})


def _check_readable(path: str, tree: Tree, names: list[str]) -> None:
    """Refuse branches that uproot cannot interpret before one of them is called damaged."""
    if not isinstance(tree, uproot.TTree):
        return
    for name in names:
        try:
            kind = tree[name].interpretation
            unknown = isinstance(kind, uproot.interpretation.identify.UnknownInterpretation)
            fault = " ".join(str(kind).split()) if unknown else ""
        except Exception as error:  # noqa: BLE001  uproot's own faults too
            fault = one_line(error)
        if fault:
            raise UnreadableFileError(
                f"{path}: uproot {uproot.__version__} cannot read the branch {name} ({fault}); the file may be whole. "
                "Write the branch as plain float, or update uproot"
            )


def _detect(file: uproot.ReadOnlyDirectory, path: str, layout: str) -> tuple[Layout, Tree, dict[str, str]]:
    """Layout, tree and branches of an open file; `layout` is a known name or "auto"."""
    tried = [candidate for candidate in LAYOUTS if layout in ("auto", candidate.name)]
    names = _names(file, path)
    trees: dict[str, tuple[Tree, dict[str, str]]] = {}
    reasons = []
    fitting: list[Layout] = []
    for candidate in tried:
        if candidate.tree not in names:
            continue
        if candidate.tree not in trees:
            trees[candidate.tree] = _read_tree(file, path, candidate.tree)
        branches = trees[candidate.tree][1]
        missing = [name for name in candidate.required() if stored_name(name, branches) is None]
        if not missing:
            fitting.append(candidate)
            continue
        reasons.append(f"{candidate.name} lacks {', '.join(missing)}")
    if len(fitting) > 1:
        several = " and ".join(one.name for one in fitting)
        raise ConfigError(
            f"{path}: fits the layouts {several}, which have other candidates. Choose one with features.layout"
        )
    if fitting:
        return fitting[0], *trees[fitting[0].tree]
    ways = "; ".join(f"{candidate.name}: {candidate.versions}" for candidate in tried)
    if reasons:
        raise UnreadableFileError(
            f"{path}: no layout fits: {'; '.join(reasons)}. Files that have these branches are {ways}. A format of "
            "your own is a row of src/oddjet/io/layouts.py (docs/extending.md)"
        )
    raise _no_tree(file, path, tried, ways)


def _read_tree(file: uproot.ReadOnlyDirectory, path: str, name: str) -> tuple[Tree, dict[str, str]]:
    try:
        tree = file[name]
        branches = _branches(tree) if isinstance(tree, uproot.TTree | uproot.behaviors.RNTuple.RNTuple) else None
    except Exception as error:  # as many kinds as in `_open_file`
        raise _failure(path, error, f"tree {name} is damaged", UnreadableFileError) from error
    if branches is None:
        raise UnreadableFileError(f"{path}: {name} is a {tree.classname}, not a TTree or RNTuple")
    return tree, branches


def _no_tree(file: uproot.ReadOnlyDirectory, path: str, tried: list[Layout], ways: str) -> InputFileError:
    """Say which trees and folders a file has instead of those of the layouts."""
    try:
        kinds = {name.split(";")[0]: kind for name, kind in file.classnames(recursive=True).items()}
    except Exception as error:  # noqa: BLE001  as many kinds as in `_open_file`
        return UnreadableFileError(f"{path}: the list of its contents is damaged ({one_line(error)})")
    shown = [f"{name} ({'folder' if kind == 'TDirectory' else kind})" for name, kind in kinds.items()]
    found = ", ".join(shown[:LISTED_NAMES]) + (f" and {len(shown) - LISTED_NAMES} more" * (len(shown) > LISTED_NAMES))
    wanted = sorted({candidate.tree for candidate in tried})
    inside = next((name for name in kinds if "/" in name and name.rsplit("/", 1)[1] in wanted), None)
    hint = (
        f"{inside} lies in a folder, and trees are looked for at the top of the file alone: copy it there, for "
        "example with rootcp. "
        if inside
        else ""
    )
    return UnreadableFileError(
        f"{path}: no tree {', '.join(wanted)} for the layouts {', '.join(one.name for one in tried)} "
        f"(the file has: {found or 'nothing'}). {hint}What is read: {ways}"
    )
