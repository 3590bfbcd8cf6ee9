"""A detector's file scores candidates as the workflow scores its tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import torch
import uproot

import oddjet
from oddjet.detectors.file import load as load_detector
from oddjet.errors import DatasetError, DetectorError
from oddjet.io.tables import read_table
from oddjet.jets.settings import FeatureSettings

METHODS = ("ae", "mahalanobis", "gaussian_mixture", "neural_spline_flow", "nearest_neighbours")


def candidates_of(path: Path) -> ak.Array:
    with uproot.open(path) as file:
        events = file["Events"].arrays(filter_name="PFCands_*")
    weight = events.PFCands_puppiWeight if "PFCands_puppiWeight" in events.fields else 1.0
    return ak.zip(
        {
            "pt": events.PFCands_pt * weight,
            "eta": events.PFCands_eta,
            "phi": events.PFCands_phi,
            "mass": events.PFCands_mass * weight,
        }
    )


@pytest.mark.parametrize("method", METHODS)
def test_candidates_score_as_the_table_of_their_features(small_analysis, top_root, method):
    path = small_analysis / "models" / method / "model.pt"
    table = read_table(small_analysis / "features.h5")
    expected = load_detector(path).score(table)
    jets = oddjet.load(path).score(candidates_of(top_root))
    inside = jets[jets["in_window"] == 1]
    assert 20 < len(inside) < len(jets)
    np.testing.assert_array_equal(inside["event"], table["entry"])
    np.testing.assert_array_equal(inside["jet_rank"], table["jet_rank"])
    # Momenta were stored in single precision, and come to the kernels by another way.
    np.testing.assert_allclose(inside["pt"], table["pt"], rtol=1e-6)
    np.testing.assert_allclose(inside["score"], expected, rtol=2e-3, atol=1e-5)
    np.testing.assert_allclose(inside["mean_score"], expected.mean(axis=1), rtol=2e-3, atol=1e-5)


def test_a_table_scores_in_the_order_of_its_rows(small_analysis):
    path = small_analysis / "models/ae/model.pt"
    table = read_table(small_analysis / "features.h5")
    expected = load_detector(path).score(table)
    tagger = oddjet.load(path)
    columns = {name: table[name] for name in tagger.detector.card.scaler.names}
    for given in (table, columns, ak.Array(columns), __import__("pandas").DataFrame(columns)):
        np.testing.assert_array_equal(tagger.score(given)["score"], expected)


def test_jets_outside_the_window_are_marked_and_scored(small_analysis, top_root):
    jets = oddjet.load(small_analysis / "models/ae/model.pt").score(candidates_of(top_root))
    outside = jets[jets["in_window"] == 0]
    assert np.isfinite(outside["score"]).all()
    window = (jets["pt"] > 500) & (jets["pt"] < 1000) & (np.abs(jets["eta"]) < 2.4)
    np.testing.assert_array_equal(jets["in_window"] == 1, window)
    hard = oddjet.load(small_analysis / "models/ae/model.pt", pt_min=300).score(candidates_of(top_root))
    np.testing.assert_array_equal(hard, jets[jets["pt"] > 300])


def test_numpy_and_masked_candidates(small_analysis, top_root):
    tagger = oddjet.load(small_analysis / "models/mahalanobis/model.pt")
    events = candidates_of(top_root)[:20]
    expected = tagger.score(events)
    padded = ak.pad_none(events, int(ak.max(ak.num(events))), clip=True)
    names = ("pt", "eta", "phi", "mass")
    array = np.stack([ak.to_numpy(ak.fill_none(padded[name], 0.0)) for name in names], axis=-1)
    np.testing.assert_array_equal(tagger.score(array), expected)
    np.testing.assert_array_equal(tagger.score(array[0]), expected[expected["event"] == 0])
    masked = ak.mask(events, events.pt > 1.0)
    np.testing.assert_array_equal(tagger.score(masked), tagger.score(events[events.pt > 1.0]))
    assert len(tagger.score(events[:0])) == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((3, 5)), "a numpy array"),
        (ak.Array([[{"pt": 1.0, "eta": 0.0}]]), "with the fields pt, eta, phi, mass"),
        (ak.Array([1.0, 2.0]), "with the fields pt, eta, phi, mass"),
        (np.array([[600.0, np.nan, 0.0, 0.0]]), "eta of candidate 0 is nan"),
        ({"tau2": np.ones(3), "tau3": np.ones(2)}, "not all of one length"),
    ],
)
def test_what_is_no_candidate_is_refused_in_one_line(small_analysis, given, words):
    with pytest.raises(DetectorError, match=words) as caught:
        oddjet.load(small_analysis / "models/ae/model.pt").score(given)
    assert "\n" not in str(caught.value)


def test_a_table_without_a_column_is_refused(small_analysis):
    with pytest.raises(DatasetError, match="no feature tau3"):
        oddjet.load(small_analysis / "models/ae/model.pt").score({"tau2": np.ones(3)})


def test_a_card_without_settings_asks_for_them(small_analysis, top_root, tmp_path):
    content = torch.load(small_analysis / "models/mahalanobis/model.pt", weights_only=True)
    old = tmp_path / "model.pt"
    torch.save({**content, "metadata": content["metadata"].replace('"jets": {', '"jets": {}, "former": {')}, old)
    events = candidates_of(top_root)[:10]
    with pytest.raises(DetectorError, match="does not say how its jets were made"):
        oddjet.load(old).score(events)
    expected = oddjet.load(small_analysis / "models/mahalanobis/model.pt").score(events)
    np.testing.assert_array_equal(oddjet.load(old, FeatureSettings()).score(events), expected)


def test_importing_oddjet_is_light():
    program = "import sys, oddjet; oddjet.load; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert not {"numpy", "torch", "awkward", "pydantic"} & set(loaded)
