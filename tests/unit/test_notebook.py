"""The notebook of docs/: its cells run one after the other, beside a small detector and a file of events."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

import oddjet
from oddjet.io.tables import read_table

NOTEBOOK = Path(__file__).parents[2] / "docs/score_candidates.ipynb"


def cells() -> list[str]:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    nbformat.validate(notebook)
    found = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    # As it is committed: nothing that a run left.
    assert not any(cell["outputs"] or cell["execution_count"] for cell in found)
    return ["".join(cell["source"]) for cell in found]


@pytest.fixture
def namespace(small_analysis, top_root, tmp_path, monkeypatch):
    """The names that the cells leave behind, run in a folder with the files that the notebook names."""
    shutil.copy(small_analysis / "models/ae/model.pt", tmp_path / "model.pt")
    shutil.copy(top_root, tmp_path / "events.root")
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    names: dict[str, object] = {}
    for number, source in enumerate(cells()):
        exec(compile(source, f"{NOTEBOOK.name}, cell {number}", "exec"), names)
    yield names
    plt.close("all")


def test_the_notebook_runs_and_scores_as_the_workflow_does(namespace, small_analysis):
    jets, inside = namespace["jets"], namespace["inside"]
    table = read_table(small_analysis / "features.h5")
    first = table[table["entry"] < 100]
    expected = oddjet.load(small_analysis / "models/ae/model.pt").score(first)
    assert len(jets) > len(inside) == len(first) > 20
    np.testing.assert_array_equal(inside["mean_score"], expected["mean_score"])
    assert np.all(np.diff(namespace["oddest"]["mean_score"]) <= 0)
    assert namespace["oddest"]["mean_score"][0] == expected["mean_score"].max()
    assert 0 < np.mean(inside["mean_score"] > namespace["cut"]) <= 0.15
    assert len(namespace["axes"].collections[0].get_offsets()) == len(jets)
