"""Sums in lanes: right, in the order that is written down, and nothing that lets a compiler choose another."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from oddjet.kernels import kernel
from oddjet.lanes import LANES, fused, fused_lanes, lanes_of, no_lanes, sum_of_lanes

PACKAGE = Path(__file__).parents[2] / "src" / "oddjet"


@kernel
def product(rows: np.ndarray) -> float:
    total = no_lanes(rows)
    for k in range(0, rows.shape[1], LANES):
        total = fused_lanes(lanes_of(rows, 0, k), lanes_of(rows, 1, k), total)
    return sum_of_lanes(total)


@kernel
def once_rounded(a: float, b: float, c: float) -> float:
    return fused(a, b, c)


def by_hand(rows: np.ndarray) -> np.floating:
    """Do the same with single numbers; a fused product of single precision is exact in double before it is added."""
    total = np.zeros(LANES, rows.dtype)
    for k in range(0, rows.shape[1], LANES):
        exact = rows[0, k : k + LANES].astype(np.longdouble) * rows[1, k : k + LANES]
        total = (exact + total).astype(rows.dtype)
    while len(total) > 1:
        total = total[: len(total) // 2] + total[len(total) // 2 :]
    return total[0]


def test_a_sum_has_the_order_that_is_written_down() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        rows = rng.standard_normal((2, 16 * LANES)).astype(np.float32)
        assert np.float32(product(rows)) == by_hand(rows)
    doubles = rng.standard_normal((2, 16 * LANES))
    assert product(doubles) == pytest.approx(doubles[0] @ doubles[1], rel=1e-13)


def test_a_fused_product_is_rounded_once() -> None:
    small = 2.0**-30
    # (1 + e)(1 - e) - 1 = -e^2, which a product that is rounded first loses.
    assert once_rounded(1 + small, 1 - small, -1.0) == -(small**2)
    assert (1 + small) * (1 - small) - 1.0 == 0.0


def test_no_kernel_lets_the_compiler_reorder_or_fuse() -> None:
    texts = {path: path.read_text() for path in PACKAGE.rglob("*.py")}
    for path, text in texts.items():
        if path.name != "kernels.py":
            assert not re.search(r"\bnjit\b|\bnumba\.jit\b|parallel=True", text), path
        for flags in re.findall(r"fastmath=(\w+)", text):
            if flags != "fastmath":  # a name, of this module or of one that it imports
                meanings = re.findall(rf"^{flags} = (.*)$", "\n".join(texts.values()), re.MULTILINE)
                assert meanings, path
                assert all({"nnan", "nsz"} == set(re.findall(r'"(\w+)"', one)) for one in meanings), path
