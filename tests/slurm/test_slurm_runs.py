"""The profile on a real Slurm: the whole tiny run, and jobs that are cancelled, too large, too slow, left alone."""

import re
from collections import Counter

from cluster_runs import CONFIG, FOLDER, LONG, same_model, wait_until

TRAINING = "rule_train_model"


def test_the_tiny_run_from_end_to_end(tiny_on_slurm, slurm_tools):
    slurm, jobs = slurm_tools
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
    every = jobs("")
    assert set(every.values()) == {"COMPLETED"}
    # Small programs are grouped by method; dataset and summaries are made where Snakemake runs.
    names = slurm("squeue", "--states=all", "--noheader", "--format=%k").split()
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


def test_cancelled_then_the_node_goes_down_and_the_result_is_the_same(tiny_on_slurm, slurm_tools, cluster):
    slurm, jobs = slurm_tools
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
    slurm("scontrol", "update", f"nodename={cluster}", "state=down", "reason=test")
    wait_until(lambda: jobs(TRAINING)[failed] == "NODE_FAIL")
    slurm("scontrol", "update", f"nodename={cluster}", "state=resume")
    undisturbed, _ = tiny_on_slurm.reference(config["methods"]["ae"])
    tiny_on_slurm.finish(run, "disturbed.out")

    assert tiny_on_slurm.gone_on_after() > first
    states = {job: state for job, state in jobs(TRAINING).items() if job not in before}
    assert list(states.values()) == ["CANCELLED", "NODE_FAIL", "COMPLETED"]
    assert same_model(tiny_on_slurm.model(), undisturbed)
    assert not (tiny_on_slurm.folder / FOLDER / "checkpoints").exists()


def test_after_the_kill_of_snakemake_its_jobs_are_found_by_their_name(tiny_on_slurm, slurm_tools):
    """What docs/cluster.md says: cancel the jobs that go on by the name of the run, unlock, start again."""
    slurm, jobs = slurm_tools
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
    _, jobs = slurm_tools
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
    _, jobs = slurm_tools
    _, rate = tiny_on_slurm.reference(tiny_on_slurm.long_training(epochs=2000)["methods"]["ae"])
    # Longer than the first limit if the node is twice as fast by then, shorter than all five if a third as fast.
    tiny_on_slurm.long_training(epochs=int(150 * rate))
    before = set(jobs(TRAINING))
    # A minute is the shortest that Slurm knows; it may send the signal up to a minute early.
    with tiny_on_slurm.profile("train_model", runtime="attempt", slurm_extra="'--signal=TERM@10'"):
        tiny_on_slurm.finish(tiny_on_slurm.start("time.out", "--retries", "4", *LONG), "time.out")
    states = [state for job, state in jobs(TRAINING).items() if job not in before]
    assert states[-1] == "COMPLETED"
    assert set(states[:-1]) <= {"FAILED", "TIMEOUT"}
    assert len(states) > 1
    assert tiny_on_slurm.gone_on_after() > 0
