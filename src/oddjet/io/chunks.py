"""Turn one chunk of branches into a candidate record, checking the numbers on the way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import awkward as ak
import numpy as np
import numpy.typing as npt

from oddjet.errors import OddjetError
from oddjet.io.layouts import Jets, Layout, Momenta, Truth
from oddjet.io.records import CandidateRecord, Particles, StoredJets

# (|PDG identifier|, status code) of the partons that jets are matched to: the dark quarks of the hard process, and the
# top quarks just before their decay (Pythia status codes).
PARTONS = {"dark_quark": (4900101, 23), "top": (6, 62)}

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class InputFileError(OddjetError):
    """An input file cannot be used; the message names the file and the reason."""


class DamagedDataError(InputFileError):
    """The contents of a file cannot be read or contradict each other: truncated or damaged."""


class NonFiniteError(InputFileError):
    """A momentum or weight is NaN or infinite."""


def stored_name(name: str, branches: Collection[str]) -> str | None:
    """Name under which `branches` holds `name`: an RNTuple may keep `PFCands_pt` as field `pt` of `PFCands`."""
    if name in branches:
        return name
    nested = name.replace("_", ".", 1)
    return nested if nested in branches else None


def has(branches: Collection[str], *names: str) -> bool:
    """Tell whether all of `names` are there."""
    return all(stored_name(name, branches) is not None for name in names)


def _column(chunk: ak.Array, name: str) -> ak.Array:
    stored = stored_name(name, chunk.fields)
    if stored is not None:
        return chunk[stored]
    collection, field = name.split("_", 1)
    return chunk[collection, field]


def _offsets(counts: Ints) -> Ints:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


class ChunkReader:
    """Reads chunks of one file.

    Parameters
    ----------
    path : str
        For messages.
    layout : Layout
    branches : collection of str
        Those of the file.
    apply_puppi_weight : bool
        Scale four-momenta with PUPPI weights where the file has them.
    stored_jets : bool
        Read the file's own jets as well; the layout must have them.
    """

    def __init__(
        self, path: str, layout: Layout, branches: Collection[str], *, apply_puppi_weight: bool, stored_jets: bool
    ) -> None:
        self.path = path
        self.layout = layout
        self.truth = layout.truth if layout.truth and has(branches, *layout.truth.required()) else None
        self.weight = layout.weight if layout.weight and has(branches, layout.weight) else None
        self.jets = layout.jets if stored_jets else None
        self.puppi = [
            apply_puppi_weight and group.weight is not None and has(branches, group.weight)
            for group in layout.candidates
        ]

    def names(self) -> list[str]:
        """Names of the branches to read, as the layout has them."""
        names = list(self.layout.required())
        names += [str(g.weight) for g, weighted in zip(self.layout.candidates, self.puppi, strict=True) if weighted]
        names += [self.weight] if self.weight else []
        names += self.jets.required() if self.jets else ()
        return names + list(self.truth.required() if self.truth else ())

    def read(self, chunk: ak.Array, first_entry: int) -> CandidateRecord:
        """Make the record of a chunk, whose first event is entry `first_entry` of the file.

        Raises
        ------
        DamagedDataError
            Branches of one collection differ in length, or a link points nowhere.
        NonFiniteError
            Names the branch and the entry.
        """
        layout = self.layout
        pairs = zip(layout.candidates, self.puppi, strict=True)
        groups = [self._momenta(chunk, group, weighted, first_entry) for group, weighted in pairs]
        ones = np.ones(len(chunk), np.uint32)
        candidates = _joined([group.where(group.pt > 0) for group in groups])
        return CandidateRecord(
            file=self.path,
            first_entry=first_entry,
            run=self._numbers(chunk, layout.run, np.uint32) if layout.run else ones,
            luminosity_block=(
                self._numbers(chunk, layout.luminosity_block, np.uint32) if layout.luminosity_block else ones
            ),
            event=self._numbers(chunk, layout.event, np.uint64),
            weight=self._weight(chunk, first_entry),
            candidates=candidates,
            partons=self._partons(chunk, self.truth, first_entry) if self.truth else None,
            jets=self._stored_jets(chunk, self.jets, groups[0], first_entry) if self.jets else None,
        )

    def _numbers(self, chunk: ak.Array, name: str, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        column = _column(chunk, name)
        if column.ndim > 1:  # Delphes keeps event numbers as lists of one
            if not ak.all(ak.num(column) == 1):
                raise DamagedDataError(f"{self.path}: {name} does not have one value an event")
            column = ak.flatten(column)
        return np.asarray(ak.to_numpy(column)).astype(dtype)

    def _weight(self, chunk: ak.Array, first_entry: int) -> Floats:
        if self.weight is None:
            return np.ones(len(chunk))
        weight = self._numbers(chunk, self.weight, np.float64)
        if not np.isfinite(weight).all():
            entry = int(np.argmin(np.isfinite(weight)))
            raise NonFiniteError(f"{self.path}: {self.weight} is {weight[entry]} in entry {first_entry + entry}")
        return weight

    def _counts(self, chunk: ak.Array, names: Sequence[str]) -> Ints:
        """Count the values of each event, the same for all of `names`."""
        counts = np.asarray(ak.to_numpy(ak.num(_column(chunk, names[0])))).astype(np.int64)
        for name in names[1:]:
            if not np.array_equal(counts, ak.to_numpy(ak.num(_column(chunk, name)))):
                raise DamagedDataError(f"{self.path}: {name} and {names[0]} differ in length")
        return counts

    def _finite(self, name: str, values: Floats, rows: Ints, first_entry: int) -> None:
        finite = np.isfinite(values)
        if not finite.all():
            bad = int(np.argmin(finite))
            raise NonFiniteError(
                f"{self.path}: {name} is {values[bad]} in entry {first_entry + int(rows[bad])}; "
                "repair the file or leave it out"
            )

    def _momenta(self, chunk: ak.Array, group: Momenta, weighted: bool, first_entry: int) -> Particles:
        names = [*group.required(), *([str(group.weight)] if weighted else [])]
        counts = self._counts(chunk, names)
        columns = {name: _flat(chunk, name) for name in names}
        rows = np.repeat(np.arange(len(counts)), counts)
        for name, values in columns.items():
            self._finite(name, values, rows, first_entry)
        pt = columns[group.pt]
        mass = columns[group.mass] if group.mass else np.zeros_like(pt)
        if weighted:
            weight = columns[str(group.weight)]
            pt, mass = pt * weight, mass * weight
        # Packed masses of massless candidates can come out slightly negative.
        return Particles(_offsets(counts), pt, columns[group.eta], _wrapped(columns[group.phi]), np.maximum(mass, 0.0))

    def _partons(self, chunk: ak.Array, truth: Truth, first_entry: int) -> dict[str, Particles]:
        counts = self._counts(chunk, truth.required())
        pdg_id = np.abs(_flat(chunk, truth.pdg_id))
        status = _flat(chunk, truth.status)
        columns = [_flat(chunk, name) for name in truth.momenta.required()]
        particles = Particles(_offsets(counts), *columns)
        found = {}
        for kind, (identifier, code) in PARTONS.items():
            found[kind] = particles.where((pdg_id == identifier) & (status == code))
            # Beam particles have no finite pseudorapidity; only the partons themselves must.
            self._finite(truth.momenta.eta, found[kind].eta, found[kind].rows(), first_entry)
            self._finite(truth.momenta.phi, found[kind].phi, found[kind].rows(), first_entry)
        return found

    def _stored_jets(self, chunk: ak.Array, jets: Jets, candidates: Particles, first_entry: int) -> StoredJets:
        momenta = self._momenta(chunk, jets.momenta, weighted=False, first_entry=first_entry)
        links = self._counts(chunk, (jets.jet_index, jets.candidate_index))
        event = np.repeat(np.arange(len(links)), links)
        jet = _flat(chunk, jets.jet_index).astype(np.int64)
        candidate = _flat(chunk, jets.candidate_index).astype(np.int64)
        for name, index, sizes in (
            (jets.jet_index, jet, momenta.counts()),
            (jets.candidate_index, candidate, candidates.counts()),
        ):
            outside = (index < 0) | (index >= sizes[event])
            if outside.any():
                bad = int(np.argmax(outside))
                raise DamagedDataError(f"{self.path}: {name} is {index[bad]} in entry {first_entry + event[bad]}")
        jet += momenta.offsets[event]
        candidate += candidates.offsets[event]
        kept = candidates.pt[candidate] > 0
        jet, candidate = jet[kept], candidate[kept]
        order = np.lexsort((-candidates.pt[candidate], jet))
        counts = np.bincount(jet, minlength=len(momenta.pt))
        return StoredJets(momenta, candidates.take(counts, candidate[order]))


def _flat(chunk: ak.Array, name: str) -> Floats:
    return np.asarray(ak.to_numpy(ak.flatten(_column(chunk, name)))).astype(np.float64)


def _wrapped(phi: Floats) -> Floats:
    """Azimuth in [-pi, pi]; some formats count from 0 to 2 pi."""
    return np.where(np.abs(phi) > np.pi, (phi + np.pi) % (2 * np.pi) - np.pi, phi)


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
