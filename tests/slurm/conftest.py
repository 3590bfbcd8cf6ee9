"""A Slurm of two nodes, a copy of the repository, and the tiny configuration run in it once through the profile."""

import os
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import pytest

from cluster_runs import (
    MARK,
    ClusterWorkspace,
    end,
    end_runs,
    only_when_asked,
    processes_with,
    wait_until,
)

HERE = Path(__file__).parent
NEEDED = {"slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-wlm", "munged": "munge"}


def pytest_collection_modifyitems(config, items):
    only_when_asked(config, items, "slurm", HERE)


class Node:
    """A node of the tests' Slurm: a slurmd of its own name, port and folder on this machine."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.environment = ("SLURM_CONF", str(folder / "slurm.conf"))

    def lose_power(self) -> None:
        """End its slurmd and all that its jobs are at once: none of them has the time to say a word to Slurm."""
        jobs = processes_with(MARK, ("SLURMD_NODENAME", self.name))
        parents = {int(Path(f"/proc/{job}/stat").read_text().rpartition(")")[2].split()[1]) for job in jobs}
        steps = {parent for parent in parents if Path(f"/proc/{parent}/comm").read_text() == "slurmstepd\n"}
        assert steps, f"no job runs on {self.name}"
        end([int((self.folder / f"slurmd.{self.name}.pid").read_text()), *steps, *jobs])

    def start_again(self) -> None:
        subprocess.run(["slurmd", "-N", self.name], env={**os.environ, **dict([self.environment])}, check=True)
        slurm("scontrol", "update", f"nodename={self.name}", "state=resume")
        wait_until(lambda: slurm("sinfo", "--noheader", f"--nodes={self.name}", "--format=%t").strip() == "idle")


@pytest.fixture(scope="session")
def cluster():
    """Start Slurm; give its nodes by name. Nothing of it is left at the end."""
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
        yield {name: Node(name, folder) for name in ("node1", "node2")}
    finally:
        subprocess.run([HERE / "stop.sh", folder], check=False)
        end_runs()
        left = processes_with(("SLURM_CONF", str(folder / "slurm.conf")))
        names = [Path(f"/proc/{process}/cmdline").read_text() for process in left]
        end(left)
        shutil.rmtree(folder)
        assert not names, "stop.sh leaves daemons"


@pytest.fixture(autouse=True)
def _nothing_left_running():
    yield
    end_runs()


def slurm(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def jobs(comment: str, *options: str) -> dict[int, str]:
    """State of every job of a rule, by its number; options of `squeue` limit them."""
    lines = slurm("squeue", *options, "--states=all", "--noheader", "--format=%A|%T|%k").splitlines()
    fields = [line.split("|") for line in lines]
    return {int(number): state for number, state, said in sorted(fields) if said.startswith(comment)}


def node_of(job: int) -> str:
    return slurm("squeue", f"--jobs={job}", "--states=all", "--noheader", "--format=%N").strip()


@pytest.fixture(scope="session")
def slurm_tools():
    """Give the functions that ask Slurm: command, jobs of a rule, node of a job."""
    return slurm, jobs, node_of


@pytest.fixture(scope="session")
def on_slurm():
    """Give a function that makes a workspace whose runs go through the profile as it is shipped."""
    # The profile's first look at a job after 20 s would be most of the time that these jobs take.
    return partial(ClusterWorkspace, system="slurm", options=("--slurm-init-seconds-before-status-checks", "2"))


@pytest.fixture(scope="session")
def tiny_on_slurm(cluster, on_slurm, tmp_path_factory):
    """Give the workspace in which the tiny configuration has run on both nodes."""
    space = on_slurm(tmp_path_factory.mktemp("slurm") / "repository")
    space.finish(space.start("tiny.out", "--configfile", "config/test/tiny.yaml"), "tiny.out")
    return space
