"""Turn one chunk of branches into a candidate record, checking the numbers on the way."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import awkward as ak
import numpy as np
import numpy.typing as npt

from oddjet.arrays import Floats, Ints
from oddjet.errors import DamagedFileError, InputFileError
from oddjet.io.candidates import REASONS, CandidateRecord, Losses, Particles, StoredJets, joined
from oddjet.io.columns import Columns, has
from oddjet.io.layouts import JetBranches, Layout, Momenta, Truth
from oddjet.io.momenta import MOMENTUM_LIMIT, PHI_LIMIT, StoredMomenta, mass_of, offsets, read_momenta
from oddjet.io.stored_jets import jet_momenta, read_jets

LOGGER = logging.getLogger("oddjet")

# |PDG identifiers| and status code of the partons that jets are matched to: the dark quarks of the hard process in all
# flavours of Pythia's hidden valley, and top quarks and W bosons just before their decay (Pythia's status codes).
PARTONS = {
    "dark_quark": (tuple(range(4900101, 4900109)), 23),
    "top": ((6,), 62),
    "w": ((24,), 62),
}
# What comes out of the dark sector: particles that see our forces, and whose mother is a dark hadron.
DARK_PRODUCTS = "dark_product"
DARK_HADRONS = (4900109, 4900999)
INVISIBLE = (12, 14, 16, *range(51, 61))

BadCandidates = Literal["event", "candidate", "file"]


@dataclass(frozen=True)
class Reading:
    """What is asked of a file.

    Attributes
    ----------
    apply_puppi_weight : bool
        Scale four-momenta with PUPPI weights where the file has them.
    stored_jets : bool
        Read the file's own jets with their constituents as well; the layout must link them.
    decays : bool
        Read the particles that dark hadrons decay to as well.
    bad_candidates : {"event", "candidate", "file"}
        What is left out where a candidate has no momentum; for a jet or parton without one the event, or the file.
    max_bad_events : float
        Largest share of the file's events with such a candidate, rounded up to whole events.
    branches : tuple of str
        Other branches, which the file must have.
    """

    apply_puppi_weight: bool = True
    stored_jets: bool = False
    decays: bool = False
    bad_candidates: BadCandidates = "event"
    max_bad_events: float = 0.01
    branches: tuple[str, ...] = ()


class ChunkReader:
    """Reads chunks of one file.

    Parameters
    ----------
    path : str
        For messages.
    layout : Layout
    branches : mapping of str to str
        Those of the file, and their titles.
    reading : Reading

    Attributes
    ----------
    statuses : dict of str to Counter
        Status codes seen so far on the particles of each kind in `PARTONS`, whatever the code.
    found : Counter
        Particles of each kind found so far.
    first_bad : str or None
        Branch, value and entry of the first bad momentum.
    lacking_truth : list of str
        Branches of generator particles that the layout has and the file lacks.
    """

    def __init__(self, path: str, layout: Layout, branches: Mapping[str, str], reading: Reading) -> None:
        self.path = path
        self.layout = layout
        self.reading = reading
        self.lacking_truth = [
            name for name in (layout.truth.required() if layout.truth else ()) if not has(branches, name)
        ]
        self.truth = layout.truth if layout.truth and has(branches, *layout.truth.required()) else None
        self.weight = layout.weight if layout.weight and has(branches, layout.weight) else None
        self.jets = _of_file(layout.jets, branches)
        self.masses = [mass_of(group, branches) for group in layout.candidates]
        self.weighted = [_is_weighted(layout, group, branches) for group in layout.candidates]
        self.puppi = [
            None if weighted or not reading.apply_puppi_weight else _first(branches, group.weight)
            for group, weighted in zip(layout.candidates, self.weighted, strict=True)
        ]
        self.statuses: dict[str, Counter[int]] = {kind: Counter() for kind in PARTONS}
        self.found: Counter[str] = Counter()
        self.first_bad: str | None = None
        self._tell_other_weights(branches)
        self._told_of_jets = False

    def names(self) -> list[str]:
        """Names of the branches to read, as the layout has them."""
        names = list(self.layout.required())
        masses = [mass for mass, group in self._with_masses() if not group.energy]
        names += [name for name in (*masses, *self.puppi, self.weight) if name]
        if self.jets:
            names += self.jets.required() if self.reading.stored_jets else self.jets.momenta.required()
            counts = self.jets.counts if self.reading.stored_jets else None
            names += [name for name in (self.jets.raw_factor, counts) if name]
        if self.truth:
            names += [*self.truth.required(), *(self.truth.mothers() if self.reading.decays else ())]
        names += self.reading.branches
        return list(dict.fromkeys(names))

    def read(self, chunk: ak.Array, first_entry: int) -> CandidateRecord:
        """Make the record of a chunk, whose first event is entry `first_entry` of the file.

        Raises
        ------
        DamagedFileError
            Branches of one collection differ in length, or a link points nowhere.
        UnreadableFileError, DamagedFileError
            A branch is of another shape or type than the layout says; a number does not fit.
        DamagedFileError
            Names the branch and the entry.
        """
        columns, layout = Columns(self.path, chunk), self.layout
        entry = np.arange(first_entry, first_entry + len(columns), dtype=np.int64)
        weight = columns.finite(self.weight, entry) if self.weight else np.ones(len(columns))
        groups = self._groups(columns)
        masks = [group.bad() for group in groups]
        partons, seen = self._partons(columns, self.truth) if self.truth else ({}, {})
        hits = {
            "candidate": self._events_hit(groups, masks, entry),
            "jet": self._events_of_bad_jets(columns, entry),
            "particle": self._events_of_bad_partons(partons, entry),
        }
        losses, left_out = self._losses(hits, masks, weight)
        if left_out.any():
            columns, entry, weight = columns.where(~left_out), entry[~left_out], weight[~left_out]
            groups = self._groups(columns)
            masks = [group.bad() for group in groups]
            partons, seen = self._partons(columns, self.truth) if self.truth else ({}, {})
        for kind, codes in seen.items():
            self.statuses[kind].update(codes)
        self.found.update({kind: len(one.pt) for kind, one in partons.items()})
        particles = [group.particles(mask) for group, mask in zip(groups, masks, strict=True)]
        ones = np.ones(len(columns), np.uint32)
        block = layout.luminosity_block
        return CandidateRecord(
            file=self.path,
            entry=entry,
            run=columns.identifiers(layout.run, np.uint32, entry) if layout.run else ones,
            luminosity_block=columns.identifiers(block, np.uint32, entry) if block else ones,
            event=columns.identifiers(layout.event, np.uint64, entry) if layout.event else entry.astype(np.uint64),
            weight=weight,
            candidates=joined([one.where(one.pt > 0) for one in particles]),
            partons=partons if self.truth else None,
            jets=self._jets(columns, particles[0], entry),
            losses=losses,
            columns=columns.only(self.reading.branches) if self.reading.branches else None,
            own_jets=layout.jets.collection() if layout.jets else None,
        )

    def used(self) -> dict[str, str]:
        """Say what the branches of this file are read as: layout, masses, PUPPI weights, generator weight, truth."""
        puppi = [
            f"{name} applied" if name else "in the momenta already" if weighted else "not applied"
            for name, weighted in zip(self.puppi, self.weighted, strict=True)
        ]
        return {
            "layout": self.layout.name,
            "masses": ", ".join(name or f"{group.pt} massless" for name, group in self._with_masses()),
            "puppi": ", ".join(dict.fromkeys(puppi)),
            "weight": self.weight or "none, every event counts 1",
            "truth": ", ".join((self.truth.pdg_id, self.truth.status)) if self.truth else "none",
        }

    def _with_masses(self) -> list[tuple[str | None, Momenta]]:
        return list(zip(self.masses, self.layout.candidates, strict=True))

    @staticmethod
    def sought(kind: str) -> tuple[str, int]:
        """Give the PDG identifiers, as text, and the status code of a kind of parton."""
        identifiers, status = PARTONS[kind]
        first, last = identifiers[0], identifiers[-1]
        return (str(first) if first == last else f"{first} to {last}"), status

    def _groups(self, columns: Columns) -> list[StoredMomenta]:
        return [
            read_momenta(columns, group, self.layout.unit, mass, weight)
            for group, mass, weight in zip(self.layout.candidates, self.masses, self.puppi, strict=True)
        ]

    def _losses(
        self, hits: Mapping[str, npt.NDArray[np.bool_]], masks: Sequence[npt.NDArray[np.bool_] | None], weight: Floats
    ) -> tuple[Losses, npt.NDArray[np.bool_]]:
        """Count what is bad, and tell which events are left out; raises `DamagedFileError` where the file is to be."""
        if self.first_bad is not None and self.reading.bad_candidates == "file":
            raise DamagedFileError(
                f"{self.path}: {self.first_bad}; repair the file, leave it out, or set bad_candidates"
            )
        counts: dict[str, int] = {}
        left_out = np.zeros(len(weight), bool)
        for reason in REASONS:
            # A candidate can be left out alone; without one of its jets or partons an event would be another one.
            if reason == "candidate" and self.reading.bad_candidates == "candidate":
                continue
            if number := int((hits[reason] & ~left_out).sum()):
                counts[reason] = number
                left_out |= hits[reason]
        bad = np.logical_or.reduce(list(hits.values()))
        found = int(sum(mask.sum() for mask in masks if mask is not None))
        return Losses(int(bad.sum()), found, float(weight[left_out].sum()), counts), left_out

    def _events_hit(
        self, groups: Sequence[StoredMomenta], masks: Sequence[npt.NDArray[np.bool_] | None], entry: Ints
    ) -> npt.NDArray[np.bool_]:
        """Tell which events have a particle of `masks`, and keep the first reason."""
        hit = np.zeros(len(entry), bool)
        for group, mask in zip(groups, masks, strict=True):
            if mask is None:
                continue
            rows = group.rows()
            hit[rows[mask]] = True
            if self.first_bad is None:
                bad = int(np.argmax(mask))
                self.first_bad = f"{group.reason(bad)} in entry {entry[rows[bad]]}"
        return hit

    def _events_of_bad_jets(self, columns: Columns, entry: Ints) -> npt.NDArray[np.bool_]:
        """Tell which events have a stored jet without a momentum; none where ours are compared with them alone."""
        if self.jets is None or not self.reading.stored_jets:
            return np.zeros(len(entry), bool)
        group = jet_momenta(columns, self.jets, self.layout.unit)
        return self._events_hit([group], [group.bad()], entry)

    def _events_of_bad_partons(self, partons: Mapping[str, Particles], entry: Ints) -> npt.NDArray[np.bool_]:
        """Tell which events have a parton that no jet can be matched to.

        Beam particles have no finite pseudorapidity; only the partons themselves must. A NaN would match no jet, an
        infinite pT of a dark product every jet, and an azimuth in degrees any.
        """
        hit = np.zeros(len(entry), bool)
        for one in partons.values():
            for name, limit in (("pt", MOMENTUM_LIMIT), ("eta", np.inf), ("phi", PHI_LIMIT)):
                numbers = getattr(one, name)
                bad = ~(np.isfinite(numbers) & (np.abs(numbers) <= limit))
                if not bad.any():
                    continue
                first, rows = int(np.argmax(bad)), one.rows()
                hit[rows[bad]] = True
                if self.first_bad is None and self.truth is not None:
                    branch = getattr(self.truth.momenta, name)
                    self.first_bad = f"{branch} is {numbers[first]} in entry {entry[rows[first]]}"
        return hit

    def _partons(self, columns: Columns, truth: Truth) -> tuple[dict[str, Particles], dict[str, list[int]]]:
        """Give the partons of each kind, and the status codes of all particles of its identifiers."""
        more = [truth.pdg_id, truth.status, *(truth.mothers() if self.reading.decays else ())]
        group = read_momenta(columns, truth.momenta, self.layout.unit, truth.momenta.mass, None, more)
        counts, values, momenta = group.counts, group.values, truth.momenta
        pdg_id, status = np.abs(values[truth.pdg_id]), values[truth.status]
        mass = values[momenta.mass] if momenta.mass else np.zeros(len(pdg_id))
        particles = Particles(offsets(counts), values[momenta.pt], values[momenta.eta], values[momenta.phi], mass)
        kept, seen = {}, {}
        for kind, (identifiers, code) in PARTONS.items():
            is_kind = np.isin(pdg_id, identifiers) if len(identifiers) > 1 else pdg_id == identifiers[0]
            seen[kind] = status[is_kind].astype(int).tolist()
            kept[kind] = is_kind & (status == code)
        if self.reading.decays and truth.mother:
            kept[DARK_PRODUCTS] = _from_dark_hadrons(pdg_id, values[truth.mother], counts)
        return {kind: particles.where(keep) for kind, keep in kept.items()}, seen

    def _jets(self, columns: Columns, candidates: Particles, entry: Ints) -> StoredJets | None:
        """Read the file's own jets; where they serve for a comparison alone, those that cannot be read are none."""
        if self.jets is None:
            return None
        try:
            wanted = candidates if self.reading.stored_jets else None
            return read_jets(columns, self.jets, self.layout.unit, wanted, entry)
        except InputFileError as error:
            if self.reading.stored_jets:
                raise
            if not self._told_of_jets:
                LOGGER.warning("%s; these jets of the file's own are not compared with those found here", error)
            self._told_of_jets = True
            return None

    def _tell_other_weights(self, branches: Collection[str]) -> None:
        """Tell of PUPPI weights by names that the layout does not know, which are not applied."""
        for group, weighted, applied in zip(self.layout.candidates, self.weighted, self.puppi, strict=True):
            beginnings = tuple(f"{re.split('[_.]', group.pt)[0]}{sign}" for sign in "_.")
            others = [name for name in branches if name.startswith(beginnings) and "puppi" in name.lower()]
            if others and not weighted and not applied and self.reading.apply_puppi_weight:
                LOGGER.warning(
                    "%s: %s is not applied, for the layout %s does not know it; name it in a layout of your own "
                    "(puppi_weight, docs/formats.md), or set apply_puppi_weight: false",
                    self.path,
                    ", ".join(others),
                    self.layout.name,
                )


def _first(branches: Collection[str], *names: str | None) -> str | None:
    return next((name for name in names if name and has(branches, name)), None)


def _of_file(jets: JetBranches | None, branches: Collection[str]) -> JetBranches | None:
    """Give the branches of jets without the optional ones that a file lacks; None where it lacks others."""
    if jets is None or not has(branches, *jets.momenta.required()):
        return None
    return replace(jets, raw_factor=_first(branches, jets.raw_factor), counts=_first(branches, jets.counts))


def _is_weighted(layout: Layout, group: Momenta, branches: Mapping[str, str]) -> bool:
    """Tell whether momenta hold their PUPPI weights: the branch's title says so, or the format does."""
    title = branches.get(group.pt, branches.get(group.pt.replace("_", ".", 1), ""))
    if "puppi-weighted" in title.lower():
        return True
    return layout.weighted and _first(branches, group.weight) is None


def _from_dark_hadrons(pdg_id: Floats, mother: Floats, counts: Ints) -> npt.NDArray[np.bool_]:
    """Tell which particles see our forces and have a dark hadron for a mother."""
    first = np.repeat(np.cumsum(counts) - counts, counts)
    known = (mother >= 0) & (mother < np.repeat(counts, counts))
    of = pdg_id[np.where(known, first + mother, 0).astype(np.int64)] if len(pdg_id) else pdg_id
    dark = known & (of >= DARK_HADRONS[0]) & (of <= DARK_HADRONS[1])
    result: npt.NDArray[Any] = dark & (pdg_id < DARK_HADRONS[0] - 1000) & ~np.isin(pdg_id, INVISIBLE)
    return result
