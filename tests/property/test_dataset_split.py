"""The split depends on (run, luminosityBlock, event) and the salt, and on nothing else."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oddjet.dataset.settings import Fractions
from oddjet.dataset.split import PARTS, assign_parts, event_uniform, mix

IDENTIFIERS = np.dtype([("run", "u4"), ("luminosityBlock", "u4"), ("event", "u8"), ("jet_rank", "i2")])
FRACTIONS = Fractions(train=0.6, validation=0.25, test=0.15)

identifiers = st.builds(
    lambda rows: np.array(rows, dtype=IDENTIFIERS),
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 1)),
        min_size=1,
        max_size=60,
    ),
)
salts = st.integers(0, 2**63 - 1)


def mix_by_hand(state: int) -> int:
    """Splitmix64 in plain integers."""
    z = (state + 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def test_the_published_sequence_of_splitmix64() -> None:
    """First outputs for seed 1234567 (Rosetta Code and the reference program)."""
    state = np.uint64(1234567) + np.arange(3, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert mix(state).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@given(jets=identifiers, salt=salts)
def test_the_hash_equals_the_one_in_plain_integers(jets: np.ndarray, salt: int) -> None:
    for jet, uniform in zip(jets, event_uniform(jets, salt), strict=True):
        state = salt
        for name in ("run", "luminosityBlock", "event"):
            state = mix_by_hand(state) ^ int(jet[name])
        assert uniform == (mix_by_hand(state) >> 11) / 2**53
        assert 0 <= uniform < 1


@given(jets=identifiers, salt=salts, data=st.data())
def test_order_chunks_and_files_do_not_matter(jets: np.ndarray, salt: int, data: st.DataObject) -> None:
    whole = assign_parts(jets, FRACTIONS, salt)
    order = np.array(data.draw(st.permutations(range(len(jets)))))
    np.testing.assert_array_equal(assign_parts(jets[order], FRACTIONS, salt), whole[order])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(jets)), max_size=4)))
    pieces = [assign_parts(piece, FRACTIONS, salt) for piece in np.split(jets, cuts)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


@given(jets=identifiers, salt=salts)
def test_both_jets_of_an_event_are_on_one_side(jets: np.ndarray, salt: int) -> None:
    other = jets.copy()
    other["jet_rank"] = 1 - jets["jet_rank"]
    np.testing.assert_array_equal(assign_parts(jets, FRACTIONS, salt), assign_parts(other, FRACTIONS, salt))


@settings(max_examples=20, deadline=None)
@given(
    salt=salts,
    start=st.integers(0, 2**63),
    run=st.integers(0, 2**32 - 1),
    shares=arrays(float, 3, elements=st.floats(0.1, 1.0)),
)
def test_fractions_come_out_right(salt: int, start: int, run: int, shares: np.ndarray) -> None:
    """Consecutive events, the worst input for a poor hash: within 5 standard deviations of the wanted share."""
    fractions = Fractions(
        train=shares[0] / shares.sum(), validation=shares[1] / shares.sum(), test=shares[2] / shares.sum()
    )
    count = 20_000
    jets = np.zeros(count, dtype=IDENTIFIERS)
    jets["run"], jets["luminosityBlock"] = run, np.arange(count) // 500
    jets["event"] = np.uint64(start) + np.arange(count, dtype=np.uint64)
    found = np.bincount(assign_parts(jets, fractions, salt), minlength=3) / count
    for index, part in enumerate(PARTS):
        share = getattr(fractions, part)
        assert abs(found[index] - share) < 5 * np.sqrt(share * (1 - share) / count)


def test_another_salt_gives_an_independent_split() -> None:
    jets = np.zeros(20_000, dtype=IDENTIFIERS)
    jets["event"] = np.arange(20_000)
    one, other = event_uniform(jets, 1), event_uniform(jets, 2)
    assert abs(np.corrcoef(one, other)[0, 1]) < 5 / np.sqrt(20_000)


def test_run_block_and_event_are_not_interchangeable() -> None:
    rows = [(1, 2, 3, 0), (1, 3, 2, 0), (2, 1, 3, 0), (3, 2, 1, 0)]
    assert len(set(event_uniform(np.array(rows, dtype=IDENTIFIERS), 0).tolist())) == len(rows)
