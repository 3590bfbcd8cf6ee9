"""What the tests on Slurm and on HTCondor share: a copy of the repository, runs in it, an end to what they leave."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pytest
import torch
import yaml

ROOT = Path(__file__).parents[1]
PARTS = ("Snakefile", "rules", "workflow", "src", "config", "envs", "profiles", "slurm", "htcondor")
# In the environment of every run and its jobs: without cgroups a batch system loses processes of jobs that it ends, so
# the tests end them.
MARK = ("ODDJET_CLUSTER_TESTS", str(os.getpid()))
RUNS: list[subprocess.Popen] = []

TINY = ("--configfile", "config/test/tiny.yaml")
# A training that takes as long as a test wants; its model, and its log.
CONFIG = "config/long.yaml"
FOLDER = "results/jets/models/ae/seeds-1-2"
LONG = ("--configfile", CONFIG, "--", f"{FOLDER}/model.pt")
LOG = "results/logs/train_model/jets/ae/seeds-1-2.log"

Found = TypeVar("Found")


def only_when_asked(config: pytest.Config, items: list[pytest.Item], system: str, folder: Path) -> None:
    """Mark the tests of a folder by their batch system, and skip them unless `-m` names it."""
    asked = system in config.getoption("-m")
    for item in items:
        if folder in item.path.parents:
            item.add_marker(getattr(pytest.mark, system))
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group(system))
            if not asked:
                item.add_marker(pytest.mark.skip(reason=f"takes minutes and starts daemons: make test-{system}"))


def wait_until(condition: Callable[[], Found], seconds: float = 600.0) -> Found:
    """Ask until a condition holds, for a batch system tells nobody what becomes of a job; fail after the seconds."""
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.2)
    return found


def processes_with(*variables: tuple[str, str]) -> list[int]:
    """Return the processes that have all of the variables in their environment, but not those that are over."""
    found, wanted = [], {"=".join(variable).encode() for variable in variables}
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted <= set(environment.read_bytes().split(b"\0")):
                found.append(int(environment.parent.name))
        except OSError:  # it has ended
            continue
    return found


def end(processes: Iterable[int]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def end_runs() -> None:
    """Interrupt the runs of a test that go on, as Ctrl-C would, and end what jobs have left behind.

    A Snakemake of a job that gets SIGTERM while it looks for the job's files waits for itself for good, and where no
    cgroup holds it the batch system loses sight of it.
    """
    for run in RUNS:
        if run.poll() is None:
            run.send_signal(signal.SIGINT)
            run.wait(timeout=120)
    RUNS.clear()
    end(processes_with(MARK))
    wait_until(lambda: not processes_with(MARK), seconds=20)


class ClusterWorkspace:
    """A copy of the parts of the repository that a run through a profile needs.

    `system` names the profile, `options` are added to every run, `environment` to that of the tests, and `user` is who
    runs and owns all of it; None: who runs the tests.
    """

    def __init__(
        self,
        folder: Path,
        system: str,
        *,
        options: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self.folder, self.system, self.options, self.user = folder, system, options, user
        self.environment = {**os.environ, **(environment or {}), MARK[0]: MARK[1]}
        folder.mkdir(parents=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                # With __pycache__: it holds the compiled kernels, which take ten seconds a process to make again.
                shutil.copytree(source, folder / part)
            else:
                shutil.copy2(source, folder / part)
        self.hand_over()

    def hand_over(self) -> None:
        """Give what the tests have written to the user who runs it."""
        if self.user is not None:
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, self.user, follow_symlinks=False)

    @contextmanager
    def profile(self, rule: str, **resources: object) -> Iterator[None]:
        """Have other resources of a rule in the workspace's profile; the others stay as they are shipped."""
        shipped = (ROOT / self.system / "config.yaml").read_text()
        profile = yaml.safe_load(shipped)
        profile["set-resources"][rule].update(resources)
        (self.folder / self.system / "config.yaml").write_text(yaml.safe_dump(profile))
        yield
        (self.folder / self.system / "config.yaml").write_text(shipped)

    def call(self, *command: str) -> subprocess.CompletedProcess:
        """Run a command to its end, which must be a good one."""
        given = {"cwd": self.folder, "env": self.environment, "user": self.user, "capture_output": True, "text": True}
        done = subprocess.run(command, check=False, **given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def snakemake(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", "--nocolor", "--profile", self.system, *arguments]

    def start(self, name: str, *arguments: str) -> subprocess.Popen:
        """Start Snakemake with the profile; what it prints goes to a file of that name."""
        with (self.folder / name).open("w") as output:
            given = {"cwd": self.folder, "env": self.environment, "user": self.user}
            command = self.snakemake(*self.options, *arguments)
            RUNS.append(subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **given))
        return RUNS[-1]

    def finish(self, run: subprocess.Popen, name: str) -> str:
        """Wait for the end of a run that must succeed; give what it printed."""
        status = run.wait(timeout=1200)
        told = (self.folder / name).read_text()
        assert status == 0, told
        return told

    def long_training(self, epochs: int) -> dict:
        """Make a training of so many epochs the one that is to be done; give the configuration."""
        config = yaml.safe_load((self.folder / "config/test/tiny.yaml").read_text())
        settings = {"epochs": epochs, "batch_size": 64, "snapshot_every": 10**6, "validate_every": 100}
        config["methods"] = {"ae": {"kind": "ae", "training": {**settings, "checkpoint_seconds": 1}}}
        config["on_other_results"] = "overwrite"  # of the tiny run, in whose folder this trains
        (self.folder / CONFIG).write_text(json.dumps(config))
        self.call("rm", "-rf", FOLDER, LOG)
        return config

    def reference(self, method: dict) -> tuple[dict, float]:
        """Train undisturbed, without Snakemake and jobs; give the model and the epochs a second."""
        command = [sys.executable, "workflow/scripts/train_model.py", "--settings", json.dumps(method)]
        command += ["--method", "ae", "--seeds", "1", "2", "--output-dir", "reference"]
        command += ["--scaler", "results/jets/dataset/scaler.json"]
        command += [f"--{part}=results/jets/dataset/{part}.h5" for part in ("train", "validation")]
        self.call(*command)
        with (self.folder / "reference/history.csv").open(newline="") as file:
            seconds = sum(float(row["seconds"]) for row in csv.DictReader(file) if row["seed"] == "1")
        model = torch.load(self.folder / "reference/model.pt", weights_only=True)
        return model, method["training"]["epochs"] / seconds

    def model(self, group: str = "seeds-1-2") -> dict:
        return torch.load(self.folder / FOLDER / f"../{group}/model.pt", weights_only=True)

    def has_checkpoint(self) -> bool:
        return any((self.folder / FOLDER / "checkpoints").glob("*.pt"))

    def epochs_done(self) -> int:
        return self._last(r"epoch (\d+)/")

    def gone_on_after(self) -> int:
        """Return the epoch after which the training has gone on, 0 where it was not interrupted."""
        return self._last(r"going on after epoch (\d+)")

    def _last(self, number: str) -> int:
        log = self.folder / LOG
        found = re.findall(number, log.read_text()) if log.exists() else []
        return int(found[-1]) if found else 0


def same_model(one: dict, other: dict) -> bool:
    """Whether two trainings have ended with the same bits."""
    parameters = other["parameters"]
    return one["epochs"] == other["epochs"] and all(
        torch.equal(tensor, parameters[name]) for name, tensor in one["parameters"].items()
    )
