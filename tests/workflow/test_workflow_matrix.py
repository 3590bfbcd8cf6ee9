"""Train on one sample, test on the others: a matrix of analyses in a configuration alone."""

import pytest

from oddjet.evaluation.merit import AucRow
from oddjet.io.csv import read_rows

MATRIX = ("--configfile", "config/test/matrix.yaml")
SAMPLES = ("top", "qcd", "svj")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(run_once):
    return run_once("matrix", "--cores", "2", *MATRIX, "--", *(f"results/on_{name}/summary.md" for name in SAMPLES))[0]


@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_is_background_once_and_the_others_are_tested_on(trained, name):
    rows = read_rows(trained.folder / f"results/on_{name}/auc/mahalanobis.csv", AucRow)
    assert {(row.signal, row.seed) for row in rows} == {
        (one, seed) for one in SAMPLES if one != name for seed in (1, 2, 3)
    }
    assert all(0 < row.auc < 1 for row in rows)


def test_samples_and_tables_are_made_once(trained):
    tables = sorted(path.parent.name for path in trained.folder.glob("results/tables/*/*.h5"))
    assert tables == ["qcd", "svj", "top", "top"]


def test_the_matrix_of_four_samples_is_planned(workspace):
    planned = workspace.planned("--configfile", "config/matrix.yaml")
    assert planned["build_dataset"] == 4
    assert planned["train_model"] == planned["fit_baseline"] == 4 * 2
    assert planned["extract_features"] == 4 * 8
