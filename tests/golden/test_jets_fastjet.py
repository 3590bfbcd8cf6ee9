"""Our own clustering, axes and soft drop against fastjet and fjcontrib, on events made of bunches of particles."""

from __future__ import annotations

import awkward as ak
import fastjet
import numpy as np
import pytest

from oddjet.io.candidates import Particles
from oddjet.jets.clustering import cartesian, cluster, trees
from oddjet.jets.grooming import soft_drop_mass
from oddjet.jets.njettiness import njettiness
from oddjet.jets.recombination import CAMBRIDGE_AACHEN, KT


def events_with_bunches(seed: int, events: int) -> Particles:
    """Events of one to 250 particles: a few narrow and broad bunches over a soft, wide background."""
    rng = np.random.default_rng(seed)
    pt, eta, phi, counts = [], [], [], []
    for event in range(events):
        n = 1 + event if event < 20 else int(rng.integers(20, 250))
        centre = rng.uniform([-2.5, -np.pi], [2.5, np.pi], (5, 2))[rng.integers(0, 5, n)]
        spread = rng.exponential(0.2, (n, 1)) * rng.standard_normal((n, 2))
        wide = rng.random(n) < 0.3
        eta.append(np.where(wide, rng.uniform(-4, 4, n), (centre + spread)[:, 0]))
        phi.append(np.where(wide, rng.uniform(-np.pi, np.pi, n), np.angle(np.exp(1j * (centre + spread)[:, 1]))))
        pt.append(np.where(wide, rng.exponential(1.0, n), rng.exponential(20.0, n)) + 0.1)
        counts.append(n)
    mass = np.where(rng.random(sum(counts)) < 0.5, 0.13957, 0.0)
    offsets = np.concatenate(([0], np.cumsum(counts)))
    return Particles(offsets, np.concatenate(pt), np.concatenate(eta), np.concatenate(phi), mass)


def in_fastjet(particles: Particles) -> ak.Array:
    momenta = [ak.contents.NumpyArray(np.ascontiguousarray(c)) for c in cartesian(particles).T]
    record = ak.contents.RecordArray(momenta, ["px", "py", "pz", "E"])
    return ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(particles.offsets), record))


@pytest.fixture(scope="module")
def events() -> Particles:
    return events_with_bunches(seed=5, events=200)


def test_anti_kt_jets_are_those_of_fastjet(events: Particles) -> None:
    ours = cluster(events, 0.8, 5.0)
    sequence = fastjet.ClusterSequence(in_fastjet(events), fastjet.JetDefinition(fastjet.antikt_algorithm, 0.8))
    theirs = sequence.inclusive_jets(min_pt=5.0)
    indices = sequence.constituent_index(min_pt=5.0)
    found = []
    for event, (jets, members) in enumerate(zip(theirs, indices, strict=True)):
        pt = np.hypot(jets.px, jets.py)
        for k in np.argsort(-ak.to_numpy(pt)):
            found.append((event, pt[k], jets.E[k], frozenset(np.asarray(members[k]) + events.offsets[event])))
    assert len(ours) == len(found) > 900
    assert ours.event.tolist() == [f[0] for f in found]
    assert ours.pt == pytest.approx(np.array([f[1] for f in found]), rel=1e-9)
    position = {pt: i for i, pt in enumerate(events.pt)}
    limits = zip(ours.constituents.offsets[:-1], ours.constituents.offsets[1:], strict=True)
    assert [frozenset(position[x] for x in ours.constituents.pt[a:b]) for a, b in limits] == [f[3] for f in found]


def test_njettiness_is_that_of_fjcontrib(events: Particles) -> None:
    jets = cluster(events, 0.8, 100.0).constituents
    sequence = fastjet.ClusterSequence(in_fastjet(jets), fastjet.JetDefinition(fastjet.cambridge_algorithm, 1000.0))
    theirs = ak.to_numpy(
        sequence.njettiness(
            measure_definition="NormalizedMeasure",
            axes_definition="OnePass_KT_Axes",
            njets=[1, 2, 3, 4],
            beta=1.0,
            R0=0.8,
        )
    )
    ours = njettiness(jets, trees(jets, KT), (1, 2, 3, 4), 0.8)
    enough = jets.counts() > 4
    assert enough.sum() > 300
    assert ours[:, enough] == pytest.approx(theirs.T[:, enough], rel=1e-6)


def test_soft_drop_mass_is_that_of_fjcontrib_with_a_wide_radius(events: Particles) -> None:
    found = cluster(events, 0.8, 100.0)
    jets = found.where(found.constituents.counts() > 1).constituents
    sequence = fastjet.ClusterSequence(in_fastjet(jets), fastjet.JetDefinition(fastjet.cambridge_algorithm, 1000.0))
    groomed = sequence.exclusive_jets_softdrop_grooming(njets=1, beta=0.0, symmetry_cut=0.1, R0=0.8)
    theirs = ak.to_numpy(groomed.msoftdrop).ravel()
    ours = soft_drop_mass(trees(jets, CAMBRIDGE_AACHEN), 0.1, 0.0, 0.8)
    # fjcontrib leaves the particle's own mass where a single one is left.
    several = ours > 0
    assert several.sum() > 300
    assert ours[several] == pytest.approx(theirs[several], rel=1e-5, abs=1e-3)
    assert (theirs[~several] < 0.2).all()
