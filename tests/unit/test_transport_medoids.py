"""K medoids and the elbow."""

from itertools import combinations

import numpy as np
import pytest

from oddjet.transport.medoids import MedoidError, elbow, find_medoids, histogram, most_frequent


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


def test_the_most_frequent_distance():
    counts, largest = histogram(np.array([0.0, 1.01, 1.05, 2.0]), bins=20)
    assert (counts.sum(), largest) == (4, 2.0)
    assert most_frequent(counts, largest) == pytest.approx(1.05)
    assert most_frequent(*histogram(np.zeros(3), bins=10)) == pytest.approx(0.05)


def test_what_has_no_medoids_is_refused():
    with pytest.raises(MedoidError, match="square"):
        find_medoids(np.zeros((2, 3)), 1)
    with pytest.raises(MedoidError, match="from 1 to 3"):
        find_medoids(np.zeros((3, 3)), 4)
    with pytest.raises(MedoidError, match="at least 4"):
        elbow([1, 2, 3])
