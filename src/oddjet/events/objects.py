"""From particle-flow candidates to an event: isolated e/gamma and muons, jets, missing momentum; and its selection.

Leptons are isolated as in the selection from which the proportions of the background stem (arXiv:1811.10276): the other
candidates within 0.3 carry less than 0.45 of the lepton's transverse momentum. Numbers of objects, thresholds and
acceptances are those of the challenge (arXiv:2107.02157).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import awkward as ak
import fastjet
import numpy as np

from oddjet.arrays import Bools, Floats, Ints
from oddjet.events.layout import CLASS, EGAMMA, ETA, JET, MET, MUON, PHI, PT, SLOTS, Events, ObjectClass
from oddjet.events.settings import ObjectSettings

ELECTRON_CODE, MUON_CODE, PHOTON_CODE = 11, 13, 22
# Electrons with the photons around them, and photons in neighbouring cells, are one object.
EGAMMA_RADIUS = 0.1


class Candidates(Protocol):
    """Particle-flow candidates of several events as flat arrays, by event (0, 1, ...); pT in GeV."""

    @property
    def event(self) -> Ints: ...  # noqa: D102
    @property
    def pdg_id(self) -> Ints: ...  # noqa: D102
    @property
    def pt(self) -> Floats: ...  # noqa: D102
    @property
    def eta(self) -> Floats: ...  # noqa: D102
    @property
    def phi(self) -> Floats: ...  # noqa: D102
    @property
    def mass(self) -> Floats: ...  # noqa: D102


@dataclass(frozen=True)
class Objects:
    """Objects of one class as flat arrays; `lepton` marks those that the trigger looks at."""

    event: Ints
    pt: Floats
    eta: Floats
    phi: Floats
    lepton: Bools

    def where(self, mask: Bools) -> Objects:
        """Keep some."""
        return Objects(*(values[mask] for values in vars(self).values()))


def select_events(candidates: Candidates, size: int, settings: ObjectSettings) -> Events:
    """Build the objects of `size` events and keep the events that the trigger keeps.

    Returns
    -------
    numpy.ndarray
        Shape (m, 19, 4) with m <= size: events with an electron or a muon above `settings.trigger_pt_min`.
    """
    muons, used_by_muons = isolated_muons(candidates, settings)
    egammas, used_by_egammas = isolated_egammas(candidates, settings)
    free = ~(used_by_muons | used_by_egammas)
    jets = find_jets(candidates, free, settings)
    events = np.zeros((size, SLOTS, 4))
    for kind, objects in ((EGAMMA, egammas), (MUON, muons), (JET, jets)):
        fill(events, kind, objects)
    fill(events, MET, missing_momentum(candidates, size))
    triggered = np.zeros(size, dtype=bool)
    for objects in (egammas, muons):
        triggered[objects.event[objects.lepton & (objects.pt > settings.trigger_pt_min)]] = True
    return np.asarray(events[triggered])


def isolated_muons(candidates: Candidates, settings: ObjectSettings) -> tuple[Objects, Bools]:
    """Give the muons within acceptance, and which candidates they are."""
    rows = np.flatnonzero(
        (np.abs(candidates.pdg_id) == MUON_CODE)
        & (candidates.pt > settings.muon_pt_min)
        & (np.abs(candidates.eta) < settings.muon_eta_max)
    )
    muons = Objects(
        candidates.event[rows],
        candidates.pt[rows],
        candidates.eta[rows],
        candidates.phi[rows],
        np.ones(len(rows), dtype=bool),
    )
    isolated = cone_sums(candidates, muons, settings.isolation_cone) - muons.pt < settings.isolation_max * muons.pt
    used = np.zeros(len(candidates.pt), dtype=bool)
    used[rows[isolated]] = True
    return muons.where(isolated), used


def isolated_egammas(candidates: Candidates, settings: ObjectSettings) -> tuple[Objects, Bools]:
    """Give the electrons and photons within acceptance, and which candidates they are made of."""
    rows = np.flatnonzero(np.isin(np.abs(candidates.pdg_id), (ELECTRON_CODE, PHOTON_CODE)))
    clusters, members = cluster(candidates, rows, EGAMMA_RADIUS)
    # An electron's track makes an electron of the cluster if it holds most of its momentum.
    electron_pt = np.bincount(
        members,
        weights=candidates.pt[rows] * (np.abs(candidates.pdg_id[rows]) == ELECTRON_CODE),
        minlength=len(clusters.pt),
    )
    egammas = Objects(clusters.event, clusters.pt, clusters.eta, clusters.phi, electron_pt > 0.5 * clusters.pt)
    inside = (egammas.pt > settings.egamma_pt_min) & (np.abs(egammas.eta) < settings.egamma_eta_max)
    isolated = inside.copy()
    own = cone_sums(candidates, egammas.where(inside), settings.isolation_cone)
    isolated[inside] = own - egammas.pt[inside] < settings.isolation_max * egammas.pt[inside]
    if not settings.photons:
        isolated &= egammas.lepton
    used = np.zeros(len(candidates.pt), dtype=bool)
    used[rows[isolated[members]]] = True
    return egammas.where(isolated), used


def find_jets(candidates: Candidates, free: Bools, settings: ObjectSettings) -> Objects:
    """Cluster the candidates that are in no isolated lepton or photon into anti-kT jets."""
    jets, _ = cluster(candidates, np.flatnonzero(free), settings.jet_radius)
    return jets.where((jets.pt > settings.jet_pt_min) & (np.abs(jets.eta) < settings.jet_eta_max))


def missing_momentum(candidates: Candidates, size: int) -> Objects:
    """Give minus the vector sum of all candidates of each event."""
    x, y = (
        -np.bincount(candidates.event, weights=candidates.pt * direction(candidates.phi), minlength=size)
        for direction in (np.cos, np.sin)
    )
    return Objects(np.arange(size), np.hypot(x, y), np.zeros(size), np.arctan2(y, x), np.zeros(size, dtype=bool))


def fill(events: Events, kind: ObjectClass, objects: Objects) -> None:
    """Write the leading objects of each event, by falling pT, into the slots of their class."""
    order = np.lexsort((-objects.pt, objects.event))
    event = objects.event[order]
    rank = np.arange(len(event)) - np.searchsorted(event, event)
    order, event, rank = (values[rank < kind.size] for values in (order, event, rank))
    slot = kind.start + rank
    for column, values in ((PT, objects.pt), (ETA, objects.eta), (PHI, objects.phi)):
        events[event, slot, column] = values[order]
    events[event, slot, CLASS] = kind.code


def cone_sums(candidates: Candidates, objects: Objects, radius: float) -> Floats:
    """Sum the transverse momenta of all candidates within `radius` of each object, its own included."""
    first, last = (np.searchsorted(candidates.event, objects.event, side) for side in ("left", "right"))
    counts = last - first
    owner = np.repeat(np.arange(len(counts)), counts)
    row = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + first[owner]
    distance = np.hypot(
        candidates.eta[row] - objects.eta[owner],
        np.remainder(candidates.phi[row] - objects.phi[owner] + np.pi, 2 * np.pi) - np.pi,
    )
    return np.asarray(
        np.bincount(owner, weights=candidates.pt[row] * (distance < radius), minlength=len(counts)), dtype=np.float64
    )


def cluster(candidates: Candidates, rows: Ints, radius: float) -> tuple[Objects, Ints]:
    """Cluster some candidates with anti-kT, event by event; give the clusters and the cluster of each of `rows`."""
    event = candidates.event[rows]
    numbers, counts = np.unique(event, return_counts=True)
    if not len(rows):
        nothing = np.zeros(0)
        return Objects(event, nothing, nothing, nothing, nothing.astype(bool)), event
    px, py, pz, energy = cartesian(candidates, rows)
    momenta = ak.unflatten(ak.zip({"px": px, "py": py, "pz": pz, "E": energy}), counts)
    sequence = fastjet.ClusterSequence(momenta, fastjet.JetDefinition(fastjet.antikt_algorithm, radius))
    jets, index = sequence.inclusive_jets(), sequence.constituent_index()
    sums = {name: ak.to_numpy(ak.flatten(jets[name])) for name in ("px", "py", "pz")}
    pt = np.hypot(sums["px"], sums["py"])
    jet_event = np.repeat(numbers, ak.to_numpy(ak.num(jets)))
    sizes = ak.to_numpy(ak.flatten(ak.num(index, axis=2)))
    # Where the candidates of a jet stand among `rows`: their place in the event, counted from its first row.
    first = np.repeat(np.repeat(np.cumsum(counts) - counts, ak.to_numpy(ak.num(index))), sizes)
    members = np.empty(len(rows), dtype=np.int64)
    members[ak.to_numpy(ak.flatten(index, axis=None)) + first] = np.repeat(np.arange(len(sizes)), sizes)
    eta, phi = np.arcsinh(sums["pz"] / pt), np.arctan2(sums["py"], sums["px"])
    return Objects(jet_event, pt, eta, phi, np.zeros(len(pt), dtype=bool)), members


def cartesian(candidates: Candidates, rows: Ints) -> tuple[Floats, Floats, Floats, Floats]:
    """Give px, py, pz and E in GeV."""
    pt, eta, phi, mass = (values[rows] for values in (candidates.pt, candidates.eta, candidates.phi, candidates.mass))
    px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
    return px, py, pz, np.sqrt(pt**2 + pz**2 + mass**2)
