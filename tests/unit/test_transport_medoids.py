"""K medoids and the elbow."""

from itertools import combinations

import numpy as np
import pytest

from oddjet.errors import TransportError
from oddjet.transport.medoids import Restarts, elbow, find_medoids, histogram, most_frequent


def matrix_of(n, seed=1):
    points = np.random.default_rng(seed).normal(size=(n, 2))
    return np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))


def test_one_medoid_has_the_least_row_sum():
    matrix = matrix_of(40)
    (first,) = find_medoids(matrix, 1)
    assert first.members.tolist() == [int(np.argmin(matrix.sum(axis=1)))]
    assert first.cost == pytest.approx(matrix.sum(axis=1).min())


def test_the_cost_falls_with_k_and_is_that_of_the_members():
    matrix = matrix_of(80, seed=2)
    found = find_medoids(matrix, 10)
    costs = [medoids.cost for medoids in found]
    assert costs == sorted(costs, reverse=True)
    for k, medoids in enumerate(found, start=1):
        assert len(set(medoids.members.tolist())) == k
        np.testing.assert_array_equal(medoids.nearest, matrix[:, medoids.members].min(axis=1))


@pytest.mark.parametrize("seed", range(5))
def test_no_single_swap_is_better_and_few_points_are_solved_exactly(seed):
    matrix = matrix_of(14, seed)
    for medoids in find_medoids(matrix, 3):
        k = len(medoids.members)
        for out in medoids.members:
            for into in set(range(14)) - set(medoids.members.tolist()):
                swapped = [*(set(medoids.members.tolist()) - {int(out)}), into]
                assert matrix[:, swapped].min(axis=1).sum() >= medoids.cost - 1e-12
        best = min(matrix[:, list(members)].min(axis=1).sum() for members in combinations(range(14), k))
        assert medoids.cost <= 1.1 * best


def test_clusters_are_found():
    centres = np.repeat(np.array([[0.0, 0], [10, 0], [0, 10]]), 20, axis=0)
    points = centres + np.random.default_rng(3).normal(0, 0.5, centres.shape)
    matrix = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    assert sorted(find_medoids(matrix, 3)[2].members // 20) == [0, 1, 2]


@pytest.mark.parametrize("point", [2.5, 3.25, 5.5, 4.0])
def test_the_break_of_two_lines_is_found(point):
    k = np.arange(1, 11)
    peaks = 5.0 - 0.8 * k + 0.7 * np.maximum(k - point, 0)
    found = elbow(list(peaks))
    assert found.point == pytest.approx(point, abs=1e-6)
    assert found.suggested == int(np.ceil(point))
    np.testing.assert_allclose(found.value(k), peaks)


@pytest.mark.parametrize(
    "peaks",
    [
        [5.0 - 0.4 * k for k in range(10)],
        [0.3] * 10,
        # It rises, or falls faster after the break.
        [1.0, 2.0, 3.0, 3.1, 3.2, 3.3, 3.4, 3.5],
        [3.0, 2.9, 2.8, 2.7, 2.0, 1.3, 0.6, 0.1],
        # Four values lie on any two lines.
        [3.0, 1.0, 0.9, 0.8],
    ],
)
def test_a_curve_without_an_elbow_has_none(peaks):
    assert elbow(peaks).suggested is None


def test_noise_around_a_line_rarely_looks_like_an_elbow():
    """Six of these 400 curves have one: the F test passes 5 % at its best break, and half of those rise."""
    generator = np.random.default_rng(11)
    found = [elbow(list(2 - 0.1 * np.arange(10) + generator.normal(0, 0.1, 10)), 20).suggested for _ in range(400)]
    assert sum(one is not None for one in found) < 20


def test_one_value_far_off_does_not_break_the_lines_before_the_second():
    """The first value alone made a vertical line before, and k = 2 was called the elbow."""
    found = elbow([0.5, *[0.21, 0.2, 0.19, 0.2, 0.21, 0.19, 0.2, 0.2, 0.21]])
    assert 2 <= found.point < 2.1
    assert found.slope == pytest.approx(0.2 - 0.5, abs=0.02)


def test_the_most_frequent_distance():
    counts, largest = histogram(np.array([0.0, 1.01, 1.05, 2.0]), bins=20)
    assert (counts.sum(), largest) == (4, 2.0)
    assert most_frequent(counts, largest) == pytest.approx(1.05)
    assert most_frequent(*histogram(np.zeros(3), bins=10)) == pytest.approx(0.05)


def test_what_has_no_medoids_is_refused():
    with pytest.raises(TransportError, match="square"):
        find_medoids(np.zeros((2, 3)), 1)
    with pytest.raises(TransportError, match="from 1 to 3"):
        find_medoids(np.zeros((3, 3)), 4)
    with pytest.raises(TransportError, match="at least 4"):
        elbow([1, 2, 3])


@pytest.mark.parametrize("seed", range(12))
def test_restarts_find_the_optimum_of_few_points(seed):
    """Against every choice of members, for distances in the plane and for those of no geometry at all."""
    plane = matrix_of(14, seed)
    upper = np.triu(np.random.default_rng(seed).uniform(1, 2, (14, 14)), 1)
    for matrix in (plane, upper + upper.T):
        weights = np.random.default_rng(100 + seed).exponential(size=14)
        for given in (None, weights):
            factors = np.ones(14) if given is None else given
            for medoids in find_medoids(matrix, 4, weights=given, restarts=Restarts(20, seed)):
                k = len(medoids.members)
                best = min((factors @ matrix[:, list(chosen)].min(axis=1)) for chosen in combinations(range(14), k))
                assert medoids.cost == pytest.approx(best, rel=1e-9)


def test_restarts_lower_the_cost_and_can_be_repeated():
    matrix = matrix_of(60, seed=4)
    alone, several, again = (
        find_medoids(matrix, 8, restarts=restarts) for restarts in (Restarts(0), Restarts(10, 3), Restarts(10, 3))
    )
    assert all(one.cost <= other.cost for one, other in zip(several, alone, strict=True))
    assert sum(one.cost for one in several) < sum(one.cost for one in alone)
    assert [one.members.tolist() for one in several] == [one.members.tolist() for one in again]
    only = find_medoids(matrix, 1, restarts=Restarts(10, 3, sizes=(8,)))
    assert only[0].members.tolist() == alone[0].members.tolist()


def test_a_weight_counts_as_so_many_members():
    matrix = matrix_of(20, seed=6)
    counts = np.random.default_rng(6).integers(1, 4, 20)
    rows = np.repeat(np.arange(20), counts)
    restarts = Restarts(20)
    weighted = find_medoids(matrix, 3, weights=counts.astype(float), restarts=restarts)
    repeated = find_medoids(matrix[np.ix_(rows, rows)], 3, restarts=restarts)
    assert [one.cost for one in weighted] == pytest.approx([one.cost for one in repeated])
    # Pairs of members at one place with opposite weights count for nothing.
    doubled = np.concatenate([np.arange(20), np.arange(5), np.arange(5)])
    signs = np.concatenate([counts, np.full(5, 3.0), np.full(5, -3.0)])
    cancelled = find_medoids(matrix[np.ix_(doubled, doubled)], 3, weights=signs, restarts=restarts)
    assert [one.cost for one in cancelled] == pytest.approx([one.cost for one in weighted])


def test_no_member_is_chosen_twice_when_members_repeat(caplog):
    points = np.repeat(np.random.default_rng(3).normal(size=(4, 2)), 5, axis=0)
    matrix = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    with caplog.at_level("WARNING", logger="oddjet"):
        found = find_medoids(matrix, 6, restarts=Restarts(3))
    assert [len(set(one.members.tolist())) for one in found] == [1, 2, 3, 4, 5, 6]
    assert [round(one.cost, 12) == 0 for one in found] == [False, False, False, True, True, True]
    assert "2 of 6 medoids lie where another one lies" in caplog.text
    (first, *_), tied = find_medoids(np.zeros((3, 3)), 3), np.array([[0, 0, 3], [0, 0, 3], [3, 3, 0.0]])
    assert first.members.tolist() == [0]
    assert find_medoids(tied, 3)[2].members.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (-np.random.default_rng(0).random((4, 4)), "row 0, column 0 has -0.6"),
        (np.array([[0, 1], [2, 0.0]]), "row 0, column 1 has 1, row 1, column 0 has 2"),
        (np.array([[0, np.nan], [np.nan, 0]]), "row 0, column 1 has nan"),
        (np.array([[0, -1], [-1, 0.0]]), "row 0, column 1 has -1"),
        (np.ones((2, 2)), "row 0, column 0 has 1"),
    ],
)
def test_what_is_no_matrix_of_distances_is_refused_at_once(matrix, message):
    with pytest.raises(TransportError, match=message):
        find_medoids(matrix, 2)


@pytest.mark.parametrize("weights", [[1, 1], [1, np.nan, 1], [1, -2, 1]])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(TransportError, match="add up to more than 0"):
        find_medoids(matrix_of(3), 1, weights=np.array(weights, float))
