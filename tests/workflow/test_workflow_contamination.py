"""The target `contamination`: the one place where signal enters a training, apart from everything else."""

import json
import re

import numpy as np
import pytest
import yaml

from oddjet.evaluation.contamination import ContaminationRow
from oddjet.io.csv import read_rows
from oddjet.io.tables import count_rows, read_attributes, read_table

TINY = ("--configfile", "config/test/tiny.yaml")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scanned(finished, run_once):
    return run_once("contamination", "contamination", "--cores", "2", *TINY, origin=finished.folder)[0]


def test_the_scan_makes_table_and_figure(scanned):
    results = scanned.folder / "results"
    rows = read_rows(results / "jets/contamination.csv", ContaminationRow)
    assert {row.signal_fraction for row in rows} == {0.0, 0.1}
    assert {row.method for row in rows} == {"mahalanobis"}
    assert {row.seed for row in rows} == {1, 2, 3}
    assert all(0 <= row.auc <= 1 for row in rows)
    assert (results / "jets/figures/contamination.pdf").read_bytes().startswith(b"%PDF")
    trained = count_rows(results / "jets/dataset/train.h5")
    for label, share in (("0", 0.0), ("0p1", 0.1)):
        path = results / f"contaminated-{label}/dataset/train.h5"
        assert count_rows(path) == trained
        assert read_attributes(path)["signal_jets"] == str(round(share * trained))


def test_the_default_run_is_untouched_by_it(scanned):
    assert scanned.planned(*TINY) == {}
    done = scanned.snakemake("--dry-run", "--forceall", "--printshellcmds", *TINY)
    assert done.returncode == 0
    assert not re.findall(r"results/contamina|contaminate_", done.stdout)


def test_a_weighted_signal_is_scored(scanned):
    """Its cross section is of all events, and held-out jets are a part of them: an AUC needs no such factor."""
    config = yaml.safe_load((scanned.folder / "config/test/tiny.yaml").read_text())
    process = {"name": "svj", "m_phi": 2000, "r_inv": 0.1}
    signal = {"kind": "signal", "process": process, "events": 120, "require_match": "dark_quark", "cross_section": 25.0}
    config["signals"]["r_inv"] = [0.5]
    config["samples"]["svj_mphi-2000_rinv-0p1"] = signal
    (scanned.folder / "config/weighted.yaml").write_text(json.dumps(config))
    target = "results/contaminated-0/scores/mahalanobis/seeds-3.h5"
    done = scanned.snakemake(target, "--cores", "2", "--configfile", "config/weighted.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    table = read_table(scanned.folder / target)
    assert np.isfinite(table["score"]).all()
    assert set(table["sample"]) == {0, 1, 2}


def test_a_scan_of_nothing_says_so(finished, dry_runs_told):
    config = yaml.safe_load((finished.folder / "config/test/tiny.yaml").read_text())
    del config["methods"]["mahalanobis"]
    (finished.folder / "config/changed.yaml").write_text(json.dumps(config))
    status, output = dry_runs_told("contamination", "--configfile", "config/changed.yaml")
    assert status != 0
    assert "contamination.methods: there is none to scan" in output
    assert "Name some of ae, nae, wnae." in output
    assert "Traceback" not in output
