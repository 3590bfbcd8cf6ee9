"""What an image of a jet must not depend on: random jets against their own transforms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oddjet.images.preprocessing import aligned, pixelate
from oddjet.io.candidates import Particles

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)
PIXELS, SIDE = 40, 3.2


def jet_of(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> Particles:
    return Particles(np.array([0, len(pt)]), pt, eta, np.angle(np.exp(1j * phi)), np.zeros(len(pt)))


def image_of(jet: Particles) -> np.ndarray:
    indptr, pixel, value, _ = pixelate(jet, *aligned(jet), PIXELS, SIDE)
    image = np.zeros((len(jet), PIXELS**2))
    image[np.repeat(np.arange(len(jet)), np.diff(indptr)), pixel] = value
    return image.reshape(-1, PIXELS, PIXELS)


def rounding_may_decide(jet: Particles) -> bool:
    """Whether a constituent lies on an edge of a pixel, or two halves are as good as equal."""
    positions = aligned(jet)
    edges = [np.abs(np.mod(position * PIXELS / SIDE + 0.5, 1) - 0.5).min() < 1e-6 for position in positions]
    balance = [abs((jet.pt * np.sign(position)).sum()) < 1e-6 * jet.pt.sum() for position in positions]
    return any(edges) or any(balance)


@st.composite
def jets(draw: st.DrawFn) -> tuple[np.ndarray, ...]:
    """Columns (pt, eta, phi) of 3 to 40 particles within 1.0 of an axis."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(3, 40))
    axis = rng.uniform([-1.5, -np.pi], [1.5, np.pi])
    radius = rng.random(n) ** draw(st.sampled_from([0.5, 1.0, 2.0]))
    angle = rng.uniform(0, 2 * np.pi, n)
    pt = 1.0 + rng.exponential(draw(st.sampled_from([2.0, 30.0])), n)
    columns = pt, axis[0] + radius * np.cos(angle), axis[1] + radius * np.sin(angle)
    assume(not rounding_may_decide(jet_of(*columns)))
    return columns


@EXAMPLES
@given(jets(), st.floats(-1, 1), st.floats(-7, 7))
def test_shift_in_eta_and_phi(columns: tuple, eta_shift: float, phi_shift: float) -> None:
    pt, eta, phi = columns
    np.testing.assert_array_equal(
        image_of(jet_of(*columns)) > 0, image_of(jet_of(pt, eta + eta_shift, phi + phi_shift)) > 0
    )
    np.testing.assert_allclose(image_of(jet_of(*columns)), image_of(jet_of(pt, eta + eta_shift, phi + phi_shift)))


@EXAMPLES
@given(jets())
def test_jet_across_the_seam_in_phi(columns: tuple) -> None:
    pt, eta, phi = columns
    seam = phi - np.angle(np.exp(1j * phi).mean()) + np.pi
    np.testing.assert_allclose(image_of(jet_of(*columns)), image_of(jet_of(pt, eta, seam)))


@EXAMPLES
@given(jets(), st.floats(0, 2 * np.pi), st.booleans())
def test_rotation_and_reflection(columns: tuple, angle: float, mirrored: bool) -> None:
    pt, eta, phi = columns
    # About its own centroid; a mirror that is turned by any angle is any mirror.
    x, y = eta - (pt * eta).sum() / pt.sum(), phi - (pt * phi).sum() / pt.sum()
    x = -x if mirrored else x
    turned = jet_of(pt, np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y)
    np.testing.assert_allclose(image_of(jet_of(*columns)), image_of(turned), rtol=1e-5)


@EXAMPLES
@given(jets(), st.floats(0.01, 100))
def test_scale_of_pt(columns: tuple, factor: float) -> None:
    pt, eta, phi = columns
    np.testing.assert_allclose(image_of(jet_of(*columns)), image_of(jet_of(factor * pt, eta, phi)), rtol=1e-5)


@EXAMPLES
@given(jets())
def test_sum_halves_and_axis(columns: tuple) -> None:
    jet = jet_of(*columns)
    image = image_of(jet)[0]
    assert image.sum() == pytest.approx(1.0, abs=1e-6)
    x, y = aligned(jet)
    assert jet.pt[x > 0].sum() >= jet.pt[x < 0].sum()
    assert jet.pt[y > 0].sum() >= jet.pt[y < 0].sum()
    assert (jet.pt * x).sum() == pytest.approx(0.0, abs=1e-6 * jet.pt.sum())
    assert (jet.pt * x * y).sum() == pytest.approx(0.0, abs=1e-6 * jet.pt.sum())
    assert (jet.pt * y * y).sum() >= (jet.pt * x * x).sum() - 1e-9
    # Columns go right with eta, rows up with phi.
    assert image[:, PIXELS // 2 :].sum() == pytest.approx(jet.pt[x >= 0].sum() / jet.pt.sum(), abs=1e-6)
    assert image[PIXELS // 2 :].sum() == pytest.approx(jet.pt[y >= 0].sum() / jet.pt.sum(), abs=1e-6)


def test_one_constituent_and_what_lies_outside() -> None:
    jets = Particles(
        np.array([0, 1, 4]),
        np.array([100.0, 10.0, 10.0, 1.0]),
        np.array([0.3, 0.0, 0.0, 0.0]),
        np.array([3.1, 0.1, -0.1, 1.9]),
        np.zeros(4),
    )
    indptr, pixel, value, inside = pixelate(jets, *aligned(jets), PIXELS, SIDE)
    assert pixel[0] == 20 * PIXELS + 20
    assert list(np.diff(indptr)) == [1, 2]
    assert value == pytest.approx([1.0, 0.5, 0.5])
    assert inside == pytest.approx([1.0, 20 / 21])
