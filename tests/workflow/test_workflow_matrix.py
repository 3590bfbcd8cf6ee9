"""Train on one background, another one and both, test against each: a matrix in a configuration alone."""

import json

import numpy as np
import pytest

from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.grid import GridRow
from oddjet.io.csv import read_rows
from oddjet.io.tables import read_attributes, read_table

MATRIX = ("--configfile", "config/test/matrix.yaml")
PARTS = ("train", "validation", "test")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(run_once):
    folder = run_once("matrix", "--cores", "2", *MATRIX, "--", "matrix", "results/on_top/report.html")[0].folder
    return folder / "results"


def backgrounds(made, path):
    return list(dict.fromkeys(row.background for row in read_rows(made / path, AucRow)))


def test_every_training_is_tested_against_each_background(made):
    assert backgrounds(made, "both/auc/mahalanobis_qcd.csv") == ["background", "top", "qcd"]
    assert backgrounds(made, "on_top/auc/mahalanobis.csv") == ["top", "qcd"]
    # The same test jets of top, whatever else is in the dataset.
    counts = {
        name: {row.background: row.n_background for row in read_rows(made / f"{name}/auc/mahalanobis.csv", AucRow)}
        for name in ("both", "on_top")
    }
    assert counts["both"]["top"] == counts["on_top"]["top"]
    assert counts["both"]["background"] == counts["both"]["top"] + counts["both"]["qcd"]
    assert counts["on_top"]["qcd"] > counts["both"]["qcd"]
    table = (made / "matrix/matrix.md").read_text()
    for words in ("| top ", "| qcd ", "| each ", "| all, equal shares ", "| all, cross sections "):
        assert words in table
    assert (made / "matrix/matrix.png").read_bytes().startswith(b"\x89PNG")


def test_pages_say_against_which_background(made):
    grid = read_rows(made / "on_top/grid_means.csv", GridRow)
    assert [row.background for row in grid] == ["top", "qcd"]
    page = (made / "on_top/leaderboard.md").read_text()
    assert page.startswith("# Leaderboard, means over the grid, against top\n")
    assert "AUC against qcd" in page
    assert "worst background" in page
    report = (made / "on_top/report.html").read_text()
    assert "against qcd" in report
    assert "worst background" in report


def test_a_mixture_has_the_cross_sections_and_shares_that_the_configuration_says(made):
    cutflows = {name: dict(flow) for name, flow in json.loads((made / "both/cutflow.json").read_text()).items()}
    expected = {
        "by_cross_section": {
            name: sigma * cutflows[name]["jets_passed"] / cutflows[name]["events_read"]
            for name, sigma in (("top", 2.4), ("qcd", 1100))
        },
        "both": dict.fromkeys(("top", "qcd"), sum(cutflows[name]["jets_passed"] for name in ("top", "qcd")) / 2),
    }
    for analysis, wanted in expected.items():
        paths = [made / f"{analysis}/dataset/{part}.h5" for part in PARTS]
        rows = np.concatenate([read_table(path, ["source", "weight"]) for path in paths])
        samples = [sample for sample, _ in json.loads(read_attributes(paths[0])["sources"])]
        sums = {
            name: sum(rows["weight"][rows["source"] == n].sum() for n, s in enumerate(samples) if s == name)
            for name in wanted
        }
        assert sums == pytest.approx(wanted, rel=1e-4)


def test_the_matrix_of_three_backgrounds_is_planned(workspace):
    planned = workspace.planned("--configfile", "config/matrix.yaml", "--", "matrix")
    # Three autoencoders and four baselines on each background and on all, and four methods by cross section.
    assert planned["build_dataset"] == 2
    assert planned["train_model"] == 3 * 4 + 1
    assert planned["fit_baseline"] == 4 * 4 + 3
    assert planned["score"] == 7 * 5 + 4
    assert planned["extract_features"] == 3 * 2 + 1
