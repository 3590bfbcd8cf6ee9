"""The profile on a real Slurm: the whole tiny run, and jobs that are cancelled, too large, too slow, left alone."""

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
import yaml

TRAINING = "rule_train_model"
CONFIG = "config/long.yaml"
FOLDER = "results/jets/models/ae/seeds-1-2"
LOG = "results/logs/train_model/jets/ae/seeds-1-2.log"


def test_the_tiny_run_from_end_to_end(tiny_on_slurm, slurm_tools):
    slurm, jobs, _ = slurm_tools
    results = tiny_on_slurm.folder / "results"
    assert {path.stem for path in results.glob("jets/auc/*.csv")} == {
        "ae",
        "nae",
        "wnae",
        "mahalanobis",
        "wnae_ensemble",
    }
    assert {path.stem for path in results.glob("jets/figures/*.pdf")} >= {"leaderboard", "training_wnae"}
    assert "wnae" in (results / "jets/summary.md").read_text()
    every = jobs("")
    assert set(every.values()) == {"COMPLETED"}
    # Small programs are grouped (an ensemble with its members); dataset and summaries are made where Snakemake runs.
    names = slurm("squeue", "--states=all", "--noheader", "--format=%k").split()
    kinds = Counter(re.match("rule_(sample|train_model|train_ceilings|score|monitor)", name)[1] for name in names)
    assert kinds == {"sample": 4, "train_model": 6, "score": 4, "monitor": 3, "train_ceilings": 1}, names
    assert not [name for name in names if re.search("summarize|leaderboard|dataset|cutflow", name)]
    for number in every:
        asks = slurm("scontrol", "show", "job", str(number))
        assert ("gres:gpu:1" in asks) == (f"Comment={TRAINING}" in asks), asks


@pytest.fixture(scope="module")
def long_training(tiny_on_slurm):
    """Give a function that makes a training of so many epochs the one that is to be done."""
    folder = tiny_on_slurm.folder

    def prepare(epochs: int) -> dict:
        config = yaml.safe_load((folder / "config/test/tiny.yaml").read_text())
        settings = {"epochs": epochs, "batch_size": 64, "snapshot_every": 10**6, "validate_every": 100}
        config["methods"] = {"ae": {"kind": "ae", "training": {**settings, "checkpoint_seconds": 1}}}
        config["on_other_results"] = "overwrite"  # of the tiny run, in whose folder this trains
        (folder / CONFIG).write_text(json.dumps(config))
        subprocess.run(["rm", "-rf", FOLDER, LOG], cwd=folder, check=True)
        return config

    return prepare


def reference(folder: Path, method: dict) -> tuple[dict, float]:
    """Train undisturbed, without Snakemake and Slurm; give the model and the epochs a second."""
    command = [sys.executable, "workflow/scripts/train_model.py", "--settings", json.dumps(method), "--method", "ae"]
    command += ["--seeds", "1", "2", "--output-dir", "reference", "--scaler", "results/jets/dataset/scaler.json"]
    command += [f"--{part}=results/jets/dataset/{part}.h5" for part in ("train", "validation")]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with (folder / "reference/history.csv").open(newline="") as file:
        seconds = sum(float(row["seconds"]) for row in csv.DictReader(file) if row["seed"] == "1")
    rate = method["training"]["epochs"] / seconds
    return torch.load(folder / "reference/model.pt", weights_only=True), rate


def epochs_done(log: Path) -> int:
    found = re.findall(r"epoch (\d+)/", log.read_text()) if log.exists() else []
    return int(found[-1]) if found else 0


def gone_on_after(log: Path) -> int:
    found = re.search(r"going on after epoch (\d+)", log.read_text()) if log.exists() else None
    return int(found[1]) if found else 0


def test_cancelled_then_the_node_goes_down_and_the_result_is_the_same(
    tiny_on_slurm, long_training, slurm_tools, cluster
):
    slurm, jobs, wait_until = slurm_tools
    folder, log = tiny_on_slurm.folder, tiny_on_slurm.folder / LOG
    config = long_training(epochs=4000)
    before = set(jobs(TRAINING))
    run = tiny_on_slurm.start("disturbed.out", "--configfile", CONFIG, "--", f"{FOLDER}/model.pt")
    running = lambda: [job for job, state in jobs(TRAINING).items() if job not in before and state == "RUNNING"]  # noqa: E731

    wait_until(lambda: epochs_done(log) > 200)
    cancelled = running()[0]
    slurm("scancel", str(cancelled))
    first = wait_until(lambda: gone_on_after(log))
    failed = running()[0]
    assert failed != cancelled
    wait_until(lambda: epochs_done(log) > first + 200)
    slurm("scontrol", "update", f"nodename={cluster}", "state=down", "reason=test")
    wait_until(lambda: jobs(TRAINING)[failed] == "NODE_FAIL")
    slurm("scontrol", "update", f"nodename={cluster}", "state=resume")
    undisturbed, _ = reference(folder, config["methods"]["ae"])
    tiny_on_slurm.finish(run, "disturbed.out")

    assert gone_on_after(log) > first
    states = {job: state for job, state in jobs(TRAINING).items() if job not in before}
    assert list(states.values()) == ["CANCELLED", "NODE_FAIL", "COMPLETED"]
    model = torch.load(folder / FOLDER / "model.pt", weights_only=True)
    assert model["epochs"] == undisturbed["epochs"]
    assert all(torch.equal(tensor, undisturbed["parameters"][name]) for name, tensor in model["parameters"].items())
    assert not (folder / FOLDER / "checkpoints").exists()


def test_after_the_kill_of_snakemake_its_jobs_are_found_by_their_name(tiny_on_slurm, long_training, slurm_tools):
    """What docs/cluster.md says: cancel the jobs that go on by the name of the run, unlock, start again."""
    slurm, jobs, wait_until = slurm_tools
    folder, log = tiny_on_slurm.folder, tiny_on_slurm.folder / LOG
    long_training(epochs=2000)
    before = set(jobs(TRAINING))
    command = ("--configfile", CONFIG, "--", f"{FOLDER}/model.pt")
    run = tiny_on_slurm.start("killed.out", *command)
    wait_until(lambda: epochs_done(log) > 200)
    run.kill()
    run.wait()
    (orphan,) = [job for job, state in jobs(TRAINING).items() if job not in before and state == "RUNNING"]
    slurm("scancel", "--name", slurm("squeue", f"--jobs={orphan}", "--noheader", "--format=%j").strip())
    wait_until(lambda: jobs(TRAINING)[orphan] == "CANCELLED")
    unlock = [sys.executable, "-m", "snakemake", "--profile", "slurm", "--configfile", CONFIG, "--unlock"]
    subprocess.run(unlock, cwd=folder, check=True, capture_output=True)
    tiny_on_slurm.finish(tiny_on_slurm.start("again.out", *command), "again.out")
    assert gone_on_after(log) > 0
    assert set(torch.load(folder / FOLDER / "model.pt", weights_only=True)["seeds"]) == {1, 2}


def test_over_its_memory_it_is_restarted_with_more(tiny_on_slurm, slurm_tools):
    _, jobs, _ = slurm_tools
    before = set(jobs(TRAINING))
    # Two processes of Snakemake alone are about 250 MB, torch as much again.
    tiny_on_slurm.profile("train_model", mem_mb="attempt * 300")
    # The trainings before it have taken the folder over.
    tiny = ("--configfile", "config/test/tiny.yaml", "--config", "on_other_results=overwrite")
    command = (*tiny, "--forcerun", "train_model", "--", f"{FOLDER}/model.pt")
    tiny_on_slurm.finish(tiny_on_slurm.start("memory.out", *command), "memory.out")
    states = {job: state for job, state in jobs(TRAINING).items() if job not in before}
    *killed, last = states
    assert states[last] == "COMPLETED"
    assert killed
    for job in killed:
        (log,) = (tiny_on_slurm.folder / ".snakemake/slurm_logs").rglob(f"{job}.log")
        assert states[job] == "OUT_OF_MEMORY" or "exceeded memory limit" in log.read_text().lower(), states[job]


def test_near_its_time_limit_it_stops_and_goes_on_with_more(tiny_on_slurm, long_training, slurm_tools):
    _, jobs, _ = slurm_tools
    folder, log = tiny_on_slurm.folder, tiny_on_slurm.folder / LOG
    _, rate = reference(folder, long_training(epochs=2000)["methods"]["ae"])
    long_training(epochs=int(90 * rate))
    before = set(jobs(TRAINING))
    # A minute is the shortest that Slurm knows; it may send the signal up to a minute early.
    tiny_on_slurm.profile("train_model", runtime="attempt", slurm_extra="'--signal=TERM@10'")
    tiny_on_slurm.finish(
        tiny_on_slurm.start("time.out", "--configfile", CONFIG, "--", f"{FOLDER}/model.pt"), "time.out"
    )
    states = [state for job, state in jobs(TRAINING).items() if job not in before]
    assert states[-1] == "COMPLETED"
    assert set(states[:-1]) <= {"FAILED", "TIMEOUT"}
    assert len(states) > 1
    assert gone_on_after(log) > 0
