"""The assignment solver against POT, ties, duplicates and refusals."""

from __future__ import annotations

import itertools

import lap
import numpy as np
import ot
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from oddjet.errors import TransportError
from oddjet.transport import augmenting_paths
from oddjet.transport.assignment import assign, plan, squared_distances, wasserstein
from oddjet.transport.augmenting_paths import fill_matches
from oddjet.transport.distances import aligned_distances, distances_between, straightened_distances


def align(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Move two sets towards one another, batch by batch: the plain twin of `aligned_distances`."""
    first, second = np.asarray(x, np.float64), np.asarray(y, np.float64)
    first = first - first.mean(axis=-2, keepdims=True)
    second = second - second.mean(axis=-2, keepdims=True)
    root, inverse = _roots(np.swapaxes(first, -1, -2) @ first / first.shape[-2])
    middle, _ = _roots(root @ (np.swapaxes(second, -1, -2) @ second / second.shape[-2]) @ root)
    stretch, squeeze = _roots(inverse @ middle @ inverse)
    return first @ stretch, second @ squeeze


def _roots(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Square roots of symmetric matrices (..., D, D) and their inverses, with eigenvalues kept away from zero."""
    values, vectors = np.linalg.eigh(0.5 * (matrices + np.swapaxes(matrices, -1, -2)))
    floor = np.maximum(1e-6 * values[..., -1:], 1e-12)
    roots = np.sqrt(np.maximum(values, floor))[..., None, :]
    transposed = np.swapaxes(vectors, -1, -2)
    return (vectors * roots) @ transposed, (vectors / roots) @ transposed


def points(n: int, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (n, 8))


@pytest.mark.parametrize("n", [1, 2, 7, 64, 200])
@pytest.mark.parametrize("power", [1, 2])
def test_value_equals_the_network_simplex(n: int, power: int) -> None:
    x, y = points(n), points(n, 0.4, seed=1)
    costs = ot.dist(x, y, metric="sqeuclidean" if power == 2 else "euclidean")
    expected = ot.emd2(np.full(n, 1 / n), np.full(n, 1 / n), costs)
    assert wasserstein(x, y, power=power) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_compiled_costs_of_aligned_points_equal_their_plain_twin() -> None:
    for x, y in ((points(40, seed=1), 2 * points(50, 3.0, seed=3)), (points(40, seed=2), 2 * points(50, 3.0, seed=4))):
        x[:, 3] *= 1.0 if x[0, 3] > 0 else 0.0  # a feature that does not vary has no inverse root
        costs = np.empty((40, 50))
        aligned_distances(x.astype(np.float32), y.astype(np.float32), costs)
        expected = squared_distances(*align(x.astype(np.float32), y.astype(np.float32)))
        np.testing.assert_allclose(costs, expected, rtol=1e-6, atol=1e-9 * expected.max())


def test_shifted_set_costs_the_squared_shift() -> None:
    x = points(50)
    assert wasserstein(x, x + 2.0) == pytest.approx(8 * 4.0, rel=1e-12)
    assert wasserstein(x, x + 2.0, power=1) == pytest.approx(np.sqrt(32.0), rel=1e-12)


def test_ties_and_duplicates_give_the_minimum() -> None:
    # Integer costs with many ties, against all permutations.
    costs = np.random.default_rng(3).integers(0, 3, (6, 6)).astype(float)
    best = min(costs[np.arange(6), list(order)].sum() for order in itertools.permutations(range(6)))
    columns = assign(costs)
    assert sorted(columns) == list(range(6))
    assert costs[np.arange(6), columns].sum() == best
    doubled = np.repeat(points(20), 2, axis=0)
    assert wasserstein(doubled, doubled[::-1]) == pytest.approx(0.0, abs=1e-12)
    assert wasserstein(np.zeros((30, 8)), np.zeros((30, 8))) == 0.0


def test_a_batch_equals_its_members() -> None:
    costs = np.stack([squared_distances(points(40, seed=s), points(40, 0.3, seed=s + 9)) for s in range(5)])
    assert np.array_equal(assign(costs), np.stack([assign(matrix) for matrix in costs]))
    assert assign(costs[:1]).shape == (1, 40)
    assert assign(np.empty((0, 4, 4))).shape == (0, 4)
    assert assign(np.empty((0, 0))).shape == (0,)
    assert assign(np.ones((3, 1, 1))).tolist() == [[0], [0], [0]]


COSTS = {
    "squared distances": lambda rng, n: squared_distances(rng.normal(size=(n, 8)), rng.gamma(1.0, 1.0, (n, 8))),
    "uniform": lambda rng, n: rng.random((n, n)),
    "negative": lambda rng, n: rng.normal(-5.0, 3.0, (n, n)),
    "ties": lambda rng, n: rng.integers(0, 4, (n, n)).astype(float),
    "all equal": lambda rng, n: np.full((n, n), 7.0),
    "rank one": lambda rng, n: np.outer(np.sort(rng.random(n)), np.sort(rng.random(n))),
    "many orders of magnitude": lambda rng, n: np.exp(rng.normal(0.0, 12.0, (n, n))),
    "identical rows": lambda rng, n: np.repeat(rng.random((1, n)), n, axis=0),
}


@pytest.mark.parametrize("kind", COSTS)
@pytest.mark.parametrize("n", [2, 3, 17, 64, 65, 300])
def test_two_other_solvers_find_the_same_cost(kind: str, n: int) -> None:
    for seed in range(3):
        costs = COSTS[kind](np.random.default_rng(seed), n)
        columns, rows = assign(costs), np.arange(n)
        assert np.array_equal(np.sort(columns), rows)
        expected = costs[linear_sum_assignment(costs)].sum()
        tolerance = 1e-12 * np.abs(costs).max() * n
        assert costs[rows, columns].sum() == pytest.approx(expected, rel=1e-12, abs=tolerance)
        assert costs[rows, lap.lapjvh(costs, return_cost=False)[1]].sum() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("power", [1, 2])
def test_matches_of_several_seeds_have_the_least_cost(power: int) -> None:
    x = np.stack([points(50, seed=s) for s in range(3)])
    y = np.stack([2.0 * points(50, 1.0, seed=s + 5) for s in range(3)])
    columns = np.empty((3, 50), np.int64)
    fill_matches(x, y, columns, power)
    for seed in range(3):
        costs = ot.dist(x[seed], y[seed], metric="sqeuclidean" if power == 2 else "euclidean")
        assert costs[np.arange(50), columns[seed]].sum() == pytest.approx(costs[linear_sum_assignment(costs)].sum())


CONGESTED_POINTS = {
    "copies": lambda rng, n: rng.normal(size=(10, 3))[rng.integers(0, 10, n)],
    "copies of one": lambda rng, n: np.full((n, 3), 4.0),
    "a line": lambda rng, n: rng.normal(size=(n, 3)) * np.array([3.0, 1e-3, 1e-3]),
    "two clusters": lambda rng, n: rng.normal(size=(n, 3)) + rng.choice([-30.0, 30.0], (n, 1)),
    "equal sums": lambda rng, n: rng.permuted(np.tile([0.0, 1.0, 2.0], (n, 1)), axis=1),
}


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("kind", CONGESTED_POINTS)
def test_congested_points_are_matched_at_the_least_cost(kind: str, power: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmenting_paths, "MANY", 2)
    rng, n = np.random.default_rng(5), 150
    made = CONGESTED_POINTS[kind](rng, n)
    for others in (rng.normal(size=(n, 3)), CONGESTED_POINTS[kind](rng, n), made[::-1].copy()):
        for x, y in ((made, others), (others, made)):
            columns = np.empty((1, n), np.int64)
            fill_matches(x[None], y[None], columns, power)
            assert np.array_equal(np.sort(columns[0]), np.arange(n))
            costs = squared_distances(x, y) ** (power / 2)
            best = costs[linear_sum_assignment(costs)].sum()
            assert costs[np.arange(n), columns[0]].sum() == pytest.approx(best, rel=1e-12, abs=1e-12)


def test_straightened_costs_differ_by_functions_of_either_point_and_are_not_negative() -> None:
    rng = np.random.default_rng(6)
    x, y, costs = rng.normal(size=(90, 4)), np.clip(9.0 * rng.normal(size=(90, 4)), -3.0, 3.0), np.empty((90, 90))
    straightened_distances(x, y, costs)
    difference = costs - squared_distances(x, y)
    mixed = difference - difference.mean(0) - difference.mean(1, keepdims=True) + difference.mean()
    aligned = squared_distances(*align(x, y)) - squared_distances(x, y)
    expected = aligned - aligned.mean(0) - aligned.mean(1, keepdims=True) + aligned.mean()
    assert np.abs(mixed).max() < 1e-10
    assert np.abs(expected).max() < 1e-10
    assert costs.min() > -1e-10
    # One axis is solved by its potentials alone: no cost is left along the sorted points.
    straightened_distances(x[:, :1], y[:, :1], costs)
    assert np.abs(costs[np.argsort(x[:, 0]), np.argsort(y[:, 0])]).max() < 1e-12


def test_gradient_equals_pots() -> None:
    x = torch.from_numpy(points(64)).requires_grad_()
    y = torch.from_numpy(points(64, 0.5, seed=4))
    uniform = torch.full((64,), 1 / 64, dtype=torch.float64)
    ot.emd2(uniform, uniform, ot.dist(x, y)).backward()
    columns = torch.from_numpy(assign(squared_distances(x.detach().numpy(), y.numpy())))
    ours = 2.0 * (x.detach() - y[columns]) / 64
    assert x.grad is not None
    assert torch.allclose(ours, x.grad, atol=1e-12)


def test_squared_distances_are_exact_far_from_the_origin() -> None:
    x, y = points(30) + 1e4, points(20, seed=5) + 1e4
    direct = ((x[:, None] - y[None]) ** 2).sum(-1)
    assert np.allclose(squared_distances(x, y), direct, rtol=1e-9)


def test_compiled_distances_equal_the_direct_ones() -> None:
    x, y, costs = points(5), points(7, seed=3), np.empty((5, 7))
    distances_between(x, y, costs)
    assert np.allclose(costs, squared_distances(x, y), rtol=1e-12)
    distances_between(x.astype(np.float32), y.astype(np.float32), costs)
    assert np.allclose(costs, squared_distances(x.astype(np.float32), y.astype(np.float32)), rtol=1e-12)
    y[3, 2] = np.nan
    distances_between(x, y, costs)
    assert np.isnan(costs).sum() == 5


@pytest.mark.parametrize("degenerate", [False, True])
def test_alignment_leaves_the_best_permutation_the_best(degenerate: bool) -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=(120, 8)) @ rng.normal(size=(8, 8)) + 3.0
    y = rng.gamma(1.0, 1.0, (120, 8)) @ rng.normal(size=(8, 8)) - 2.0
    if degenerate:
        x[:, 3], y[:, 5], y[:60] = 1.0, y[:, 4], y[60:]
    costs = squared_distances(x, y)
    aligned = squared_distances(*align(x, y))
    best = costs[np.arange(120), assign(costs)].sum()
    assert costs[np.arange(120), assign(aligned)].sum() == pytest.approx(best, rel=1e-10)
    # The difference of the two costs is a function of x plus one of y, and most of the cost is gone.
    difference = costs - aligned
    mixed = difference - difference.mean(0) - difference.mean(1, keepdims=True) + difference.mean()
    assert np.abs(mixed).max() < 1e-8 * costs.max()
    if not degenerate:
        assert aligned[np.arange(120), assign(aligned)].sum() < 0.7 * best


def test_alignment_of_a_batch_and_of_points_without_spread() -> None:
    x, y = np.stack([points(9), points(9, seed=2)]), np.stack([points(7, seed=3), points(7, seed=4)])
    one = align(x[1], y[1])
    assert np.allclose(align(x, y)[0][1], one[0])
    assert np.allclose(align(x, y)[1][1], one[1])
    still = align(np.ones((1, 8)), np.zeros((1, 8)))
    assert np.array_equal(still[0], still[1])


def test_unequal_sets_and_weights_use_the_simplex() -> None:
    x, y = np.array([[0.0], [2.0]]), np.array([[1.0]])
    assert wasserstein(x, y) == pytest.approx(1.0)
    weighted = wasserstein(x, np.array([[0.0], [2.0]]), x_weights=np.array([3.0, 1.0]))
    assert weighted == pytest.approx(0.25 * 4.0)
    result = plan(squared_distances(points(5), points(3)), column_weights=np.array([1.0, 2.0, 1.0]))
    assert np.allclose(result.sum(0), [0.25, 0.5, 0.25])
    assert np.allclose(result.sum(1), 0.2)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_costs_that_are_not_finite_never_reach_a_solver(value: float) -> None:
    costs = np.ones((4, 4))
    costs[1, 2] = value
    with pytest.raises(TransportError, match=r"at \(1, 2\) is not finite"):
        assign(costs)
    with pytest.raises(TransportError, match="not finite"):
        plan(costs)


def test_other_refusals() -> None:
    with pytest.raises(TransportError, match="square"):
        assign(np.ones((3, 4)))
    with pytest.raises(TransportError, match="no points"):
        wasserstein(points(0), points(3))
    with pytest.raises(TransportError, match="power is 1 or 2"):
        wasserstein(points(3), points(3), power=3)
    with pytest.raises(TransportError, match="not negative"):
        plan(np.ones((2, 2)), row_weights=np.array([1.0, -1.0]))
    with pytest.raises(TransportError, match="shape"):
        plan(np.ones((2, 2)), row_weights=np.ones(3))


@pytest.mark.parametrize(
    ("x", "y"),
    [((5,), (5,)), ((5,), (5, 2)), ((5, 2), (5,)), ((5, 2), (5, 3)), ((5, 2), (7, 3)), ((2, 5, 2), (2, 5, 2))],
)
@pytest.mark.parametrize("power", [1, 2])
def test_points_of_other_shapes_are_refused(x: tuple[int, ...], y: tuple[int, ...], power: int) -> None:
    with pytest.raises(TransportError, match=r"shapes \(.*\) and \(.*\); they must be \(N, D\) and \(M, D\)"):
        wasserstein(np.zeros(x), np.ones(y), power=power)


def test_costs_of_a_plan_are_a_matrix() -> None:
    with pytest.raises(TransportError, match=r"costs have the shape \(4,\); they must be \(N, M\)"):
        plan(np.ones(4))
