"""A Slurm of one node, a copy of the repository, and the tiny configuration run in it once through the profile."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from cluster_runs import ClusterWorkspace, end_runs, end_what_is_left, only_when_asked

HERE = Path(__file__).parent
NEEDED = {"slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-wlm", "munged": "munge"}


def pytest_collection_modifyitems(config, items):
    only_when_asked(config, items, "slurm", HERE)


@pytest.fixture(scope="session")
def cluster():
    """Start Slurm; give its host name."""
    missing = sorted({package for program, package in NEEDED.items() if shutil.which(program) is None})
    if missing:
        pytest.skip(f"no Slurm here: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("slurmd is started as root")
    # A short path: the name of munge's socket has at most 107 letters.
    folder = Path(tempfile.mkdtemp(prefix="oddjet-slurm-"))
    started = subprocess.run([HERE / "start.sh", folder], capture_output=True, text=True, check=False)
    try:
        if started.returncode == 2:
            pytest.skip(started.stderr.strip())
        assert started.returncode == 0, started.stderr
        yield os.uname().nodename.split(".")[0]
    finally:
        subprocess.run([HERE / "stop.sh", folder], check=False)
        shutil.rmtree(folder)
        end_what_is_left()


@pytest.fixture(autouse=True)
def _nothing_left_running():
    yield
    end_runs()


def slurm(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def jobs(comment: str) -> dict[int, str]:
    """State of every job of a rule, by its number."""
    lines = slurm("squeue", "--states=all", "--noheader", "--format=%A|%T|%k").splitlines()
    fields = [line.split("|") for line in lines]
    return {int(number): state for number, state, said in sorted(fields) if said.startswith(comment)}


@pytest.fixture(scope="session")
def slurm_tools():
    """Give the functions that ask Slurm: command, jobs of a rule."""
    return slurm, jobs


@pytest.fixture(scope="session")
def tiny_on_slurm(cluster, tmp_path_factory):
    """Give the workspace in which the tiny configuration has run through the profile as it is shipped."""
    # The profile's first look at a job after 20 s would be most of the time that these jobs take.
    options = ("--slurm-init-seconds-before-status-checks", "2")
    space = ClusterWorkspace(tmp_path_factory.mktemp("slurm") / "repository", "slurm", options=options)
    space.finish(space.start("tiny.out", "--configfile", "config/test/tiny.yaml"), "tiny.out")
    return space
