"""The plan of the full grid (28 signals, 8 methods, 10 seeds), and that it is made without the heavy packages."""

import json
import subprocess
import sys

import pytest
import yaml

from oddjet.batches import stage_of

HEAVY = ("torch", "awkward", "pythia8mc", "uproot", "fastjet", "numba", "h5py")


@pytest.mark.slow
def test_the_full_grid_has_a_job_a_method_and_group(workspace):
    config = yaml.safe_load((workspace.folder / "config/paper.yaml").read_text())
    trained = {name: method for name, method in config["methods"].items() if "training" in method}
    config["methods"] = {f"{name}_{copy}": trained[name] for copy in range(8) for name in trained}
    config["methods"] = dict(list(config["methods"].items())[:8])
    config |= {"seeds": list(range(1, 11)), "seeds_per_job": 5}
    (workspace.folder / "config/grid.yaml").write_text(json.dumps(config))
    planned = workspace.planned("--configfile", "config/grid.yaml")
    assert planned["train_model"] == planned["score"] == 8 * 2
    assert planned["simulate_sample"] == 40 / 4 + 28 * 3


@pytest.mark.slow
def test_parsing_imports_nothing_heavy(workspace):
    program = f"""
import sys, snakemake.cli
sys.argv = ["snakemake"]
try:
    snakemake.cli.main(["--dry-run", "--quiet", "--configfile", "config/test/tiny.yaml"])
except SystemExit as end:
    print("status", end.code or 0, "imported", *sorted(set({HEAVY}) & sys.modules.keys()))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=workspace.folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "status 0 imported"


def test_a_job_parses_its_own_batch_and_no_other(workspace):
    """What a job costs shall not grow with the number of files: each would parse a rule for every batch of the run."""
    config = yaml.safe_load((workspace.folder / "config/test/tiny.yaml").read_text())
    config["samples"]["top"] |= {"events": 500, "parts": 50}
    (workspace.folder / "config/parts.yaml").write_text(json.dumps(config))
    job = ("--mode", "remote", "--allowed-rules", "extract_features_top_0003", "--cores", "1")
    lists = [
        workspace.snakemake("--list-rules", "--configfile", "config/parts.yaml", *words).stdout.split()
        for words in ((), job)
    ]
    everything, own = ([name for name in names if stage_of(name) != name] for names in lists)
    assert len(everything) > 2 * 50 / config.get("files_per_job", 4)
    assert own == ["extract_features_top_0003"]
    assert "train_model" in lists[1]


@pytest.mark.slow
def test_rules_of_batches_leave_no_function_among_the_names_of_the_workflow(workspace):
    """Snakemake copies the names for each text of each job: a function a batch makes a plan quadratic in batches."""
    program = """
import sys, snakemake.cli
from snakemake.workflow import Workflow
include, seen = Workflow.include, []
def followed(workflow, *arguments, **options):
    include(workflow, *arguments, **options)
    seen.append(set(workflow.globals))
Workflow.include = followed
try:
    snakemake.cli.main(["--dry-run", "--quiet", "--configfile", "config/test/tiny.yaml"])
except SystemExit as end:
    starts = ("__extract_features_", "__simulate_sample_", "__simulate_image_sample_")
    print("status", end.code or 0, len(seen[-1]) > 100, *(name for name in seen[-1] if name.startswith(starts)))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=workspace.folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "status 0 True"
