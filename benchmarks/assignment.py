"""Measure the assignment on regular and on congested costs against other solvers; prints lines `ratio NAME VALUE`.

The family is what a training can meet when it goes wrong, and worse: negatives that are clamped at the corners of the
box, copies of a few points, ties of whole numbers. Ours starts from the points, as in a step of the WNAE; the others
are given the costs of aligned points (`oddjet.transport.distances.aligned_distances`), whose making is not timed. All
solvers must find the same cost before they are timed. Times are medians of processor time on one thread. Ratios: the
fastest of the others over ours on each kind of points, and for `assignment_congested` three times our time on the
regular points over that on the slowest kind (at least 1 is the aim).

Example: python benchmarks/assignment.py --points 1000 --repeats 5
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version

import lap
import numpy as np
import ot
from scipy.optimize import linear_sum_assignment

from oddjet.arrays import Floats, Ints
from oddjet.transport.augmenting_paths import fill_matches
from oddjet.transport.distances import aligned_distances
from timing import median

BOX = 4.0


def family(n: int, features: int = 8) -> Iterator[tuple[str, Floats, Floats]]:
    """Give kinds of jets and negatives, (n, features)."""
    rng = np.random.default_rng(1)
    jets = np.clip(rng.normal(size=(n, features)), -BOX, BOX)
    z = rng.normal(size=(n, features))
    corners, heads = np.clip(30.0 * z, -BOX, BOX), rng.random((n, 1)) < 0.5
    yield "regular", jets, np.clip(1.3 * z + 0.2, -BOX, BOX)
    yield "at corners", jets, corners
    yield "half at corners", jets, np.where(heads, corners, z)
    yield "half of the features clamped", jets, np.where(np.arange(features) < features // 2, corners, z)
    yield "all at one corner", jets, np.full((n, features), BOX)
    yield "copies of ten points", jets, z[rng.integers(0, 10, n)]
    yield "copies on both sides", jets[rng.integers(0, n // 20, n)], z[rng.integers(0, n // 20, n)]
    yield "whole numbers", np.round(jets), np.round(z)
    yield "two clusters", jets, np.where(heads, z + 30.0, z - 30.0)
    yield "a line", jets * np.array([1.0] + [1e-3] * (features - 1)), z * np.array([3.0] + [1e-3] * (features - 1))
    yield "half of the jets themselves", jets, np.where(np.arange(n)[:, None] < n // 2, jets, corners)


def with_pot(costs: Floats) -> Ints:
    """Solve by POT's network simplex."""
    uniform = np.full(len(costs), 1.0 / len(costs))
    columns: Ints = ot.emd(uniform, uniform, costs, numItermax=10_000_000).argmax(1)
    return columns


OTHERS: dict[str, Callable[[Floats], Ints]] = {
    "lapjvx": lambda costs: lap.lapjvx(costs, return_cost=False)[1],
    "scipy": lambda costs: linear_sum_assignment(costs)[1],
    "POT": with_pot,
}


def ours(jets: Floats, negatives: Floats) -> Ints:
    """Match points as a step of the WNAE does."""
    columns = np.empty((1, len(jets)), np.int64)
    fill_matches(jets[None], negatives[None], columns, 2)
    found: Ints = columns[0]
    return found


def main() -> None:
    """Read the arguments, compare and time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=1000, help="points a side (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="of ours; the others once (default: %(default)s)")
    given = parser.parse_args()
    print(", ".join(f"{name} {version(name)}" for name in ("lapx", "scipy", "POT", "numpy", "numba")))
    times = {}
    for kind, jets, negatives in family(given.points):
        points = [np.ascontiguousarray(side) for side in (jets, negatives)]
        costs, rows = np.empty((given.points, given.points)), np.arange(given.points)
        aligned_distances(*points, costs)
        least = costs[rows, ours(*points)].sum()
        told = {"ours": median(partial(ours, *points), given.repeats)}
        for name, solve in OTHERS.items():
            cost = costs[rows, solve(costs)].sum()
            if abs(cost - least) > 1e-9 * np.abs(costs).max() * given.points:
                raise SystemExit(f"{kind}: {name} finds the cost {cost}, ours is {least}")
            told[name] = median(partial(solve, costs), 1)
        times[kind] = told["ours"]
        print(f"{kind}: {', '.join(f'{name} {1e3 * value:.1f} ms' for name, value in told.items())}", flush=True)
        best = min(value for name, value in told.items() if name != "ours")
        print(f"ratio assignment_{kind.replace(' ', '_')} {best / times[kind]:.1f}", flush=True)
    slowest = max(times, key=lambda kind: times[kind])
    print(f"slowest: {slowest}, {times[slowest] / times['regular']:.1f} times the regular points")
    print(f"ratio assignment_congested {3.0 * times['regular'] / times[slowest]:.2f}")


if __name__ == "__main__":
    main()
