"""Jets from candidates: anti-kT with fastjet, guarded, as flat arrays."""

from __future__ import annotations

from dataclasses import dataclass

import awkward as ak
import fastjet
import numpy as np
import numpy.typing as npt

from oddjet.errors import OddjetError
from oddjet.io.root import Particles

Floats = npt.NDArray[np.float64]


class ClusteringError(OddjetError):
    """Momenta that must not reach fastjet (it would end the process), or an unusable radius."""


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
    """

    event: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int16]
    pt: Floats
    eta: Floats
    phi: Floats
    mass: Floats
    constituents: Particles

    def __len__(self) -> int:
        return len(self.event)

    def where(self, keep: npt.NDArray[np.bool_]) -> Jets:
        """Keep the jets where `keep`, a bool array of shape (jets,), is true."""
        kept = np.repeat(keep, self.constituents.counts())
        counts = self.constituents.counts()[keep]
        old = self.constituents
        constituents = Particles(
            np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
            old.pt[kept],
            old.eta[kept],
            old.phi[kept],
            old.mass[kept],
        )
        return Jets(
            self.event[keep],
            self.rank[keep],
            self.pt[keep],
            self.eta[keep],
            self.phi[keep],
            self.mass[keep],
            constituents,
        )


def cartesian(particles: Particles) -> tuple[Floats, Floats, Floats, Floats]:
    """Momenta (px, py, pz, E) in GeV, float64 arrays of shape (particles,)."""
    px = particles.pt * np.cos(particles.phi)
    py = particles.pt * np.sin(particles.phi)
    pz = particles.pt * np.sinh(particles.eta)
    energy = np.sqrt((particles.pt * np.cosh(particles.eta)) ** 2 + particles.mass**2)
    return px, py, pz, energy


def fastjet_events(particles: Particles) -> ak.Array:
    """Awkward array of events for fastjet: ``n * var * {px, py, pz, E}``.

    Raises
    ------
    ClusteringError
        A momentum is not finite: fastjet would end the process with a segmentation fault.
    """
    columns = cartesian(particles)
    for name, values in zip(("px", "py", "pz", "E"), columns, strict=True):
        if not np.isfinite(values).all():
            raise ClusteringError(f"{name} of particle {int(np.argmin(np.isfinite(values)))} is not finite")
    record = ak.contents.RecordArray([ak.contents.NumpyArray(c) for c in columns], ["px", "py", "pz", "E"])
    return ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(particles.offsets), record))


def cluster(candidates: Particles, radius: float, pt_min: float) -> Jets:
    """Anti-kT jets (E scheme) of each event.

    Parameters
    ----------
    candidates : Particles
        One row an event; rows may be empty.
    radius : float
        R of anti-kT.
    pt_min : float
        Jets below this pT (GeV) are dropped.

    Returns
    -------
    Jets

    Raises
    ------
    ClusteringError
        A momentum is not finite, or the radius is not positive.

    References
    ----------
    Cacciari, Salam, Soyez, JHEP 04 (2008) 063 (anti-kT); EPJC 72 (2012) 1896 (FastJet).
    """
    if not radius > 0:
        raise ClusteringError(f"the jet radius must be positive, not {radius}")
    if len(candidates.pt) == 0:  # fastjet has nothing to do, and awkward no type for no event
        return _assemble(
            np.empty(0, np.int64), np.empty((4, 0)), np.empty(0, np.int64), np.empty(0, np.int64), candidates
        )
    sequence = fastjet.ClusterSequence(
        fastjet_events(candidates), fastjet.JetDefinition(fastjet.antikt_algorithm, radius)
    )
    jets = sequence.inclusive_jets(min_pt=pt_min)
    indices = sequence.constituent_index(min_pt=pt_min)
    event = np.repeat(np.arange(len(candidates)), ak.to_numpy(ak.num(jets)))
    momenta = np.stack([ak.to_numpy(ak.flatten(jets[name])) for name in ("px", "py", "pz", "E")])
    flat = ak.flatten(indices, axis=1)
    counts = ak.to_numpy(ak.num(flat))
    particles = ak.to_numpy(ak.flatten(flat)).astype(np.int64) + np.repeat(candidates.offsets[event], counts)
    return _assemble(event, momenta, counts, particles, candidates)


def _assemble(
    event: npt.NDArray[np.int64],
    momenta: Floats,
    counts: npt.NDArray[np.int64],
    particles: npt.NDArray[np.int64],
    candidates: Particles,
) -> Jets:
    """Sort jets by (event, -pT) and the constituents of each by -pT; fastjet gives both in another order."""
    px, py, pz, energy = momenta
    pt = np.hypot(px, py)
    order = np.lexsort((-pt, event))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    jet_of_particle = np.repeat(place, counts)
    particles = particles[np.lexsort((-candidates.pt[particles], jet_of_particle))]
    sorted_event = event[order]
    first = np.searchsorted(sorted_event, sorted_event)
    pt, px, py, pz, energy = pt[order], px[order], py[order], pz[order], energy[order]
    # Rounding makes the squared mass of a single massless particle slightly negative.
    mass = np.sqrt(np.maximum((energy + pz) * (energy - pz) - pt**2, 0.0))
    return Jets(
        event=sorted_event,
        rank=(np.arange(len(order)) - first).astype(np.int16),
        pt=pt,
        eta=np.arcsinh(pz / pt),
        phi=np.arctan2(py, px),
        mass=mass,
        constituents=Particles(
            np.concatenate(([0], np.cumsum(counts[order]))).astype(np.int64),
            candidates.pt[particles],
            candidates.eta[particles],
            candidates.phi[particles],
            candidates.mass[particles],
        ),
    )
