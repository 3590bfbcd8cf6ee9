"""For any particles: the detector loses no energy when it is perfect, and never makes a value that is no number."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from oddjet.simulation.detector import VisibleParticles, reconstruct
from oddjet.simulation.settings import Calorimeter, CalorimeterRegion, DetectorSettings

EVENTS = 3
KINDS = [(211, 1), (-321, -1), (2212, 1), (22, 0), (130, 0), (11, -1), (-11, 1), (2112, 0), (13, -1)]
EXACT = CalorimeterRegion(eta_max=5, noise=0, stochastic=0, constant=0)
BLIND_BUT_EXACT = DetectorSettings(
    track_pt_min=1e9,
    ecal=Calorimeter(phi_cells=360, energy_min=0, significance_min=0, regions=(EXACT,)),
    hcal=Calorimeter(phi_cells=72, energy_min=0, significance_min=0, regions=(EXACT,)),
)
PARTICLE = st.tuples(
    st.integers(0, EVENTS - 1),
    st.sampled_from(KINDS),
    st.floats(1e-3, 5000),
    st.floats(-12, 12),
    st.floats(-np.pi, np.pi),
)


def to_particles(drawn):
    event, kind, pt, eta, phi = ([row[column] for row in drawn] for column in range(5))
    pt, eta = np.array(pt, dtype=float), np.array(eta, dtype=float)
    codes, charges = np.array(kind, dtype=np.int64).reshape(-1, 2).T
    return VisibleParticles(
        np.array(event, dtype=np.int64), codes, charges, pt, eta, np.array(phi, dtype=float), pt * np.cosh(eta)
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(PARTICLE, max_size=40), st.integers(0, 2**32))
def test_every_candidate_is_finite_and_in_range(drawn, seed):
    found = reconstruct(to_particles(drawn), DetectorSettings(), np.random.default_rng(seed))
    for values in (found.pt, found.eta, found.phi, found.mass):
        assert np.isfinite(values).all()
    assert (found.pt > 0).all()
    assert (np.abs(found.phi) <= np.pi).all()
    assert (np.abs(found.eta) < 5 + 2 * np.pi / 36).all()
    assert np.isin(found.event, [row[0] for row in drawn]).all()
    assert np.array_equal(np.isin(np.abs(found.pdg_id), (11, 13, 211)), found.charge != 0)


@settings(max_examples=100, deadline=None)
@given(st.lists(PARTICLE, max_size=40), st.integers(0, 2**32))
def test_exact_calorimeters_conserve_the_energy_of_each_event(drawn, seed):
    particles = to_particles(drawn)
    found = reconstruct(particles, BLIND_BUT_EXACT, np.random.default_rng(seed))
    seen = (np.abs(particles.eta) < 5) & (np.abs(particles.pdg_id) != 13)
    for photons in (True, False):
        into = seen & (np.isin(np.abs(particles.pdg_id), (11, 22)) == photons)
        given_energy = np.bincount(particles.event[into], weights=particles.energy[into], minlength=EVENTS)
        out = (found.pdg_id == 22) == photons
        energy = (found.pt * np.cosh(found.eta))[out]
        found_energy = np.bincount(found.event[out], weights=energy, minlength=EVENTS)
        np.testing.assert_allclose(found_energy, given_energy, rtol=1e-9)
