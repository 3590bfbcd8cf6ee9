"""A simulation that fails leaves nothing that looks whole, says why in one line, and ends with status 1."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import awkward as ak
import pytest
import pythia8mc
import uproot

from oddjet.simulation import generate
from oddjet.simulation.settings import Process, SimulationSettings, TopPairs

SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "simulate_sample.py"


def command(path, process, events):
    given = {"sample": "top", "part": 0, "events": events, "seed": 1, "output": path, "process": json.dumps(process)}
    given["settings"] = json.dumps({"multiparton_interactions": False})
    return [sys.executable, str(SCRIPT), *(str(word) for name, value in given.items() for word in (f"--{name}", value))]


def simulate(path, events):
    generate.simulate_sample(
        path,
        Process(TopPairs()),
        SimulationSettings(multiparton_interactions=False),
        sample="top",
        part=0,
        events=events,
        seed=1,
        attributes={},
    )


def test_the_script_writes_a_file_and_keeps_standard_output_clean(tmp_path):
    path = tmp_path / "made" / "x.root"
    done = subprocess.run(command(path, {"name": "top_pairs"}, 3), capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert "top/0: 1 of 1" in done.stderr
    with uproot.open(path) as file:
        assert file["Events"].num_entries == 3
        assert json.loads(str(file["metadata"]))["script"] == "simulate_sample"


@pytest.mark.parametrize(
    ("process", "message"),
    [
        ({"name": "svj", "m_phi": 2000, "r_inv": 1.2}, "r_inv: Input should be less than or equal to 1 (given: 1.2)"),
        ({"name": "higgs"}, "'top_pairs', 'qcd', 'hadronic_w', 'svj'"),
    ],
)
def test_bad_input_is_one_clear_error_and_status_1(tmp_path, process, message):
    done = subprocess.run(command(tmp_path / "x.root", process, 3), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_sample_without_events_is_refused(tmp_path):
    with pytest.raises(generate.SimulationError, match="events = 0: a sample needs at least 1 event"):
        simulate(tmp_path / "x.root", 0)


def test_an_error_in_the_middle_leaves_no_file_and_an_old_one_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "x.root"
    path.write_text("old")
    whole = generate.write_block
    blocks = []

    def fail_at_the_second(file, block):
        whole(file, block)
        blocks.append(len(block))
        if len(blocks) == 2:
            raise OSError("No space left on device")

    monkeypatch.setattr(generate, "write_block", fail_at_the_second)
    monkeypatch.setattr(generate, "EVENTS_A_BATCH", 5)
    monkeypatch.setattr(generate, "BATCHES_A_BLOCK", 2)
    with pytest.raises(OSError, match="No space"):
        simulate(path, 30)
    assert blocks == [2, 2]
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.root"]
    assert path.read_text() == "old"


def test_several_blocks_make_one_tree(tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "EVENTS_A_BATCH", 5)
    monkeypatch.setattr(generate, "BATCHES_A_BLOCK", 2)
    simulate(tmp_path / "x.root", 23)
    with uproot.open(tmp_path / "x.root") as file:
        events = file["Events"].arrays()
    assert events.event.to_list() == list(range(1, 24))
    assert ak.all(events.nGenPart > 0)


def test_a_killed_job_leaves_no_file_of_the_right_name(tmp_path):
    path = tmp_path / "x.root"
    running = subprocess.Popen(command(path, {"name": "top_pairs"}, 100000), stderr=subprocess.DEVNULL)
    try:
        while not list(tmp_path.iterdir()):
            assert running.poll() is None, "the job ended before it wrote anything"
            time.sleep(0.1)
    finally:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    [left] = tmp_path.iterdir()
    assert left.name.startswith(".tmp-")
    assert left.name.endswith(f"-{running.pid}-x.root")


def test_events_that_pythia_gives_up_are_counted_and_too_many_end_the_job():
    # A Pythia that was never initialised gives up every event.
    with pytest.raises(generate.SimulationError, match="gave up 20 of 20 events, 10 are allowed"):
        generate.next_events(pythia8mc.Pythia("", False), 20, 10)
