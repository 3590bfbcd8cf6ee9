"""The target `events`: from simulated events to scores, and what an edit or another key makes again."""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from oddjet.config import load_config
from oddjet.events.layout import count_events, read_event_attributes, read_events, write_events
from oddjet.events.scores import ScoreTable

TINY = ("--configfile", "config/test/tiny.yaml")
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reruns.md").read_text()


def table(heading: str) -> list[list[str]]:
    lines = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0].splitlines()
    return [re.findall(r"`([^`]+)`", line) for line in lines if line.startswith("| ")][2:]


EDITS = table("The events: edit this, these rerun")
READERS = {key: set(rules) for key, *rules in table("The events: change this key, these rerun first")}
WHOLE = load_config(yaml.safe_load((ROOT / "config/test/tiny.yaml").read_text())).model_dump(mode="json")
# Another value for each line of the page; with several keys where one alone would not fit.
VALUES = {
    "events.background.*.process": {"background.w_lnu.process": "top_pairs"},
    "events.background.*.parts": {"background.w_lnu.parts": 1},
    "events.background.*.fraction": {"background.w_lnu.fraction": 0.5, "background.z_ll.fraction": 0.5},
    "events.signals.*.process": {"signals.a_4l.process": "h0_tautau"},
    "events.signals.*.parts": {"signals.a_4l.parts": 2},
    "events.sizes.train": {"sizes.train": 50},
    "events.sizes.validation": {"sizes.validation": 25},
    "events.sizes.test": {"sizes.test": 70},
    "events.sizes.signal": {"sizes.signal": 70},
    "events.objects": {"objects.isolation_max": 0.3},
    "events.table": {"table.pt_floor": 2.0},
    "events.methods.*": {"methods.wnae.training.epochs": 3},
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(run_once):
    return run_once("events", "events", "--cores", "2", *TINY)[0]


@pytest.fixture(scope="module")
def first_jobs(made):
    """Give a function: the rules that a dry run of `events` starts for a change of their own."""
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("dry_runs.py")],
        cwd=made.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:

        def ask(*arguments: str) -> set[str]:
            print(json.dumps(["events", *arguments]), file=server.stdin, flush=True)
            status, output = json.loads(server.stdout.readline())
            assert status == 0, output
            blocks = [block for block in output.split("\n\n") if "\nShell command: " in block]
            assert blocks or "Nothing to be done" in output, output
            first = [block for block in blocks if "Input files updated by another job" not in block]
            programs = {re.search(r"workflow/scripts/(\w+)\.py", block)[1] for block in first}
            # A rule with a message is shown by its message and its program, which two rules may share.
            return {{"train_model": "train_event_model"}.get(program, program) for program in programs}

        yield ask
        server.stdin.close()


def test_the_events_are_there(made):
    folder = made.folder / "results/events"
    sizes = {"background_train": 60, "background_validation": 20, "background_test": 60, "a_4l": 60, "lq_taub": 60}
    events = {}
    for name, size in sizes.items():
        assert count_events(folder / f"inputs/{name}.h5") == size
        events[name] = read_events(folder / f"inputs/{name}.h5")
        assert events[name][:, 1:9, 0].max(axis=1).min() > 23
    background = np.concatenate([events[name] for name in sizes if name.startswith("background")])
    assert len(np.unique(background.reshape(len(background), -1), axis=0)) == 140
    assert read_event_attributes(folder / "simulated/w_lnu/0001.h5")["process"] == "w_lnu"
    for method in ("ae", "wnae"):
        scores = ScoreTable(folder / f"scores/{method}.h5")
        assert (scores.method, scores.seeds, scores.samples) == (method, (1, 2, 3), ("background", "a_4l", "lq_taub"))
        assert scores.of("background").shape == (60, 3)
        assert np.isfinite(scores.of("lq_taub")).all()


def test_nothing_is_made_twice(first_jobs):
    assert first_jobs(*TINY) == set()


def test_the_default_target_makes_no_events(made):
    planned = made.planned(*TINY)
    assert planned
    assert not {rule for rule in planned if "event" in rule}


@pytest.mark.parametrize("row", EDITS, ids=lambda row: row[0])
def test_an_edit_reruns_what_it_feeds(made, first_jobs, row):
    file, *rules = row
    path = made.folder / file
    before = path.read_text()
    try:
        path.write_text(before + "\nEDITED = 1\n")
        assert first_jobs(*TINY) == set(rules)
    finally:
        path.write_text(before)


@pytest.mark.parametrize("key", VALUES)
def test_a_key_reruns_the_stage_that_reads_it(made, first_jobs, key):
    config = copy.deepcopy(WHOLE)
    for path, value in VALUES[key].items():
        *parents, last = path.split(".")
        section = config["events"]
        for part in parents:
            section = section[part]
        section[last] = value
    (made.folder / "config/changed.yaml").write_text(json.dumps(config))
    assert first_jobs("--configfile", "config/changed.yaml") == READERS[key]


def test_every_line_of_the_page_is_tried():
    # Protocol keys have tests of their own; own files are the next test's.
    mine = {key for key in READERS if not key.startswith("events.protocol")}
    assert mine - {"events.background.*.files", "events.signals.*.files"} == set(VALUES)


def test_own_files_take_the_place_of_a_process(made):
    files = [f"results/events/inputs/background_{part}.h5" for part in ("train", "test")]
    config = copy.deepcopy(WHOLE)
    config["events"]["background"] = {"all": {"fraction": 1.0, "files": files}}
    config["events"]["sizes"] |= {"train": 50, "validation": 10, "test": 40}
    (made.folder / "config/own.yaml").write_text(json.dumps(config))
    for path in files:
        # Out of the way of the rule that makes them.
        write_events(made.folder / "own" / Path(path).name, read_events(made.folder / path), {})
    text = (made.folder / "config/own.yaml").read_text().replace("results/events/inputs/background", "own/background")
    (made.folder / "config/own.yaml").write_text(text)
    planned = made.planned("events", "--configfile", "config/own.yaml")
    assert "simulate_events" not in planned
    assert planned["mix_events"] == 1


def test_a_missing_file_is_named(made):
    config = copy.deepcopy(WHOLE)
    config["events"]["signals"]["a_4l"] = {"files": ["nowhere/Ato4l.h5"]}
    (made.folder / "config/missing.yaml").write_text(json.dumps(config))
    done = made.snakemake("events", "--dry-run", "--configfile", "config/missing.yaml")
    assert done.returncode == 1
    assert "events: files: nowhere/Ato4l.h5: no such file or folder" in done.stdout + done.stderr
