"""A figure and a layout of docs/extending.md, written into a copy of the package and run there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/extending.md").read_text()
BLOCKS = {
    path: text
    for path, text in re.findall(r"^```python\n# (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    if path.startswith(("src/", "tests/"))
}
# The figure's numbers: what `evaluate` and `summarize` write of two methods.
DRAW = """
from pathlib import Path
from oddjet.evaluation.figures_of_merit import GRID, MeritRow
from oddjet.io.csv import write_rows
from oddjet.report.comparison_figures import FIGURES, Compared
from oddjet.titles import Titles
nan = float("nan")
numbers = {("ae", "auc"): 0.6, ("ae", "rejection_at_0.3"): 8.0}
numbers |= {("wnae", "auc"): 0.9, ("wnae", "rejection_at_0.3"): 40.0}
rows = [MeritRow(m, s, GRID, {}, q, v + 0.01 * s, 0.02, nan) for (m, q), v in numbers.items() for s in (-1, 1)]
write_rows(Path("merit.csv"), rows, MeritRow)
figure = FIGURES["rejections"](Compared([], Path("l"), Path("g"), Path("merit.csv"), None, Titles()), "Simulation")
(axes,) = figure.axes
for line in axes.lines:
    print(line.get_label(), *line.get_xydata()[0].round(6))
from oddjet.plan import COMPARISONS
print(*COMPARISONS)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with the page's figure and layout in it, and the page's test."""
    folder = tmp_path_factory.mktemp("repository")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    new = {path for path in BLOCKS if not (ROOT / path).exists()}
    for path in new:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(BLOCKS[path])
    add(
        folder,
        "src/oddjet/report/comparison_figures.py",
        "FIGURES:",
        '"sculpting": sculpting',
        '"rejections": rejections',
    )
    add(folder, "src/oddjet/io/layouts.py", "LAYOUTS:", "JETCLASS", "OPEN_NTUPLE")
    return folder


def add(folder: Path, path: str, table: str, last: str, entry: str) -> None:
    """Put the page's block before a table of a module, and an entry behind its last one."""
    text = (folder / path).read_text()
    above, below = text.split(f"\n{table}")
    assert below.count(last) == 1
    (folder / path).write_text(f"{above}\n{BLOCKS[path]}\n\n{table}{below.replace(last, f'{last}, {entry}')}")


def run(folder: Path, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    command = [sys.executable, *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_touches_as_many_files_as_it_says():
    assert list(BLOCKS) == [
        "src/oddjet/plotting/rejections.py",
        "src/oddjet/report/comparison_figures.py",
        "src/oddjet/io/layouts.py",
        "tests/unit/test_root_open_ntuple.py",
    ]
    said = dict(re.findall(r"^\| an? ([a-z]+) \| (\d)", PAGE, re.MULTILINE))
    # A drawing, its tables and their test; a configuration alone, for a layout that is not built in.
    assert (said["figure"], said["layout"]) == ("3", "0")


def test_the_figure_of_the_page_is_drawn_and_planned(copy):
    said = run(copy, "-c", DRAW).splitlines()
    assert said == ["AE 0.6 8.0", "WNAE 0.9 40.0", "leaderboard roc sculpting rejections"]


def test_the_layout_of_the_page_is_told_and_read(copy):
    assert "1 passed" in run(
        copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/test_root_open_ntuple.py"
    )
    said = run(copy, "-c", "from oddjet.io.layouts import LAYOUTS; print(len({one.name for one in LAYOUTS}))")
    assert said == "7\n"
