"""The whole chain once, on the tiny configuration: every result is there, whole, and says where it comes from."""

import csv
import json

import numpy as np
import pytest
import torch

from oddjet.detectors.file import load
from oddjet.io.tables import read_attributes, read_table
from oddjet.titles import default_title

TRAINED = ("ae", "nae", "wnae")
MODELS = (*TRAINED, "mahalanobis")
METHODS = (*MODELS, "wnae_ensemble")
GROUPS = {"seeds-1-2": [1, 2], "seeds-3": [3]}
SIGNALS = ("svj_mphi-2000_rinv-0p1", "svj_mphi-2000_rinv-0p5")
TINY = ("--configfile", "config/test/tiny.yaml")


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_second_run_has_nothing_to_do(finished):
    assert finished.planned(*TINY) == {}


@pytest.mark.slow
def test_every_result_is_there(finished):
    results = finished.folder / "results"
    figures = ["leaderboard", *(f"auc_heatmap_{name}" for name in METHODS), *(f"training_{name}" for name in TRAINED)]
    for name in figures:
        assert (results / f"jets/figures/{name}.pdf").read_bytes().startswith(b"%PDF")
        assert (results / f"jets/figures/{name}.png").read_bytes().startswith(b"\x89PNG")
    for method in METHODS:
        assert default_title(method) in (results / "jets/summary.md").read_text()
        assert default_title(method) in (results / "jets/merit.md").read_text()
    assert not list(results.rglob(".tmp-*"))


@pytest.mark.slow
def test_the_dataset_holds_every_background_jet_once(finished):
    results = finished.folder / "results"
    jets = [read_table(path) for path in sorted(results.glob("tables/top/*.h5"))]
    parts = [read_table(results / f"jets/dataset/{part}.h5") for part in ("train", "validation", "test")]
    identity = lambda table: {  # noqa: E731
        tuple(row) for row in table[["run", "luminosityBlock", "event", "jet_rank"]].tolist()
    }
    assert sum(map(len, parts)) == sum(map(len, jets)) > 200
    assert set().union(*map(identity, parts)) == set().union(*map(identity, jets))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_auc_has_a_row_for_every_seed_and_signal(finished, method):
    table = rows(finished.folder / f"results/jets/auc/{method}.csv")
    # An ensemble is one model, to which no seed belongs.
    seeds = (0,) if method == "wnae_ensemble" else (1, 2, 3)
    assert {(int(row["seed"]), row["signal"]) for row in table} == {(seed, name) for seed in seeds for name in SIGNALS}
    background = len(read_table(finished.folder / "results/jets/dataset/test.h5"))
    for row in table:
        assert 0 <= float(row["auc"]) <= 1
        assert 0 < float(row["auc_error"]) < 0.5
        assert int(row["n_background"]) == background
        assert int(row["n_signal"]) == sum(
            len(read_table(path)) for path in finished.folder.glob(f"results/tables/{row['signal']}/*.h5")
        )
    assert table == [row for row in rows(finished.folder / "results/jets/leaderboard.csv") if row["method"] == method]


@pytest.mark.slow
def test_an_ensemble_is_the_mean_of_its_members_standardised_on_validation_jets(finished):
    results = finished.folder / "results"
    validation = read_table(results / "jets/dataset/validation.h5")
    expected = 0
    for group in GROUPS:
        model = load(results / f"jets/models/wnae/{group}/model.pt")
        known = model.score(validation)
        scores = read_table(results / f"jets/scores/wnae/{group}.h5")["score"]
        expected += ((scores - known.mean(axis=0)) / known.std(axis=0)).sum(axis=1) / 3
    table, like = (read_table(results / f"jets/scores/{name}.h5") for name in ("wnae_ensemble/mean", "wnae/seeds-3"))
    np.testing.assert_allclose(table["score"][:, 0], expected, rtol=1e-6, atol=1e-9)
    for name in ("sample", "event", "jet_rank", "weight"):
        np.testing.assert_array_equal(table[name], like[name])
    assert not (results / "jets/models/wnae_ensemble").exists()
    line = next(line for line in (results / "jets/summary.md").read_text().splitlines() if "| WNAE ensemble " in line)
    assert line.split("|")[2].strip() == "1"
    assert " WNAE ensemble " in (results / "jets/leaderboard.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("method", MODELS)
def test_models_carry_scaler_and_provenance_and_saw_no_signal(finished, method):
    for group, seeds in GROUPS.items():
        folder = finished.folder / f"results/jets/models/{method}/{group}"
        content = torch.load(folder / "model.pt", weights_only=True)
        assert list(content["seeds"]) == seeds
        metadata = json.loads(content["metadata"])
        assert metadata["scaler"] == json.loads((finished.folder / "results/jets/dataset/scaler.json").read_text())
        inputs = json.loads(metadata["provenance"]["inputs"])
        assert set(inputs) == {f"results/jets/dataset/{name}" for name in ("train.h5", "validation.h5", "scaler.json")}
        history = rows(folder / "history.csv")
        assert {int(row["seed"]) for row in history} == set(seeds)
        if method in TRAINED:
            monitored = {int(row["epoch"]) for row in rows(folder / "auc_by_epoch.csv")}
            assert monitored <= {int(row["epoch"]) for row in history}


@pytest.mark.slow
def test_tables_carry_provenance_and_a_cutflow(finished):
    for name in ("tables/top/0000.h5", f"tables/{SIGNALS[0]}/0000.h5"):
        attributes = read_attributes(finished.folder / "results" / name)
        assert len(attributes["code_digest"]) == 16
        assert json.loads(attributes["cutflow"])
        assert json.loads(attributes["inputs"])
        options = json.loads(attributes["options"])
        assert options["sample"] == [name.split("/")[1]]
        assert options["settings"][0]["pt_min"] == 500


def test_the_rule_of_the_training_has_no_signal_among_its_inputs(workspace):
    done = workspace.snakemake("--dry-run", "--printshellcmds", *TINY, "--", "models")
    assert done.returncode == 0, done.stderr
    blocks = [part for part in done.stdout.split("\n\n") if "train_model.py" in part or "fit_baseline.py" in part]
    assert len(blocks) == len(MODELS) * len(GROUPS)
    assert not [block for block in blocks if "svj" in block]


def test_the_default_run_is_as_large_as_it_says(workspace):
    planned = workspace.planned()
    assert planned["simulate_sample"] == planned["extract_features"] == 2 + 3 + 1
    assert planned["train_model"] == planned["monitor_training"] == 3
    assert planned["fit_baseline"] == 4
    assert planned["score"] == 8
    assert planned["evaluate"] == 8
    once = ("build_dataset", "summarize", "plot_methods_jets", "plot_comparison", "plot_features", "write_report")
    assert [planned[name] for name in once] == [1] * len(once)
    assert sum(planned.values()) - 1 < 50


def test_the_paper_grid_has_no_job_a_grid_point_after_the_features(workspace):
    planned = workspace.planned("--configfile", "config/paper.yaml")
    assert planned["extract_features"] >= 28 / 4
    # One method is a mean of another one: it is scored, and not trained.
    assert planned["train_model"] + planned["fit_baseline"] + 1 == planned["score"]
    assert planned["plot_methods_jets"] == 1
