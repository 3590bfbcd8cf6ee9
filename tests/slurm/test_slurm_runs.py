"""The profile on a real Slurm: the whole tiny run, and jobs that are cancelled, too large, too slow, or lose a node."""

import re
import sys
from collections import Counter

import numpy as np

from cluster_runs import CONFIG, FOLDER, LONG, end_runs, same_model, wait_until
from oddjet.io.tables import read_table

TRAINING = "rule_train_model"


def test_the_tiny_run_from_end_to_end(tiny_on_slurm, slurm_tools):
    slurm, jobs, node_of = slurm_tools
    results = tiny_on_slurm.folder / "results"
    assert {path.stem for path in results.glob("jets/auc/*.csv")} == {
        "ae",
        "nae",
        "wnae",
        "mahalanobis",
        "wnae_ensemble",
    }
    assert {path.stem for path in results.glob("jets/figures/*.pdf")} >= {"leaderboard", "training_wnae"}
    assert "WNAE" in (results / "jets/summary.md").read_text()  # methods are called by their titles
    run = "--name=" + re.search(r"SLURM run ID: (\S+)", (tiny_on_slurm.folder / "tiny.out").read_text())[1]
    every = jobs("", run)
    assert set(every.values()) == {"COMPLETED"}
    assert {node_of(number) for number in every} == {"node1", "node2"}
    # Small programs are grouped by method; dataset and summaries are made where Snakemake runs.
    names = slurm("squeue", run, "--states=all", "--noheader", "--format=%k").split()
    kinds = Counter(
        re.match("rule_(simulate_sample|extract_features|train_model|train_ceilings|score|monitor)", name)[1]
        for name in names
    )
    assert kinds == {
        "simulate_sample": 2,
        "extract_features": 2,
        "train_model": 6,
        "score": 5,
        "monitor": 6,
        "train_ceilings": 1,
    }, names
    assert not [name for name in names if re.search("summarize|plot|dataset|cutflow", name)]
    for number in every:
        asks = slurm("scontrol", "show", "job", str(number))
        # Slurm 22.05 writes gres:gpu:1, 24.11 gres/gpu:1.
        assert bool(re.search("gres[:/]gpu:1", asks)) == (f"Comment={TRAINING}" in asks), asks


def test_cancelled_then_the_node_goes_down_and_the_result_is_the_same(tiny_on_slurm, slurm_tools):
    slurm, jobs, node_of = slurm_tools
    config = tiny_on_slurm.long_training(epochs=4000)
    before = set(jobs(TRAINING))
    run = tiny_on_slurm.start("disturbed.out", *LONG)
    running = lambda: [job for job, state in jobs(TRAINING).items() if job not in before and state == "RUNNING"]  # noqa: E731

    wait_until(lambda: tiny_on_slurm.epochs_done() > 200)
    cancelled = running()[0]
    slurm("scancel", str(cancelled))
    first = wait_until(tiny_on_slurm.gone_on_after)
    failed = running()[0]
    assert failed != cancelled
    wait_until(lambda: tiny_on_slurm.epochs_done() > first + 200)
    node = node_of(failed)
    slurm("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    wait_until(lambda: jobs(TRAINING)[failed] == "NODE_FAIL")
    slurm("scontrol", "update", f"nodename={node}", "state=resume")
    undisturbed, _ = tiny_on_slurm.reference(config["methods"]["ae"])
    tiny_on_slurm.finish(run, "disturbed.out")

    assert tiny_on_slurm.gone_on_after() > first
    states = {job: state for job, state in jobs(TRAINING).items() if job not in before}
    assert list(states.values()) == ["CANCELLED", "NODE_FAIL", "COMPLETED"]
    assert same_model(tiny_on_slurm.model(), undisturbed)
    assert not (tiny_on_slurm.folder / FOLDER / "checkpoints").exists()


def test_a_node_loses_power_and_the_results_are_those_of_a_run_without_slurm(cluster, on_slurm, slurm_tools, tmp_path):
    slurm, jobs, node_of = slurm_tools
    disturbed, undisturbed = (on_slurm(tmp_path / name) for name in ("disturbed", "undisturbed"))
    for space in (disturbed, undisturbed):
        space.long_training(epochs=4000)
    wanted = ("--configfile", CONFIG, "--", "results/jets/auc/ae.csv")
    before = set(jobs(""))
    run = disturbed.start("disturbed.out", *wanted)
    since = lambda rule: {job: state for job, state in jobs(rule).items() if job not in before}  # noqa: E731

    # Both groups of seeds train, each on a node of its own.
    wait_until(lambda: disturbed.epochs_done() > 200 and list(since(TRAINING).values()) == ["RUNNING"] * 2)
    lost, other = (next(iter(since(f"{TRAINING}_wildcards_jets_ae_{group}"))) for group in ("seeds-1-2", "seeds-3"))
    node = cluster[node_of(lost)]
    assert node_of(other) != node.name
    node.lose_power()
    slurm("scontrol", "update", f"nodename={node.name}", "state=down", "reason=test")
    wait_until(lambda: jobs(TRAINING)[lost] == "NODE_FAIL")
    disturbed.finish(run, "disturbed.out")
    assert disturbed.gone_on_after() > 0
    states = since("")
    assert {job: state for job, state in states.items() if state != "COMPLETED"} == {lost: "NODE_FAIL"}
    assert {node_of(job) for job in states if job > lost} == {node_of(other)}
    end_runs()
    node.start_again()

    command = [sys.executable, "-m", "snakemake", "--nocolor", "--cores", "2", *wanted]
    undisturbed.call(*command)
    for group in ("seeds-1-2", "seeds-3"):
        assert same_model(disturbed.model(group), undisturbed.model(group))
        scores = [read_table(space.folder / f"results/jets/scores/ae/{group}.h5") for space in (disturbed, undisturbed)]
        np.testing.assert_array_equal(*scores)
    tables = [(space.folder / wanted[-1]).read_bytes() for space in (disturbed, undisturbed)]
    assert tables[0] == tables[1]


def test_after_the_kill_of_snakemake_its_jobs_are_found_by_their_name(tiny_on_slurm, slurm_tools):
    """What docs/cluster.md says: cancel the jobs that go on by the name of the run, unlock, start again."""
    slurm, jobs, _ = slurm_tools
    tiny_on_slurm.long_training(epochs=2000)
    before = set(jobs(TRAINING))
    run = tiny_on_slurm.start("killed.out", *LONG)
    wait_until(lambda: tiny_on_slurm.epochs_done() > 200)
    run.kill()
    run.wait()
    (orphan,) = [job for job, state in jobs(TRAINING).items() if job not in before and state == "RUNNING"]
    slurm("scancel", "--name", slurm("squeue", f"--jobs={orphan}", "--noheader", "--format=%j").strip())
    wait_until(lambda: jobs(TRAINING)[orphan] == "CANCELLED")
    tiny_on_slurm.call(*tiny_on_slurm.snakemake("--configfile", CONFIG, "--unlock"))
    tiny_on_slurm.finish(tiny_on_slurm.start("again.out", *LONG), "again.out")
    assert tiny_on_slurm.gone_on_after() > 0
    assert set(tiny_on_slurm.model()["seeds"]) == {1, 2}


def test_over_its_memory_it_is_restarted_with_more(tiny_on_slurm, slurm_tools):
    _, jobs, _ = slurm_tools
    before = set(jobs(TRAINING))
    # Two processes of Snakemake alone are about 250 MB, torch as much again.
    tiny_on_slurm.long_training(epochs=200)
    with tiny_on_slurm.profile("train_model", mem_mb="attempt * 300"):
        tiny_on_slurm.finish(tiny_on_slurm.start("memory.out", *LONG), "memory.out")
    states = {job: state for job, state in jobs(TRAINING).items() if job not in before}
    *killed, last = states
    assert states[last] == "COMPLETED"
    assert killed
    for job in killed:
        (log,) = (tiny_on_slurm.folder / ".snakemake/slurm_logs").rglob(f"{job}.log")
        assert states[job] == "OUT_OF_MEMORY" or "exceeded memory limit" in log.read_text().lower(), states[job]


def test_near_its_time_limit_it_stops_and_goes_on_with_more(tiny_on_slurm, slurm_tools):
    _, jobs, _ = slurm_tools
    _, rate = tiny_on_slurm.reference(tiny_on_slurm.long_training(epochs=2000)["methods"]["ae"])
    # Longer than the first limit if the node is half as fast again by then, shorter than all five if an eighth as fast.
    tiny_on_slurm.long_training(epochs=int(100 * rate))
    before = set(jobs(TRAINING))
    # A minute is the shortest that Slurm knows; it may send the signal up to a minute early.
    with tiny_on_slurm.profile("train_model", runtime="attempt", slurm_extra="'--signal=TERM@10'"):
        tiny_on_slurm.finish(tiny_on_slurm.start("time.out", "--retries", "4", *LONG), "time.out")
    states = [state for job, state in jobs(TRAINING).items() if job not in before]
    assert states[-1] == "COMPLETED"
    assert set(states[:-1]) <= {"FAILED", "TIMEOUT"}
    assert len(states) > 1
    assert tiny_on_slurm.gone_on_after() > 0
