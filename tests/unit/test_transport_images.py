"""Distances between images: exact transport on the occupied pixels against POT on all of them, and what must hold."""

import numpy as np
import ot
import pytest
from scipy.spatial.distance import squareform

from oddjet.errors import TransportError
from oddjet.transport import images as module
from oddjet.transport.images import all_distances, cross, distances, metric_of, pairwise
from oddjet.transport.simplex import solve
from oddjet.transport.sparse import sparse_images

PIXELS, SIDE = 12, 1.2
POWERS = {"wass0p5": 0.5, "wass1": 1.0, "wass2": 2.0, "wass5": 5.0}


def random_images(n, pixels=PIXELS, occupied=20, seed=1, side=SIDE):
    rng = np.random.default_rng(seed)
    dense = np.zeros((n, pixels * pixels))
    for image in dense:
        where = np.clip(rng.normal(pixels / 2, pixels / 6, (occupied, 2)).astype(int), 0, pixels - 1)
        np.add.at(image, where[:, 0] * pixels + where[:, 1], rng.exponential(size=occupied))
    return sparse_images(dense.reshape(n, pixels, pixels), side)


def point(row, column, pixels=PIXELS):
    dense = np.zeros((1, pixels, pixels))
    dense[0, row, column] = 3.0
    return sparse_images(dense, SIDE)


def one(first, second, name, *, root=True):
    return float(distances(first, second, np.zeros((1, 2), np.int64), metric_of(name, root=root))[0])


@pytest.mark.parametrize("name", POWERS)
def test_sparse_is_the_transport_between_all_pixels(name):
    images = random_images(6)
    where = np.stack(np.divmod(np.arange(PIXELS**2), PIXELS), axis=1) * SIDE / PIXELS
    costs = np.hypot(*(where[:, None] - where[None]).transpose(2, 0, 1)) ** POWERS[name]
    dense = images.dense().reshape(len(images), -1).astype(np.float64)
    dense /= dense.sum(axis=1, keepdims=True)
    expected = [ot.emd2(dense[i], dense[j], costs, numItermax=10**6) for i in range(6) for j in range(i + 1, 6)]
    # float32 pixels of `dense`, float64 masses of the sparse images.
    np.testing.assert_allclose(pairwise(images, metric_of(name, root=False)), expected, rtol=2e-6)


def test_the_size_of_a_jet_image_with_all_its_1600_pixels():
    images = random_images(2, pixels=40, occupied=45, side=3.2)
    where = np.stack(np.divmod(np.arange(1600), 40), axis=1) * 0.08
    costs = np.hypot(*(where[:, None] - where[None]).transpose(2, 0, 1))
    dense = np.zeros((2, 1600))
    dense[np.repeat([0, 1], np.diff(images.indptr)), images.pixel] = images.value
    assert pairwise(images, metric_of("wass1"))[0] == pytest.approx(ot.emd2(*dense, costs, numItermax=10**6), abs=1e-12)


def test_the_compiled_simplex_is_pots():
    rng = np.random.default_rng(3)
    for case in range(150):
        n, m = rng.integers(1, 40, 2)
        x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2))
        if case % 3 == 0:  # ties and duplicates
            x, y = np.round(x), np.round(y)
        cost = np.hypot(*(x[:, None] - y[None]).transpose(2, 0, 1)) ** rng.choice([0.5, 1, 2, 5])
        masses = [rng.exponential(size=size) ** rng.choice([0, 1, 3]) for size in (n, m)]
        masses = [mass / mass.sum() for mass in masses]
        room = np.empty(n + m), np.empty(n + m), np.empty((9, n + m), np.int64)
        ours = solve(n, m, np.concatenate(masses), cost, *room)
        assert ours == pytest.approx(ot.emd2(*masses, cost), abs=1e-13 + 1e-12 * cost.max())
        # Dual solution: feasible, and of the same value.
        potentials = room[0]
        assert (potentials[:n, None] + potentials[n:] <= cost + 1e-9 * (1 + cost.max())).all()
        assert potentials[:n] @ masses[0] + potentials[n:] @ masses[1] == pytest.approx(ours, abs=1e-9)


def test_one_pixel_each_is_the_distance_between_them():
    for name, power in POWERS.items():
        assert one(point(2, 3), point(5, 7), name) == pytest.approx(0.5 if power >= 1 else 0.5**0.5)
        assert one(point(2, 3), point(5, 7), name, root=False) == pytest.approx(0.5**power)
        assert one(point(2, 3), point(2, 3), name) == 0.0
    assert one(point(2, 3), point(5, 7), "mae") == pytest.approx(2 / PIXELS**2)
    assert one(point(2, 3), point(2, 3), "mse") == 0.0


def test_a_shifted_image_is_as_far_as_the_shift():
    dense = np.zeros((2, PIXELS, PIXELS))
    dense[0, 1:6, 2:7] = np.random.default_rng(5).exponential(size=(5, 5))
    dense[1, 5:10, 5:10] = dense[0, 1:6, 2:7]
    images = sparse_images(dense, SIDE)
    for name in ("wass1", "wass2", "wass5"):
        assert pairwise(images, metric_of(name))[0] == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("name", ["mae", *POWERS])
def test_metric_axioms_and_diameter(name):
    images = random_images(12, seed=7)
    matrix = squareform(pairwise(images, metric_of(name)))
    np.testing.assert_allclose(cross(images, images, metric_of(name)), matrix, atol=1e-7)
    np.testing.assert_allclose(matrix, matrix.T)
    assert (matrix[:, :, None] + matrix[None, :, :] >= matrix[:, None, :] - 1e-12).all()
    diameter = np.hypot(1, 1) * SIDE * (PIXELS - 1) / PIXELS
    assert matrix.max() <= max(diameter, diameter**0.5)


def test_errors_are_those_of_dense_images():
    images = random_images(5, seed=9)
    dense = images.dense().reshape(5, -1).astype(np.float64)
    difference = np.abs(dense[:, None] - dense[None])
    np.testing.assert_allclose(squareform(pairwise(images, metric_of("mae"))), difference.mean(axis=-1), atol=1e-9)
    np.testing.assert_allclose(squareform(pairwise(images, metric_of("mse"))), (difference**2).mean(axis=-1), atol=1e-9)


def test_threads_and_tasks_change_nothing(monkeypatch):
    images = random_images(12, seed=11)
    expected = pairwise(images, metric_of("wass1"))
    monkeypatch.setattr(module, "PAIRS_A_TASK", 7)
    np.testing.assert_array_equal(pairwise(images, metric_of("wass1"), threads=3), expected)
    assert len(all_distances(images, images, np.empty((0, 2), np.int64), metric_of("wass1"))) == 0


def test_a_circle_is_left_to_the_general_solver(monkeypatch):
    images = random_images(3, seed=13)
    expected = pairwise(images, metric_of("wass2"))
    monkeypatch.setattr(module, "transport_costs", lambda *given: given[-1].fill(np.nan))
    np.testing.assert_allclose(pairwise(images, metric_of("wass2")), expected, rtol=1e-12)


def test_names_of_metrics():
    assert (metric_of("wass0p5").power, metric_of("wass0p5").root) == (0.5, False)
    assert metric_of("wass2").root
    assert not metric_of("wass2", root=False).root
    for wrong in ("wass", "wass0", "emd", "wass-1"):
        with pytest.raises(TransportError, match="give mae, mse, or wass"):
            metric_of(wrong)


def test_images_that_cannot_be_compared_are_refused():
    with pytest.raises(TransportError, match="no pixel above 0"):
        sparse_images(np.zeros((1, 4, 4)), 1.0)
    with pytest.raises(TransportError, match="not finite"):
        sparse_images(np.full((1, 4, 4), np.nan), 1.0)
    with pytest.raises(TransportError, match="cannot be compared"):
        distances(random_images(1), random_images(1, pixels=8), np.zeros((1, 2), np.int64), metric_of("wass1"))


def test_take_mean_and_dense():
    images = random_images(4, seed=15)
    np.testing.assert_array_equal(images.take(np.array([2, 0])).dense(), images.dense()[[2, 0]])
    np.testing.assert_allclose(images.mean().dense()[0], images.dense().mean(axis=0), rtol=1e-5)
