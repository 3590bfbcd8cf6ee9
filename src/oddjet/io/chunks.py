"""Turn one chunk of branches into a candidate record, checking the numbers on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import awkward as ak
import numpy as np
import numpy.typing as npt

from oddjet.arrays import Floats, Ints
from oddjet.errors import DamagedFileError, InputFileError
from oddjet.io.candidates import CandidateRecord, Losses, Particles, StoredJets, joined
from oddjet.io.columns import Columns, has
from oddjet.io.layouts import JetBranches, Layout, Momenta, Truth

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
# No particle of a collider has a larger |eta|, or pT or mass in GeV (even if MeV are taken for it): what lies above is
# a placeholder or damage, and sums of squares of what lies below are finite.
ETA_LIMIT = 30.0
MOMENTUM_LIMIT = 1e9
# An azimuth is counted from -pi or from 0; one that goes further is in degrees. A little is for rounding.
PHI_LIMIT = 2 * np.pi + 0.01
FULL_CIRCLE = 360.0
# PUPPI weights lie between 0 and 1; 255 would be one that is still packed.
WEIGHT_LIMIT = 1.01
# Packed masses of massless candidates can come out slightly negative; this is a placeholder.
NO_MASS = -1.0

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
        What is left out where a candidate has no momentum.
    max_bad_events : float
        Largest share of the file's events with such a candidate, rounded up to whole events.
    """

    apply_puppi_weight: bool = True
    stored_jets: bool = False
    decays: bool = False
    bad_candidates: BadCandidates = "event"
    max_bad_events: float = 0.01


@dataclass(frozen=True)
class _Group:
    """One collection as it is stored: its momenta's branches, PUPPI weights, and lengths."""

    group: Momenta
    counts: Ints
    values: Mapping[str, Floats]
    mass: str | None
    weight: str | None

    def rows(self) -> Ints:
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def bad(self) -> npt.NDArray[np.bool_] | None:
        """Tell which particles with a pT have no momentum; None if there is none of that kind."""
        pt, eta, phi = (self.values[name] for name in (self.group.pt, self.group.eta, self.group.phi))
        mass = self.values[self.mass] if self.mass else np.zeros(1)
        total = np.zeros_like(pt)
        with np.errstate(invalid="ignore"):  # infinities of two signs
            for values in self.values.values():
                total += values
        weight = self.values[self.weight] if self.weight else None
        # Nearly every chunk is sound: one look at each column's extremes tells.
        if np.isfinite(total).all() and (
            len(pt) == 0
            or (
                np.abs(eta).max() <= ETA_LIMIT
                and np.abs(phi).max() <= PHI_LIMIT
                and max(pt.max(), mass.max()) <= MOMENTUM_LIMIT
                and pt.min() >= 0
                and mass.min() > NO_MASS
                and (weight is None or (weight.min() >= 0 and weight.max() <= WEIGHT_LIMIT))
            )
        ):
            return None
        bad = ~np.isfinite(total)
        for name in self.values:
            bad |= self._beyond(name)
        bad &= pt != 0  # padding, which is dropped anyway
        return bad if bad.any() else None

    def reason(self, particle: int) -> str:
        """Name the branch that makes a particle bad, and its value."""
        for name, values in self.values.items():
            if not np.isfinite(values[particle]) or self._beyond(name)[particle]:
                return f"{name} is {values[particle]:g}{self._hint(name, values[particle])}"
        return f"{self.group.pt} and the others add up to no number"

    def _beyond(self, name: str) -> npt.NDArray[np.bool_]:
        """Tell where a branch has values that no particle has."""
        values = self.values[name]
        if name == self.group.eta:
            return np.abs(values) > ETA_LIMIT
        if name == self.group.phi:
            return np.abs(values) > PHI_LIMIT
        if name == self.weight:
            return (values < 0) | (values > WEIGHT_LIMIT)
        if name == self.mass:
            return (values > MOMENTUM_LIMIT) | (values <= NO_MASS)
        return (values > MOMENTUM_LIMIT) | (values < 0)

    def _hint(self, name: str, value: float) -> str:
        """Guess what a value means that no particle has."""
        if name == self.group.phi and PHI_LIMIT < abs(value) <= FULL_CIRCLE:
            return " (in degrees? It must be in radians)"
        if name == self.weight and value > WEIGHT_LIMIT:
            return " (still packed? A PUPPI weight lies between 0 and 1; or set apply_puppi_weight: false)"
        return ""

    def particles(self, left_out: npt.NDArray[np.bool_] | None = None) -> Particles:
        """Give the momenta, weighted; those of `left_out` have pT 0, so that positions stay."""
        pt = self.values[self.group.pt]
        mass = self.values[self.mass] if self.mass else np.zeros_like(pt)
        eta, phi = self.values[self.group.eta], self.values[self.group.phi]
        if self.weight:
            pt, mass = pt * self.values[self.weight], mass * self.values[self.weight]
        if left_out is not None:
            pt, eta, phi, mass = (np.where(left_out, 0.0, values) for values in (pt, eta, phi, mass))
        # Packed masses of massless candidates can come out slightly negative.
        return Particles(offsets(self.counts), pt, eta, _wrapped(phi), np.maximum(mass, 0.0))


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
        Branch, value and entry of the first bad candidate.
    """

    def __init__(self, path: str, layout: Layout, branches: Mapping[str, str], reading: Reading) -> None:
        self.path = path
        self.layout = layout
        self.reading = reading
        self.truth = layout.truth if layout.truth and has(branches, *layout.truth.required()) else None
        self.weight = layout.weight if layout.weight and has(branches, layout.weight) else None
        self.jets = layout.jets if layout.jets and has(branches, *layout.jets.momenta.required()) else None
        self.raw_factor = self.jets.raw_factor if self.jets and has(branches, self.jets.raw_factor or "?") else None
        self.masses = [_first(branches, group.mass, group.optional_mass) for group in layout.candidates]
        self.weighted = [_is_weighted(layout, group, branches) for group in layout.candidates]
        self.puppi = [
            None if weighted or not reading.apply_puppi_weight else _first(branches, group.weight)
            for group, weighted in zip(layout.candidates, self.weighted, strict=True)
        ]
        self.statuses: dict[str, Counter[int]] = {kind: Counter() for kind in PARTONS}
        self.found: Counter[str] = Counter()
        self.first_bad: str | None = None

    def names(self) -> list[str]:
        """Names of the branches to read, as the layout has them."""
        names = list(self.layout.required())
        names += [name for name in (*self.masses, *self.puppi, self.weight, self.raw_factor) if name]
        if self.jets:
            names += self.jets.momenta.required()
            names += (self.jets.links or ()) if self.reading.stored_jets else ()
        if self.truth:
            names += self._truth_names(self.truth)
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
        losses, masks = Losses(), [group.bad() for group in groups]
        if any(mask is not None for mask in masks):
            hit = self._events_hit(groups, masks, entry)
            found = int(sum(mask.sum() for mask in masks if mask is not None))
            left_out = self.reading.bad_candidates == "event"
            losses = Losses(int(hit.sum()), found, float(weight[hit].sum()) if left_out else 0.0, left_out)
            if left_out:
                columns, entry, weight = columns.where(~hit), entry[~hit], weight[~hit]
                groups, masks = self._groups(columns), [None] * len(masks)
        particles = [group.particles(mask) for group, mask in zip(groups, masks, strict=True)]
        ones = np.ones(len(columns), np.uint32)
        block = layout.luminosity_block
        return CandidateRecord(
            file=self.path,
            entry=entry,
            run=columns.identifiers(layout.run, np.uint32, entry) if layout.run else ones,
            luminosity_block=columns.identifiers(block, np.uint32, entry) if block else ones,
            event=columns.identifiers(layout.event, np.uint64, entry),
            weight=weight,
            candidates=joined([one.where(one.pt > 0) for one in particles]),
            partons=self._partons(columns, self.truth, entry) if self.truth else None,
            jets=self._jets(columns, particles[0], entry),
            losses=losses,
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

    def _truth_names(self, truth: Truth) -> list[str]:
        return [*truth.required(), *([truth.mother] if self.reading.decays else [])]

    def _groups(self, columns: Columns) -> list[_Group]:
        groups = []
        for group, mass, weight in zip(self.layout.candidates, self.masses, self.puppi, strict=True):
            names = dict.fromkeys(name for name in (group.pt, group.eta, group.phi, mass, weight) if name)
            groups.append(_Group(group, *columns.same_lists(names), mass, weight))
        return groups

    def _events_hit(
        self, groups: list[_Group], masks: list[npt.NDArray[np.bool_] | None], entry: Ints
    ) -> npt.NDArray[np.bool_]:
        """Tell which events have a bad candidate; raises `DamagedFileError` where that is trouble of the file."""
        hit = np.zeros(len(entry), bool)
        for group, mask in zip(groups, masks, strict=True):
            if mask is None:
                continue
            rows = group.rows()
            hit[rows[mask]] = True
            if self.first_bad is None:
                bad = int(np.argmax(mask))
                self.first_bad = f"{group.reason(bad)} in entry {entry[rows[bad]]}"
        if self.reading.bad_candidates == "file":
            raise DamagedFileError(
                f"{self.path}: {self.first_bad}; repair the file, leave it out, or set bad_candidates"
            )
        return hit

    def _partons(self, columns: Columns, truth: Truth, entry: Ints) -> dict[str, Particles]:
        counts, values = columns.same_lists(self._truth_names(truth))
        pdg_id, status = np.abs(values[truth.pdg_id]), values[truth.status]
        particles = Particles(offsets(counts), *(values[name] for name in truth.momenta.required()))
        kept = {}
        for kind, (identifiers, code) in PARTONS.items():
            is_kind = np.isin(pdg_id, identifiers) if len(identifiers) > 1 else pdg_id == identifiers[0]
            self.statuses[kind].update(status[is_kind].astype(int).tolist())
            kept[kind] = is_kind & (status == code)
        if self.reading.decays:
            kept[DARK_PRODUCTS] = _from_dark_hadrons(pdg_id, values[truth.mother], counts)
        found = {kind: particles.where(keep) for kind, keep in kept.items()}
        self.found.update({kind: len(one.pt) for kind, one in found.items()})
        for one in found.values():
            # Beam particles have no finite pseudorapidity; only the partons themselves must.
            for name, numbers in ((truth.momenta.eta, one.eta), (truth.momenta.phi, one.phi)):
                if not np.isfinite(numbers).all():
                    bad = int(np.argmin(np.isfinite(numbers)))
                    raise DamagedFileError(f"{self.path}: {name} is {numbers[bad]} in entry {entry[one.rows()[bad]]}")
        return found

    def _jets(self, columns: Columns, candidates: Particles, entry: Ints) -> StoredJets | None:
        """Read the file's own jets; where they serve for a comparison alone, those that cannot be read are none."""
        if self.jets is None:
            return None
        try:
            return self._stored_jets(columns, self.jets, candidates, entry)
        except InputFileError:
            if self.reading.stored_jets:
                raise
            return None

    def _stored_jets(self, columns: Columns, jets: JetBranches, candidates: Particles, entry: Ints) -> StoredJets:
        names = [*jets.momenta.required(), *([self.raw_factor] if self.raw_factor else [])]
        group = _Group(jets.momenta, *columns.same_lists(names), jets.momenta.mass, None)
        mask = group.bad()
        if mask is not None:
            bad = int(np.argmax(mask))
            raise DamagedFileError(f"{self.path}: {group.reason(bad)} in entry {entry[group.rows()[bad]]}")
        momenta = group.particles()
        raw = 1 - group.values[self.raw_factor] if self.raw_factor else np.ones(len(momenta.pt))
        if not self.reading.stored_jets or jets.links is None:
            return StoredJets(momenta, None, raw)
        links, values = columns.same_lists(jets.links)
        event = np.repeat(np.arange(len(links)), links)
        jet, candidate = (self._positions(name, values[name]) for name in jets.links)
        for name, index, sizes in zip(
            jets.links, (jet, candidate), (momenta.counts(), candidates.counts()), strict=True
        ):
            outside = (index < 0) | (index >= sizes[event])
            if outside.any():
                bad = int(np.argmax(outside))
                raise DamagedFileError(f"{self.path}: {name} is {index[bad]} in entry {entry[event[bad]]}")
        jet += momenta.offsets[event]
        candidate += candidates.offsets[event]
        pairs, first = np.unique(jet * max(len(candidates.pt), 1) + candidate, return_index=True)
        if len(pairs) < len(jet):
            bad = int(np.setdiff1d(np.arange(len(jet)), first)[0])
            raise DamagedFileError(
                f"{self.path}: {' and '.join(jets.links)} link a candidate to one jet twice in entry "
                f"{entry[event[bad]]}; set recluster: true"
            )
        kept = candidates.pt[candidate] > 0
        jet, candidate = jet[kept], candidate[kept]
        order = np.lexsort((-candidates.pt[candidate], jet))
        counts = np.bincount(jet, minlength=len(momenta.pt))
        return StoredJets(momenta, candidates.take(counts, candidate[order]), raw)

    def _positions(self, name: str, values: Floats) -> Ints:
        """Give positions in a collection; raises `DamagedFileError` for those that are no whole numbers."""
        found = values.astype(np.int64)
        if not np.array_equal(found, values):
            bad = int(np.argmax(found != values))
            raise DamagedFileError(f"{self.path}: {name} is {values[bad]:g}, which is no position in a collection")
        return found


def offsets(counts: Ints) -> Ints:
    """Give the offsets of rows of so many particles."""
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def _first(branches: Collection[str], *names: str | None) -> str | None:
    return next((name for name in names if name and has(branches, name)), None)


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


def _wrapped(phi: Floats) -> Floats:
    """Azimuth in [-pi, pi]; some formats count from 0 to 2 pi."""
    return np.where(np.abs(phi) > np.pi, (phi + np.pi) % (2 * np.pi) - np.pi, phi)
