"""A submission holds the numbers of the tables, passes HEPData's validator, and leaves out what has no error."""

from __future__ import annotations

import math
import tarfile

import pytest
import yaml

pytest.importorskip("hepdata_lib", reason="the extra `hepdata` is not installed")

from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import AucRow
from oddjet.evaluation.figures_of_merit import MeritRow
from oddjet.report.hepdata import write_submission

# HEPData's validator leaves the files that it reads to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

AUCS = [
    AucRow("wnae", 1, "a", {"m_phi": 1000.0, "r_inv": 0.3}, 0.75, 0.01, 300, 900),
    AucRow("wnae", 1, "b", {"m_phi": 2000.0, "r_inv": 0.3}, 0.85, 0.02, 300, 900),
    AucRow("wnae", 1, "off", {}, 0.5, 0.02, 300, 900),
]
MERITS = [
    MeritRow("wnae", 1, "a", {"m_phi": 1000.0, "r_inv": 0.3}, "rejection_at_0.3", 12.5, 0.5, 0.3),
    MeritRow("wnae", 1, "b", {"m_phi": 2000.0, "r_inv": 0.3}, "rejection_at_0.3", 20.0, math.nan, 0.3),
    MeritRow("wnae", 1, "b", {"m_phi": 2000.0, "r_inv": 0.3}, "largest_f1", 0.7, 0.1, 0.3),
]
CUTS = {
    "wnae": [
        {"efficiency": 0.1, "pt_min": None, "pt_max": None, "score": 1.25},
        {"efficiency": 0.001, "pt_min": None, "pt_max": None, "score": None},
        {"efficiency": 0.1, "pt_min": 500.0, "pt_max": 600.0, "score": 1.5},
    ]
}


def test_the_numbers_are_those_of_the_tables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = write_submission(tmp_path / "submission.tar.gz", AUCS, MERITS, CUTS)
    assert names == ["AUC, wnae", "Background rejection at signal efficiency 0.3, wnae", "Thresholds, wnae"]
    assert [path.name for path in tmp_path.iterdir()] == ["submission.tar.gz"]
    with tarfile.open("submission.tar.gz") as archive:
        tables = {member.name.split("/")[-1]: archive.extractfile(member) for member in archive if member.isfile()}
        documents = list(yaml.safe_load_all(tables["submission.yaml"]))
        files = {one["name"]: one["data_file"] for one in documents if "name" in one}
        content = {name: yaml.safe_load(tables[file]) for name, file in files.items()}
    auc = content["AUC, wnae"]
    assert [row["value"] for row in auc["independent_variables"][0]["values"]] == [1000.0, 2000.0]
    (values,) = auc["dependent_variables"]
    assert [float(row["value"]) for row in values["values"]] == [0.75, 0.85]
    assert [float(row["errors"][0]["symerror"]) for row in values["values"]] == [0.01, 0.02]
    (values,) = content[names[1]]["dependent_variables"]
    assert [float(row["value"]) for row in values["values"]] == [12.5]
    (values,) = content["Thresholds, wnae"]["dependent_variables"]
    assert [float(row["value"]) for row in values["values"]] == [1.25]


def test_without_a_grid_there_is_no_table(tmp_path):
    with pytest.raises(EvaluationError, match="no signal with an AUC is on axes"):
        write_submission(tmp_path / "submission.tar.gz", AUCS[2:], MERITS, {})
    assert not list(tmp_path.iterdir())
