"""The target `images`: from simulated jets to tables and figures, and what an edit or another key makes again."""

import copy
import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from oddjet.config import load_config
from oddjet.images.distance_file import read_distances
from oddjet.images.file import read_images

TINY = ("--configfile", "config/test/tiny.yaml")
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reruns.md").read_text()
SAMPLES = ("qcd", "top", "w")


def table(heading: str) -> list[list[str]]:
    lines = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0].splitlines()
    return [re.findall(r"`([^`]+)`", line) for line in lines if line.startswith("| ")][2:]


EDITS = table("The images: edit this, these rerun")
READERS = {key: set(rules) for key, *rules in table("The images: change this key, these rerun first")}
WHOLE = load_config(yaml.safe_load((ROOT / "config/test/tiny.yaml").read_text())).model_dump(mode="json")
# Another value for each line of the page but that of own files, which has a test of its own.
VALUES = {
    "images.samples.*.process": {"samples.qcd.process.pthat_min": 460.0},
    "images.samples.*.events": {"samples.w.events": 210},
    "images.samples.*.parts": {"samples.top.parts": 2},
    "images.samples.*.require_match": {"samples.top.require_match": "none"},
    "images.jets": {"jets.pixels": 30},
    "images.distances": {"distances.jets": 30},
    "images.medoids": {"medoids.bins": 20},
    "images.ensembles.references": {"ensembles.references": ["qcd"]},
    "images.ensembles.metrics": {"ensembles.metrics": ["wass1", "mse"]},
    "images.ensembles.compared": {"ensembles.compared": ["wass1"]},
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(run_once):
    return run_once("images", "images", "--cores", "2", *TINY)[0]


@pytest.fixture(scope="module")
def first_jobs(made):
    """Give a function: the programs that a dry run of `images` starts for a change of their own."""
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("dry_runs.py")],
        cwd=made.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:

        def ask(*arguments: str) -> set[str]:
            print(json.dumps(["images", *arguments]), file=server.stdin, flush=True)
            status, output = json.loads(server.stdout.readline())
            assert status == 0, output
            blocks = [block for block in output.split("\n\n") if "\nShell command: " in block]
            assert blocks or "Nothing to be done" in output, output
            first = [block for block in blocks if "Input files updated by another job" not in block]
            return {re.search(r"workflow/scripts/(\w+)\.py", block)[1] for block in first}

        yield ask
        server.stdin.close()


def test_images_distances_and_tables_are_there(made):
    folder = made.folder / "results/images"
    for sample in SAMPLES:
        batches = [read_images(folder / f"jets/{sample}/{part}.h5") for part in ("train", "validation", "test")]
        assert all(batch.dense().shape[1:] == (40, 40) for batch in batches)
        identifiers = np.concatenate([batch.jets["event"] + 1000 * batch.jets["luminosityBlock"] for batch in batches])
        assert len(set(identifiers)) == len(identifiers) > 20
    distances = read_distances(folder / "distances/qcd/test/wass1.h5")
    assert distances.matrix().shape == (len(distances.jets),) * 2
    with (folder / "ensembles.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["reference"], row["signal"]) for row in rows} == {(r, s) for r in ("qcd", "top") for s in ("top", "w")}
    assert all(0 <= float(row["auc"]) <= 1 for row in rows)
    assert "| 10.4 ± 5.3 |" in (folder / "summary.md").read_text()
    for name in ("qcd", "top"):
        figure = made.folder / f"results/figures/images/references_{name}_wass1"
        assert figure.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
        assert figure.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_nothing_is_made_twice(first_jobs):
    assert first_jobs(*TINY) == set()


def test_the_default_target_makes_no_images(made):
    planned = made.planned(*TINY)
    assert planned
    assert not {rule for rule in planned if "image" in rule}


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
        section = config["images"]
        for part in parents:
            section = section[part]
        section[last] = value
    (made.folder / "config/changed.yaml").write_text(json.dumps(config))
    assert first_jobs("--configfile", "config/changed.yaml") == READERS[key]


def test_every_line_of_the_page_is_tried():
    mine = {key for key in READERS if not key.startswith("images.vae")}
    assert mine - {"images.samples.*.files"} == set(VALUES)


def test_own_files_take_the_place_of_a_process(made):
    config = copy.deepcopy(WHOLE)
    (made.folder / "own").mkdir(exist_ok=True)
    (made.folder / "results/images/simulated/w/0000.root").rename(made.folder / "own/w.root")
    config["images"]["samples"]["w"] = {"files": ["own/*.root"], "require_match": "w"}
    (made.folder / "config/own.yaml").write_text(json.dumps(config))
    planned = made.planned("images", "--configfile", "config/own.yaml")
    assert planned["make_images"] == 1
    assert "simulate_image_sample" not in planned


def test_a_missing_file_is_named(made):
    config = copy.deepcopy(WHOLE)
    config["images"]["samples"]["w"] = {"files": ["nowhere/w.root"]}
    (made.folder / "config/missing.yaml").write_text(json.dumps(config))
    done = made.snakemake("images", "--dry-run", "--configfile", "config/missing.yaml")
    assert done.returncode == 1
    assert "images.samples: files: nowhere/w.root: no such file or folder" in done.stdout + done.stderr
