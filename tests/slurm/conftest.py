"""A Slurm of one node, a copy of the repository, and the tiny configuration run in it once through the profile."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PARTS = ("Snakefile", "rules", "workflow", "src", "config", "envs", "profiles", "slurm")
NEEDED = {"slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-wlm", "munged": "munge"}


def pytest_collection_modifyitems(config, items):
    asked = "slurm" in config.getoption("-m")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slurm)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group("slurm"))
            if not asked:
                item.add_marker(pytest.mark.skip(reason="takes minutes and starts daemons: make test-slurm"))


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


RUNS: list[subprocess.Popen] = []


@pytest.fixture(autouse=True)
def _nothing_left_running():
    yield
    for run in RUNS:
        if run.poll() is None:
            run.send_signal(signal.SIGINT)
            run.wait(timeout=120)
    RUNS.clear()


class SlurmWorkspace:
    """A copy of the parts of the repository that a run needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                # With __pycache__: it holds the compiled kernels, which take ten seconds a process to make again.
                shutil.copytree(source, folder / part)
            else:
                shutil.copy2(source, folder / part)

    def profile(self, rule: str, **resources: object) -> None:
        """Change resources of a rule in the workspace's profile; the others stay as they are shipped."""
        path = self.folder / "slurm/config.yaml"
        profile = yaml.safe_load((ROOT / "slurm/config.yaml").read_text())
        profile["set-resources"][rule].update(resources)
        path.write_text(yaml.safe_dump(profile))

    def start(self, name: str, *arguments: str) -> subprocess.Popen:
        """Start Snakemake with the profile; what it prints goes to a file of that name."""
        command = [sys.executable, "-m", "snakemake", "--nocolor", "--profile", "slurm"]
        # The profile's first look at a job after 20 s would be most of the time that these jobs take.
        command += ["--slurm-init-seconds-before-status-checks", "2", *arguments]
        with (self.folder / name).open("w") as output:
            RUNS.append(subprocess.Popen(command, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT))
        return RUNS[-1]

    def finish(self, run: subprocess.Popen, name: str) -> str:
        """Wait for the end of a run that must succeed; give what it printed."""
        status = run.wait(timeout=1200)
        told = (self.folder / name).read_text()
        assert status == 0, told
        return told


def slurm(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def jobs(comment: str) -> dict[int, str]:
    """State of every job of a rule, by its number."""
    lines = slurm("squeue", "--states=all", "--noheader", "--format=%A|%T|%k").splitlines()
    fields = [line.split("|") for line in lines]
    return {int(number): state for number, state, said in sorted(fields) if said.startswith(comment)}


def wait_until(condition, seconds: float = 600.0):
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.2)
    return found


@pytest.fixture(scope="session")
def slurm_tools():
    """Give the functions that ask Slurm: command, jobs of a rule, waiting."""
    return slurm, jobs, wait_until


@pytest.fixture(scope="session")
def tiny_on_slurm(cluster, tmp_path_factory):
    """Give the workspace in which the tiny configuration has run through the profile as it is shipped."""
    space = SlurmWorkspace(tmp_path_factory.mktemp("slurm") / "repository")
    space.finish(space.start("tiny.out", "--configfile", "config/test/tiny.yaml"), "tiny.out")
    return space
