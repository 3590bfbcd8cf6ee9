"""Selection, matching, cutflow and the table of a file with jets put there by hand."""

from __future__ import annotations

import json
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from oddjet.errors import DamagedFileError, DatasetError, JetError, TableError
from oddjet.io.candidates import Particles
from oddjet.io.chunks import Reading
from oddjet.io.cutflow import Cutflow
from oddjet.io.root import read_candidates
from oddjet.io.tables import read_attributes, read_table
from oddjet.io.weights import sample_factors
from oddjet.jets.clustering import cluster
from oddjet.jets.extract import extract_features
from oddjet.jets.features import REGISTRY, Feature
from oddjet.jets.settings import EIGHT_FEATURES, FeatureSettings

# One event a row: (pt, eta, phi) of its candidates. Candidates 0.05 apart make one jet.
EVENTS = [
    [(400.0, 0.0, 3.1), (300.0, 0.05, -3.1), (350.0, 1.0, 0.0), (250.0, 1.05, 0.0), (30.0, -1.0, 0.0)],
    [(900.0, 0.0, 1.0), (900.0, 0.0, 1.05), (600.0, 2.5, -2.0)],
    [],
    [(600.0, -1.0, 2.0)],
]
TOPS = [[(0.1, 3.1, 62)], [(0.0, 1.0, 22)], [], [(1.0, 2.0, 62)]]


def write(path: Path, events: list[list[tuple]] = EVENTS, tops: list[list[tuple]] | None = TOPS) -> Path:
    candidates = ak.Array(
        [[{"pt": c[0], "eta": c[1], "phi": c[2], "mass": 0.0} for c in e] for e in [*events, [(1.0,) * 3]]]
    )
    columns = {
        "run": np.ones(len(events), np.uint32),
        "luminosityBlock": np.full(len(events), 5, np.uint32),
        "event": np.arange(10, 10 + len(events), dtype=np.uint64),
        "genWeight": np.full(len(events), 2.0, np.float32),
        "PFCands": ak.values_astype(candidates[:-1], np.float32),
    }
    if tops is not None:
        truth = [[{"eta": t[0], "phi": t[1], "status": t[2], "pdgId": -6} for t in e] for e in [*tops, [(0.0, 0.0, 0)]]]
        array = ak.Array(truth)[:-1]
        columns["GenPart"] = ak.zip(
            {
                "pt": array.eta,
                "eta": array.eta,
                "phi": array.phi,
                "mass": array.eta,
                "pdgId": ak.values_astype(array.pdgId, np.int32),
                "status": ak.values_astype(array.status, np.int32),
            }
        )
    with uproot.recreate(path) as file:
        tree = file.mktree("Events", {k: v.type if isinstance(v, ak.Array) else v.dtype for k, v in columns.items()})
        tree.extend(columns)
    return path


def test_jets_come_sorted_with_their_constituents(tmp_path: Path) -> None:
    (record,) = read_candidates(write(tmp_path / "a.root"))
    jets = cluster(record.candidates, 0.8, 20.0)
    assert jets.event.tolist() == [0, 0, 0, 1, 1, 3]
    assert jets.rank.tolist() == [0, 1, 2, 0, 1, 0]
    assert jets.constituents.counts().tolist() == [2, 2, 1, 2, 1, 1]
    assert jets.constituents.pt[:2].tolist() == [400.0, 300.0]
    assert jets.pt[3] == pytest.approx(1800 * np.cos(0.025), rel=1e-6)
    assert abs(jets.phi[0]) > 3.1
    assert (jets.mass >= 0).all()


def test_cuts_and_match_are_counted(tmp_path: Path) -> None:
    file = write(tmp_path / "a.root")
    cutflow = extract_features(file, tmp_path / "a.h5", FeatureSettings(chunk_size=3), require_match="top", weight=0.5)
    assert json.loads(cutflow.to_json()) == [
        ["events_read", 4],
        ["events_bad_candidate", 0],
        ["events_bad_jet", 0],
        ["events_bad_particle", 0],
        ["events_without_candidates", 1],
        ["events_without_selected_jet", 2],
        ["events_passed", 1],
        ["jets_clustered", 6],
        ["jets_pt_low", 1],
        ["jets_pt_high", 1],
        ["jets_eta", 1],
        ["jets_rank", 0],
        ["jets_unmatched", 2],
        ["jets_passed", 1],
        ["candidates_bad", 0],
        ["sum_of_weights", 8.0],
        ["sum_of_generated_weights", 8.0],
    ]
    table = read_table(tmp_path / "a.h5")
    assert len(table) == 1
    assert table[["run", "luminosityBlock", "event", "entry", "jet_rank", "n_constituents", "truth_match"]].item() == (
        1,
        5,
        10,
        0,
        0,
        2,
        1,
    )
    assert table["weight"].tolist() == [1.0]
    assert table.dtype.names[-8:] == EIGHT_FEATURES
    assert Cutflow.from_json(read_attributes(tmp_path / "a.h5")["cutflow"]) == cutflow


def test_weights_of_skimmed_events_are_in_the_sum(tmp_path: Path) -> None:
    file = write(tmp_path / "a.root")
    with uproot.update(file) as skim:
        runs = skim.mktree("Runs", {"run": np.uint32, "genEventSumw": np.float64})
        runs.extend({"run": np.ones(2, np.uint32), "genEventSumw": np.array([30.0, 10.0])})
    cutflow = extract_features(file, tmp_path / "a.h5", FeatureSettings())
    assert (cutflow.sum_of_weights, cutflow.sum_of_generated_weights) == (8.0, 40.0)
    extract_features(write(tmp_path / "b.root"), tmp_path / "b.h5", FeatureSettings())
    tables = [tmp_path / "a.h5", tmp_path / "b.h5"]
    assert sample_factors({"a": tables, "b": []}, {"a": 12.0}) == {"a": 12.0 / 48.0, "b": 1.0}


def test_weights_that_add_up_to_nothing_fit_no_cross_section(tmp_path: Path) -> None:
    extract_features(write(tmp_path / "a.root", [], []), tmp_path / "a.h5", FeatureSettings())
    with pytest.raises(DatasetError, match=r"a\.h5: the generator weights add up to 0, .* 12 pb"):
        sample_factors({"a": [tmp_path / "a.h5"]}, {"a": 12.0})


@pytest.mark.parametrize(("tops", "match"), [(TOPS, [1, 0, 0]), (None, [-1, -1, -1])])
def test_without_required_match_every_jet_stays(tmp_path: Path, tops: list | None, match: list[int]) -> None:
    extract_features(write(tmp_path / "a.root", tops=tops), tmp_path / "a.h5", FeatureSettings())
    assert read_table(tmp_path / "a.h5")["truth_match"].tolist() == match


def test_required_match_needs_truth(tmp_path: Path) -> None:
    with pytest.raises(JetError, match=r"a\.root.*require_match: none"):
        extract_features(
            write(tmp_path / "a.root", tops=None), tmp_path / "a.h5", FeatureSettings(), require_match="top"
        )
    assert list(tmp_path.glob("*.h5")) == []


def test_leading_jets_only(tmp_path: Path) -> None:
    cutflow = extract_features(write(tmp_path / "a.root"), tmp_path / "a.h5", FeatureSettings(max_jets=1))
    assert (cutflow.jets_rank, cutflow.jets_passed) == (1, 2)


@pytest.mark.parametrize(("least", "low"), [(None, 0), (100.0, 1), (610.0, 3)])
def test_events_need_a_second_jet_where_one_is_asked_for(tmp_path: Path, least: float | None, low: int) -> None:
    settings = FeatureSettings(subleading_pt_min=least)
    cutflow = extract_features(write(tmp_path / "a.root"), tmp_path / "a.h5", settings)
    assert (cutflow.jets_subleading_pt_low, cutflow.jets_passed) == (low, 3 - low)


def test_file_without_events_gives_an_empty_table(tmp_path: Path) -> None:
    cutflow = extract_features(write(tmp_path / "a.root", [], []), tmp_path / "a.h5", FeatureSettings())
    assert cutflow == Cutflow()
    assert len(read_table(tmp_path / "a.h5")) == 0


def test_nan_feature_names_feature_file_and_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Feature("ptd", "1", "", "", "", lambda shared: np.full(len(shared.jets), np.nan))
    monkeypatch.setitem(REGISTRY, "ptd", broken)
    with pytest.raises(JetError, match=r"a\.root: feature ptd is nan for jet 0 of event 1:5:10"):
        extract_features(write(tmp_path / "a.root"), tmp_path / "a.h5", FeatureSettings())
    assert list(tmp_path.glob("*.h5")) == []


def test_nan_momentum_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.root", [*EVENTS, [(float("nan"), 0.0, 0.0)]], None)
    with pytest.raises(DamagedFileError, match=r"a\.root: PFCands_pt is nan in entry 4"):
        list(read_candidates(file, Reading(bad_candidates="file")))
    bad = Particles(np.array([0, 1]), np.array([1.0]), np.array([np.nan]), np.zeros(1), np.zeros(1))
    with pytest.raises(JetError, match="particle 0"):
        cluster(bad, 0.8, 0.0)


def test_cutflow_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(TableError, match=r"x\.root: events_read is 2.* is 1"):
        Cutflow(events_read=2, events_passed=1).check("x.root")


def test_merged_cutflow_is_the_sum() -> None:
    both = Cutflow(events_read=2, events_passed=2, sum_of_weights=1.5) + Cutflow(events_read=1, events_passed=1)
    assert both == Cutflow(events_read=3, events_passed=3, sum_of_weights=1.5)
