"""A results folder that was moved without Snakemake's notes still tells what of it no longer matches."""

import json
import shutil
import subprocess
import sys

import pytest
import yaml

from oddjet.errors import ResultsError
from oddjet.jobs import Jobs
from oddjet.provenance import digest
from oddjet.results import Results

TINY = ("--configfile", "config/test/tiny.yaml")

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _code_of_the_workspace(finished, monkeypatch):
    """Compare with the code that made the results, whatever has been edited here since they were made."""
    monkeypatch.setattr(digest, "PACKAGE_FOLDER", finished.folder / "src/oddjet")
    monkeypatch.setattr(digest, "SCRIPTS_FOLDER", finished.folder / "workflow/scripts")


@pytest.fixture
def moved(finished, tmp_path):
    """A copy of the results alone, in a folder of another name."""
    return shutil.copytree(finished.folder / "results", tmp_path / "elsewhere")


def tiny(finished, **changes) -> Jobs:
    config = yaml.safe_load((finished.folder / "config/test/tiny.yaml").read_text())
    path = finished.folder / "config/changed.yaml"
    path.write_text(json.dumps({**config, **changes}))
    return Jobs(path, finished.folder / "Snakefile")


def stale(folder, plan) -> dict[str, list[str]]:
    return {
        str(result.path.relative_to(folder)): result.reasons for result in Results(folder).check(plan) if result.reasons
    }


def test_moved_results_match(finished, moved):
    assert stale(moved, tiny(finished)) == {}
    found = Results(moved).check(tiny(finished))
    carried = {result.path.suffix for result in found}
    assert carried == {".root", ".h5", ".pt", ".csv", ".json", ".pdf", ".html"}
    every = {path for path in moved.rglob("*.*") if "logs" not in path.parts and "benchmarks" not in path.parts}
    named = {name for result in found for name in result.origin.get("outputs", {})}
    told = {result.path for result in found}
    # What carries no digest is checked as an input of what is made from it.
    left = {path.name for path in every if path not in told and path.name not in named}
    assert {name for name in left if not name.endswith(".origin.json")} <= {"history.csv", "scaler.json", "run.json"}


@pytest.mark.parametrize("target", ["events", "images", "contamination"])
def test_results_of_the_other_analyses_match(finished, run_once, target):
    after = {"origin": finished.folder} if target == "contamination" else {}
    space, _ = run_once(target, target, "--cores", "2", *TINY, **after)
    assert stale(space.folder / "results", tiny(finished)) == {}


def test_an_edit_of_the_code_is_told_and_what_hangs_on_it(finished, moved):
    module = finished.folder / "src/oddjet/evaluation/snapshots.py"
    before = module.read_text()
    try:
        module.write_text(before + "\nassert True\n")
        command = [sys.executable, "workflow/scripts/check_results.py", "--configfile", "config/test/tiny.yaml"]
        environment = {"PYTHONPATH": str(finished.folder / "src")}
        done = subprocess.run(
            [*command, "--results", moved],
            cwd=finished.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        module.write_text(before)
    assert done.returncode == 1, done.stderr
    *lines, summary = done.stdout.splitlines()
    parts = [line.split(": ", 1) for line in lines]
    found = {path.removeprefix(f"{moved}/").rpartition("/")[0]: reason for path, reason in parts}
    groups = {f"jets/models/{method}/{group}" for method in ("ae", "nae", "wnae") for group in ("seeds-1-2", "seeds-3")}
    assert set(found) == groups | {"jets/figures", ""}
    assert [path for path, _ in parts if path.rpartition("/")[0] == f"{moved}"] == [f"{moved}/report.html"]
    assert found["jets/models/ae/seeds-3"] == "the code of monitor_training has changed"
    assert "auc_by_epoch.csv no longer matches" in found["jets/figures"]
    assert summary.endswith("results match the code, the configuration and their inputs")


def test_a_change_of_the_configuration_is_told(finished, moved):
    found = stale(moved, tiny(finished, seed=8))
    assert found["samples/top/0000.root"] == ["the settings of simulate_sample have changed (seed)"]
    assert found["tables/top/0000.h5"] == ["its input results/samples/top/0000.root no longer matches"]
    found = stale(moved, tiny(finished, label="Another"))
    assert {path for path in found if path.rpartition("/")[0] != "jets/figures"} == {"report.html"}
    found = stale(moved, tiny(finished, dataset={"minimum_jets": {"train": 50, "validation": 20, "test": 20}}))
    assert found["jets/dataset/train.h5"] == [
        "the settings of build_dataset have changed (fractions.test, fractions.train, fractions.validation)"
    ]
    assert "samples/top/0000.root" not in found
    assert "tables/top/0000.h5" not in found


def test_other_members_of_an_ensemble_are_told(finished, moved):
    methods = yaml.safe_load((finished.folder / "config/test/tiny.yaml").read_text())["methods"]
    found = stale(moved, tiny(finished, methods={**methods, "wnae_ensemble": {"kind": "mean", "of": "ae"}}))
    assert found["jets/scores/wnae_ensemble/mean.h5"] == ["the settings of score have changed (models, of)"]
    assert found["jets/leaderboard.csv"] == ["its input results/jets/auc/wnae_ensemble.csv no longer matches"]
    assert "jets/scores/wnae/seeds-3.h5" not in found


def test_damaged_replaced_and_missing_files_are_told(finished, moved):
    (moved / "jets/auc/ae.csv").write_text("method,seed\n")
    (moved / "tables/top/0000.h5").write_bytes(b"no table")
    (moved / "samples/top/0001.root").unlink()
    (moved / "jets/figures/auc_heatmap_nae.png").unlink()
    found = stale(moved, tiny(finished))
    assert found["jets/auc/ae.csv"] == ["ae.csv is not the file that was written"]
    assert "cannot be read" in found["tables/top/0000.h5"][0]
    assert found["tables/top/0001.h5"] == ["its input results/samples/top/0001.root is missing"]
    assert found["jets/figures/auc_heatmap_nae.pdf"] == ["auc_heatmap_nae.png is missing"]
    assert "its input results/tables/top/0000.h5 has changed" in found["jets/dataset/train.h5"]


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(ResultsError, match="no results here"):
        Results(tmp_path / "absent")
