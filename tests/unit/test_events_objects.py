"""Objects from candidates: isolation, clusters, overlap, missing momentum, the trigger, the leading ones."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oddjet.events.layout import EGAMMA, ETA, JET, MET, MUON, PHI, PT, check_events
from oddjet.events.objects import cluster, cone_sums, select_events
from oddjet.events.settings import ObjectSettings

SETTINGS = ObjectSettings()
MASSES = {13: 0.10566, 11: 0.000511, 211: 0.13957}


@dataclass
class Flat:
    event: np.ndarray
    pdg_id: np.ndarray
    pt: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    mass: np.ndarray


def candidates(*rows: tuple) -> Flat:
    """Rows of (event, code, pT, eta, phi)."""
    event, code, pt, eta, phi = (np.array(values) for values in zip(*rows, strict=True))
    mass = np.array([MASSES.get(abs(one), 0.0) for one in code])
    return Flat(event.astype(int), code.astype(int), pt * 1.0, eta * 1.0, phi * 1.0, mass)


def present(events: np.ndarray, kind) -> np.ndarray:
    """(pT, eta, phi) of the first event's objects of a class."""
    objects = events[0, kind.slots]
    return objects[objects[:, PT] > 0][:, [PT, ETA, PHI]]


def test_a_muon_and_what_recoils_against_it():
    events = select_events(candidates((0, 13, 30, 0.5, 1.0), (0, 211, 40, 1.0, -2.0)), 1, SETTINGS)
    assert events.shape == (1, 19, 4)
    check_events(events, "here")
    assert present(events, MUON) == pytest.approx(np.array([[30, 0.5, 1.0]]))
    assert present(events, JET) == pytest.approx(np.array([[40, 1.0, -2.0]]), rel=1e-4)
    x, y = -30 * np.cos(1.0) - 40 * np.cos(-2.0), -30 * np.sin(1.0) - 40 * np.sin(-2.0)
    assert present(events, MET) == pytest.approx(np.array([[np.hypot(x, y), 0, np.arctan2(y, x)]]))


@pytest.mark.parametrize(("near", "number"), [(13.0, 1), (14.0, 0)])
def test_isolation_counts_what_is_within_the_cone(near, number):
    # 0.45 of 30 GeV are 13.5 GeV; the pion at a distance of 0.31 does not count.
    rows = [(0, 13, 30, 0.0, 3.1), (0, 211, near, 0.2, -3.1), (0, 211, 50, 0.31, 3.1), (0, -13, 40, -2, 0)]
    events = select_events(candidates(*rows), 1, SETTINGS)
    assert len(present(events, MUON)) == number + 1
    # A lepton that is not isolated belongs to its jet.
    assert present(events, JET)[:, PT].sum() == pytest.approx(near + 50 + 30 * (1 - number), rel=0.02)


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        ((0, 13, 23.1, 0, 0), True),
        ((0, 13, 22.9, 0, 0), False),
        ((0, 13, 50, 2.2, 0), False),
        ((0, 11, 23.1, 2.4, 0), True),
        ((0, 22, 50, 0, 0), False),
        ((0, 211, 50, 0, 0), False),
    ],
)
def test_the_trigger_asks_for_an_electron_or_a_muon(row, kept):
    assert len(select_events(candidates(row), 1, SETTINGS)) == kept


def test_electrons_take_their_photons_along():
    rows = [(0, -11, 20, 0.0, 0.0), (0, 22, 5, 0.05, 0.0), (0, 22, 8, 1.0, 1.0), (0, 22, 2, -1.0, 1.0)]
    events = select_events(candidates(*rows), 1, SETTINGS)
    assert present(events, EGAMMA)[:, PT] == pytest.approx([25, 8], rel=1e-3)
    assert len(present(events, JET)) == 0
    without = select_events(candidates(*rows), 1, ObjectSettings(photons=False))
    assert present(without, EGAMMA)[:, PT] == pytest.approx([25], rel=1e-3)


def test_the_leading_ones_of_each_class_are_kept_by_falling_pt():
    pts = np.arange(16, 28)
    rows = [(0, 211, pt, 3.9 * np.cos(n), -3 + n / 2) for n, pt in enumerate(pts)]
    rows += [(0, 13, pt, -2 + pt / 10, -3 + pt / 8) for pt in (24, 4, 9, 14, 19, 29)]
    events = select_events(candidates(*rows), 1, SETTINGS)
    check_events(events, "here")
    assert present(events, MUON)[:, PT] == pytest.approx([29, 24, 19, 14])
    assert len(present(events, JET)) == 10
    assert present(events, JET)[0, PT] > present(events, JET)[-1, PT]


def test_events_keep_apart_and_the_trigger_takes_its_own():
    rows = [(0, 13, 30, 0, 0), (1, 13, 10, 0, 0), (2, 11, 40, 1, 1), (2, 211, 20, -1, -1)]
    events = select_events(candidates(*rows), 4, SETTINGS)
    assert len(events) == 2
    assert events[0, MUON.start, PT] == pytest.approx(30)
    assert events[1, EGAMMA.start, PT] == pytest.approx(40)
    assert events[1, JET.start, PT] == pytest.approx(20, rel=1e-3)


def test_members_point_to_their_cluster():
    flat = candidates((0, 211, 9, 0, 0), (0, 211, 5, 2, 2), (0, 211, 4, 0.1, 0), (3, 211, 7, 0, 0))
    clusters, members = cluster(flat, np.arange(4), 0.4)
    assert members[0] == members[2]
    assert len(set(members.tolist())) == 3
    assert clusters.event[members].tolist() == [0, 0, 0, 3]
    assert clusters.pt[members] == pytest.approx([13, 5, 13, 7], rel=1e-2)
    assert cone_sums(flat, clusters, 0.3)[members] == pytest.approx([13, 5, 13, 7])


@settings(max_examples=15, deadline=None)
@given(angle=st.floats(-3.1, 3.1), seed=st.integers(0, 1000))
def test_turning_the_detector_turns_the_objects(angle, seed):
    random = np.random.default_rng(seed)
    rows = [(0, 13, 30, 0.3, 0.2)]
    rows += [
        (0, code, pt, eta, phi)
        for code, pt, eta, phi in zip(
            random.choice([211, 22, 11, 13, 130], 40),
            random.exponential(8, 40) + 0.5,
            random.uniform(-4.5, 4.5, 40),
            random.uniform(-np.pi, np.pi, 40),
            strict=True,
        )
    ]
    flat = candidates(*rows)
    before = select_events(flat, 1, SETTINGS)
    flat.phi = np.remainder(flat.phi + angle + np.pi, 2 * np.pi) - np.pi
    after = select_events(flat, 1, SETTINGS)
    assert len(before) == len(after)
    if len(before):
        assert after[:, :, [PT, ETA]] == pytest.approx(before[:, :, [PT, ETA]], rel=1e-9, abs=1e-9)
        difference = np.remainder(after[:, :, PHI] - before[:, :, PHI] - angle + np.pi, 2 * np.pi) - np.pi
        assert difference[before[:, :, PT] > 0] == pytest.approx(0, abs=1e-6)
