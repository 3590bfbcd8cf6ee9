"""An HTCondor of one node, and a copy of the repository whose dataset was made through the profile."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cluster_runs import TINY, ClusterWorkspace, end_runs, only_when_asked

HERE = Path(__file__).parent
# HTCondor takes no jobs of root: where root runs the tests, the pool and the jobs are this user's.
USER = "nobody" if os.geteuid() == 0 else None
STATES = {1: "IDLE", 2: "RUNNING", 3: "REMOVED", 4: "COMPLETED", 5: "HELD", 6: "TRANSFERRING", 7: "SUSPENDED"}


def pytest_collection_modifyitems(config, items):
    only_when_asked(config, items, "htcondor", HERE)


class Pool:
    """The pool of the tests, and questions to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        home = folder / "home"
        self.environment = {"CONDOR_CONFIG": str(folder / "condor_config"), "HOME": str(home)}
        home.mkdir()
        folder.chmod(0o755)
        for path in (folder, home):
            if USER is not None:
                shutil.chown(path, USER)

    def call(self, *command: object) -> subprocess.CompletedProcess:
        """Run a command as the user of the pool."""
        return subprocess.run(
            [str(word) for word in command],
            env={**os.environ, **self.environment},
            cwd=self.folder,
            user=USER,
            group=USER and "nogroup",
            capture_output=True,
            text=True,
            check=False,
        )

    def tell(self, *command: object) -> str:
        done = self.call(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def all_jobs(self) -> list[dict]:
        """Return what HTCondor knows of every job, in the queue or out of it, by their numbers."""
        said = [self.tell(command, "-json", *more) for command, *more in (("condor_q", "-all"), ("condor_history",))]
        return sorted(
            (job for text in said if text.strip() for job in json.loads(text)), key=lambda job: job["ClusterId"]
        )

    def jobs(self, rule: str) -> dict[int, str]:
        """State of every job of a rule, by its number."""
        found = {}
        for job in self.all_jobs():
            if job["JobBatchName"].rpartition("-")[0] == rule:
                found[job["ClusterId"]] = STATES[job["JobStatus"]]
        return found


@pytest.fixture(scope="session")
def pool():
    """Start HTCondor."""
    if shutil.which("condor_master") is None:
        pytest.skip("no HTCondor here: apt-get install minicondor (Debian 13), or tests/debian.sh, which makes one")
    if importlib.util.find_spec("snakemake_executor_plugin_htcondor") is None:
        pytest.skip("no plugin for HTCondor here: pip install 'oddjet[htcondor]'")
    there = Pool(Path(tempfile.mkdtemp(prefix="oddjet-htcondor-")))
    try:
        if there.call(sys.executable, "-c", "import oddjet").returncode != 0:
            pytest.skip(f"the user {USER} cannot read {sys.prefix} or {HERE.parents[1]}")
        started = there.call(HERE / "start.sh", there.folder)
        assert started.returncode == 0, started.stderr
        yield there
    finally:
        there.call(HERE / "stop.sh", there.folder)
        end_runs()
        shutil.rmtree(there.folder)


@pytest.fixture(autouse=True)
def _nothing_left_running():
    yield
    end_runs()


@pytest.fixture(scope="session")
def space(pool):
    """Give the workspace where the profile as it is shipped has made the dataset of the tiny configuration."""
    # A look at the jobs every 10 s would be most of the time that these jobs take.
    options = ("--seconds-between-status-checks", "2")
    # Below the pool's folder: into that of pytest no other user may look.
    space = ClusterWorkspace(
        pool.folder / "repository", "htcondor", options=options, environment=pool.environment, user=USER
    )
    files = [f"results/jets/dataset/{name}" for name in ("train.h5", "validation.h5", "scaler.json")]
    space.finish(space.start("dataset.out", *TINY, "--", *files), "dataset.out")
    return space
