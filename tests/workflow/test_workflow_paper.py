"""The target `figures`: what it draws, what it leaves out, and what an edit draws again."""

import re
from pathlib import Path

import pytest

TINY = ("--configfile", "config/test/tiny.yaml")
ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "docs/reruns.md").read_text().split("## The paper's figures: edit this, these rerun\n")[1]
ROWS = [re.findall(r"`([^`]+)`", line) for line in SECTION.split("\n## ")[0].splitlines() if line.startswith("| ")][2:]
# What the tiny configuration, which has no nae_logcosh and no sample of kind reversed, leaves out.
LEFT_OUT = {"5", "7a", "7b", "7c", "13"}
DRAWN = {"1", "2a", "2b", "3a", "3b", "4", "6", "8", "9a", "9b", "10", "11", "12"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def drawn(run_once, finished):
    """The finished run, with the paper's figures, and what Snakemake said."""
    return run_once("drawn", "figures", "--cores", "2", *TINY, origin=finished.folder)


def test_every_figure_whose_method_there_is(drawn):
    space, said = drawn
    folder = space.folder / "results/figures/paper"
    for suffix, start in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
        files = {path.stem.removeprefix("figure_"): path for path in folder.glob(f"*.{suffix}")}
        assert set(files) == DRAWN
        assert all(path.read_bytes().startswith(start) for path in files.values())
    assert "no method nae_logcosh: the paper's figures 5, 7a, 7b, 7c are left out" in said
    assert "| wnae | 3 |" in (space.folder / "results/epoch_choice.md").read_text()
    assert space.planned(*TINY) == {}
    assert space.planned("figures", *TINY) == {}


def test_all_figures_of_the_reproduction_are_planned(workspace):
    planned = workspace.planned("figures", "--configfile", "config/reproduction.yaml")
    names = ("plot_epochs", "plot_histograms", "plot_paper_heatmap", "plot_sketch", "sample_negatives")
    assert [planned[name] for name in names] == [8, 3, 4, 3, 2]
    assert planned["build_reversed"] == planned["train_reversed"] == planned["monitor_reversed"] == 1
    assert sum(planned[name] for name in names[:4]) == len(DRAWN | LEFT_OUT)


@pytest.mark.parametrize("row", [ROWS[0], ROWS[1], ROWS[6]], ids=lambda row: row[1])
def test_an_edit_draws_again_what_it_feeds(drawn, row):
    space, _ = drawn
    file, *rules = row
    path = space.folder / file
    before = path.read_text()
    try:
        path.write_text(before + "\nEDITED = 1\n")
        assert set(space.planned("figures", *TINY)) - {"figures"} == set(rules)
    finally:
        path.write_text(before)


@pytest.mark.parametrize(("name", "trained", "baselines"), [("", 9, 0), ("_ensemble", 3, 4), ("_long", 1, 0)])
def test_experiments_end_in_one_table(workspace, name, trained, baselines):
    planned = workspace.planned("experiments", "--configfile", f"config/experiments{name}.yaml")
    assert planned["train_model"] == trained
    assert planned.get("fit_baseline", 0) == baselines
    assert planned["measure_fit"] == trained + baselines
    assert planned["compare_experiments"] == 1
