"""Any event that keeps the rules of the layout passes unchanged; a swap or a surplus that breaks them is refused."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oddjet.errors import TableError
from oddjet.events.layout import CLASSES, check_events, read_events, write_events

COUNTS = st.tuples(*(st.integers(0, kind.size) for kind in CLASSES))


def event(counts: tuple[int, ...], seed: int) -> np.ndarray:
    """One event with so many objects of each class, by falling pT."""
    random = np.random.default_rng(seed)
    values = np.zeros((1, 19, 4))
    for kind, count in zip(CLASSES, counts, strict=True):
        rows = slice(kind.start, kind.start + count)
        values[0, rows, 0] = -np.sort(-random.exponential(30, count) - 3)
        values[0, rows, 1] = random.uniform(-2, 2, count) * (kind.code != 1)
        values[0, rows, 2] = random.uniform(-np.pi, np.pi, count)
        values[0, rows, 3] = kind.code
    return values


@given(counts=COUNTS, seed=st.integers(0, 2**32))
def test_what_keeps_the_rules_passes_unchanged(counts, seed):
    values = event(counts, seed)
    assert np.array_equal(check_events(values, "file.h5"), values)


@given(counts=COUNTS, seed=st.integers(0, 2**32))
def test_leftovers_in_empty_slots_change_nothing(counts, seed):
    values = event(counts, seed)
    dirty = values.copy()
    empty = values[:, :, 0] == 0
    dirty[empty, 1:] = np.random.default_rng(seed).uniform(-9, 9, (empty.sum(), 3))
    assert np.array_equal(check_events(dirty, "file.h5"), values)


@given(counts=COUNTS, seed=st.integers(0, 2**32), pick=st.integers(0, 17))
def test_swapped_neighbours_are_refused(counts, seed, pick):
    values = event(counts, seed)
    assume(values[0, pick, 0] > values[0, pick + 1, 0] > 0)
    values[0, [pick, pick + 1]] = values[0, [pick + 1, pick]]
    with pytest.raises(TableError, match=r"file\.h5: row 0, slot \d+, column '(Pt|Class|Eta)'"):
        check_events(values, "file.h5")


@given(counts=COUNTS, seed=st.integers(0, 2**32), slot=st.integers(0, 18), column=st.integers(0, 3))
def test_nothing_infinite_passes(counts, seed, slot, column):
    values = event(counts, seed)
    values[0, slot, column] = np.nan
    with pytest.raises(TableError, match=rf"row 0, slot {slot}, column .*nan is not finite"):
        check_events(values, "file.h5")


def test_files_keep_every_bit(tmp_path):
    values = np.concatenate([event((1, 2, 1, 7), seed) for seed in range(50)])
    write_events(tmp_path / "e.h5", values, {})
    assert read_events(tmp_path / "e.h5").tobytes() == values.tobytes()
