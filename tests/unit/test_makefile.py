"""`make clean` asks, removes results and nothing else, and leaves a linked folder a link."""

import os
import shutil
import subprocess
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
