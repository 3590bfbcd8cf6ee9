"""Jets from candidates: anti-kT, as flat arrays.

The jets are those of fastjet, which every run compares (`check`); `docs/performance.md` has what our own kernel gains.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from oddjet.arrays import Floats, Ints
from oddjet.errors import JetError
from oddjet.io.candidates import Particles, StoredJets
from oddjet.jets.recombination import anti_kt, grow_trees
from oddjet.jets.settings import ClusteringBackend


@dataclass(frozen=True)
class Jets:
    """Jets of a chunk of events, by event and falling pT.

    Attributes
    ----------
    event : int64 array, shape (jets,)
        Position of the jet's event in the chunk.
    rank : int16 array, shape (jets,)
        0 for the leading jet of the event.
    pt, eta, phi, mass : float64 arrays, shape (jets,)
        GeV, pseudorapidity, radians in [-pi, pi), GeV (at least 0).
    constituents : Particles
        One row a jet, in falling pT.
    clustered : tuple of int16 and float64 arrays, shape (jets,), or None
        Of corrected jets (`oddjet.jets.corrections`): their ranks before, and the factors on pT and mass.
    """

    event: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int16]
    pt: Floats
    eta: Floats
    phi: Floats
    mass: Floats
    constituents: Particles
    clustered: tuple[npt.NDArray[np.int16], Floats] | None = None

    def __len__(self) -> int:
        return len(self.event)

    def uncorrected(self) -> Jets:
        """Give the jets as they were clustered, in the order that they are in."""
        if self.clustered is None:
            return self
        rank, factor = self.clustered
        return replace(self, rank=rank, pt=self.pt / factor, mass=self.mass / factor, clustered=None)

    def take(self, rows: npt.NDArray[np.int64]) -> Jets:
        """Give the jets at these rows, in their order."""
        counts = self.constituents.counts()[rows]
        first = np.repeat(self.constituents.offsets[rows] - np.cumsum(counts) + counts, counts)
        members = self.constituents.take(counts, first + np.arange(len(first)))
        return Jets(
            self.event[rows],
            self.rank[rows],
            self.pt[rows],
            self.eta[rows],
            self.phi[rows],
            self.mass[rows],
            members,
            self.clustered and (self.clustered[0][rows], self.clustered[1][rows]),
        )

    def where(self, keep: npt.NDArray[np.bool_]) -> Jets:
        """Keep the jets where `keep`, a bool array of shape (jets,), is true."""
        counts = self.constituents.counts()[keep]
        members = np.flatnonzero(np.repeat(keep, self.constituents.counts()))
        return Jets(
            self.event[keep],
            self.rank[keep],
            self.pt[keep],
            self.eta[keep],
            self.phi[keep],
            self.mass[keep],
            self.constituents.take(counts, members),
            self.clustered and (self.clustered[0][keep], self.clustered[1][keep]),
        )


def cartesian(particles: Particles) -> Floats:
    """Momenta (px, py, pz, E) in GeV, float64 array of shape (particles, 4)."""
    momenta = np.empty((len(particles.pt), 4))
    momenta[:, 0] = particles.pt * np.cos(particles.phi)
    momenta[:, 1] = particles.pt * np.sin(particles.phi)
    momenta[:, 2] = particles.pt * np.sinh(particles.eta)
    momenta[:, 3] = np.sqrt(particles.pt**2 + momenta[:, 2] ** 2 + particles.mass**2)
    return momenta


def rapidity(particles: Particles) -> Floats:
    """Rapidity of each particle, float64 array of shape (particles,).

    asinh(sinh(eta) pT / mT), which for massless particles is eta.
    """
    transverse_mass = np.hypot(particles.pt, particles.mass)
    massive: Floats = np.arcsinh(particles.pt * np.sinh(particles.eta) / transverse_mass)
    return np.where(particles.mass == 0, particles.eta, massive)


def cluster(candidates: Particles, radius: float, pt_min: float, backend: ClusteringBackend = "own") -> Jets:
    """Anti-kT jets (E scheme) of each event, the same as fastjet's.

    Parameters
    ----------
    candidates : Particles
        One row an event; rows may be empty.
    radius : float
        R of anti-kT.
    pt_min : float
        Jets at or below this pT (GeV) are dropped.
    backend : {"own", "fastjet"}
        What clusters; the jets are the same to rounding.

    Returns
    -------
    Jets

    Raises
    ------
    JetError
        A momentum is not finite, or the radius is not positive.

    References
    ----------
    Cacciari, Salam, Soyez, JHEP 04 (2008) 063.
    """
    if not radius > 0:
        raise JetError(f"the jet radius must be positive, not {radius}")
    momenta = cartesian(candidates)
    if not np.isfinite(momenta).all():
        particle = int(np.argmin(np.isfinite(momenta).all(axis=1)))
        raise JetError(f"the momentum (px, py, pz, E) of particle {particle} is {momenta[particle]}")
    if backend == "fastjet":
        # Only a run that asks for fastjet's jets imports it.
        from oddjet.jets import with_fastjet

        found = with_fastjet.anti_kt(candidates.offsets, momenta, float(radius), float(pt_min))
    else:
        found = anti_kt(candidates.offsets, momenta, rapidity(candidates), candidates.phi, float(radius), float(pt_min))
    event, jets, counts, members = found
    px, py, pz, energy = jets.T
    pt = np.hypot(px, py)
    return Jets(
        event=event,
        rank=(np.arange(len(event)) - np.searchsorted(event, event)).astype(np.int16),
        pt=pt,
        eta=np.arcsinh(pz / pt),
        phi=np.arctan2(py, px),
        # Rounding makes the squared mass of a single massless particle slightly negative.
        mass=np.sqrt(np.maximum((energy + pz) * (energy - pz) - pt**2, 0.0)),
        constituents=candidates.take(counts, members),
    )


def stored(jets: StoredJets, *, raw: bool = False) -> Jets:
    """Take the jets that the file brought along, in falling pT, with their own constituents.

    Their momenta are calibrated as they are in the file, or with `raw` before that.

    Jets without constituents (below the threshold from which the file keeps them) are dropped.

    Raises
    ------
    JetError
        The constituents were not read.
    """
    constituents = jets.constituents
    if constituents is None:
        raise JetError("the file's own jets were read without their constituents")
    event = jets.momenta.rows()
    factor = jets.raw if raw else np.ones(len(jets.raw))
    order = np.lexsort((-jets.momenta.pt * factor, event))
    order = order[constituents.counts()[order] > 0]
    event = event[order]
    counts = constituents.counts()[order]
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    return Jets(
        event=event,
        rank=(np.arange(len(event)) - np.searchsorted(event, event)).astype(np.int16),
        pt=(jets.momenta.pt * factor)[order],
        eta=jets.momenta.eta[order],
        phi=jets.momenta.phi[order],
        mass=(jets.momenta.mass * factor)[order],
        constituents=constituents.take(counts, np.repeat(constituents.offsets[order], counts) + within),
    )


@dataclass(frozen=True)
class Trees:
    """Clustering tree of each jet, without a beam: no constituent can be lost.

    Attributes
    ----------
    offsets : int64 array, shape (jets + 1,)
        Rows of jet i: ``offsets[i]`` to ``offsets[i + 1]``; its n constituents, then n - 1 mergers, the last the root.
    momenta : float64 array, shape (rows, 4)
        (px, py, pz, E) in GeV.
    y, phi : float64 arrays, shape (rows,)
    parents : int64 array, shape (rows, 2)
        Rows that a merger came from, counted from the jet's first; -1 for constituents.
    """

    offsets: Ints
    momenta: Floats
    y: Floats
    phi: Floats
    parents: Ints


def trees(constituents: Particles, power: int) -> Trees:
    """Cluster the constituents of each jet to the end.

    Parameters
    ----------
    constituents : Particles
        One row a jet; rows may be empty.
    power : int
        `CAMBRIDGE_AACHEN` or `KT`.
    """
    rows = np.maximum(2 * constituents.counts() - 1, 0)
    offsets = np.concatenate(([0], np.cumsum(rows))).astype(np.int64)
    return Trees(
        offsets,
        *grow_trees(
            constituents.offsets,
            offsets,
            cartesian(constituents),
            rapidity(constituents),
            constituents.phi,
            power,
        ),
    )
