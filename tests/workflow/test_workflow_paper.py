"""The target `figures`: what it draws, and what it leaves out."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from markdown_cells import cells_of
from oddjet.dataset.scaling import Scaler
from oddjet.detectors.file import snapshots
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.io.tables import read_table

TINY = ("--configfile", "config/test/tiny.yaml")
ROOT = Path(__file__).parents[2]
# What the tiny configuration, which has no nae_logcosh and no analysis `reversed`, leaves out.
LEFT_OUT = {"5", "7a", "7b", "7c", "13"}
DRAWN = {"1", "2a", "2b", "3a", "3b", "4", "6", "8", "9a", "9b", "10", "11", "12"}
# For figure 13 the signals of the finished run train, in a sample of their own, and one seed.
SIGNALS = ("svj_mphi-2000_rinv-0p1", "svj_mphi-2000_rinv-0p5")
REVERSED = {
    "files": [f"results/samples/{name}/0000.root" for name in SIGNALS],
    "require_match": "dark_quark",
}
ROLES_REVERSED = (
    *TINY,
    "--config",
    f"samples={json.dumps({'svj_reversed': REVERSED})}",
    'analyses={"reversed": {"background": ["svj_reversed"], "signals": ["top"], "methods": ["wnae"]}}',
    "seeds=[2]",
    "seeds_per_job=1",
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def drawn(run_once, finished):
    """The finished run, with the paper's figures, and what Snakemake said."""
    return run_once("drawn", "figures", "--cores", "2", *TINY, origin=finished.folder)


def test_every_figure_whose_method_there_is(drawn):
    space, said = drawn
    folder = space.folder / "results/jets/figures/paper"
    for suffix, start in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
        files = {path.stem.removeprefix("figure_"): path for path in folder.glob(f"*.{suffix}")}
        assert set(files) == DRAWN
        assert all(path.read_bytes().startswith(start) for path in files.values())
    assert "no method nae_logcosh: the paper's figures 5, 7a, 7b, 7c are left out" in said
    page = (space.folder / "results/jets/epoch_choice.md").read_text()
    assert ["WNAE", "3"] in [row[:2] for row in cells_of(page)]
    assert space.planned(*TINY) == {}
    assert space.planned("figures", *TINY) == {}


@pytest.fixture(scope="module")
def reversed_roles(run_once, finished):
    """The finished run, with figure 13 alone."""
    target = "results/jets/figures/paper/figure_13.pdf"
    return run_once("reversed", target, "--cores", "2", *ROLES_REVERSED, origin=finished.folder)[0]


def test_figure_13_trains_on_semivisible_jets_alone(reversed_roles):
    results = reversed_roles.folder / "results"
    parts = [read_table(results / f"reversed/dataset/{part}.h5") for part in ("train", "validation", "test")]
    jets = [read_table(path) for path in sorted(results.glob("tables/svj_reversed/*.h5"))]
    tested = [read_table(results / f"tables/{name}/0000.h5") for name in SIGNALS]
    assert sum(map(len, parts)) == sum(map(len, jets)) == sum(map(len, tested))
    assert all((part["truth_match"] == 1).all() for part in parts)
    mass = [np.sort(np.concatenate([table["mass"] for table in tables])) for tables in (parts, tested)]
    np.testing.assert_array_equal(*mass)
    scaler = Scaler.from_dict(json.loads((results / "reversed/dataset/scaler.json").read_text()))
    scaled = scaler.transform(parts[0])
    np.testing.assert_allclose([scaled.min(axis=0), scaled.max(axis=0)], [[-3] * 8, [3] * 8], atol=1e-5)
    with (results / "reversed/models/wnae/seeds-2/history.csv").open(newline="") as file:
        history = list(csv.DictReader(file))
    assert [(row["method"], row["seed"], row["epoch"]) for row in history] == [("wnae", "2", str(e)) for e in (1, 2, 3)]


def test_figure_13_is_tested_on_top_jets(reversed_roles):
    results = reversed_roles.folder / "results"
    folder = results / "reversed/models/wnae/seeds-2"
    with (folder / "auc_by_epoch.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    # The roles are reversed: semivisible jets are the background, all top jets are the signal.
    background = read_table(results / "reversed/dataset/validation.h5")
    top = np.concatenate([read_table(path) for path in sorted(results.glob("tables/top/*.h5"))])
    expected = []
    for epoch, model in snapshots(folder / "snapshots.pt"):
        known, found = (SampleScores("x", model.score(jets)[:, 0], jets["weight"]) for jets in (background, top))
        expected.append((epoch, *compute_auc(known, found)))
    assert [int(row["epoch"]) for row in table] == [1, 2, 3]
    for row, (epoch, auc, error) in zip(table, expected, strict=True):
        assert (row["method"], row["seed"], row["signal"], "m_phi" in row) == ("wnae", "2", "top", False)
        assert (int(row["epoch"]), int(row["n_signal"]), int(row["n_background"])) == (epoch, len(top), len(background))
        assert (float(row["auc"]), float(row["auc_error"])) == pytest.approx((auc, error), rel=1e-5)
    for suffix, start in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
        assert (results / f"jets/figures/paper/figure_13.{suffix}").read_bytes().startswith(start)


def test_figure_13_changes_nothing_of_the_default_run(reversed_roles):
    assert reversed_roles.planned(*TINY) == {}
    assert reversed_roles.planned("results/jets/figures/paper/figure_13.pdf", *ROLES_REVERSED) == {}


def test_all_figures_of_the_reproduction_are_planned(workspace):
    planned = workspace.planned("figures", "--configfile", "config/reproduction.yaml")
    names = ("plot_epochs", "plot_histograms", "plot_paper_heatmap", "plot_sketch", "sample_negatives")
    assert [planned[name] for name in names] == [8, 3, 4, 3, 2]
    assert planned["build_dataset"] == 2
    assert planned["train_model"] == planned["monitor_training"] == 4 + 1
    assert sum(planned[name] for name in names[:4]) == len(DRAWN | LEFT_OUT)


@pytest.mark.parametrize(
    ("name", "trained", "baselines"), [("", 14, 16), ("_ensemble", 3, 4), ("_features", 4, 20), ("_long", 1, 0)]
)
def test_experiments_end_in_one_table(workspace, name, trained, baselines):
    planned = workspace.planned("experiments", "--configfile", f"config/experiments{name}.yaml")
    assert planned["train_model"] == trained
    assert planned.get("fit_baseline", 0) == baselines
    assert planned["measure_fit"] == trained + baselines
    assert planned["compare_experiments"] == (2 if name == "_features" else 1)
