"""What goes wrong around a run ends with a clear message, damages nothing, and leaves a next run that finishes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import yaml

from oddjet.io.tables import read_table

TINY = ("--configfile", "config/test/tiny.yaml")
TABLE = "results/tables/top/0000.h5"
FORCE = ("--cores", "1", *TINY, "--force", "--", TABLE)

pytestmark = pytest.mark.slow


@pytest.fixture
def space(finished, tmp_path):
    """A copy of the finished workspace, to be damaged."""
    return type(finished)(tmp_path / "repository", origin=finished.folder)


def start(space, *arguments: str) -> subprocess.Popen:
    """Start Snakemake and wait until its job has begun."""
    log = space.folder / "results/logs/extract_features/top/0000.log"
    log.unlink()
    command = [sys.executable, "-m", "snakemake", *arguments]
    run = subprocess.Popen(command, cwd=space.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 120
    while not log.exists():
        assert run.poll() is None
        assert time.monotonic() < limit, "the job did not begin"
        time.sleep(0.01)
    return run


@contextmanager
def gate(space) -> Iterator[Callable[[], object]]:
    """Let the job's program wait for a byte in a pipe, and give the function that sends it."""
    script, first = "workflow/scripts/extract_features.py", "def main() -> None:"
    space.replace(script, first, f"{first}\n    Path('gate').open('rb', buffering=0).read(1)")
    os.mkfifo(space.folder / "gate")
    # Opened for both, or the opening would wait for a job that may never come.
    pipe = os.open(space.folder / "gate", os.O_RDWR)
    try:
        # Once for each file of the batch.
        yield lambda: os.write(pipe, b"xx")
    finally:
        os.close(pipe)


def told(done: subprocess.CompletedProcess) -> str:
    return done.stdout + done.stderr


def half_written(space) -> list:
    return list((space.folder / "results").rglob(".tmp-*"))


def test_a_second_run_on_the_same_results_is_refused(space):
    before = read_table(space.folder / TABLE)
    with gate(space) as let_go_on:
        first = start(space, *FORCE)
        second = space.snakemake(*FORCE)
        assert second.returncode != 0
        assert "Directory cannot be locked" in told(second)
        let_go_on()
        assert first.wait() == 0
    assert np.array_equal(read_table(space.folder / TABLE), before)


def test_after_the_kill_of_the_main_process_the_next_run_finishes(space):
    before = read_table(space.folder / TABLE)
    run = start(space, *FORCE)
    run.send_signal(signal.SIGKILL)
    run.wait()
    locked = space.snakemake(*TINY, "--cores", "1")
    assert locked.returncode != 0
    assert "--unlock" in told(locked)
    assert space.snakemake(*TINY, "--unlock").returncode == 0
    # What was being made is made again (rerun-incomplete is in the default profile), with what depends on it.
    done = space.snakemake("--cores", "1", *TINY, "--", TABLE)
    assert done.returncode == 0, told(done)
    assert np.array_equal(read_table(space.folder / TABLE), before)
    assert not half_written(space)


@contextmanager
def small_disk(space, megabytes: int):
    """Put `results` on a file system of its own, with what it holds."""
    results = space.folder / "results"
    kept = results.rename(space.folder / "kept")
    results.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(results)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root and the right to mount")
    try:
        shutil.copytree(kept, results, dirs_exist_ok=True)
        yield results
    finally:
        subprocess.run(["umount", "--lazy", str(results)], check=True)


def test_a_full_disk_is_named_and_the_next_run_finishes(space):
    before = read_table(space.folder / TABLE)
    with small_disk(space, 200) as results:
        (space.folder / TABLE).unlink()
        left = shutil.disk_usage(results).free
        (results / "filler").write_bytes(bytes(left - 4_000_000))
        failed = space.snakemake(*FORCE)
        assert failed.returncode != 0
        assert f"error: {TABLE}: disk full" in told(failed)
        assert "Traceback" not in told(failed)
        assert not half_written(space)
        (results / "filler").unlink()
        done = space.snakemake(*FORCE)
        assert done.returncode == 0, told(done)
        assert np.array_equal(read_table(space.folder / TABLE), before)


def test_a_folder_that_cannot_be_written_is_named_before_any_job(space):
    before = read_table(space.folder / TABLE)
    with small_disk(space, 200) as results:
        subprocess.run(["mount", "-o", "remount,ro", str(results)], check=True)
        failed = space.snakemake(*FORCE)
        assert failed.returncode != 0
        assert "Write-protected output files" in told(failed)
        assert np.array_equal(read_table(space.folder / TABLE), before)
        subprocess.run(["mount", "-o", "remount,rw", str(results)], check=True)
        # All that the job writes: a file that is left would be named instead.
        for table in (space.folder / TABLE).parent.glob("*.h5"):
            table.unlink()
        subprocess.run(["mount", "-o", "remount,ro", str(results)], check=True)
        failed = space.snakemake(*FORCE)
        assert failed.returncode != 0
        assert "results cannot be written" in told(failed)
        assert "Traceback" not in told(failed)
        subprocess.run(["mount", "-o", "remount,rw", str(results)], check=True)
        assert space.snakemake(*FORCE).returncode == 0
        assert np.array_equal(read_table(space.folder / TABLE), before)


def test_names_from_the_config_are_never_executed(space):
    """Spaces, quotes, `;`, `$( )` and backticks in a file's name, braces too in the label, work as they stand."""
    evil = "a; touch OPENED $(touch OPENED) `touch OPENED` 'q' \"d\" {x} & | > OPENED"
    own = space.folder / "own files"
    own.mkdir()
    file = evil.replace("{x}", "")
    shutil.copy(space.folder / "results/samples/top/0000.root", own / f"{file}.root")
    config = yaml.safe_load((space.folder / "config/test/tiny.yaml").read_text())
    config["samples"]["own"] = {"kind": "background", "files": [f"own files/{file}.root"]}
    config["label"] = evil
    (space.folder / "config/own.yaml").write_text(yaml.safe_dump(config))
    names = ("--cores", "2", "--configfile", "config/own.yaml", "--", "features")
    done = space.snakemake(*names)
    assert done.returncode == 0, told(done)
    [table] = (space.folder / "results/tables/own").glob("*.h5")
    same = ["event", "pt", "tau2"]
    assert np.array_equal(read_table(table)[same], read_table(space.folder / TABLE)[same])

    (own / "{x}.root").touch()
    braces = {**config["samples"], "own": {"kind": "background", "files": ["own files/{x}.root"]}}
    (space.folder / "config/own.yaml").write_text(yaml.safe_dump({**config, "samples": braces}))
    refused = space.snakemake("--dry-run", "--configfile", "config/own.yaml")
    assert refused.returncode != 0
    assert "Snakemake takes braces for wildcards" in told(refused)

    del config["samples"]["own"]
    (space.folder / "config/own.yaml").write_text(yaml.safe_dump(config))
    figure = "results/jets/figures/auc_heatmap_ae.pdf"
    done = space.snakemake("--cores", "1", "--configfile", "config/own.yaml", "--", figure)
    assert done.returncode == 0, told(done)
    assert not list(space.folder.rglob("*OPENED"))


@pytest.mark.parametrize("name", ["a b", "a;touch OPENED", "$(touch OPENED)", "it's", "../up", "{x}", "-rf"])
def test_sample_and_method_names_that_a_shell_could_read_are_refused(finished, dry_runs_told, name):
    config = yaml.safe_load((finished.folder / "config/test/tiny.yaml").read_text())
    for section in ("samples", "methods"):
        changed = {**config, section: {**config[section], name: next(iter(config[section].values()))}}
        (finished.folder / "config/changed.yaml").write_text(yaml.safe_dump(changed))
        status, output = dry_runs_told("--configfile", "config/changed.yaml")
        assert status != 0
        assert f"{section}: the name " in output
        assert "Traceback" not in output
    assert not list(finished.folder.rglob("*OPENED"))
