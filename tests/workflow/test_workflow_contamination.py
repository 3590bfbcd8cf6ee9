"""The target `contamination`: the one place where signal enters a training, apart from everything else."""

import re

import pytest

from oddjet.evaluation.tables import ContaminationRow, read_rows
from oddjet.io.tables import count_rows, read_attributes

TINY = ("--configfile", "config/test/tiny.yaml")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scanned(finished, run_once):
    return run_once("contamination", "contamination", "--cores", "2", *TINY, origin=finished.folder)[0]


def test_the_scan_makes_table_and_figure(scanned):
    results = scanned.folder / "results"
    rows = read_rows(results / "contamination.csv", ContaminationRow)
    assert {row.signal_fraction for row in rows} == {0.0, 0.1}
    assert {row.method for row in rows} == {"mahalanobis"}
    assert {row.seed for row in rows} == {1, 2, 3}
    assert all(0 <= row.auc <= 1 for row in rows)
    assert (results / "figures/contamination.pdf").read_bytes().startswith(b"%PDF")
    trained = count_rows(results / "dataset/train.h5")
    for label, share in (("0", 0.0), ("0p1", 0.1)):
        path = results / f"contamination/dataset/train_signal-{label}.h5"
        assert count_rows(path) == trained
        assert read_attributes(path)["signal_jets"] == str(round(share * trained))


def test_the_default_run_is_untouched_by_it(scanned):
    assert scanned.planned(*TINY) == {}
    done = scanned.snakemake("--dry-run", "--forceall", "--printshellcmds", *TINY)
    assert done.returncode == 0
    assert not re.findall(r"results/contamina|contaminate_|_contaminated", done.stdout)
