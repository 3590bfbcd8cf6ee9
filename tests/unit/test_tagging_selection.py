"""A detector that sees a kept column, of jets behind cuts, scores files as the workflow scores its tables."""

from __future__ import annotations

import logging
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

import oddjet
from oddjet.dataset.build import build_dataset
from oddjet.dataset.scaler_file import Inputs
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.baseline import fit_method
from oddjet.detectors.file import load as load_detector
from oddjet.detectors.registry import kind_named
from oddjet.errors import DetectorError, SelectionError
from oddjet.io.tables import read_table
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings
from oddjet.tagging.files import score_files

CUTS = {"events": "MET_pt > 20", "jets": "tau21 < 0.7 and abs(eta) < 2"}


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory, top_root: Path) -> Path:
    """Give a folder with features.h5 and model.pt, of a detector of tau2 and MET_pt."""
    folder = tmp_path_factory.mktemp("selected")
    settings = FeatureSettings.model_validate(
        {"selection": CUTS, "keep": ["MET_pt", "invisibleFraction"], "features": ["tau2"], "check_jets": 0}
    )
    told = {"settings": settings.model_dump_json(), "sample": "top", "require_match": "none"}
    extract_features(top_root, folder / "features.h5", settings, attributes=told)
    parts = {name: folder / f"{name}.h5" for name in ("train", "validation", "test")}
    given = {
        "features": ["tau2", "MET_pt"],
        "minimum_jets": {"train": 10, "validation": 2, "test": 2},
        "log_floors": {},
    }
    build_dataset([folder / "features.h5"], parts, folder / "scaler.json", DatasetSettings.model_validate(given), {})
    method = kind_named("mahalanobis").settings.model_validate({"kind": "mahalanobis"})
    fit_method("mahalanobis", method, (1,), Inputs(parts["train"], parts["validation"], folder / "scaler.json"), folder)
    return folder


def test_a_file_scores_as_its_table_and_the_window_holds_the_cuts(analysis: Path, top_root: Path) -> None:
    table = read_table(analysis / "features.h5")
    expected = load_detector(analysis / "model.pt").score(table)
    score_files(oddjet.load(analysis / "model.pt"), [str(top_root)], analysis / "scores.h5")
    scored = read_table(analysis / "scores.h5")
    inside = scored[scored["in_window"] == 1]
    assert 10 < len(inside) < len(scored)
    np.testing.assert_array_equal(inside["entry"], table["entry"])
    np.testing.assert_array_equal(inside["jet_rank"], table["jet_rank"])
    np.testing.assert_allclose(inside["score"], expected, rtol=1e-6)


def without(path: Path, name: str, folder: Path) -> Path:
    """Copy a file without a branch."""
    written = folder / f"without_{name}.root"
    with uproot.open(path) as file, uproot.recreate(written) as copy:
        events = file["Events"].arrays()
        names = [n for n in ("run", "luminosityBlock", "event", "genWeight", "MET_pt") if n != name]
        columns = {n: events[n] for n in names}
        columns["PFCands"] = ak.zip({n: events[f"PFCands_{n}"] for n in ("pt", "eta", "phi", "mass", "puppiWeight")})
        copy.mktree("Events", {n: c.type if c.ndim > 1 else ak.to_numpy(c).dtype for n, c in columns.items()}).extend(
            columns
        )
    return written


def test_a_file_without_a_column_of_the_detector_is_refused(analysis: Path, top_root: Path, tmp_path: Path) -> None:
    with pytest.raises(SelectionError, match=r"features\.keep\.MET_pt: there is no branch 'MET_pt'"):
        score_files(oddjet.load(analysis / "model.pt"), [str(without(top_root, "MET_pt", tmp_path))], tmp_path / "a.h5")
    with uproot.open(top_root) as file:
        candidates = file["Events"].arrays(filter_name="PFCands_*")
    ragged = ak.zip({name: candidates[f"PFCands_{name}"] for name in ("pt", "eta", "phi", "mass")})
    with pytest.raises(DetectorError, match="sees MET_pt, which is made of branches of a file; score files"):
        oddjet.load(analysis / "model.pt").score(ragged)


def test_a_file_without_a_branch_of_a_cut_has_the_window_alone(
    analysis: Path, top_root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = load_detector(analysis / "model.pt").card.jets | {"selection": {"events": "invisibleFraction >= 0"}}
    tagger = oddjet.load(analysis / "model.pt", FeatureSettings.model_validate(given))
    with caplog.at_level(logging.WARNING):
        score_files(tagger, [str(without(top_root, "invisibleFraction", tmp_path))], tmp_path / "a.h5")
    assert "there is no branch 'invisibleFraction'" in caplog.text
    assert "in_window says nothing of the training jets' cuts on branches" in caplog.text
    scored = read_table(tmp_path / "a.h5")
    window = (scored["pt"] > 500) & (scored["pt"] < 1000) & (np.abs(scored["eta"]) < 2.4)
    np.testing.assert_array_equal(scored["in_window"] == 1, window)
