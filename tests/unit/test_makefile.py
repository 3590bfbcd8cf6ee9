"""`make clean` asks, removes results and nothing else, and leaves a linked folder a link."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    disk = tmp_path / "large disk"
    (disk / "models/wnae").mkdir(parents=True)
    (disk / "models/wnae/model.pt").touch()
    (disk / "README.md").write_text("what is what")
    (folder / "results").symlink_to(disk)
    (folder / ".snakemake").mkdir()
    return folder


def clean(folder: Path, answer: str, *words: str) -> subprocess.CompletedProcess:
    command = ["make", "clean", *words]
    return subprocess.run(command, cwd=folder, input=answer, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("answer", "words"), [("yes\n", ()), ("", ("SURE=yes",))])
def test_results_go_and_the_link_and_its_page_stay(copy, answer, words):
    done = clean(copy, answer, *words)
    assert done.returncode == 0, done.stderr
    assert (copy / "results").is_symlink()
    assert [path.name for path in (copy / "results").iterdir()] == ["README.md"]
    assert not (copy / ".snakemake").exists()


@pytest.mark.parametrize("answer", ["", "\n", "no\n", "y\n"])
def test_without_a_yes_nothing_goes(copy, answer):
    done = clean(copy, answer)
    assert done.returncode != 0
    assert str((copy / "results").resolve()) in done.stdout
    assert "Nothing was removed" in done.stdout
    assert (copy / "results/models/wnae/model.pt").exists()
    assert (copy / ".snakemake").exists()


def test_programs_get_nothing_of_other_software(copy):
    printed = subprocess.run(
        ["make", "-f", "Makefile", "-f", "-", "print"],
        cwd=copy,
        input="print:\n\t@env\n",
        env={**os.environ, "PYTHONPATH": "/cvmfs/view", "PYTHONHOME": "/cvmfs"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert not [line for line in printed if line.startswith(("PYTHONPATH=", "PYTHONHOME="))]
    assert "PYTHONNOUSERSITE=1" in printed


@pytest.fixture
def ready(copy):
    """The copy with an environment that is made: the real Python, and in the place of Snakemake what shows its call."""
    for name in ("workflow", "config"):
        (copy / name).symlink_to(ROOT / name)
    older = ("envs/requirements.lock", "envs/torch-cuda.lock", "pyproject.toml")
    for name in (*older, ".venv/bin/snakemake", ".venv/bin/python", ".venv/.ready"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).touch(mode=0o755)
    (copy / ".venv/bin/snakemake").write_text('#!/bin/sh\necho "cache $XDG_CACHE_HOME" "$@"\n')
    (copy / ".venv/bin/python").write_text(f'#!/bin/sh\nPYTHONPATH={ROOT}/src exec {sys.executable} "$@"\n')
    return copy


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess:
    given = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    command = ["make", "--old-file=.venv/.ready", "run", *words]
    return subprocess.run(
        command, cwd=folder, env={**given, **environment}, capture_output=True, text=True, check=False
    )


def test_a_home_that_cannot_be_written_gives_its_caches_a_place(ready, tmp_path):
    done = run(ready, HOME="/proc/nobody")
    assert done.returncode == 0, done.stderr
    assert f"/proc/nobody/.cache cannot be written, so caches are kept in {ready}/.snakemake/caches" in done.stdout
    assert f"cache {ready}/.snakemake/caches --cores all" in done.stdout
    assert "cannot be written" not in run(ready, HOME=str(tmp_path)).stdout
    assert f"cache {tmp_path} --cores" in run(ready, HOME="/proc/nobody", XDG_CACHE_HOME=str(tmp_path)).stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"seed:\t1\n", "line 1: a tab"), (b"label: t\xfcr\n", "line 1: byte 0xfc is not UTF-8"), (None, "no such file")],
)
def test_a_configuration_that_cannot_be_read_is_told_before_snakemake_reads_it(ready, content, message):
    if content is not None:
        (ready / "my.yaml").write_bytes(content)
    done = run(ready, "CONFIG=my.yaml")
    assert done.returncode != 0
    assert f"error: my.yaml: {message}" in done.stderr
    assert "Traceback" not in done.stderr
    assert "cache" not in done.stdout
