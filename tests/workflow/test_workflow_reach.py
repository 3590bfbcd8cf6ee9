"""The digest of a program covers every function that a real run of it executes."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from oddjet.jobs import Jobs
from oddjet.provenance import digest
from oddjet.provenance.reach import UNCOUNTED

TINY = ("--configfile", "config/test/tiny.yaml")
# Programs of all kinds: the simulation, compiled kernels, a training with a loss that is imported by name, a baseline,
# scores by what is imported by name, tables and a figure.
OUTPUTS = [
    ("simulate_sample", "results/samples/top/0000.root"),
    ("extract_features", "results/tables/top/0000.h5"),
    ("build_dataset", "results/jets/dataset/train.h5"),
    ("train_model", "results/jets/models/wnae/seeds-3/model.pt"),
    ("fit_baseline", "results/jets/models/mahalanobis/seeds-3/model.pt"),
    ("monitor_training", "results/jets/models/wnae/seeds-3/auc_by_epoch.csv"),
    ("score", "results/jets/scores/mahalanobis/seeds-3.h5"),
    ("score", "results/jets/scores/wnae_ensemble/mean.h5"),
    ("evaluate", "results/jets/auc/mahalanobis.csv"),
    ("summarize", "results/jets/leaderboard.md"),
    ("plot_methods", "results/jets/figures/auc_heatmap_mahalanobis.pdf"),
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def space(finished, run_once):
    """A copy of the finished run, in which programs run once more."""
    return run_once("finished", "--cores", "2", *TINY)[0]


@pytest.fixture(scope="module")
def planned(space):
    """Give the job of an output, with the script and modules that its rule has digested in place of their digest."""
    with pytest.MonkeyPatch.context() as patch:
        # The rules import it when they are parsed.
        patch.setattr(digest, "code_digest", lambda *names: " ".join(names))
        plan = Jobs(space.folder / "config/test/tiny.yaml")
    return lambda output: plan.jobs(output)[0]


def definition(file: Path, line: int) -> str:
    """Name the definition at the top of a file that a line belongs to."""
    for node in ast.parse(file.read_text()).body:
        start = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", []))])
        if start <= line <= node.end_lineno:
            return getattr(node, "name", None) or next(part.id for part in ast.walk(node) if isinstance(part, ast.Name))
    raise AssertionError(f"{file}:{line}")


@pytest.mark.parametrize(("program", "output"), OUTPUTS)
def test_every_function_that_runs_is_reached(space, planned, program, output, tmp_path):
    job = planned(output)
    traced = f"python {Path(__file__).with_name('traced.py')} {tmp_path / 'executed'} "
    command = re.sub(r"^(exec )?python ", traced, job.command).split(" > ")[0]
    environment = {**os.environ, "ODDJET": str(space.folder), "PYTHONPATH": str(space.folder / "src")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=space.folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    package = space.folder / "src/oddjet"
    executed = set()
    for line in (tmp_path / "executed").read_text().splitlines():
        file, number, _ = line.split("\t")
        name = ".".join(Path(file).relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")
        if not name.endswith(tuple(part.replace("/", ".") for part in UNCOUNTED)):
            executed.add(f"{name}.{definition(Path(file), int(number))}")
    assert len(executed) > 10
    entry, *modules = job.code_digest.split()
    assert entry == program
    assert executed - digest.reached_definitions(entry, *modules) == set()
