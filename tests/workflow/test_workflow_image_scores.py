"""Methods that see images, on top of the finished run: in the same tables and figures as any other method."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from oddjet.configfile import read_configuration
from oddjet.detectors.vae.train import load_vae
from oddjet.evaluation.auc import AucRow
from oddjet.images.store import read_images
from oddjet.io.csv import read_rows
from oddjet.io.tables import read_attributes, read_table
from oddjet.titles import default_title

TINY = ("--configfile", "config/test/tiny.yaml", "config/test/with_images.yaml")
ROOT = Path(__file__).parents[2]
METHODS = ("image_wass1", "image_mae", "image_vae")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy_of_scored(run_once, finished):
    """Give a function: a copy of the finished workspace with the image scores."""
    return lambda: run_once("image_scores", "--cores", "2", *TINY, origin=finished.folder)[0]


@pytest.fixture(scope="module")
def scored(copy_of_scored):
    return copy_of_scored()


def test_the_tables_are_those_of_any_method(scored):
    folder = scored.folder / "results"
    for name in METHODS:
        with (
            (folder / f"jets/auc/{name}.csv").open(newline="") as file,
            (folder / "jets/auc/ae.csv").open(newline="") as other,
        ):
            rows, known = list(csv.DictReader(file)), list(csv.DictReader(other))
        assert [{key: row[key] for key in ("seed", "signal", "n_signal", "n_background")} for row in rows] == [
            {key: row[key] for key in ("seed", "signal", "n_signal", "n_background")} for row in known
        ]
        assert {row["method"] for row in rows} == {name}
        assert (folder / f"jets/merit/{name}.csv").is_file()
        assert (folder / f"jets/figures/auc_heatmap_{name}.pdf").read_bytes().startswith(b"%PDF")
        for group in ("seeds-1-2", "seeds-3"):
            ours, theirs = (read_table(folder / f"jets/scores/{method}/{group}.h5") for method in (name, "ae"))
            for column in ("sample", "event", "pt", "weight"):
                np.testing.assert_array_equal(ours[column], theirs[column])
            assert (ours["score"] >= 0).all()
            assert json.loads(read_attributes(folder / f"jets/scores/{name}/{group}.h5")["samples"])[0] == "background"
    assert scored.planned(*TINY) == {}


def test_the_leaderboard_has_all_methods(scored, finished):
    folder = scored.folder / "results"
    rows = read_rows(folder / "jets/leaderboard.csv", AucRow)
    own = read_rows(finished.folder / "results/jets/leaderboard.csv", AucRow)
    assert rows[: len(own)] == own
    assert {row.method for row in rows[len(own) :]} == set(METHODS)
    page = (folder / "jets/leaderboard.md").read_text()
    assert all(f"| {default_title(name)} " in page for name in (*METHODS, "ae", "mahalanobis"))
    assert "supervised trees" in page
    assert (folder / "jets/figures/leaderboard.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "jets/figures/leaderboard.png").read_bytes().startswith(b"\x89PNG")
    # The scores of the other methods are untouched.
    for path in (finished.folder / "results/jets/scores").glob("*/*.h5"):
        assert (folder / "jets/scores" / path.parent.name / path.name).read_bytes() == path.read_bytes()


def test_a_vae_is_trained_on_background_of_the_dataset_for_every_seed(scored):
    folder = scored.folder / "results"
    gathered = read_images(folder / "jets/dataset/train_images.h5")
    table = read_table(folder / "jets/dataset/train.h5")
    assert sorted(gathered.jets["pt"]) == sorted(table["pt"])
    models = sorted((folder / "jets/models/image_vae").glob("seed-*/beta-1e-08/model.pt"))
    vaes = [load_vae(path) for path in models]
    assert [vae.settings.seed for vae in vaes] == [1, 2, 3]
    attributes = read_attributes(folder / "jets/scores/image_vae/seeds-1-2.h5")
    assert json.loads(attributes["epochs"]) == [vae.epoch for vae in vaes[:2]]
    inputs = json.loads(json.loads(torch.load(models[0], weights_only=True)["metadata"])["provenance"]["inputs"])
    assert set(inputs) == {f"results/jets/dataset/{part}_images.h5" for part in ("train", "validation")}


def test_image_scores_are_weighted_as_those_of_other_methods(copy_of_scored):
    """A cross section reaches every score table in the same way."""
    scored = copy_of_scored()
    signal = "svj_mphi-2000_rinv-0p1"
    config = read_configuration([ROOT / name for name in TINY[1:]])
    config["signals"]["m_phi"], config["signals"]["r_inv"] = [2000], [0.5]
    process = {"name": "svj", "m_phi": 2000, "r_inv": 0.1}
    config["samples"][signal] = {"kind": "signal", "process": process, "events": 120, "require_match": "dark_quark"}
    config["samples"][signal]["cross_section"] = 25.0
    (scored.folder / "config/weighted.yaml").write_text(json.dumps(config))
    targets = [f"results/jets/scores/{method}/seeds-3.h5" for method in ("mahalanobis", *METHODS)]
    done = scored.snakemake(*targets, "--cores", "2", "--configfile", "config/weighted.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    tables = [read_table(scored.folder / path) for path in targets]
    for table in tables:
        for column in ("sample", "event", "weight"):
            np.testing.assert_array_equal(table[column], tables[0][column])
    names = json.loads(read_attributes(scored.folder / targets[0])["samples"])
    weighted = tables[0]["weight"][tables[0]["sample"] == names.index(signal)]
    np.testing.assert_allclose(weighted, 25.0 / 120, rtol=1e-5)


def test_results_of_other_settings_are_told(scored):
    """`check_results` compares what each program is given: of `images.vae` what a training reads."""
    config = read_configuration([ROOT / name for name in TINY[1:]])

    def stale(own: dict) -> set[str]:
        changed = {**config, **own}
        (scored.folder / "config/changed.yaml").write_text(json.dumps(changed))
        command = [sys.executable, "workflow/scripts/check_results.py", "--configfile", "config/changed.yaml"]
        done = subprocess.run(
            command,
            cwd=scored.folder,
            env={**os.environ, "PYTHONPATH": str(scored.folder / "src")},
            capture_output=True,
            text=True,
            check=False,
        )
        return {line.split(": ")[0] for line in done.stdout.splitlines() if "settings of" in line}

    assert stale({}) == set()
    methods = config["methods"]
    scores = {f"results/jets/scores/image_vae/{group}.h5" for group in ("seeds-1-2", "seeds-3")}
    models = {f"results/jets/models/image_vae/seed-{seed}/beta-1e-08/model.pt" for seed in (1, 2, 3)}
    assert stale({"methods": {**methods, "image_vae": {**methods["image_vae"], "epochs": 3}}}) == scores | models
    assert stale({"images": {**config["images"], "vae": {**config["images"]["vae"], "hidden": 12}}}) == models
