"""ROOT files of any supported layout, read in chunks of events into candidate records.

Everything that differs between formats is in `oddjet.io.layouts`. Every failure becomes an `InputFileError` that names
the file, so that a later stage can fail or skip the file; uproot itself raises a different exception for each kind of
damage.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import awkward as ak
import numpy as np
import numpy.typing as npt
import uproot

from oddjet.errors import OddjetError
from oddjet.io.layouts import LAYOUTS, Layout, Momenta, Truth

Tree: TypeAlias = uproot.TTree | uproot.behaviors.RNTuple.RNTuple

# (|PDG identifier|, status code) of the partons that jets are matched to: the dark quarks of the hard process, and the
# top quarks just before their decay (Pythia status codes).
PARTONS = {"dark_quark": (4900101, 23), "top": (6, 62)}


class InputFileError(OddjetError):
    """An input file cannot be used; the message names the file and the reason."""


class MissingFileError(InputFileError):
    """There is no such file."""


class NotRootError(InputFileError):
    """The file is not a readable ROOT file: empty, another format, or its header or directory is damaged."""


class MissingTreeError(InputFileError):
    """The ROOT file has none of the trees that a supported layout keeps its events in."""


class MissingBranchError(InputFileError):
    """The tree lacks branches that a layout needs."""


class DamagedDataError(InputFileError):
    """Baskets or pages of the file cannot be read: truncated or damaged."""


class NonFiniteError(InputFileError):
    """A momentum, weight or identifier is NaN or infinite."""


class UnknownLayoutError(OddjetError):
    """The configured layout does not exist."""


@dataclass(frozen=True)
class Particles:
    """Momenta of a ragged list: row i holds particles ``offsets[i]`` to ``offsets[i + 1]``.

    Attributes
    ----------
    offsets : int64 array, shape (rows + 1,)
    pt, eta, phi, mass : float64 arrays, shape (particles,)
        GeV, pseudorapidity, radians, GeV.
    """

    offsets: npt.NDArray[np.int64]
    pt: npt.NDArray[np.float64]
    eta: npt.NDArray[np.float64]
    phi: npt.NDArray[np.float64]
    mass: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def counts(self) -> npt.NDArray[np.int64]:
        """Count the particles in each row, int64 array of shape (rows,)."""
        return np.diff(self.offsets)

    def rows(self) -> npt.NDArray[np.int64]:
        """Give the row of each particle, int64 array of shape (particles,)."""
        return np.repeat(np.arange(len(self)), self.counts())

    def where(self, keep: npt.NDArray[np.bool_]) -> Particles:
        """Keep, row by row, the particles where `keep`, a bool array of shape (particles,), is true."""
        passed = np.concatenate(([0], np.cumsum(keep)))
        return Particles(
            passed[self.offsets].astype(np.int64), self.pt[keep], self.eta[keep], self.phi[keep], self.mass[keep]
        )


@dataclass(frozen=True)
class CandidateRecord:
    """One chunk of events, whatever file it came from.

    Attributes
    ----------
    file : str
    first_entry : int
        Position in the file of the first event of the chunk.
    run, luminosity_block : uint32 arrays, shape (events,)
    event : uint64 array, shape (events,)
    weight : float64 array, shape (events,)
        Generator weight, 1 where the file has none.
    candidates : Particles
        Particle-flow candidates with pT > 0, after PUPPI weights if those were asked for.
    partons : mapping of str to Particles, or None
        The partons of each kind in `PARTONS`; None if the file has no truth.
    """

    file: str
    first_entry: int
    run: npt.NDArray[np.uint32]
    luminosity_block: npt.NDArray[np.uint32]
    event: npt.NDArray[np.uint64]
    weight: npt.NDArray[np.float64]
    candidates: Particles
    partons: Mapping[str, Particles] | None

    def __len__(self) -> int:
        return len(self.event)


@contextlib.contextmanager
def _open(path: str) -> Iterator[uproot.ReadOnlyDirectory]:
    """Open a ROOT file, local or remote, with the failures of uproot named."""
    if "://" not in path and not Path(path).is_file():
        raise MissingFileError(f"{path}: no such file; check the sample's file list in the config")
    try:
        file = uproot.open({path: None})
    except Exception as error:  # uproot raises ValueError, IndexError, OSError, struct.error ... by kind of damage
        raise NotRootError(f"{path}: not a readable ROOT file ({type(error).__name__}: {error})") from error
    with file:
        yield file


def _branches(tree: Tree) -> set[str]:
    return {name.split("/")[-1] for name in tree.keys()}  # noqa: SIM118


def _stored_name(name: str, branches: set[str]) -> str | None:
    """Name under which `branches` holds `name`: an RNTuple may keep `PFCands_pt` as field `pt` of `PFCands`."""
    if name in branches:
        return name
    nested = name.replace("_", ".", 1)
    return nested if nested in branches else None


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
        except Exception as error:
            raise NotRootError(f"{path}: tree {candidate.tree} is damaged ({type(error).__name__}: {error})") from error
        missing = [name for name in candidate.required() if _stored_name(name, branches) is None]
        if not missing:
            return candidate, tree, branches
        reasons.append(f"{candidate.name} lacks {', '.join(missing)}")
    if reasons:
        raise MissingBranchError(f"{path}: no layout fits: {'; '.join(reasons)}")
    wanted = ", ".join(sorted({candidate.tree for candidate in tried}))
    found = ", ".join(sorted(names)) or "nothing"
    raise MissingTreeError(f"{path}: no tree {wanted} (the file has: {found})")


def detect_layout(path: str | Path, layout: str = "auto") -> Layout:
    """Layout of a file, told by its branches.

    Parameters
    ----------
    path : str or Path
        A file or a ``root://`` or ``https://`` address.
    layout : str
        "auto", or the name of the one layout to accept.

    Raises
    ------
    MissingFileError, NotRootError, MissingTreeError, MissingBranchError, UnknownLayoutError
    """
    with _open(str(path)) as file:
        return _detect(file, str(path), layout)[0]


def _column(chunk: ak.Array, name: str) -> ak.Array:
    stored = _stored_name(name, set(chunk.fields))
    if stored is not None:
        return chunk[stored]
    collection, field = name.split("_", 1) if "_" in name else name.split(".", 1)
    return chunk[collection, field]


class _ChunkReader:
    """Turns one chunk of branches into a `CandidateRecord`."""

    def __init__(self, path: str, layout: Layout, branches: set[str], apply_puppi_weight: bool) -> None:
        self.path = path
        self.layout = layout
        self.apply_puppi_weight = apply_puppi_weight
        self.truth = layout.truth if layout.truth and self._has(branches, *layout.truth.required()) else None
        self.weight = layout.weight if layout.weight and self._has(branches, layout.weight) else None
        self.puppi = [group.weight is not None and self._has(branches, group.weight) for group in layout.candidates]

    @staticmethod
    def _has(branches: set[str], *names: str) -> bool:
        return all(_stored_name(name, branches) is not None for name in names)

    def names(self) -> list[str]:
        """Branches to read."""
        names = list(self.layout.required())
        if self.apply_puppi_weight:
            names += [str(g.weight) for g, there in zip(self.layout.candidates, self.puppi, strict=True) if there]
        names += [self.weight] if self.weight else []
        return names + list(self.truth.required() if self.truth else ())

    def read(self, chunk: ak.Array, first_entry: int) -> CandidateRecord:
        """Candidate record of one chunk, whose first event is entry `first_entry` of the file."""
        layout = self.layout
        events = len(chunk)
        groups = [
            self._momenta(chunk, group, there and self.apply_puppi_weight, first_entry)
            for group, there in zip(layout.candidates, self.puppi, strict=True)
        ]
        weight = np.ones(events) if self.weight is None else self._numbers(chunk, self.weight, np.float64)
        if not np.isfinite(weight).all():
            entry = first_entry + int(np.argmin(np.isfinite(weight)))
            raise NonFiniteError(f"{self.path}: {self.weight} is not finite in entry {entry}")
        ones = np.ones(events, np.uint32)
        return CandidateRecord(
            file=self.path,
            first_entry=first_entry,
            run=self._numbers(chunk, layout.run, np.uint32) if layout.run else ones,
            luminosity_block=(
                self._numbers(chunk, layout.luminosity_block, np.uint32) if layout.luminosity_block else ones
            ),
            event=self._numbers(chunk, layout.event, np.uint64),
            weight=weight,
            candidates=_joined(groups),
            partons=self._partons(chunk, self.truth, first_entry) if self.truth else None,
        )

    def _numbers(self, chunk: ak.Array, name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        column = _column(chunk, name)
        if column.ndim > 1:  # Delphes keeps event numbers as lists of one
            column = ak.firsts(column)
        return np.asarray(ak.to_numpy(column, allow_missing=False)).astype(dtype)

    def _flat(self, chunk: ak.Array, name: str, first_entry: int) -> npt.NDArray[np.float64]:
        column = _column(chunk, name)
        flat: npt.NDArray[np.float64] = ak.to_numpy(ak.flatten(column)).astype(np.float64)
        finite = np.isfinite(flat)
        if not finite.all():
            row = np.searchsorted(np.cumsum(ak.to_numpy(ak.num(column))), np.argmin(finite), side="right")
            raise NonFiniteError(
                f"{self.path}: {name} is {flat[np.argmin(finite)]} in entry {first_entry + int(row)}; "
                "fastjet cannot take it, repair or leave out the file"
            )
        return flat

    def _momenta(self, chunk: ak.Array, group: Momenta, weighted: bool, first_entry: int) -> Particles:
        """Momenta of one collection, less the particles without transverse momentum."""
        counts = ak.to_numpy(ak.num(_column(chunk, group.pt)))
        pt, eta, phi = (self._flat(chunk, name, first_entry) for name in (group.pt, group.eta, group.phi))
        mass = self._flat(chunk, group.mass, first_entry) if group.mass else np.zeros_like(pt)
        for name, values in ((group.eta, eta), (group.phi, phi), (group.mass, mass)):
            if len(values) != len(pt):
                raise DamagedDataError(f"{self.path}: {name} and {group.pt} have different lengths")
        if weighted:
            weight = self._flat(chunk, str(group.weight), first_entry)
            pt, mass = pt * weight, mass * weight
        offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        # Packed masses of massless candidates can come out slightly negative.
        return Particles(offsets, pt, eta, phi, np.maximum(mass, 0.0)).where(pt > 0)

    def _partons(self, chunk: ak.Array, truth: Truth, first_entry: int) -> dict[str, Particles]:
        pdg_id = np.abs(ak.to_numpy(ak.flatten(_column(chunk, truth.pdg_id))))
        status = ak.to_numpy(ak.flatten(_column(chunk, truth.status)))
        counts = ak.to_numpy(ak.num(_column(chunk, truth.pdg_id)))
        offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        columns = [self._flat(chunk, name, first_entry) for name in truth.momenta.required()]
        particles = Particles(offsets, *columns)
        return {
            name: particles.where((pdg_id == identifier) & (status == code))
            for name, (identifier, code) in PARTONS.items()
        }


def _joined(groups: Sequence[Particles]) -> Particles:
    """One collection with the particles of all groups, row by row."""
    if len(groups) == 1:
        return groups[0]
    rows = np.concatenate([group.rows() for group in groups])
    order = np.argsort(rows, kind="stable")
    columns = (
        np.concatenate([getattr(group, name) for group in groups])[order] for name in ("pt", "eta", "phi", "mass")
    )
    return Particles(np.sum([group.offsets for group in groups], axis=0), *columns)


def read_candidates(
    path: str | Path, *, chunk_size: int = 1000, layout: str = "auto", apply_puppi_weight: bool = True
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

    Yields
    ------
    CandidateRecord
        In file order. A file without events yields none.

    Raises
    ------
    InputFileError
        One subclass a kind of damage; UnknownLayoutError for a layout that does not exist.
    """
    path = str(path)
    with _open(path) as file:
        found, tree, branches = _detect(file, path, layout)
        reader = _ChunkReader(path, found, branches, apply_puppi_weight)
        names = [str(_stored_name(name, branches)) for name in reader.names()]
        chunks = tree.iterate(names, step_size=chunk_size, library="ak")
        entry = 0
        while True:
            try:
                chunk = next(chunks, None)
            except Exception as error:  # zlib.error, ValueError, OSError, DeserializationError ... by kind of damage
                raise DamagedDataError(
                    f"{path}: truncated or damaged from entry {entry} on ({type(error).__name__}: {error})"
                ) from error
            if chunk is None:
                break
            yield reader.read(chunk, entry)
            entry += len(chunk)
        if entry != tree.num_entries:
            raise DamagedDataError(f"{path}: {entry} of {tree.num_entries} entries could be read")


def count_events(path: str | Path, layout: str = "auto") -> int:
    """Count the events of a file, from its header alone; raises like `read_candidates`."""
    with _open(str(path)) as file:
        return int(_detect(file, str(path), layout)[1].num_entries)
