"""What a chunk of events is after reading, whatever the format: identifiers, weights, candidates, truth, jets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from oddjet.io.columns import Columns


@dataclass(frozen=True)
class Particles:
    """Momenta of a ragged list: row i holds particles ``offsets[i]`` to ``offsets[i + 1]``.

    Attributes
    ----------
    offsets : int64 array, shape (rows + 1,)
    pt, eta, phi, mass : float64 arrays, shape (particles,)
        GeV, pseudorapidity, radians in [-pi, pi], GeV.
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
        if keep.all():
            return self
        passed = np.concatenate(([0], np.cumsum(keep)))
        return Particles(
            passed[self.offsets].astype(np.int64), self.pt[keep], self.eta[keep], self.phi[keep], self.mass[keep]
        )

    def of_rows(self, keep: npt.NDArray[np.bool_]) -> Particles:
        """Keep the rows where `keep`, a bool array of shape (rows,), is true."""
        counts = self.counts()
        return self.take(counts[keep], np.flatnonzero(np.repeat(keep, counts)))

    def take(self, counts: npt.NDArray[np.int64], indices: npt.NDArray[np.int64]) -> Particles:
        """Make new rows of the particles at `indices`, `counts` of them a row."""
        offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return Particles(offsets, self.pt[indices], self.eta[indices], self.phi[indices], self.mass[indices])


def joined(groups: Sequence[Particles]) -> Particles:
    """Make one collection with the particles of all groups, row by row."""
    if len(groups) == 1:
        return groups[0]
    rows = np.concatenate([group.rows() for group in groups])
    order = np.argsort(rows, kind="stable")
    columns = (
        np.concatenate([getattr(group, name) for group in groups])[order] for name in ("pt", "eta", "phi", "mass")
    )
    return Particles(np.sum([group.offsets for group in groups], axis=0), *columns)


@dataclass(frozen=True)
class StoredJets:
    """The jets that the file brings along.

    Attributes
    ----------
    momenta : Particles
        One row an event; calibrated as they are in the file.
    constituents : Particles or None
        One row a jet, in the order of `momenta`; None unless they were asked for.
    raw : float64 array, shape (jets,)
        Uncalibrated over calibrated momentum.
    """

    momenta: Particles
    constituents: Particles | None
    raw: npt.NDArray[np.float64]

    def of_rows(self, keep: npt.NDArray[np.bool_]) -> StoredJets:
        """Keep the events where `keep`, a bool array of shape (events,), is true."""
        jets = np.repeat(keep, self.momenta.counts())
        constituents = None if self.constituents is None else self.constituents.of_rows(jets)
        return StoredJets(self.momenta.of_rows(keep), constituents, self.raw[jets])


# Whose momentum makes an event bad, in the order in which an event is counted.
REASONS = ("candidate", "jet", "particle")


@dataclass(frozen=True)
class Losses:
    """What a chunk had of momenta that no particle has: NaN, infinite, beyond all measure, negative PUPPI weight.

    Attributes
    ----------
    events : int
        Events with such a momentum, left out or not.
    candidates : int
        Such candidates.
    weight : float
        Sum of the generator weights of the events that were left out.
    left_out : mapping of str to int
        Events that were left out, each for the first of `REASONS` that it has.
    """

    events: int = 0
    candidates: int = 0
    weight: float = 0.0
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CandidateRecord:
    """One chunk of events.

    Attributes
    ----------
    file : str
    entry : int64 array, shape (events,)
        Position of each event in the file.
    run, luminosity_block : uint32 arrays, shape (events,)
    event : uint64 array, shape (events,)
    weight : float64 array, shape (events,)
        Generator weight, 1 where the file has none.
    candidates : Particles
        Particle-flow candidates with pT > 0, after PUPPI weights if those were asked for.
    partons : mapping of str to Particles, or None
        The partons of each kind in `oddjet.io.chunks.PARTONS`, and what dark hadrons decay to if it was asked for;
        None if the file has no truth.
    jets : StoredJets or None
        The file's own jets, if it has any.
    losses : Losses
        Events that are not among these, or have lost candidates.
    columns : Columns or None
        The branches that were asked for by name (`oddjet.io.chunks.Reading`).
    own_jets : str or None
        Name of the collection of `jets`, before `_` or `.` in the names of its branches.
    """

    file: str
    entry: npt.NDArray[np.int64]
    run: npt.NDArray[np.uint32]
    luminosity_block: npt.NDArray[np.uint32]
    event: npt.NDArray[np.uint64]
    weight: npt.NDArray[np.float64]
    candidates: Particles
    partons: Mapping[str, Particles] | None
    jets: StoredJets | None = None
    losses: Losses = field(default_factory=Losses)
    columns: Columns | None = None
    own_jets: str | None = None

    def __len__(self) -> int:
        return len(self.event)

    def is_of_own_jets(self, branch: str) -> bool:
        """Tell whether a branch is one of the collection of `jets`."""
        return self.own_jets is not None and branch.startswith((f"{self.own_jets}_", f"{self.own_jets}."))

    def where(self, keep: npt.NDArray[np.bool_]) -> CandidateRecord:
        """Keep the events where `keep`, a bool array of shape (events,), is true."""
        if keep.all():
            return self
        partons, jets, columns = self.partons, self.jets, self.columns
        return CandidateRecord(
            file=self.file,
            entry=self.entry[keep],
            run=self.run[keep],
            luminosity_block=self.luminosity_block[keep],
            event=self.event[keep],
            weight=self.weight[keep],
            candidates=self.candidates.of_rows(keep),
            partons=partons and {kind: particles.of_rows(keep) for kind, particles in partons.items()},
            jets=None if jets is None else jets.of_rows(keep),
            losses=self.losses,
            columns=None if columns is None else columns.where(keep),
            own_jets=self.own_jets,
        )
