"""The profile on a real HTCondor: the whole tiny run; jobs that are removed, held, too large, too slow, left alone."""

import re
from collections import Counter

from cluster_runs import CONFIG, FOLDER, LONG, TINY, same_model, wait_until

TRAINING = "train_model"


def running(pool, before) -> list[int]:
    return [job for job, state in pool.jobs(TRAINING).items() if job not in before and state == "RUNNING"]


def since(pool, before) -> dict[int, str]:
    return {job: state for job, state in pool.jobs(TRAINING).items() if job not in before}


def test_removed_then_held_and_the_result_is_the_same(space, pool):
    config = space.long_training(epochs=8000)
    before = set(pool.jobs(TRAINING))
    # In the profile's 20 s after the hold the training could end.
    with space.profile("train_model", htcondor_submit_job_max_vacate_time=2):
        run = space.start("disturbed.out", *LONG)
        wait_until(space.has_checkpoint)  # one that is removed gets no signal that it could write one at
        (removed,) = running(pool, before)
        pool.tell("condor_rm", removed)
        first = wait_until(space.gone_on_after)
        (held,) = running(pool, before)
        assert held != removed
        wait_until(lambda: space.epochs_done() > first)
        pool.tell("condor_hold", "-reason", "the disk of the node is full", held)
        said = space.finish(run, "disturbed.out")
    undisturbed, _ = space.reference(config["methods"]["ae"])

    assert space.gone_on_after() >= first
    assert list(since(pool, before).values()) == ["REMOVED", "HELD", "COMPLETED"]
    assert f"Cluster ID {removed} was removed/aborted" in said
    assert f"Cluster ID {held} is held: the disk of the node is full" in said
    assert same_model(space.model(), undisturbed)
    assert not (space.folder / FOLDER / "checkpoints").exists()


def test_over_its_memory_it_is_held_and_the_next_attempt_has_more(space, pool):
    before = set(pool.jobs(TRAINING))
    # Two processes of Snakemake and a training take about 900 MB.
    space.long_training(epochs=200)
    with space.profile("train_model", htcondor_request_mem_mb="attempt * 500"):
        said = space.finish(space.start("memory.out", *LONG), "memory.out")
    states = since(pool, before)
    *killed, last = states
    assert states[last] == "COMPLETED"
    assert killed
    asked = {job["ClusterId"]: job for job in pool.all_jobs()}
    for job in killed:
        assert states[job] == "HELD"
        assert "memory" in asked[job]["HoldReason"]
        assert f"Cluster ID {job} is held: {asked[job]['HoldReason']}" in said
    assert [asked[job]["RequestMemory"] for job in states] == [500 * (n + 1) for n in range(len(states))]


def test_over_its_time_it_is_held_and_goes_on_with_more(space, pool):
    _, rate = space.reference(space.long_training(epochs=2000)["methods"]["ae"])
    # Longer than the first limit, of which the start takes a part; at half the rate shorter than the second or third.
    space.long_training(epochs=int(60 * rate))
    before = set(pool.jobs(TRAINING))
    with space.profile("train_model", allowed_job_duration="attempt * 40"):
        said = space.finish(space.start("time.out", *LONG), "time.out")
    states = since(pool, before)
    *held, last = states
    assert held
    assert states[last] == "COMPLETED"
    assert {states[job] for job in held} == {"HELD"}
    assert "is held: The job exceeded allowed job duration of 00:40" in said
    assert space.gone_on_after() > 0


def test_the_queue_is_started_anew_and_the_job_goes_on(space, pool):
    space.long_training(epochs=8000)
    before = set(pool.jobs(TRAINING))
    run = space.start("queue.out", *LONG)
    wait_until(space.has_checkpoint)
    (job,) = running(pool, before)
    pool.tell("condor_restart", "-fast", "-daemon", "schedd")
    space.finish(run, "queue.out")
    assert since(pool, before) == {job: "COMPLETED"}
    assert space.gone_on_after() == 0


def test_after_the_kill_of_snakemake_its_jobs_are_found_by_their_folder(space, pool):
    """What docs/htcondor.md says: remove the jobs that go on by their folder, wait for their end, start again."""
    space.long_training(epochs=8000)
    before = set(pool.jobs(TRAINING))
    # In the profile's 20 s after the removal the training could end.
    with space.profile("train_model", htcondor_submit_job_max_vacate_time=2):
        run = space.start("killed.out", *LONG)
        wait_until(space.has_checkpoint)
        run.kill()
        run.wait()
        (orphan,) = running(pool, before)
        pool.tell("condor_rm", "-constraint", f'Iwd == "{space.folder}"')
        # It counts as removed at once, and stays in the queue as long as its program runs.
        wait_until(lambda: not pool.tell("condor_q", "-all", orphan, "-autoformat", "ClusterId").strip())
        space.call(*space.snakemake("--configfile", CONFIG, "--unlock"))
        space.finish(space.start("again.out", *LONG), "again.out")
    assert list(since(pool, before).values()) == ["REMOVED", "COMPLETED"]
    assert space.gone_on_after() > 0
    assert set(space.model()["seeds"]) == {1, 2}


def test_the_tiny_run_from_end_to_end(space, pool):
    before = {job["ClusterId"] for job in pool.all_jobs()}
    # The trainings before it have taken the folder over.
    space.finish(space.start("tiny.out", *TINY, "--config", "on_other_results=overwrite"), "tiny.out")
    results = space.folder / "results"
    methods = {"ae", "nae", "wnae", "mahalanobis", "wnae_ensemble"}
    assert {path.stem for path in results.glob("jets/auc/*.csv")} == methods
    assert "WNAE" in (results / "jets/summary.md").read_text()
    every = [job for job in pool.all_jobs() if job["ClusterId"] not in before]
    assert {(job["JobStatus"], job["ExitCode"]) for job in every} == {(4, 0)}
    kind = re.compile("train_model|train_ceilings|score|monitor|.*")
    kinds = Counter(kind.match(job["JobBatchName"])[0] for job in every)
    # Small programs are grouped by method; the dataset is there, and summaries are made where Snakemake runs.
    assert kinds == {"train_model": 6, "score": 5, "monitor": 6, "train_ceilings": 1}
    asked = {(job["RequestMemory"], job["AllowedJobDuration"]) for job in every if TRAINING in job["JobBatchName"]}
    assert asked == {(4000, 172800)}
