"""Formats of which no file is at hand, written as they are documented; layout by name; the file's own jets."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from oddjet.errors import ConfigError, DamagedFileError, UnreadableFileError
from oddjet.io.candidates import CandidateRecord
from oddjet.io.chunks import Reading
from oddjet.io.root import Opening, detect_layout, read_candidates
from oddjet.jets.clustering import stored

PT = [[30.0, 20.0, 100.0, 80.0, 5.0], [50.0, 40.0]]
ETA = [[0.0, 0.1, 2.0, 2.1, -1.0], [1.0, 1.1]]
PHI = [[0.0, 0.1, 1.0, 1.1, 2.0], [-3.0, 3.1]]
IDENTIFIERS = {
    "run": np.array([1, 1], np.uint32),
    "luminosityBlock": np.array([7, 7], np.uint32),
    "event": np.array([2**40, 2**40 + 1], np.uint64),
}


def floats(values: list[list[float]]) -> ak.Array:
    return ak.values_astype(ak.Array(values), np.float32)


def integers(values: list[list[int]]) -> ak.Array:
    return ak.values_astype(ak.Array(values), np.int32)


def momenta(pt: list, eta: list, phi: list) -> ak.Array:
    return ak.zip({"pt": floats(pt), "eta": floats(eta), "phi": floats(phi), "mass": floats(pt) * 0})


def columns(candidates: str, links: str, candidate_index: str, jet_index: list[list[int]]) -> dict:
    """Two events; in the first a jet at 50 GeV, listed first, and one at 180 GeV."""
    return {
        **IDENTIFIERS,
        candidates: momenta(PT, ETA, PHI),
        "FatJet": momenta([[50.0, 180.0], [90.0]], [[0.0, 2.0], [1.0]], [[0.0, 1.0], [-3.0]]),
        links: ak.zip({"jetIdx": integers(jet_index), candidate_index: integers([[2, 3, 1, 0], [0, 1]])}),
    }


def nanoaod_v15(path: Path, jet_index: list[list[int]]) -> Path:
    data = columns("PFCand", "FatJetPFCand", "pfCandIdx", jet_index)
    with uproot.recreate(path) as file:
        tree = file.mktree("Events", {k: v.type if isinstance(v, ak.Array) else v.dtype for k, v in data.items()})
        tree.extend(data)
    return path


def nested_rntuple(path: Path) -> Path:
    data = columns("PFCands", "FatJetPFCands", "pFCandsIdx", [[1, 1, 0, 0], [0, 0]])
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", ak.zip(data, depth_limit=1))
    return path


def check(record: CandidateRecord) -> None:
    assert record.event.tolist() == [2**40, 2**40 + 1]
    assert record.luminosity_block.tolist() == [7, 7]
    assert record.candidates.counts().tolist() == [5, 2]
    assert record.partons is None
    assert record.weight.tolist() == [1.0, 1.0]
    assert record.jets is not None
    jets = stored(record.jets)
    assert record.entry.tolist() == [0, 1]
    assert jets.event.tolist() == [0, 0, 1]
    assert jets.rank.tolist() == [0, 1, 0]
    assert jets.pt.tolist() == [180.0, 50.0, 90.0]
    assert jets.constituents.offsets.tolist() == [0, 2, 4, 6]
    assert jets.constituents.pt.tolist() == [100.0, 80.0, 30.0, 20.0, 50.0, 40.0]


def test_nanoaod_v15(tmp_path: Path) -> None:
    path = nanoaod_v15(tmp_path / "v15.root", [[1, 1, 0, 0], [0, 0]])
    assert detect_layout(path).name == "nanoaod_v15"
    (record,) = read_candidates(path, Reading(stored_jets=True))
    check(record)


def test_rntuple_with_collections_of_records(tmp_path: Path) -> None:
    path = nested_rntuple(tmp_path / "nested.root")
    assert detect_layout(path).name == "pfnano"
    (record,) = read_candidates(path, Reading(stored_jets=True))
    check(record)


def test_link_to_a_jet_that_is_not_there(tmp_path: Path) -> None:
    path = nanoaod_v15(tmp_path / "v15.root", [[1, 2, 0, 0], [0, 0]])
    with pytest.raises(DamagedFileError, match="FatJetPFCand_jetIdx is 2 in entry 0"):
        list(read_candidates(path, Reading(stored_jets=True)))


def test_named_layout_is_the_only_one_tried(tmp_path: Path) -> None:
    path = nanoaod_v15(tmp_path / "v15.root", [[1, 1, 0, 0], [0, 0]])
    assert detect_layout(path, Opening("nanoaod_v15")).name == "nanoaod_v15"
    with pytest.raises(UnreadableFileError) as error:
        detect_layout(path, Opening("pfnano"))
    assert "PFCands_pt" in str(error.value)
    assert "nanoaod_v15" not in str(error.value)
    with pytest.raises(ConfigError, match=r"'minaod'.*pfnano, nanoaod_v15, scouting_nano, delphes"):
        detect_layout(path, Opening("minaod"))


def test_azimuth_from_0_to_two_pi_is_wrapped(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "a.root") as file:
        file["Events"] = {
            **IDENTIFIERS,
            **{f"PFCands_{name}": floats([[1.0], [1.0]]) for name in ("pt", "eta", "mass")},
            "PFCands_phi": floats([[6.0], [3.5]]),
        }
    (record,) = read_candidates(tmp_path / "a.root")
    assert record.candidates.phi == pytest.approx([6.0 - 2 * np.pi, 3.5 - 2 * np.pi])


def test_chunks_are_the_file_in_order(tmp_path: Path) -> None:
    path = nanoaod_v15(tmp_path / "v15.root", [[1, 1, 0, 0], [0, 0]])
    (whole,) = read_candidates(path, Reading(stored_jets=True))
    first, second = read_candidates(path, Reading(stored_jets=True), chunk_size=1)
    assert (first.entry.tolist(), second.entry.tolist()) == ([0], [1])
    assert np.concatenate([first.candidates.pt, second.candidates.pt]).tolist() == whole.candidates.pt.tolist()
    assert second.jets is not None
    assert second.jets.constituents is not None
    assert second.jets.constituents.pt.tolist() == [50.0, 40.0]
