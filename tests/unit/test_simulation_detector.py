"""The detector does what its parameters say: efficiencies, resolutions, cells, thresholds, particle classes."""

from __future__ import annotations

import numpy as np
import pytest

from oddjet.simulation.detector import VisibleParticles, energy_resolution, has_track, reconstruct, smear
from oddjet.simulation.settings import Calorimeter, CalorimeterRegion, DetectorSettings

CMS = DetectorSettings()
COUNT = 20000


def particles(pdg_id, charge, pt, eta, phi=0.3, *, mass=0.13957, count=1):
    """Give `count` particles, each in an event of its own unless an array is given."""
    pt, eta, phi = (np.broadcast_to(np.asarray(value, dtype=float), count).copy() for value in (pt, eta, phi))
    return VisibleParticles(
        event=np.arange(count),
        pdg_id=np.broadcast_to(np.asarray(pdg_id), count).copy(),
        charge=np.broadcast_to(np.asarray(charge), count).copy(),
        pt=pt,
        eta=eta,
        phi=phi,
        energy=np.hypot(pt * np.cosh(eta), mass),
    )


def perfect_calorimeter(phi_cells):
    exact = CalorimeterRegion(eta_max=5, noise=0, stochastic=0, constant=0)
    return Calorimeter(phi_cells=phi_cells, energy_min=0, significance_min=0, regions=(exact,))


NO_TRACKER = DetectorSettings(track_pt_min=1e9, ecal=perfect_calorimeter(360), hcal=perfect_calorimeter(72))


@pytest.mark.parametrize(
    ("pdg_id", "charge", "pt", "eta", "efficiency"),
    [
        (211, 1, 5.0, 0.3, 0.95),
        (-321, -1, 5.0, -1.2, 0.95),
        (2212, 1, 5.0, 2.0, 0.85),
        (211, 1, 0.7, 0.3, 0.70),
        (211, 1, 0.7, -2.0, 0.60),
        (11, -1, 0.7, 2.0, 0.98),
        (-13, 1, 50.0, 0.3, 0.98),
        (211, 1, 0.39, 0.3, 0.0),
        (211, 1, 5.0, 2.6, 0.0),
        (2112, 0, 5.0, 0.3, 0.0),
    ],
)
def test_track_efficiency(pdg_id, charge, pt, eta, efficiency):
    found = has_track(particles(pdg_id, charge, pt, eta, count=COUNT), CMS, np.random.default_rng(1)).mean()
    assert found == pytest.approx(efficiency, abs=4 * np.sqrt(efficiency * (1 - efficiency) / COUNT))


@pytest.mark.parametrize(
    ("eta", "pt", "resolution"),
    [(0.2, 10, np.hypot(0.010, 1.5e-3)), (1.0, 200, np.hypot(0.015, 0.05)), (-2.0, 100, np.hypot(0.025, 0.055))],
)
def test_track_resolution(eta, pt, resolution):
    given = particles(13, -1, pt, eta, count=COUNT)
    found = reconstruct(given, CMS, np.random.default_rng(2))
    ratio = found.pt / pt
    assert ratio.std() == pytest.approx(resolution, rel=0.03)
    assert ratio.mean() == pytest.approx(1, abs=4 * resolution / np.sqrt(len(ratio)))
    assert np.all(found.eta == eta)


@pytest.mark.parametrize(
    ("pdg_id", "energy", "eta", "resolution"),
    [
        (22, 100.0, 0.0, np.sqrt(0.8**2 + 0.11**2 * 100 + 0.4**2)),
        (22, 100.0, 1.0, 1.64 * np.sqrt(0.8**2 + 0.11**2 * 100 + 0.4**2)),
        (22, 100.0, 2.0, 2.16 * np.sqrt(0.8**2 + 0.11**2 * 100 + 0.4**2)),
        (22, 500.0, 4.0, np.sqrt((0.107 * 500) ** 2 + 2.08**2 * 500)),
        (130, 100.0, 1.0, np.sqrt(5.0**2 + 1.5**2 * 100)),
        (130, 500.0, 4.0, np.sqrt((0.13 * 500) ** 2 + 2.7**2 * 500)),
    ],
)
def test_energy_resolution(pdg_id, energy, eta, resolution):
    calorimeter = CMS.ecal if pdg_id == 22 else CMS.hcal
    sigma = energy_resolution(np.array([energy]), np.array([eta]), calorimeter, shape=pdg_id == 22)
    assert sigma[0] == pytest.approx(resolution, rel=1e-12)
    given = particles(pdg_id, 0, energy / np.cosh(eta), eta, mass=0, count=COUNT)
    found = reconstruct(given, CMS, np.random.default_rng(3))
    measured = found.pt * np.cosh(found.eta)
    # A cell's own eta, not the particle's, enters the resolution: hence 5 % and not less.
    assert measured.std() == pytest.approx(resolution, rel=0.05)
    assert measured.mean() == pytest.approx(energy, abs=4 * resolution / np.sqrt(COUNT))


def test_smearing_is_positive_with_the_right_moments():
    values = smear(np.full(COUNT, 2.0), np.full(COUNT, 0.8), np.random.default_rng(4))
    assert values.min() > 0
    assert values.mean() == pytest.approx(2, rel=0.03)
    assert values.std() == pytest.approx(1.6, rel=0.06)


def test_a_missed_charged_hadron_becomes_a_neutral_one_and_a_missed_electron_a_photon():
    blind = DetectorSettings(track_pt_min=1e9)
    given = particles([211, 11, 13, 130, 22], [1, -1, -1, 0, 0], 50, 0.4, count=5)
    found = reconstruct(given, blind, np.random.default_rng(5))
    assert dict(zip(found.event, found.pdg_id, strict=True)) == {0: 130, 1: 22, 3: 130, 4: 22}


def test_codes_charges_and_masses_agree():
    kinds = [(211, 1), (-211, -1), (321, 1), (-2212, -1), (3112, -1), (11, -1), (-11, 1), (13, -1), (-13, 1)]
    codes, charges = np.array(kinds * 500).T
    found = reconstruct(particles(codes, charges, 20, 0.4, count=len(codes)), CMS, np.random.default_rng(6))
    tracked = found.charge != 0
    assert set(found.pdg_id[tracked]) == {211, -211, 11, -11, 13, -13}
    assert set(found.pdg_id[~tracked]) == {130, 22}
    assert np.all(found.charge[tracked] == charges[found.event[tracked]])
    # A lepton's code is negative for a positive charge, a pion's positive.
    sign = np.where(np.abs(found.pdg_id) == 211, 1, -1)
    assert np.all((np.sign(found.pdg_id) == sign * found.charge)[tracked])
    masses = {211: 0.13957, 11: 0.000511, 13: 0.10566, 130: 0.0, 22: 0.0}
    assert np.all(found.mass == [masses[code] for code in np.abs(found.pdg_id)])


def test_energies_in_one_cell_add_up_and_other_events_stay_apart():
    given = particles(22, 0, [10.0, 20.0, 40.0], 0.001, [0.001, 0.002, 0.001], mass=0, count=3)
    given.event[:] = [0, 0, 1]
    found = reconstruct(given, NO_TRACKER, np.random.default_rng(7))
    assert found.event.tolist() == [0, 1]
    assert found.pt * np.cosh(found.eta) == pytest.approx([30, 40], rel=1e-6)
    assert np.all((found.eta >= 0) & (found.eta < 2 * np.pi / 360))


def test_electromagnetic_and_hadronic_energy_do_not_mix():
    given = particles([22, 130], [0, 0], 10, 0.01, 0.01, count=2)
    given.event[:] = 0
    found = reconstruct(given, NO_TRACKER, np.random.default_rng(8))
    assert sorted(found.pdg_id) == [22, 130]


def test_forward_cells_are_coarse_and_nothing_is_seen_beyond():
    given = particles(22, 0, 10, [3.7, 3.7, 4.9, 5.01, -6], [0.01, 0.15, 0.01, 0.01, 0.01], mass=0, count=5)
    given.event[:] = 0
    found = reconstruct(given, NO_TRACKER, np.random.default_rng(9))
    assert len(found.pt) == 2  # 3.7 twice in one cell of 0.17; 5.01 and -6 are lost


def test_thresholds_in_energy_and_significance():
    weak = particles(130, 0, [0.9, 8.0, 100.0], 0.0, mass=0, count=3)
    sharp = DetectorSettings(
        hcal=Calorimeter(
            phi_cells=72,
            energy_min=1.0,
            significance_min=2.0,
            regions=(CalorimeterRegion(eta_max=5, noise=4.5, stochastic=0, constant=0),),
        )
    )
    # Of 4.5 GeV of noise 2 sigma are 9 GeV; the log-normal of 8 GeV lies above it now and then, of 100 GeV always.
    kept = np.array(
        [np.isin([0, 1, 2], reconstruct(weak, sharp, np.random.default_rng(seed)).event) for seed in range(99)]
    )
    assert kept[:, 2].all()
    assert 0 < kept[:, 1].mean() < 0.5
    silent = sharp.model_copy(update={"hcal": perfect_calorimeter(72).model_copy(update={"energy_min": 1.0})})
    assert reconstruct(weak, silent, np.random.default_rng(1)).event.tolist() == [1, 2]


def test_candidates_come_by_event_and_falling_pt():
    generator = np.random.default_rng(10)
    given = particles(211, 1, generator.exponential(20, 300) + 1, generator.uniform(-2, 2, 300), count=300)
    given.event[:] = generator.integers(0, 7, 300)
    found = reconstruct(given, CMS, generator)
    step = np.diff(found.event)
    assert np.all(step >= 0)
    assert np.all(np.diff(found.pt)[step == 0] <= 0)


def test_no_particles_give_no_candidates():
    found = reconstruct(particles(211, 1, 5, 0, count=0), CMS, np.random.default_rng(11))
    assert {len(values) for values in vars(found).values()} == {0}


def test_the_generator_decides_and_nothing_else():
    given = particles([211, 22, 130, 13] * 50, [1, 0, 0, -1] * 50, 30, 0.7, count=200)
    one, same, other = (reconstruct(given, CMS, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.pt, same.pt)
    assert not np.array_equal(one.pt[:100], other.pt[:100])
