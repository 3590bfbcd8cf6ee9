"""What the features must not depend on, and how they scale: random jets against their own transforms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oddjet.io.candidates import Particles
from oddjet.jets.clustering import Jets, cartesian, cluster
from oddjet.jets.features import REGISTRY, Substructure
from oddjet.jets.settings import FeatureSettings

NAMES = tuple(REGISTRY)
SETTINGS = FeatureSettings()
# Where two distances tie, rounding decides which pair merges first, so random jets keep clear of exact coincidences.
EXAMPLES = settings(max_examples=40, deadline=None, derandomize=True)
# The axes are defined with pseudorapidity, which a boost shifts for massless particles only.
MASS_DIMENSION = {"softdrop_mass", "mass"}
# Counts branchings above a kT in GeV.
NOT_SCALE_FREE = {"lund_multiplicity"}


def jet_of(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, mass: np.ndarray) -> Jets:
    """One jet of all these particles."""
    particles = Particles(np.array([0, len(pt)]), pt, eta, np.angle(np.exp(1j * phi)), mass)
    px, py, pz, energy = cartesian(particles).sum(axis=0)
    jet_pt = np.hypot(px, py)
    jet_mass = np.sqrt(max((energy + pz) * (energy - pz) - jet_pt**2, 0.0))
    columns = [np.array([value]) for value in (jet_pt, np.arcsinh(pz / jet_pt), np.arctan2(py, px), jet_mass)]
    return Jets(np.zeros(1, np.int64), np.zeros(1, np.int16), *columns, particles)


def features_of(jet: Jets, names: tuple[str, ...] = NAMES) -> dict[str, float]:
    shared = Substructure(jet, SETTINGS)
    return {name: float(REGISTRY[name].compute(shared)[0]) for name in names}


@st.composite
def jets(draw: st.DrawFn, smallest: int = 1, massive: bool = True) -> tuple[np.ndarray, ...]:
    """Columns (pt, eta, phi, mass) of up to 40 particles within 0.8 of an axis."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(smallest, 40))
    axis = rng.uniform([-1.5, -np.pi], [1.5, np.pi])
    radius = 0.8 * rng.random(n) ** draw(st.sampled_from([0.5, 1.0, 2.0]))
    angle = rng.uniform(0, 2 * np.pi, n)
    pt = 1.0 + rng.exponential(draw(st.sampled_from([2.0, 30.0])), n)
    mass = np.where(rng.random(n) < 0.5, 0.13957, 0.0) if massive else np.zeros(n)
    return pt, axis[0] + radius * np.cos(angle), axis[1] + radius * np.sin(angle), mass


def assert_same(one: dict[str, float], other: dict[str, float], rel: float = 1e-6) -> None:
    for name, value in one.items():
        # Square roots turn rounding of 1e-16 into 1e-8 where a value would be zero; masses are in GeV.
        small = 1e-3 if name in MASS_DIMENSION else 1e-6
        assert other[name] == pytest.approx(value, rel=rel, abs=small), name


@EXAMPLES
@given(jets(), st.randoms(use_true_random=False))
def test_order_of_constituents_does_not_matter(columns: tuple, random: object) -> None:
    order = list(range(len(columns[0])))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert_same(features_of(jet_of(*columns)), features_of(jet_of(*(column[order] for column in columns))))


@EXAMPLES
@given(jets(), st.floats(-7, 7))
def test_rotation_about_the_beam(columns: tuple, angle: float) -> None:
    pt, eta, phi, mass = columns
    assert_same(features_of(jet_of(*columns)), features_of(jet_of(pt, eta, phi + angle, mass)))


@EXAMPLES
@given(jets())
def test_jet_across_the_seam_in_phi(columns: tuple) -> None:
    pt, eta, phi, mass = columns
    seam = phi - np.angle(np.exp(1j * phi).mean()) + np.pi
    assert_same(features_of(jet_of(*columns)), features_of(jet_of(pt, eta, seam, mass)))


@EXAMPLES
@given(jets(massive=False), st.floats(-1.5, 1.5))
def test_boost_along_the_beam_of_massless_particles(columns: tuple, shift: float) -> None:
    pt, eta, phi, mass = columns
    assert_same(features_of(jet_of(*columns)), features_of(jet_of(pt, eta + shift, phi, mass)))


@EXAMPLES
@given(jets(), st.floats(-1.5, 1.5))
def test_boost_along_the_beam_of_massive_particles(columns: tuple, shift: float) -> None:
    pt, eta, phi, mass = columns
    mt = np.hypot(pt, mass)
    boosted = np.arcsinh(mt * np.sinh(np.arcsinh(pt * np.sinh(eta) / mt) + shift) / pt)
    names = tuple(name for name in NAMES if not name.startswith("axis_"))
    assert_same(features_of(jet_of(*columns), names), features_of(jet_of(pt, boosted, phi, mass), names))


@EXAMPLES
@given(jets(), st.booleans(), st.booleans())
def test_reflection(columns: tuple, in_eta: bool, in_phi: bool) -> None:
    pt, eta, phi, mass = columns
    mirrored = jet_of(pt, -eta if in_eta else eta, -phi if in_phi else phi, mass)
    assert_same(features_of(jet_of(*columns)), features_of(mirrored))


@EXAMPLES
@given(jets(), st.floats(0.1, 10))
def test_scale_of_momenta(columns: tuple, scale: float) -> None:
    pt, eta, phi, mass = columns
    one = features_of(jet_of(*columns))
    other = features_of(jet_of(scale * pt, eta, phi, scale * mass))
    expected = {name: value * (scale if name in MASS_DIMENSION else 1.0) for name, value in one.items()}
    names = set(one) - NOT_SCALE_FREE
    assert_same({n: expected[n] for n in names}, {n: other[n] for n in names})


@EXAMPLES
@given(jets(smallest=4, massive=False), st.floats(0.05, 0.95))
def test_collinear_splitting_leaves_safe_features(columns: tuple, fraction: float) -> None:
    """One particle as two in the same direction: all but pTD, the pT^2-weighted axes and the count stay."""
    pt, eta, phi, mass = columns
    split = (
        np.append(pt, (1 - fraction) * pt[0]),
        np.append(eta, eta[0]),
        np.append(phi, phi[0]),
        np.append(mass, 0.0),
    )
    split[0][0] = fraction * pt[0]
    names = ("tau1", "tau2", "tau3", "efp1", "c2", "d2", "softdrop_mass", "mass", "lund_multiplicity")
    assert_same(features_of(jet_of(*columns), names), features_of(jet_of(*split), names), rel=1e-5)


@EXAMPLES
@given(jets(smallest=4, massive=False), st.floats(0, 0.7))
def test_soft_particle_leaves_safe_features(columns: tuple, radius: float) -> None:
    pt, eta, phi, mass = columns
    more = (np.append(pt, 1e-7), np.append(eta, eta[0] + radius), np.append(phi, phi[0]), np.append(mass, 0.0))
    names = tuple(name for name in NAMES if name not in {"multiplicity", "lund_multiplicity", "tau3", "tau32"})
    one, other = features_of(jet_of(*columns), names), features_of(jet_of(*more), names)
    # With four particles tau3 has three axes for four; a fifth of no momentum may take one. tau2 is safe from there on.
    assert_same(one, other, rel=1e-4)


@EXAMPLES
@given(jets(smallest=1), st.integers(1, 4))
def test_few_and_identical_particles_are_finite(columns: tuple, copies: int) -> None:
    few = tuple(np.repeat(column[:3], copies) for column in columns)
    values = features_of(jet_of(*few))
    assert all(np.isfinite(value) for value in values.values())
    distinct = min(3, len(columns[0]))
    if distinct == 1:
        assert values["efp1"] == pytest.approx(0.0, abs=1e-12)
        assert values["tau1"] == pytest.approx(0.0, abs=1e-6)
        assert values["axis_major"] == pytest.approx(0.0, abs=1e-6)
    if distinct * copies == 1:
        assert values["softdrop_mass"] == values["tau2"] == values["c2"] == 0.0


@EXAMPLES
@given(jets(smallest=5))
def test_ranges(columns: tuple) -> None:
    values = features_of(jet_of(*columns))
    assert 0 <= values["tau3"] <= values["tau1"] * 1.001
    assert 0 <= values["axis_minor"] <= values["axis_major"]
    assert 0 < values["ptd"] <= 1 + 1e-12
    assert 0 <= values["softdrop_mass"] <= values["mass"] * (1 + 1e-6) + 1e-3


@EXAMPLES
@given(st.integers(0, 2**32), st.integers(1, 7))
def test_events_do_not_see_their_chunk(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 60, 8)
    assume(counts.sum() > 0)
    n = int(counts.sum())
    offsets = np.concatenate(([0], np.cumsum(counts)))
    events = Particles(offsets, rng.exponential(30, n), rng.normal(0, 1, n), rng.uniform(-3.1, 3.1, n), np.zeros(n))
    whole = cluster(events, 0.8, 20.0)
    middle = offsets[cut]
    halves = []
    for first, last, a, b in ((0, cut, 0, middle), (cut, 8, middle, n)):
        columns = (getattr(events, name)[a:b] for name in ("pt", "eta", "phi", "mass"))
        halves.append(cluster(Particles(offsets[first : last + 1] - a, *columns), 0.8, 20.0))
    # Numpy's vector functions round the last digit by the position in the array.
    assert whole.pt == pytest.approx(np.array([*halves[0].pt, *halves[1].pt]), rel=1e-12)
    assert whole.event.tolist() == [*halves[0].event, *(halves[1].event + cut)]
    assert whole.constituents.pt.tolist() == [*halves[0].constituents.pt, *halves[1].constituents.pt]
    if len(halves[1]):
        parts = [Substructure(jets, SETTINGS) for jets in (whole, halves[1])]
        for name in NAMES:
            one, other = (REGISTRY[name].compute(shared) for shared in parts)
            assert one[len(halves[0]) :] == pytest.approx(other, rel=1e-7, abs=1e-6), name
