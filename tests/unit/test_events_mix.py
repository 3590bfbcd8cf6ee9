"""Sets of background events: disjoint, in proportion, shuffled; signals gathered; too few events refused."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oddjet.errors import EventError
from oddjet.events.layout import read_event_attributes, read_events, write_events
from oddjet.events.mix import first_events, mix_background
from oddjet.events.settings import EventSizes, shares
from programs import run_program

SIZES = EventSizes(train=50, validation=10, test=30, signal=10)
FRACTIONS = {"w_lnu": 0.6, "qcd": 0.33, "z_ll": 0.07}


def sample(path, start: int, count: int, eta: float):
    """Events told apart by their MET, samples by the muon's eta."""
    events = np.zeros((count, 19, 4))
    events[:, 0] = 1.0, 0.0, 0.0, 1.0
    events[:, 0, 0] += np.arange(start, start + count)
    events[:, 5] = 25.0, eta, 0.0, 3.0
    write_events(path, events, {})
    return path


@pytest.fixture
def files(tmp_path):
    return {
        "w_lnu": [sample(tmp_path / "w0.h5", 0, 30, 0.1), sample(tmp_path / "w1.h5", 30, 30, 0.1)],
        "qcd": [sample(tmp_path / "q.h5", 100, 40, 0.2)],
        "z_ll": [sample(tmp_path / "z.h5", 200, 7, 0.3)],
    }


def mixed(files, tmp_path, seed=3):
    outputs = {part: tmp_path / f"{seed}" / f"{part}.h5" for part in ("train", "validation", "test")}
    mix_background(files, FRACTIONS, SIZES, outputs, seed, {"script": "mix_events"})
    return {part: read_events(path) for part, path in outputs.items()}, outputs


def test_the_sets_are_disjoint_and_in_proportion(files, tmp_path):
    sets, outputs = mixed(files, tmp_path)
    seen = np.concatenate([events[:, 0, 0] for events in sets.values()])
    assert len(set(seen.tolist())) == len(seen) == 90
    counts = {
        part: [int(np.isclose(events[:, 5, 1], eta).sum()) for eta in (0.1, 0.2, 0.3)] for part, events in sets.items()
    }
    assert counts == {"train": [30, 16, 4], "validation": [6, 3, 1], "test": [18, 10, 2]}
    assert read_event_attributes(outputs["test"])["part"] == "test"


def test_the_order_is_shuffled_by_the_seed_alone(files, tmp_path):
    first, _ = mixed(files, tmp_path, seed=3)
    again, _ = mixed(files, tmp_path / "again", seed=3)
    other, _ = mixed(files, tmp_path, seed=4)
    for part, events in first.items():
        assert np.array_equal(events, again[part])
        assert not np.array_equal(events, other[part])
        assert sorted(events[:, 0, 0]) == sorted(other[part][:, 0, 0])


def test_a_sample_with_too_few_events_is_refused(files, tmp_path):
    files["z_ll"] = [sample(tmp_path / "few.h5", 0, 5, 0.3)]
    with pytest.raises(EventError, match=r"z_ll: its 1 file\(s\) hold 5 events, 7 are needed"):
        mixed(files, tmp_path)
    assert not (tmp_path / "3").exists()


def test_a_file_that_comes_twice_is_refused(files, tmp_path):
    files["qcd"] *= 2
    with pytest.raises(EventError, match=r"qcd: a file is given twice"):
        mixed(files, tmp_path)


def test_only_the_first_events_are_taken(files):
    events = first_events("w_lnu", files["w_lnu"], 40)
    assert events[:, 0, 0].tolist() == list(range(1, 41))


@given(
    total=st.integers(10, 10_000),
    weights=st.lists(st.floats(0.001, 1), min_size=1, max_size=6),
)
def test_shares_add_up_and_leave_no_sample_out(total, weights):
    fractions = {f"s{n}": weight / sum(weights) for n, weight in enumerate(weights)}
    counts = shares(total, fractions)
    assert sum(counts.values()) == total
    assert min(counts.values()) >= 1
    assert all(abs(counts[name] - total * share) <= len(weights) for name, share in fractions.items())


def test_the_papers_proportions():
    fractions = {"w": 0.592, "qcd": 0.338, "z": 0.067, "tt": 0.003}
    assert shares(1000, fractions) == {"w": 592, "qcd": 338, "z": 67, "tt": 3}


def test_the_program_takes_files_of_any_name(files, tmp_path):
    """Also such as hold commas, equal signs, blanks and quotes."""
    named = {}
    for name, paths in files.items():
        moved = [path.rename(tmp_path / f"a, b={number} 'c' {path.name}") for number, path in enumerate(paths)]
        named[name] = [str(path) for path in moved]
    command = ["workflow/scripts/mix_events.py", "--settings", SIZES.model_dump_json()]
    command += ["--inputs", json.dumps(named), "--fractions", json.dumps(FRACTIONS)]
    for part in ("train", "validation", "test"):
        command += [f"--{part}", str(tmp_path / f"{part}.h5")]
    done = run_program(command)
    assert done.returncode == 0, done.stderr
    assert len(read_events(tmp_path / "train.h5")) == 50
