"""Small sets of points: the compiled distances, bounds and searches against plain twins and other libraries."""

import numpy as np
import ot
import pytest
from scipy.optimize import linear_sum_assignment

from oddjet.errors import TransportError
from oddjet.transport.linearised import barycentre, embed, nearest_embedded
from oddjet.transport.nearest import References
from oddjet.transport.point_sets import distance_matrix, distances_within, padded_sets, weighted_sets

SLOTS = 7


def events(n: int, seed: int, scale: float = 1.0) -> np.ndarray:
    """Points (pT, eta, phi) in some of the slots, zeros in the others: shape (n, SLOTS, 3)."""
    rng = np.random.default_rng(seed)
    points = np.stack(
        [
            (3 + rng.exponential(20, (n, SLOTS))) / scale,
            rng.uniform(-4, 4, (n, SLOTS)),
            rng.uniform(-np.pi, np.pi, (n, SLOTS)),
        ],
        axis=-1,
    )
    points[:, 1:][rng.random((n, SLOTS - 1)) < 0.45] = 0.0
    points[0] = 0.0  # an event without objects
    points[1, :, 0] = 5.0 / scale + np.arange(SLOTS)  # a full one
    points[2, :3] = points[2, 3]  # equal points
    return points


def padded(points: np.ndarray, angle: int = -1):
    return padded_sets(points, points[..., 0] > 0, angle)


def plain(first: np.ndarray, second: np.ndarray, wrapped: bool = False) -> float:
    """W2^2 of two padded sets by scipy's assignment over all slots."""
    difference = first[:, None] - second[None]
    if wrapped:
        difference[..., 2] = np.angle(np.exp(1j * difference[..., 2]))
    costs = np.square(difference).sum(-1)
    return costs[linear_sum_assignment(costs)].mean()


@pytest.mark.parametrize("scale", [1.0, 30.0])
@pytest.mark.parametrize("wrapped", [False, True])
def test_padded_distances_are_those_of_the_whole_assignment(scale, wrapped):
    first, second = events(25, 1, scale), events(30, 2, scale)
    angle = 2 if wrapped else -1
    found = distance_matrix(padded(first, angle), padded(second, angle))
    expected = [[plain(x, y, wrapped) for y in second] for x in first]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_points_that_would_rather_stay_with_the_origin():
    # Opposite directions and one soft object each: matching them costs more than leaving both at the origin.
    first, second = np.zeros((1, 3, 2)), np.zeros((1, 3, 2))
    first[0, 0], second[0, 0] = (0.1, 3.0), (0.1, -3.0)
    found = distance_matrix(*(padded_sets(points, points[..., 0] > 0) for points in (first, second)))
    assert found[0, 0] == pytest.approx(2 * (0.01 + 9.0) / 3, rel=1e-15)
    full = padded_sets(first[:, :1], np.ones((1, 1), bool)), padded_sets(second[:, :1], np.ones((1, 1), bool))
    assert distance_matrix(*full)[0, 0] == pytest.approx(36.0, rel=1e-15)


def test_distance_is_a_metric_and_of_a_shift_its_length():
    points = events(20, 3)
    sets = padded(points)
    distances = np.sqrt(distance_matrix(sets, sets))
    assert (np.diag(distances) == 0).all()
    np.testing.assert_allclose(distances, distances.T, rtol=1e-12)
    assert (distances[:, :, None] <= distances[:, None, :] + distances.T[None] + 1e-9).all()
    full = points[1:2]
    shift = np.array([0.5, -0.3, 0.1])
    np.testing.assert_allclose(distance_matrix(padded(full), padded(full + shift)), shift @ shift, rtol=1e-12)


def test_distances_within_are_those_between_and_threads_change_nothing():
    sets = padded(events(150, 4))
    whole = distance_matrix(sets, sets)
    found = distances_within(sets, threads=2)
    np.testing.assert_array_equal(np.triu(found), np.triu(whole * (1 - np.eye(150))))
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("wrapped", [False, True])
def test_weighted_distances_are_those_of_the_network_simplex(wrapped):
    first, second = events(20, 5)[1:], events(20, 6)[1:]
    angle = 1 if wrapped else -1
    sets = [weighted_sets(points[..., 1:], points[..., 0], angle) for points in (first, second)]
    found = distance_matrix(*sets)
    for i, x in enumerate(first):
        for j, y in enumerate(second):
            difference = x[x[:, 0] > 0, None, 1:] - y[None, y[:, 0] > 0, 1:]
            if wrapped:
                difference[..., 1] = np.angle(np.exp(1j * difference[..., 1]))
            weights = [points[points[:, 0] > 0, 0] / points[:, 0].sum() for points in (x, y)]
            assert found[i, j] == pytest.approx(ot.emd2(*weights, np.square(difference).sum(-1)), abs=1e-9)


@pytest.mark.parametrize("angle", [-1, 2])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_pruned_minimum_is_the_brute_force_one_bit_for_bit(scale, angle):
    tests, references = padded(events(80, 7, scale), angle), padded(events(400, 8, scale), angle)
    found = References(references).nearest(tests, threads=2)
    brute = distance_matrix(tests, references)
    np.testing.assert_array_equal(found.distances, brute.min(1))
    np.testing.assert_array_equal(brute[np.arange(80), found.references], found.distances)
    assert found.solves.min() >= 1
    assert found.solves.sum() <= brute.size / (5 if angle < 0 else 2)


def test_pruned_minimum_of_weighted_sets_is_the_brute_force_one_bit_for_bit():
    tests, references = (
        weighted_sets(points[1:, :, 1:], points[1:, :, 0]) for points in (events(80, 9), events(400, 10))
    )
    found = References(references).nearest(tests)
    brute = distance_matrix(tests, references)
    np.testing.assert_array_equal(found.distances, brute.min(1))
    assert found.solves.sum() <= brute.size / 5


def test_linearised_distance_is_never_below_the_exact_one_and_exact_to_the_template():
    sets = padded(events(60, 11))
    template = barycentre(sets, rounds=5)
    vectors = embed(sets, template)
    exact = distance_matrix(sets, sets)
    linear = np.square(vectors[:, None] - vectors[None]).sum(-1) / SLOTS
    assert (linear >= exact - 1e-9).all()
    assert np.corrcoef(linear.ravel(), exact.ravel())[0, 1] > 0.9
    to_template = np.square(vectors - template.ravel()).sum(-1) / SLOTS
    own = padded_sets(template[None], np.ones((1, SLOTS), bool))
    np.testing.assert_allclose(to_template, distance_matrix(sets, own)[:, 0], rtol=1e-9)
    found = nearest_embedded(vectors[:20], vectors[20:], SLOTS)
    np.testing.assert_allclose(found.distances, linear[:20, 20:].min(1), rtol=1e-12)


def test_a_barycentre_is_no_farther_than_where_it_started():
    sets = padded(events(60, 12))
    costs = [np.square(embed(sets, template) - template.ravel()).sum() for template in
             (sets.points.mean(0).T, barycentre(sets, rounds=1), barycentre(sets, rounds=8))]  # fmt: skip
    assert costs[0] > costs[1] >= costs[2]


def test_sets_that_make_no_sense_are_refused():
    points = events(4, 13)
    with pytest.raises(TransportError, match="set 3 of 4 has a coordinate that is not finite"):
        bad = points.copy()
        bad[3] = np.nan
        padded_sets(bad, np.ones((4, SLOTS), bool))
    with pytest.raises(TransportError, match="set 0 of 4: its weights"):
        weighted_sets(points[..., 1:], points[..., 0])
    with pytest.raises(TransportError, match="shape"):
        padded_sets(points[0], points[0, :, 0] > 0)
    with pytest.raises(TransportError, match="no distance between PaddedSets"):
        distance_matrix(padded(points), weighted_sets(points[1:, :, 1:], points[1:, :, 0]))
