"""The target `events`: from simulated events to scores, and what an edit or another key makes again."""

from pathlib import Path

import numpy as np
import pytest

from oddjet.events.layout import count_events, read_event_attributes, read_events, write_events
from oddjet.studies.event_merits import EventScores

TINY = ("--configfile", "config/test/tiny.yaml")
TARGET = "events"
KEYS = "The events: change this key, these rerun first"
# Real dry runs of some lines of the page; test_workflow_config_keys.py compares all of them without.
VALUES = {
    "events.sizes.validation": {"events.sizes.validation": 25},
    "events.methods.*": {"events.methods.wnae.training.epochs": 3},
    "events.protocol.support_vectors": {"events.protocol.support_vectors.nu": 0.3},
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def first_jobs(first_jobs):
    """The same by rule: one with a message is shown by its message and its program, which two rules may share."""
    names = {"train_model": "train_event_model", "score": "score_event_svm"}
    return lambda *arguments: {names.get(program, program) for program in first_jobs(*arguments)}


def test_the_events_are_there(made):
    folder = made.folder / "results/events"
    sizes = {"background_train": 60, "background_validation": 20, "background_test": 60, "a_4l": 60, "lq_taub": 60}
    events = {}
    for name, size in sizes.items():
        assert count_events(folder / f"tables/{name}.h5") == size
        events[name] = read_events(folder / f"tables/{name}.h5")
        assert events[name][:, 1:9, 0].max(axis=1).min() > 23
    background = np.concatenate([events[name] for name in sizes if name.startswith("background")])
    assert len(np.unique(background.reshape(len(background), -1), axis=0)) == 140
    assert read_event_attributes(folder / "samples/w_lnu/0001.h5")["process"] == "w_lnu"
    for method in ("ae", "wnae"):
        scores = EventScores(*sorted((folder / f"scores/{method}").glob("*.h5")))
        assert (scores.method, scores.seeds, scores.samples) == (method, (1, 2, 3), ("background", "a_4l", "lq_taub"))
        assert scores.of("background").shape == (60, 3)
        assert np.isfinite(scores.of("lq_taub")).all()


def test_nothing_is_made_twice(first_jobs):
    assert first_jobs(*TINY) == set()


def test_the_default_target_makes_no_events(made):
    planned = made.planned(*TINY)
    assert planned
    assert not {rule for rule in planned if "event" in rule}


@pytest.mark.parametrize("key", VALUES)
def test_a_key_reruns_the_stage_that_reads_it(first_jobs, configured, readers, key):
    assert first_jobs(*configured(VALUES[key])) == readers[key]


def test_own_files_take_the_place_of_a_process(made, whole, configured):
    files = []
    for part in ("train", "test"):
        # Out of the way of the rule that makes them.
        path = Path(f"own/background, {part}.h5")
        write_events(made.folder / path, read_events(made.folder / f"results/events/tables/background_{part}.h5"), {})
        files.append(str(path))
    whole["events"]["background"] = {"all": {"fraction": 1.0, "files": files}}
    whole["events"]["sizes"] |= {"train": 50, "validation": 10, "test": 40}
    arguments = configured()
    planned = made.planned("events", *arguments)
    assert "simulate_events" not in planned
    assert planned["mix_events"] == 1
    # A comma in a name is a letter like any other.
    done = made.snakemake("results/events/tables/background_train.h5", "--cores", "1", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert count_events(made.folder / "results/events/tables/background_train.h5") == 50


def test_a_missing_file_is_named(made, whole, configured):
    whole["events"]["signals"]["a_4l"] = {"files": ["nowhere/Ato4l.h5"]}
    done = made.snakemake("events", "--dry-run", *configured())
    assert done.returncode == 1
    assert "events.signals.a_4l.files: nowhere/Ato4l.h5: no such file or folder" in done.stdout + done.stderr
