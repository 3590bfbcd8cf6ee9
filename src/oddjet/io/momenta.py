"""Momenta of one collection of a chunk, read in GeV whatever a format stores, and searched for those of no particle."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from oddjet.arrays import Floats, Ints
from oddjet.io.candidates import Particles
from oddjet.io.columns import Columns, has
from oddjet.io.layouts import Momenta

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
# Energies and momenta are rounded to float32: a squared mass above minus this share of the squared energy is 0.
ROUNDING = 1e-5


@dataclass(frozen=True)
class StoredMomenta:
    """One collection of a chunk: momenta by the names of their branches in GeV, PUPPI weights, and lengths of lists.

    Attributes
    ----------
    group : Momenta
    counts : int64 array, shape (events,)
    values : mapping of str to float64 arrays, shape (particles,)
        By the names in `group`, and what else was read.
    mass, weight : str or None
        Those that this file has.
    """

    group: Momenta
    counts: Ints
    values: Mapping[str, Floats]
    mass: str | None
    weight: str | None

    def rows(self) -> Ints:
        """Give the event of each particle, int64 array of shape (particles,)."""
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
        if name == self.group.pt:
            return (values > MOMENTUM_LIMIT) | (values < 0)
        return np.zeros(len(values), bool)  # what else was read: a correction of jets may be of any size and sign

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


def read_momenta(
    columns: Columns,
    group: Momenta,
    unit: float,
    mass: str | None,
    weight: str | None = None,
    more: Collection[str] = (),
    *,
    alone: bool = False,
) -> StoredMomenta:
    """Read a collection in GeV, pseudorapidity and radians.

    Parameters
    ----------
    columns : Columns
    group : Momenta
    unit : float
        GeV in the unit of the file.
    mass, weight : str or None
        Those of the group's that this file has.
    more : collection of str
        Branches with as many entries that are read as they are.
    alone : bool
        One particle an event, whose branches are numbers.

    Raises
    ------
    DamagedFileError, UnreadableFileError
        As of `Columns.same_lists`.
    """
    stored = group.cartesian or (group.pt, group.eta, group.phi)
    last = group.energy or mass
    names = dict.fromkeys(name for name in (*stored, last, weight, *more) if name)
    counts, values = columns.same_lists(names, alone=alone)
    if unit != 1:
        scaled = {*(group.cartesian or (group.pt,)), *((last,) if last else ())}
        values = {name: column * unit if name in scaled else column for name, column in values.items()}
    if group.cartesian:
        values = _without_axes(group, values)
    if group.energy and mass:
        # Particles along the beam are at infinite pseudorapidity, with a pT of 0.
        with np.errstate(invalid="ignore", over="ignore"):
            values[mass] = _mass(values.pop(group.energy), values[group.pt] * np.cosh(values[group.eta]))
    return StoredMomenta(group, counts, values, mass, weight)


def mass_of(group: Momenta, branches: Collection[str]) -> str | None:
    """Name the mass of a collection in a file: a branch, what is computed from an energy, or None for massless."""
    if group.energy:
        return group.mass
    return next((name for name in (group.mass, group.optional_mass) if name and has(branches, name)), None)


def offsets(counts: Ints) -> Ints:
    """Return the offsets of rows with these numbers of particles."""
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def _without_axes(group: Momenta, values: Mapping[str, Floats]) -> dict[str, Floats]:
    """Give pT, pseudorapidity and azimuth in the place of px, py and pz."""
    assert group.cartesian is not None, "asked for by its caller"
    px, py, pz = (values[name] for name in group.cartesian)
    pt = np.hypot(px, py)
    eta = np.arcsinh(np.divide(pz, pt, out=np.zeros_like(pt), where=pt != 0))
    rest = {name: column for name, column in values.items() if name not in group.cartesian}
    return {group.pt: pt, group.eta: eta, group.phi: np.arctan2(py, px), **rest}


def _mass(energy: Floats, momentum: Floats) -> Floats:
    """Compute masses; a squared mass that is negative beyond rounding is a negative mass, as fastjet has it."""
    squared = (energy - momentum) * (energy + momentum)
    squared = np.where((squared < 0) & (squared > -ROUNDING * energy**2), 0.0, squared)
    result: Floats = np.sign(squared) * np.sqrt(np.abs(squared))
    return result


def _wrapped(phi: Floats) -> Floats:
    """Azimuth in [-pi, pi]; some formats count from 0 to 2 pi."""
    if not len(phi) or max(phi.max(), -phi.min()) <= np.pi:
        return phi
    return np.where(np.abs(phi) > np.pi, (phi + np.pi) % (2 * np.pi) - np.pi, phi)
