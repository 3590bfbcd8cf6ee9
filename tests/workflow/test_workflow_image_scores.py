"""The target `image_scores`: the jets of the finished run, scored by their images, in the same tables as any method."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from oddjet.io.tables import read_attributes, read_table

TINY = ("--configfile", "config/test/tiny.yaml")
ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "docs/reruns.md").read_text().split("## The image scores: edit this, these rerun\n")[1]
ROWS = [re.findall(r"`([^`]+)`", line) for line in SECTION.split("\n## ")[0].splitlines() if line.startswith("| ")][2:]
PROGRAMS = {"compute_image_auc": "compute_auc", "compute_image_merit": "compute_merit"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scored(run_once, finished):
    return run_once("image_scores", "image_scores", "--cores", "2", *TINY, origin=finished.folder)[0]


def test_the_tables_are_those_of_any_method(scored):
    folder = scored.folder / "results"
    for name in ("image_wass1", "image_mae"):
        with (folder / f"auc/{name}.csv").open(newline="") as file, (folder / "auc/ae.csv").open(newline="") as other:
            rows, known = list(csv.DictReader(file)), list(csv.DictReader(other))
        assert [{key: row[key] for key in ("seed", "signal", "n_signal", "n_background")} for row in rows] == [
            {key: row[key] for key in ("seed", "signal", "n_signal", "n_background")} for row in known
        ]
        assert {row["method"] for row in rows} == {name}
        assert (folder / f"merit/{name}.csv").is_file()
        assert (folder / f"figures/auc_heatmap_{name}.pdf").read_bytes().startswith(b"%PDF")
        for group in ("seeds-1-2", "seeds-3"):
            ours, theirs = (read_table(folder / f"scores/{method}/{group}.h5") for method in (name, "ae"))
            for column in ("sample", "event", "pt", "weight"):
                np.testing.assert_array_equal(ours[column], theirs[column])
            assert (ours["score"] >= 0).all()
            assert json.loads(read_attributes(folder / f"scores/{name}/{group}.h5")["samples"])[0] == "background"
    assert scored.planned("image_scores", *TINY) == {}
    assert scored.planned(*TINY) == {}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_an_edit_scores_again_what_it_feeds(scored, row):
    file, *rules = row
    path = scored.folder / file
    before = path.read_text()
    try:
        path.write_text(before + "\nEDITED = 1\n")
        planned = set(scored.planned("image_scores", *TINY)) - {"image_scores"}
        assert {PROGRAMS.get(rule, rule).replace("plot_image_heatmap", "plot_heatmap") for rule in planned} == set(
            rules
        )
    finally:
        path.write_text(before)


def test_a_name_that_is_taken_is_refused(scored):
    done = scored.snakemake("--dry-run", *TINY, "--config", 'images={"methods": {"ae": {"metric": "mae"}}}')
    assert done.returncode == 1
    assert "images.methods: 'ae' is also one of `methods`" in done.stdout + done.stderr
