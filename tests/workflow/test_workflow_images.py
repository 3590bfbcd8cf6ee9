"""The target `images`: from simulated jets to tables and figures, and what an edit or another key makes again."""

import csv

import numpy as np
import pytest

from markdown_cells import cells_of
from oddjet.images.distances import read_distances
from oddjet.images.store import read_images

TINY = ("--configfile", "config/test/tiny.yaml")
SAMPLES = ("qcd", "top", "w")
TARGET = "images"
KEYS = "The images: change this key, these rerun first"
# Real dry runs of some lines of the page; test_workflow_config_keys.py compares all of them without.
VALUES = {
    "images.samples.*.events": {"images.samples.w.events": 210},
    "images.ensembles.metrics": {"images.ensembles.metrics": ["wass1", "mse"]},
}

pytestmark = pytest.mark.slow


def test_images_distances_and_tables_are_there(made):
    folder = made.folder / "results/images"
    for sample in SAMPLES:
        batches = [read_images(folder / f"tables/{sample}/{part}.h5") for part in ("train", "validation", "test")]
        assert all(batch.dense().shape[1:] == (40, 40) for batch in batches)
        identifiers = np.concatenate([batch.jets["event"] + 1000 * batch.jets["luminosityBlock"] for batch in batches])
        assert len(set(identifiers)) == len(identifiers) > 20
    distances = read_distances(folder / "distances/qcd/test/wass1.h5")
    assert distances.matrix().shape == (len(distances.jets),) * 2
    with (folder / "ensembles.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["reference"], row["signal"]) for row in rows} == {(r, s) for r in ("qcd", "top") for s in ("top", "w")}
    assert all(0 <= float(row["auc"]) <= 1 for row in rows)
    assert any("10.4 ± 5.3" in row for row in cells_of((folder / "summary.md").read_text()))
    for name in ("qcd", "top"):
        figure = made.folder / f"results/images/figures/references_{name}_wass1"
        assert figure.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
        assert figure.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_nothing_is_made_twice(first_jobs):
    assert first_jobs(*TINY) == set()


def test_the_default_target_makes_no_images(made):
    planned = made.planned(*TINY)
    assert planned
    assert not {rule for rule in planned if "image" in rule}


@pytest.mark.parametrize("key", VALUES)
def test_a_key_reruns_the_stage_that_reads_it(first_jobs, configured, readers, key):
    assert first_jobs(*configured(VALUES[key])) == readers[key]


def test_own_files_take_the_place_of_a_process(made, whole, configured):
    (made.folder / "own").mkdir(exist_ok=True)
    (made.folder / "results/images/samples/w/0000.root").rename(made.folder / "own/w.root")
    whole["images"]["samples"]["w"] = {"files": ["own/*.root"], "require_match": "w"}
    planned = made.planned("images", *configured())
    assert planned["make_images"] == 1
    assert "simulate_image_sample" not in planned


def test_a_missing_file_is_named(made, whole, configured):
    whole["images"]["samples"]["w"] = {"files": ["nowhere/w.root"]}
    done = made.snakemake("images", "--dry-run", *configured())
    assert done.returncode == 1
    assert "images.samples.w.files: nowhere/w.root: no such file or folder" in done.stdout + done.stderr
