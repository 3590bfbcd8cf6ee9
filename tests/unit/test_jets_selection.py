"""Cuts, kept columns and luminosity blocks on a file with branches as NanoAOD has them; every row counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from oddjet.errors import JetError, SelectionError
from oddjet.io.cutflow import Cutflow
from oddjet.io.tables import read_attributes, read_columns, read_table
from oddjet.jets.cutflow import merge_sample, processed
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings
from oddjet.selection.settings import SampleSelection

# An event a row. Candidates (pt, eta, phi) more than 0.8 apart: each is a jet of its own mass 0.
CANDIDATES = [
    [(600.0, 0.0, 0.0), (550.0, 1.0, 3.0)],  # 0: two jets
    [(700.0, 0.5, 1.0)],  # 1: MET too low
    [(650.0, 0.2, 2.0)],  # 2: trigger did not fire
    [(800.0, -0.5, -2.0)],  # 3: an electron
    [(900.0, 1.5, -1.0)],  # 4: a muon above 20 GeV, and of a block that is not certified
    [(520.0, -2.0, 0.5), (300.0, 0.0, -2.5)],  # 5: its one jet in the window fails the cut on jets
    [],  # 6: no candidate
    [(580.0, 0.3, 1.5)],  # 7: passes, without a jet of the file's own
]
FAT_JETS = [  # (pt, eta, phi, jetId, msoftdrop)
    [(560.0, 1.0, 3.1, 6, 80.0), (610.0, 0.05, 0.0, 6, 90.0)],
    [(710.0, 0.5, 1.0, 6, 10.0)],
    [(660.0, 0.2, 2.0, 6, 11.0)],
    [(810.0, -0.5, -2.0, 6, 12.0)],
    [(910.0, 1.5, -1.0, 6, 13.0)],
    [(530.0, -2.0, 0.5, 0, 14.0), (310.0, 0.0, -2.5, 6, 15.0)],
    [],
    [(580.0, 2.3, -1.5, 6, 16.0)],
]
MET = [250.0, 150.0, 300.0, 400.0, 220.0, 260.0, 270.0, 280.0]
TRIGGER = [True, True, False, True, True, True, True, True]
ELECTRONS = [[5.0], [50.0], [], [15.0, 30.0], [], [8.0], [], []]
MUONS = [[], [], [], [], [40.0, 5.0], [3.0], [], [19.0]]
BLOCKS = [10, 10, 10, 11, 99, 12, 12, 13]
CUTS = {
    "events": "MET_pt > 200 and HLT_PFHT1050 and count(Electron_pt > 10) == 0 and max(Muon_pt) < 20",
    "jets": "abs(eta) < 2.4 and FatJet_jetId >= 2",
}


def collection(rows: list[list[tuple]], *names: str) -> dict[str, ak.Array]:
    """Give the float32 columns of one list of tuples an event."""
    array = ak.Array([[dict(zip(names, one, strict=True)) for one in event] for event in rows])
    return {name: ak.values_astype(array[name], np.float32) for name in names}


def branches(**without: None) -> dict[str, object]:
    """Give the columns of the tree; `name=None` leaves one out."""
    candidates = collection(CANDIDATES, "pt", "eta", "phi")
    fat = collection(FAT_JETS, "pt", "eta", "phi", "jetId", "msoftdrop")
    columns: dict[str, object] = {
        "run": np.full(8, 297050, np.uint32),
        "luminosityBlock": np.array(BLOCKS, np.uint32),
        "event": np.arange(100, 108, dtype=np.uint64),
        "genWeight": np.arange(1, 9, dtype=np.float32),
        "MET_pt": np.array(MET, np.float32),
        "PV_npvs": np.arange(30, 38, dtype=np.int32),
        "HLT_PFHT1050": np.array(TRIGGER),
        "PFCands": ak.zip({**candidates, "mass": 0 * candidates["pt"]}),
        "FatJet": ak.zip({**fat, "mass": 0 * fat["pt"], "jetId": ak.values_astype(fat["jetId"], np.int32)}),
        "Electron": ak.zip({"pt": ak.values_astype(ak.Array(ELECTRONS), np.float32)}),
        "Muon": ak.zip({"pt": ak.values_astype(ak.Array(MUONS), np.float32)}),
    }
    return {name: column for name, column in columns.items() if name not in without}


def write(path: Path, columns: dict[str, object] | None = None) -> Path:
    columns = branches() if columns is None else columns
    with uproot.recreate(path) as file:
        tree = file.mktree("Events", {k: v.type if isinstance(v, ak.Array) else v.dtype for k, v in columns.items()})
        tree.extend(columns)
    return path


def settings(**more: object) -> FeatureSettings:
    return FeatureSettings.model_validate({"chunk_size": 3, "check_jets": 0, "features": ["tau21"], **more})


def counts(cutflow: Cutflow) -> dict[str, float]:
    """Give the counts that are not 0."""
    return {name: count for name, count in cutflow.counts().items() if count}


def test_every_clause_is_a_row_of_the_cutflow(tmp_path: Path) -> None:
    cutflow = extract_features(write(tmp_path / "a.root"), tmp_path / "a.h5", settings(selection=CUTS))
    assert counts(cutflow) == {
        "events_read": 8,
        "events_cut: MET_pt > 200": 1,  # event 1
        "events_cut: HLT_PFHT1050": 1,  # event 2
        "events_cut: count(Electron_pt > 10) == 0": 1,  # event 3; event 1 fails it too and is gone
        "events_cut: max(Muon_pt) < 20": 1,  # event 4
        "events_without_candidates": 1,  # event 6
        "events_without_selected_jet": 2,  # events 5 and 7
        "events_passed": 1,  # event 0
        "jets_clustered": 5,  # of events 0, 5, 7
        "jets_pt_low": 1,  # 300 GeV of event 5
        "jets_not_in_file": 1,  # event 7
        "jets_cut: FatJet_jetId >= 2": 1,  # event 5
        "jets_passed": 2,
        "sum_of_weights": 36.0,  # of all events read: a cross section is divided by it
        "sum_of_generated_weights": 36.0,
    }
    assert cutflow.counts()["jets_cut: abs(eta) < 2.4"] == 0
    table = read_table(tmp_path / "a.h5")
    assert table["entry"].tolist() == [0, 0]
    assert Cutflow.from_json(read_attributes(tmp_path / "a.h5")["cutflow"]) == cutflow
    assert ["events_cut: MET_pt > 200", 1] in json.loads(read_attributes(tmp_path / "a.h5")["cutflow"])


def test_cutflows_with_clauses_add_up() -> None:
    one = Cutflow(events_read=3, events_passed=1, events_cut={"a > 1": 2}, jets_clustered=1, jets_passed=1)
    other = Cutflow(events_read=4, events_cut={"a > 1": 3, "b": 1})
    assert (one + other).events_cut == {"a > 1": 5, "b": 1}
    (one + other).check("both")
    assert "events_cut: b" in (one + other).counts()


def test_a_cut_that_takes_all_is_the_cause(tmp_path: Path) -> None:
    cuts = {"events": "MET_pt > 2000"}
    cutflow = extract_features(write(tmp_path / "a.root"), tmp_path / "a.h5", settings(selection=cuts))
    assert cutflow.largest_loss().startswith("events_cut: MET_pt > 2000 takes 8 of 8 events; is this cut the right one")


def test_a_sample_has_cuts_of_its_own(tmp_path: Path) -> None:
    file = write(tmp_path / "a.root")
    own = SampleSelection.model_validate(
        {"where": "PV_npvs < 35 and MET_pt > 200", "cuts": {"events": "MET_pt > 200", "jets": "none"}}
    )
    cutflow = extract_features(file, tmp_path / "a.h5", settings(selection=CUTS), own=own)
    assert cutflow.events_cut == {"MET_pt > 200": 1, "PV_npvs < 35": 3}
    assert (cutflow.jets_cut, cutflow.jets_passed) == ({}, 5)


def test_a_cut_on_jets_is_on_features_columns_and_branches(tmp_path: Path) -> None:
    cuts = {"jets": "n_constituents == 1 and tau1 < 0.5 and pt < MET_pt * 3 and delta_r(eta, phi, 1.0, 3.0) < 0.5"}
    cutflow = extract_features(write(tmp_path / "a.root"), tmp_path / "a.h5", settings(selection=cuts))
    # Jets in the window: 600 550 | 700 | 650 | 800 | 900 | 520 | 580;
    # three times MET:       750 | 450 | 900 | 1200 | 660 | 780 | 840.
    assert cutflow.jets_cut == {
        "n_constituents == 1": 0,
        "tau1 < 0.5": 0,
        "pt < MET_pt * 3": 2,
        "delta_r(eta, phi, 1.0, 3.0) < 0.5": 5,
    }
    assert read_table(tmp_path / "a.h5")["pt"].tolist() == pytest.approx([550.0])


def test_kept_columns_are_those_of_the_file(tmp_path: Path) -> None:
    keep = ["MET_pt", "HLT_PFHT1050", {"ht": "sum(FatJet_pt * 1)", "soft": "sum(Electron_pt)"}]
    with pytest.raises(SelectionError, match=r"a\.root: features\.keep\.ht: .*FatJet_pt.* is one value and no list"):
        extract_features(write(tmp_path / "a.root"), tmp_path / "a.h5", settings(keep=keep))
    keep = ["MET_pt", "HLT_PFHT1050", "FatJet_msoftdrop", {"soft": "sum(Electron_pt)", "n": "PV_npvs - 31"}]
    cutflow = extract_features(write(tmp_path / "a.root"), tmp_path / "a.h5", settings(keep=keep))
    table = read_table(tmp_path / "a.h5")
    assert table["entry"].tolist() == [0, 0, 1, 2, 3, 4, 5]
    assert cutflow.jets_not_in_file == 1
    assert table["MET_pt"].tolist() == [250.0, 250.0, 150.0, 300.0, 400.0, 220.0, 260.0]
    assert table["HLT_PFHT1050"].tolist() == [1, 1, 1, 0, 1, 1, 1]
    assert table["FatJet_msoftdrop"].tolist() == [90.0, 80.0, 10.0, 11.0, 12.0, 13.0, 14.0]
    assert table["soft"].tolist() == [5.0, 5.0, 50.0, 0.0, 45.0, 0.0, 8.0]
    assert table["n"].tolist() == [-1, -1, 0, 1, 2, 3, 4]
    (column,) = [column for column in read_columns(tmp_path / "a.h5") if column.name == "soft"]
    assert (column.dtype, column.unit, column.description) == (
        "f8",
        "",
        "sum(Electron_pt) of the file; in the units of the file.",
    )


def test_a_cut_may_name_a_kept_column(tmp_path: Path) -> None:
    keep = {"soft": "sum(Electron_pt)", "opening": "delta_phi(phi, 0)", "MET_pt": "MET_pt"}
    cuts = {"events": "soft < 6 and MET_pt > 200", "jets": "opening * 1 < 2.5 and soft >= 0"}
    cutflow = extract_features(write(tmp_path / "a.root"), tmp_path / "a.h5", settings(keep=keep, selection=cuts))
    assert cutflow.events_cut == {"soft < 6": 3, "MET_pt > 200": 0}  # electrons of 50, 45 and 8 GeV
    # Azimuths of the jets left, of events 0, 2, 4 and 7: 0.0 and 3.0, 2.0, -1.0, 1.5.
    assert cutflow.jets_cut == {"opening * 1 < 2.5": 1, "soft >= 0": 0}
    assert read_table(tmp_path / "a.h5")["opening"].tolist() == pytest.approx([0.0, 2.0, 1.0, 1.5], abs=1e-6)
    with pytest.raises(SelectionError, match=r"the cut on events 'opening < 1': there is no branch 'phi'"):
        events = {"events": "opening < 1"}
        extract_features(tmp_path / "a.root", tmp_path / "b.h5", settings(keep=keep, selection=events))


def test_a_kept_number_that_is_none_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(JetError, match=r"features\.keep\.lead: max\(Muon_pt\) is -inf in entry 0; keep a number that"):
        extract_features(write(tmp_path / "a.root"), tmp_path / "a.h5", settings(keep={"lead": "max(Muon_pt)"}))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"selection": {"jets": "jet_id >= 2"}},
            r"a\.root: the cut on jets 'jet_id >= 2': there is no branch 'jet_id'; the nearest are FatJet_jetId",
        ),
        (
            {"selection": {"events": "MET_pt > 1 and MET_pT > 200"}},
            r"the cut on events 'MET_pT > 200': there is no branch 'MET_pT'; the nearest are MET_pt",
        ),
        ({"selection": {"events": "HLT_PFHT1051"}}, r"there is no branch 'HLT_PFHT1051'; the nearest are HLT_PFHT1050"),
        ({"keep": ["Jet_pt"]}, r"features\.keep\.Jet_pt: there is no branch 'Jet_pt'; the nearest are FatJet_pt"),
        ({"selection": {"jets": "tau12 < 1"}}, r"there is no branch 'tau12'; the nearest are .*tau"),
        ({"selection": {"events": "Electron_pt > 10"}}, r"the cut on events: 'Electron_pt > 10' has a list of values"),
        ({"selection": {"jets": "Muon_pt > 10"}}, r"the cut on jets: 'Muon_pt > 10' has a list of values for each jet"),
        ({"selection": {"events": "any(Electron_pt > Muon_pt)"}}, r"lists of different lengths meet"),
        ({"selection": {"events": "title > 2"}}, r"title is of the type string; a cut or a column is made of numbers"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_clause(tmp_path: Path, given: dict, message: str) -> None:
    columns = {**branches(), "title": ak.Array(["a"] * 8)}
    for on_bad_file in ("fail", "skip"):  # a slip in a cut is no fault of the file
        with pytest.raises(SelectionError, match=message) as caught:
            extract_features(
                write(tmp_path / "a.root", columns), tmp_path / "a.h5", settings(on_bad_file=on_bad_file, **given)
            )
        assert "\n" not in str(caught.value)
        assert str(caught.value).count("a.root") == 1
        assert not (tmp_path / "a.h5").exists()


def test_a_trigger_that_a_file_lacks_may_count_as_not_fired(tmp_path: Path) -> None:
    file = write(tmp_path / "a.root", branches(HLT_PFHT1050=None))
    cuts = {"events": "HLT_PFHT1050 or MET_pt > 350", "missing_triggers": "not_fired"}
    cutflow = extract_features(file, tmp_path / "a.h5", settings(selection=cuts, keep=["HLT_PFHT1050"]))
    assert cutflow.events_cut == {"HLT_PFHT1050 or MET_pt > 350": 7}
    assert read_table(tmp_path / "a.h5")["HLT_PFHT1050"].tolist() == [0]
    with pytest.raises(SelectionError, match=r"there is no branch 'HLT_PFHT1050'"):
        extract_features(file, tmp_path / "a.h5", settings(selection={"events": "HLT_PFHT1050"}))


def test_luminosity_blocks_are_selected_and_counted(tmp_path: Path) -> None:
    golden = tmp_path / "golden.json"
    golden.write_text('{"297050": [[1, 10], [12, 20]], "297051": [[99, 99]]}')
    own = SampleSelection(golden_json=str(golden), where="MET_pt > 200")
    cutflow = extract_features(write(tmp_path / "a.root"), tmp_path / "a.h5", settings(), own=own)
    assert cutflow.events_not_certified == 2  # events 3 and 4, of the blocks 11 and 99
    assert cutflow.events_cut == {"MET_pt > 200": 1}
    assert (cutflow.luminosity_blocks_read, cutflow.luminosity_blocks_certified) == (5, 3)
    attributes = read_attributes(tmp_path / "a.h5")
    assert json.loads(attributes["luminosity_blocks_read"]) == {"297050": [[10, 13], [99, 99]]}
    assert json.loads(attributes["luminosity_blocks_certified"]) == {"297050": [[10, 10], [12, 13]]}
    cutflow.check("a.root")


def test_blocks_that_a_skim_left_without_events_are_read(tmp_path: Path) -> None:
    (tmp_path / "golden.json").write_text('{"297050": [[1, 10], [12, 20]], "297051": [[99, 99]]}')
    with uproot.update(write(tmp_path / "a.root")) as skim:
        tree = skim.mktree("LuminosityBlocks", {"run": np.uint32, "luminosityBlock": np.uint32})
        blocks = np.array([[297050, 10], [297051, 99], [297051, 100]], np.uint32)
        tree.extend({"run": blocks[:, 0], "luminosityBlock": blocks[:, 1]})
    own = SampleSelection(golden_json=str(tmp_path / "golden.json"))
    extract_features(tmp_path / "a.root", tmp_path / "a.h5", settings(), own=own, attributes={"sample": "run"})
    extract_features(write(tmp_path / "b.root"), tmp_path / "b.h5", settings(), own=own, attributes={"sample": "run"})
    merged, _ = merge_sample("run", [tmp_path / "a.h5", tmp_path / "b.h5"])
    # 10, 11, 12, 13 and 99 of the first run, in both files, and 99 and 100 of the second.
    assert (merged.luminosity_blocks_read, merged.luminosity_blocks_certified) == (7, 4)
    assert merged.events_not_certified == 4
    found = processed({"run": [tmp_path / "a.h5", tmp_path / "b.h5"], "top": []})
    assert json.loads(found) == {"run": {"297050": [[10, 10], [12, 13]], "297051": [[99, 99]]}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"golden\.json: no readable JSON"),
        ("[]", r"golden\.json: no golden JSON, which has the form"),
        ("{}", r"golden\.json: no golden JSON, which has the form"),
        ('{"run": [[1, 2]]}', r"'run' is no run number"),
        ('{"1": {"2": [1, 2]}}', r"run 1: \{\"2\": \[1, 2\]\} is no list of stretches"),
        ('{"1": [1, 2]}', r"run 1: 1 is no pair \[first, last\]"),
        ('{"1": [[[1, 2]]]}', r"run 1: \[\[1, 2\]\] is no pair"),
        ('{"1": [[1, 2.5]]}', r"run 1: \[1, 2\.5\] is no pair"),
        ('{"1": [[true, 2]]}', r"run 1: \[true, 2\] is no pair"),
        ('{"1": [[5, 2]]}', r"run 1: in \[5, 2\] the last block lies before the first"),
        ('{"1": [[1, 2]], "1": [[3, 4]]}', r"run 1 stands twice"),
    ],
)
def test_a_golden_json_that_is_none_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "golden.json").write_text(text)
    own = SampleSelection(golden_json=str(tmp_path / "golden.json"))
    with pytest.raises(SelectionError, match=message) as caught:
        extract_features(tmp_path / "no.root", tmp_path / "a.h5", settings(), own=own)
    assert "\n" not in str(caught.value)
