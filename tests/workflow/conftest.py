"""A copy of the repository to run the workflow in, and one finished tiny run that several tests look at.

A module about a target of its own names it, `TARGET = "images"`, and gets the finished workspace as `made` and the
programs that a dry run would start as `first_jobs`. `KEYS` is the heading of a table of docs/reruns.md, which `readers`
holds.
"""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from oddjet.batches import stage_of
from oddjet.config import load_config

ROOT = Path(__file__).parents[2]
TINY = ("--configfile", "config/test/tiny.yaml")
PARTS = ("Snakefile", "rules", "workflow", "src", "config", "envs", "profiles", "slurm")
ALLOWED = "config: on_other_results=overwrite\n"


class Workspace:
    """A copy of the parts of the repository that a run needs."""

    def __init__(self, folder: Path, origin: Path = ROOT) -> None:
        self.folder = folder
        for part in (*PARTS, *(("results", ".snakemake") if origin != ROOT else ())):
            source, target = origin / part, folder / part
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        # Tests put one configuration after another into one folder; that users may not is tested by itself.
        profile = folder / "profiles/default/config.yaml"
        if ALLOWED not in profile.read_text():
            profile.write_text(profile.read_text() + ALLOWED)

    def snakemake(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "snakemake", "--nocolor", *arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def planned(self, *arguments: str) -> dict[str, int]:
        """Jobs of a dry run by rule, or by the stage of the batches of files; empty when nothing is to be done."""
        done = self.snakemake("--dry-run", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        table = re.search(r"^job +count\n[- ]+\n(.*?)^total ", done.stdout, re.MULTILINE | re.DOTALL)
        if table is None:
            assert "Nothing to be done" in done.stdout + done.stderr
            return {}
        counts: Counter[str] = Counter()
        for rule, count in re.findall(r"^(\S+) +(\d+)$", table[1], re.MULTILINE):
            counts[stage_of(rule)] += int(count)
        return counts

    def replace(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert old in text, f"{name} does not hold {old!r}"
        path.write_text(text.replace(old, new, 1))


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "repository")


@pytest.fixture(scope="session")
def run_once(tmp_path_factory):
    """Give a function that runs Snakemake in a new workspace once for all workers of a test run.

    It takes a name, Snakemake's arguments and the folder to start from, and returns a copy of the finished workspace
    that the worker may edit, and what Snakemake said.
    """
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def run(name: str, *arguments: str, origin: Path = ROOT) -> tuple[Workspace, str]:
        once = base / f"once_{name}"
        with FileLock(f"{once}.lock"):
            if not once.exists():
                space = Workspace(tmp_path_factory.mktemp(name) / "repository", origin)
                done = space.snakemake(*arguments)
                assert done.returncode == 0, done.stdout + done.stderr
                (space.folder / "said").write_text(done.stdout + done.stderr)
                space.folder.rename(once)
        return Workspace(tmp_path_factory.mktemp(f"own_{name}") / "repository", once), (once / "said").read_text()

    return run


@pytest.fixture(scope="session")
def finished(run_once) -> Workspace:
    """The tiny configuration, run from end to end."""
    return run_once("finished", "--cores", "2", *TINY)[0]


@dataclass(frozen=True)
class Job:
    """A job of a dry run; `method` is None where it has none, or several."""

    rule: str
    method: str | None
    reason: str

    @property
    def first(self) -> bool:
        """Whether the job runs for a change of its own, not because another job makes its inputs anew."""
        return "Input files updated by another job" not in self.reason


@contextmanager
def dry_run_server(folder: Path) -> Iterator[Callable[..., tuple[int, str]]]:
    """Give a function that returns status and output of a dry run in a folder; see dry_runs.py."""
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("dry_runs.py")],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:

        def dry_run(*arguments: str) -> tuple[int, str]:
            print(json.dumps(arguments), file=server.stdin, flush=True)
            status, output = json.loads(server.stdout.readline())
            return status, output

        yield dry_run
        server.stdin.close()


@pytest.fixture(scope="session")
def dry_runs_told(finished):
    """Give a function that returns status and output of a dry run in the finished workspace."""
    with dry_run_server(finished.folder) as dry_run:
        yield dry_run


@pytest.fixture(scope="session")
def dry_runs(dry_runs_told):
    """Give a function that returns the jobs of a dry run in the finished workspace."""

    def jobs(*arguments: str) -> list[Job]:
        status, output = dry_runs_told(*arguments)
        assert status == 0, output
        blocks = [
            block for block in output.split("\n\n") if "\nShell command: " in block and "workflow/scripts/" in block
        ]
        assert blocks or "Nothing to be done" in output, output
        return [job_of(block) for block in blocks]

    return jobs


def job_of(block: str) -> Job:
    # What an ensemble reads bears the names of its members.
    named = re.findall(r" --method ([\w-]+)", block)
    methods = set(named or re.findall(r"results/[\w-]+/(?:models|scores|auc)/([\w-]+)", block))
    return Job(
        re.search(r"workflow/scripts/(\w+)\.py", block)[1],
        methods.pop() if len(methods) == 1 else None,
        re.search(r"^Reason: (.*)$", block, re.MULTILINE)[1],
    )


@pytest.fixture(scope="module")
def readers(request) -> dict[str, set[str]]:
    """The rules that each key reruns first: the first table under the module's heading of docs/reruns.md."""
    page = (ROOT / "docs/reruns.md").read_text()
    section = page.split(f"## {request.module.KEYS}\n")[1].split("\n## ")[0]
    rows = [
        [re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:3]]
        for line in section.splitlines()
        if "|" in line
    ]
    return {key: set(rules) for keys, rules in rows for key in keys}


@pytest.fixture(scope="module")
def made(request, run_once) -> Workspace:
    """The tiny configuration, and what the module's target makes of it."""
    target = request.module.TARGET
    return run_once(target, target, "--cores", "2", *TINY)[0]


@pytest.fixture(scope="module")
def first_jobs(request, made):
    """Give a function: the programs that a dry run of the module's target starts for a change of their own."""
    with dry_run_server(made.folder) as dry_run:

        def ask(*arguments: str) -> set[str]:
            status, output = dry_run(request.module.TARGET, *arguments)
            assert status == 0, output
            blocks = [block for block in output.split("\n\n") if "\nShell command: " in block]
            assert blocks or "Nothing to be done" in output, output
            first = [block for block in blocks if "Input files updated by another job" not in block]
            return {re.search(r"workflow/scripts/(\w+)\.py", block)[1] for block in first}

        yield ask


@pytest.fixture(scope="session")
def _written_out() -> dict:
    return load_config(yaml.safe_load((ROOT / "config/test/tiny.yaml").read_text())).model_dump(mode="json")


@pytest.fixture
def whole(_written_out) -> dict:
    """The tiny configuration with every key written out, to be edited."""
    return copy.deepcopy(_written_out)


@pytest.fixture
def configured(made, whole):
    """Give a function that writes a configuration into the workspace of `made` and returns Snakemake's arguments.

    It is `whole`, with other values in it by dotted key; a dictionary changes some keys of a section.
    """

    def write(changes: dict[str, object] | None = None) -> tuple[str, str]:
        for key, value in (changes or {}).items():
            *parents, last = key.split(".")
            section = whole
            for part in parents:
                section = section[part]
            section[last] = section[last] | value if isinstance(value, dict) else value
        # JSON is YAML, and keeps 1e-5 a number.
        (made.folder / "config/changed.yaml").write_text(json.dumps(whole))
        return "--configfile", "config/changed.yaml"

    return write
