"""ROOT files of any supported layout, read in chunks of events into candidate records.

Everything that differs between formats is in `oddjet.io.layouts`. Every failure becomes an `InputFileError` that names
the file, so that a later stage can fail or skip the file; uproot itself raises a different exception for each kind of
damage.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import uproot

from oddjet.errors import OddjetError
from oddjet.io.chunks import ChunkReader, DamagedDataError, InputFileError, NonFiniteError, has, stored_name
from oddjet.io.layouts import LAYOUTS, Layout
from oddjet.io.records import CandidateRecord

# How an XRootD server says that it has no such file; the client raises an OSError for everything.
XROOTD_NOT_FOUND = "[3011]"

Tree: TypeAlias = uproot.TTree | uproot.behaviors.RNTuple.RNTuple


class MissingFileError(InputFileError):
    """There is no such file."""


class NotRootError(InputFileError):
    """The file is not a readable ROOT file: empty, another format, or its header or directory is damaged."""


class MissingTreeError(InputFileError):
    """The ROOT file has none of the trees that a supported layout keeps its events in."""


class MissingBranchError(InputFileError):
    """The tree lacks branches that a layout needs."""


class UnknownLayoutError(OddjetError):
    """The configured layout does not exist."""


class RemoteSupportError(OddjetError):
    """The package that reads this kind of address is not installed."""


@contextlib.contextmanager
def _open(path: str) -> Iterator[uproot.ReadOnlyDirectory]:
    """Open a ROOT file, local or remote, with the failures of uproot named."""
    if "://" not in path and not Path(path).is_file():
        raise MissingFileError(f"{path}: no such file; check the sample's file list in the config")
    try:
        file = uproot.open({path: None})
    except FileNotFoundError as error:
        raise MissingFileError(f"{path}: no such file ({error})") from error
    except ImportError as error:
        raise RemoteSupportError(f"{path}: a package for this kind of address is missing ({error})") from error
    except Exception as error:  # uproot raises ValueError, IndexError, OSError, struct.error ... by kind of damage
        reason = " ".join(str(error).split())
        if XROOTD_NOT_FOUND in reason:
            raise MissingFileError(f"{path}: no such file ({reason})") from error
        raise NotRootError(f"{path}: not a readable ROOT file ({type(error).__name__}: {reason})") from error
    with file:
        yield file


def _branches(tree: Tree) -> set[str]:
    if isinstance(tree, uproot.TTree):
        return {name.split("/")[-1] for name in tree.keys()}  # noqa: SIM118 - a tree iterates over data
    # uproot lists the fields of an RNTuple in quadratic time (10 s for CMS's 1800): go down only where it can matter.
    top = set(tree.keys(recursive=False))
    required = {name for layout in LAYOUTS for name in layout.known()}
    collections = top & {name.split("_")[0] for name in required}
    return top | {f"{collection}.{field}" for collection in collections for field in tree[collection].keys()}  # noqa: SIM118


def _detect(file: uproot.ReadOnlyDirectory, path: str, layout: str) -> tuple[Layout, Tree, set[str]]:
    """Layout, tree and branch names of an open file; `layout` is a name or "auto"."""
    known = {candidate.name: candidate for candidate in LAYOUTS}
    if layout != "auto" and layout not in known:
        raise UnknownLayoutError(f"layout {layout!r} is unknown; use one of: auto, {', '.join(known)}")
    tried = list(LAYOUTS) if layout == "auto" else [known[layout]]
    names = {name.split(";")[0] for name in file.keys(recursive=False)}
    reasons = []
    for candidate in tried:
        if candidate.tree not in names:
            continue
        try:
            tree = file[candidate.tree]
            branches = _branches(tree)
        except Exception as error:  # as many kinds as in `_open`
            reason = " ".join(str(error).split())
            raise NotRootError(
                f"{path}: tree {candidate.tree} is damaged ({type(error).__name__}: {reason})"
            ) from error
        missing = [name for name in candidate.required() if stored_name(name, branches) is None]
        if not missing:
            return candidate, tree, branches
        reasons.append(f"{candidate.name} lacks {', '.join(missing)}")
    if reasons:
        raise MissingBranchError(f"{path}: no layout fits: {'; '.join(reasons)}")
    wanted = ", ".join(sorted({candidate.tree for candidate in tried}))
    found = ", ".join(sorted(names)) or "nothing"
    layouts = ", ".join(candidate.name for candidate in tried)
    raise MissingTreeError(f"{path}: no tree {wanted} for the layouts {layouts} (the file has: {found})")


def detect_layout(path: str | Path, layout: str = "auto") -> Layout:
    """Tell the layout of a file by its branches.

    Parameters
    ----------
    path : str or Path
        A file or a ``root://`` or ``https://`` address.
    layout : str
        "auto", or the name of the one layout to accept.

    Raises
    ------
    MissingFileError, NotRootError, MissingTreeError, MissingBranchError, UnknownLayoutError, RemoteSupportError
    """
    with _open(str(path)) as file:
        return _detect(file, str(path), layout)[0]


def _check_stored_jets(path: str, layout: Layout, branches: set[str]) -> None:
    if layout.jets is None:
        raise MissingBranchError(
            f"{path}: the layout {layout.name} links no jets to their constituents; set recluster: true"
        )
    missing = [name for name in layout.jets.required() if not has(branches, name)]
    if missing:
        raise MissingBranchError(f"{path}: lacks {', '.join(missing)} for its own jets; set recluster: true")


def read_candidates(
    path: str | Path,
    *,
    chunk_size: int = 1000,
    layout: str = "auto",
    apply_puppi_weight: bool = True,
    stored_jets: bool = False,
) -> Iterator[CandidateRecord]:
    """Read a ROOT file as candidate records of at most `chunk_size` events.

    Memory is bounded by the chunk (and the file's own baskets), whatever the size of the file.

    Parameters
    ----------
    path : str or Path
        A file or a ``root://`` or ``https://`` address.
    chunk_size : int
        Events a record.
    layout : str
        "auto" or the name of a layout.
    apply_puppi_weight : bool
        Scale the four-momentum of each candidate with its PUPPI weight, where the file has one.
    stored_jets : bool
        Read the file's own jets and their constituents as well.

    Yields
    ------
    CandidateRecord
        In file order. A file without events yields none.

    Raises
    ------
    InputFileError
        One subclass a kind of damage.
    UnknownLayoutError, RemoteSupportError
    """
    path = str(path)
    with _open(path) as file:
        found, tree, branches = _detect(file, path, layout)
        if stored_jets:
            _check_stored_jets(path, found, branches)
        reader = ChunkReader(path, found, branches, apply_puppi_weight=apply_puppi_weight, stored_jets=stored_jets)
        names = [str(stored_name(name, branches)) for name in reader.names()]
        chunks = tree.iterate(names, step_size=chunk_size, library="ak")
        entry = 0
        while True:
            try:
                chunk = next(chunks, None)
            except Exception as error:  # zlib.error, ValueError, OSError, DeserializationError ... by kind of damage
                reason = " ".join(str(error).split())[:300]
                raise DamagedDataError(
                    f"{path}: truncated or damaged from entry {entry} on ({type(error).__name__}: {reason})"
                ) from error
            if chunk is None:
                break
            yield reader.read(chunk, entry)
            entry += len(chunk)
        if entry != tree.num_entries:
            raise DamagedDataError(f"{path}: {entry} of {tree.num_entries} entries could be read")


def generated_weight(path: str | Path, layout: str = "auto") -> float | None:
    """Sum the generator weights of all events that a file was made from, those too that a skim left out.

    NanoAOD keeps it in the tree `Runs`; None where a file does not say. Raises like `read_candidates`.
    """
    path = str(path)
    with _open(path) as file:
        stored = _detect(file, path, layout)[0].generated
        if stored is None or stored[0] not in {name.split(";")[0] for name in file.keys(recursive=False)}:
            return None
        try:
            tree = file[stored[0]]
            if stored[1] not in tree.keys():  # noqa: SIM118 - a tree iterates over data
                return None
            total = float(tree[stored[1]].array(library="np").sum())
        except Exception as error:  # as many kinds as in `_open`
            reason = " ".join(str(error).split())[:300]
            raise DamagedDataError(
                f"{path}: {'.'.join(stored)} is damaged ({type(error).__name__}: {reason})"
            ) from error
    if not math.isfinite(total):
        raise NonFiniteError(f"{path}: {'.'.join(stored)} adds up to {total}")
    return total


def count_events(path: str | Path, layout: str = "auto") -> int:
    """Count the events of a file, from its header alone; raises like `read_candidates`."""
    with _open(str(path)) as file:
        return int(_detect(file, str(path), layout)[1].num_entries)
