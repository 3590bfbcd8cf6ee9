"""Layouts declared in the configuration, and the built-in ones that no real file is at hand for, on files made here."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
import yaml

from oddjet.errors import DamagedFileError, OddjetError, UnreadableFileError
from oddjet.io.chunks import Reading
from oddjet.io.layouts import LAYOUTS
from oddjet.io.root import detect_layout, read_candidates
from oddjet.io.tables import read_attributes, read_table
from oddjet.jets.clustering import stored
from oddjet.jets.extract import extract_features, opening_of
from oddjet.jets.settings import FeatureSettings

# Two events of three and two candidates in GeV: (pT, eta, phi, mass).
MOMENTA = [
    [(300.0, 0.1, 0.2, 0.14), (250.0, 0.15, 0.25, 0.0), (20.0, -1.0, 2.0, 0.5)],
    [(400.0, -0.5, -3.1, 0.14), (200.0, -0.45, 3.13, 0.0)],
]


def column(number: int) -> ak.Array:
    return ak.Array([[particle[number] for particle in event] for event in MOMENTA])


PT, ETA, PHI, MASS = (column(number) for number in range(4))
ENERGY = np.sqrt((PT * np.cosh(ETA)) ** 2 + MASS**2)
PX, PY, PZ = PT * np.cos(PHI), PT * np.sin(PHI), PT * np.sinh(ETA)
FLAT_PT = [300.0, 250.0, 20.0, 400.0, 200.0]

PAGE = (Path(__file__).parents[2] / "docs/formats.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(block)["features"] for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
MINE: dict[str, Any] = EXAMPLES[0]["layouts"]["mine"]
SETTINGS = FeatureSettings(layouts={"mine": MINE}, cluster_pt_min=1, pt_min=100, check_jets=0)


def columns() -> dict[str, Any]:
    return {
        "runNumber": np.array([3, 3], np.int32),
        "eventNumber": np.array([70, 71], np.int64),
        "mc_weight": np.array([2.0, -1.0]),
        "cand_pt": PT * 1000,
        "cand_eta": ETA,
        "cand_phi": PHI,
        "cand_m": MASS * 1000,
        "cand_w": ak.Array([[1.0, 0.5, 0.0], [1.0, 1.0]]),
        "mc_pt": ak.Array([[500_000.0], []]),
        "mc_eta": ak.Array([[0.1], []]),
        "mc_phi": ak.Array([[0.2], []]),
        "mc_pdg": ak.values_astype(ak.Array([[6], []]), np.int32),
        "mc_status": ak.values_astype(ak.Array([[62], []]), np.int32),
    }


def write(path: Path, tree: str, data: dict[str, Any], **more: dict[str, Any]) -> Path:
    with uproot.recreate(path) as file:
        for name, content in {tree: data, **more}.items():
            types = {k: v.type if isinstance(v, ak.Array) else v.dtype for k, v in content.items()}
            file.mktree(name, types).extend(content)
    return path


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return write(
        tmp_path / "mine.root",
        "analysis/Events",
        columns(),
        **{"analysis/Sums": {"sum_of_weights": np.array([30.0, 10.0])}},
    )


def test_declared_layout_in_mev_is_read_in_gev_and_told_by_its_branches(mine: Path) -> None:
    opening = opening_of(SETTINGS)
    assert detect_layout(mine, opening).name == "mine"
    (record,) = read_candidates(mine, opening=opening)
    assert record.candidates.pt == pytest.approx([300.0, 125.0, 400.0, 200.0])  # PUPPI weights 1, 0.5, 0, 1, 1
    assert record.candidates.mass == pytest.approx([0.14, 0.0, 0.14, 0.0])
    assert record.candidates.offsets.tolist() == [0, 2, 4]
    assert (record.run.tolist(), record.luminosity_block.tolist()) == ([3, 3], [1, 1])
    assert (record.event.tolist(), record.weight.tolist()) == ([70, 71], [2.0, -1.0])
    assert record.partons is not None
    assert record.partons["top"].pt.tolist() == [500.0]


def test_table_of_a_declared_layout_says_what_was_read(mine: Path, tmp_path: Path) -> None:
    cutflow = extract_features(mine, tmp_path / "a.h5", SETTINGS, require_match="top")
    assert (cutflow.sum_of_weights, cutflow.sum_of_generated_weights) == (1.0, 40.0)
    assert (cutflow.jets_passed, cutflow.jets_unmatched) == (1, 1)
    told = json.loads(read_attributes(tmp_path / "a.h5")["reading"])
    assert told["layout"] == "mine"
    assert told["puppi"] == "cand_w applied"
    assert told["generated"] == "analysis/Sums.sum_of_weights"
    assert read_table(tmp_path / "a.h5")["pt"] == pytest.approx([424.7], abs=0.2)


@pytest.mark.parametrize("missing", ["cand_w", "eventNumber", "cand_pt"])
def test_branch_that_a_file_lacks_is_named_with_the_nearest(tmp_path: Path, missing: str) -> None:
    data = columns()
    data[f"{missing}s"] = data.pop(missing)
    path = write(tmp_path / "a.root", "analysis/Events", data)
    with pytest.raises(UnreadableFileError, match=rf"a\.root: .*mine lacks {missing} \(did you mean {missing}s\?\)"):
        detect_layout(path, opening_of(SETTINGS))


def test_what_data_lack_is_named_and_read_without(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = {name: values for name, values in columns().items() if not name.startswith("mc_")}
    path = write(tmp_path / "a.root", "analysis/Events", {**data, "mcweight": np.ones(2)})
    (record,) = read_candidates(path, opening=opening_of(SETTINGS))
    assert record.weight.tolist() == [1.0, 1.0]
    assert record.partons is None
    assert "lacks mc_weight (did you mean mcweight?), mc_pt" in caplog.text
    # Nor the sum of the weights, without which a skim has another cross section.
    cutflow = extract_features(path, tmp_path / "a.h5", SETTINGS)
    assert cutflow.sum_of_generated_weights == cutflow.sum_of_weights == 2
    assert "a.root: has no analysis/Sums/sum_of_weights, which the layout mine names" in caplog.text


def test_complete_file_of_a_declared_layout_is_read_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    layout = {**MINE, "jets": None, "generated": None}
    opening = opening_of(FeatureSettings(layouts={"mine": layout}))
    with caplog.at_level(logging.WARNING):
        assert (
            len(list(read_candidates(write(tmp_path / "a.root", "analysis/Events", columns()), opening=opening))) == 1
        )
    assert caplog.text == ""


LISTS = ak.values_astype(ak.Array([[[2], [0, 1]], [[0, 1]]]), np.int32)
PAIRS = {
    "jet": ak.values_astype(ak.Array([[1, 1, 0], [0, 0]]), np.int32),
    "cand": ak.values_astype(ak.Array([[0, 1, 2], [0, 1]]), np.int32),
}
FLAT = {
    "flat": ak.values_astype(ak.Array([[2, 0, 1], [0, 1]]), np.int32),
    "numbers": ak.values_astype(ak.Array([[1, 2], [2]]), np.int32),
}
JETS = {
    "jet_pt": ak.Array([[20_000.0, 549_000.0], [599_000.0]]),
    "jet_eta": ak.Array([[-1.0, 0.12], [-0.48]]),
    "jet_phi": ak.Array([[2.0, 0.22], [-3.1]]),
    "jet_e": ak.Array([[31_000.0, 556_000.0], [671_000.0]]),
}
# Without counts, positions are a list a jet. uproot writes no lists of lists: that file is an RNTuple.
WAYS = {
    "lists": ({"constituents": "lists"}, {"lists": LISTS}),
    "pairs": ({"jet_index": "jet", "candidate_index": "cand"}, PAIRS),
    "flat": ({"constituents": "flat", "counts": "numbers"}, FLAT),
}


def jets_file(path: Path, way: str) -> tuple[Path, FeatureSettings]:
    how, more = WAYS[way]
    jets = {name: value for name, value in MINE["jets"].items() if name != "constituents"}
    layout = {**MINE, "tree": "Events", "generated": None, "jets": {**jets, **how}}
    layout["candidates"] = {name: value for name, value in MINE["candidates"].items() if name != "puppi_weight"}
    data = {**columns(), **JETS, **more}
    if way == "lists":
        with uproot.recreate(path) as file:
            file.mkrntuple("Events", ak.zip({k: ak.Array(v) for k, v in data.items()}, depth_limit=1))
    else:
        write(path, "Events", data)
    return path, FeatureSettings(layouts={"mine": layout}, recluster=False, cluster_pt_min=1, pt_min=100, check_jets=0)


@pytest.mark.parametrize("way", WAYS)
def test_jets_of_the_file_are_kept_however_they_are_linked(tmp_path: Path, way: str) -> None:
    path, settings = jets_file(tmp_path / "a.root", way)
    (record,) = read_candidates(path, Reading(stored_jets=True), opening_of(settings))
    assert record.jets is not None
    jets = stored(record.jets)
    assert jets.pt.tolist() == pytest.approx([549.0, 20.0, 599.0])
    assert jets.constituents.offsets.tolist() == [0, 2, 3, 5]
    assert jets.constituents.pt == pytest.approx([300.0, 250.0, 20.0, 400.0, 200.0])
    cutflow = extract_features(path, tmp_path / "a.h5", settings)
    assert (cutflow.jets_clustered, cutflow.jets_passed) == (3, 2)
    assert read_table(tmp_path / "a.h5")["pt"] == pytest.approx([549.0, 599.0])


def test_counts_that_do_not_add_up_are_named(tmp_path: Path) -> None:
    path, settings = jets_file(tmp_path / "a.root", "flat")
    data = {**columns(), **JETS, **FLAT, "numbers": ak.values_astype(ak.Array([[1, 1], [2]]), np.int32)}
    write(path, "Events", data)
    with pytest.raises(DamagedFileError, match=r"a\.root: numbers does not add up to the lengths of flat"):
        list(read_candidates(path, Reading(stored_jets=True), opening_of(settings)))


def test_position_of_no_candidate_is_named(tmp_path: Path) -> None:
    path, settings = jets_file(tmp_path / "a.root", "flat")
    data = {**columns(), **JETS, **FLAT, "flat": ak.values_astype(ak.Array([[2, 0, 3], [0, 1]]), np.int32)}
    write(path, "Events", data)
    with pytest.raises(DamagedFileError, match=r"a\.root: flat is 3 in entry 0"):
        list(read_candidates(path, Reading(stored_jets=True), opening_of(settings)))


def test_momenta_in_axes_and_energy_are_those_in_angles(tmp_path: Path) -> None:
    candidates = {"px": "x", "py": "y", "pz": "z", "energy": "e"}
    path = write(tmp_path / "a.root", "Events", {"x": PX, "y": PY, "z": PZ, "e": ENERGY})
    settings = FeatureSettings(layouts={"mine": {"tree": "Events", "candidates": [candidates]}})
    (record,) = read_candidates(path, opening=opening_of(settings))
    assert record.candidates.pt == pytest.approx(FLAT_PT)
    assert record.candidates.eta == pytest.approx(ak.flatten(ETA).tolist())
    assert record.candidates.phi == pytest.approx(ak.flatten(PHI).tolist())
    assert record.candidates.mass == pytest.approx(ak.flatten(MASS).tolist(), abs=1e-4)
    assert record.event.tolist() == [0, 1]  # no number: the position in the file


def test_energy_below_the_momentum_is_no_particle(tmp_path: Path) -> None:
    candidates = {"pt": "pt", "eta": "eta", "phi": "phi", "energy": "e"}
    path = write(tmp_path / "a.root", "Events", {"pt": PT, "eta": ETA, "phi": PHI, "e": 0.9 * ENERGY})
    settings = FeatureSettings(layouts={"mine": {"tree": "Events", "candidates": [candidates]}})
    with pytest.raises(DamagedFileError, match=r"mass of e is -131\.\d+ in entry 0"):
        list(read_candidates(path, Reading(bad_candidates="file"), opening_of(settings)))


def vectors(name: str, **more: ak.Array) -> dict[str, ak.Array]:
    parts = {"Pt": PT, "Eta": ETA, "Phi": PHI, "E": ENERGY}
    return {f"{name}.fCoordinates.f{part}": values for part, values in parts.items()} | more


def test_treemaker(tmp_path: Path) -> None:
    jets = {"Pt": 549.0, "Eta": 0.12, "Phi": 0.22, "E": 556.0}
    data = {
        "RunNum": np.array([1, 1], np.uint32),
        "LumiBlockNum": np.array([7, 8], np.uint32),
        "EvtNum": np.array([2**40, 5], np.uint64),
        "Weight": np.array([0.5, 0.25]),
        **vectors("JetsConstituents", JetsConstituents_PuppiWeight=ak.ones_like(PT)),
        **{f"JetsAK8.fCoordinates.f{part}": ak.Array([[value], []]) for part, value in jets.items()},
        "JetsAK8_constituentsIndex": ak.values_astype(ak.Array([[0, 1], []]), np.int32),
        "JetsAK8_constituentsIndexCounts": ak.values_astype(ak.Array([[2], []]), np.int32),
        **vectors("GenParticles"),
        "GenParticles_PdgId": ak.values_astype(ak.Array([[6, 4900101, 21], [1, 1]]), np.int32),
        "GenParticles_Status": ak.values_astype(ak.Array([[62, 23, 23], [1, 1]]), np.int32),
        "GenParticles_ParentIdx": ak.values_astype(ak.Array([[-1, 0, 0], [-1, -1]]), np.int32),
    }
    path = write(tmp_path / "a.root", "PreSelection", data)
    assert detect_layout(path).name == "treemaker"
    (record,) = read_candidates(path, Reading(stored_jets=True))
    assert record.candidates.pt == pytest.approx(FLAT_PT)
    assert (record.luminosity_block.tolist(), record.weight.tolist()) == ([7, 8], [0.5, 0.25])
    assert record.partons is not None
    assert {kind: one.pt.tolist() for kind, one in record.partons.items()} == {
        "top": pytest.approx([300.0]),
        "dark_quark": pytest.approx([250.0]),
        "w": [],
    }
    assert record.jets is not None
    assert stored(record.jets).constituents.pt == pytest.approx([300.0, 250.0])


def test_treemaker_without_constituents_names_what_it_lacks(tmp_path: Path) -> None:
    path = write(tmp_path / "a.root", "PreSelection", {"RunNum": np.array([1], np.uint32)})
    with pytest.raises(UnreadableFileError, match=r"treemaker lacks JetsConstituents\.fCoordinates\.fPt"):
        detect_layout(path)


def test_scouting_nanoaod(tmp_path: Path) -> None:
    names = {"pt": PT, "eta": ETA, "phi": PHI, "mass": MASS}
    data = {
        "run": np.array([1, 1], np.uint32),
        "luminosityBlock": np.array([7, 8], np.uint32),
        "event": np.array([1, 2], np.uint64),
        **{f"ScoutingPFCandidate_{name}": values for name, values in names.items()},
        **{f"ScoutingFatPFJetRecluster_{name}": values for name, values in names.items()},
    }
    path = write(tmp_path / "a.root", "Events", data)
    assert detect_layout(path).name == "scouting_nano"
    (record,) = read_candidates(path)
    assert record.candidates.pt == pytest.approx(FLAT_PT)
    assert record.jets is not None
    assert record.jets.momenta.pt == pytest.approx(FLAT_PT)
    with pytest.raises(UnreadableFileError, match=r"scouting_nano links no jets.*recluster: true"):
        list(read_candidates(path, Reading(stored_jets=True)))


def test_jetclass_has_a_jet_an_entry(tmp_path: Path) -> None:
    jets = {"jet_pt": [549.0, 599.0], "jet_eta": [0.12, -0.48], "jet_phi": [0.22, -3.1], "jet_energy": [556.0, 671.0]}
    data = {
        "part_px": PX,
        "part_py": PY,
        "part_pz": PZ,
        "part_energy": ENERGY,
        **{name: np.array(values, np.float32) for name, values in jets.items()},
    }
    path = write(tmp_path / "a.root", "tree", data)
    assert detect_layout(path).name == "jetclass"
    settings = FeatureSettings(recluster=False, cluster_pt_min=1, check_jets=0)
    cutflow = extract_features(path, tmp_path / "a.h5", settings)
    assert (cutflow.events_read, cutflow.jets_clustered, cutflow.jets_passed) == (2, 2, 2)
    table = read_table(tmp_path / "a.h5")
    assert table["pt"] == pytest.approx([549.0, 599.0])
    assert table["n_constituents"].tolist() == [3, 2]
    assert table["event"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"candidates": {"pt": "a", "eta": "b"}}, "name the branches of pt, eta and phi, or those of px, py and pz"),
        ({"candidates": {"pt": "a", "eta": "b", "phi": "b"}}, "the branch b is named twice"),
        ({"candidates": {"pt": "a", "eta": "b", "phi": "c", "mass": "m", "energy": "e"}}, "mass and energy are both"),
        ({"unit": "keV"}, "unit.*'GeV', 'MeV' or 'TeV'"),
        ({"tree": "/Events"}, "is no name of a tree"),
        ({"jets": {**MINE["jets"], "jet_index": "x"}}, "jet_index and candidate_index belong together"),
        ({"jets": {**MINE["jets"], "one_an_entry": True}}, "constituents are told in one way"),
        ({"puppi_applied": True}, "puppi_weight would apply them again"),
        ({"leptons": {}}, "Extra inputs are not permitted"),
    ],
)
def test_slip_in_a_declared_layout_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=rf"(?s)layouts\.mine.*{message}"):
        FeatureSettings(layouts={"mine": {**MINE, **change}})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layouts": {"pfnano": MINE}}, "'pfnano' is built in"),
        ({"layouts": {"mine": MINE}, "layout": "mime"}, "there is no 'mime'; did you mean 'mine'"),
        ({"prefixes": ["/eos/cms"]}, "'/eos/cms' is no beginning of an address"),
    ],
)
def test_slip_beside_a_declared_layout_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FeatureSettings.model_validate(settings)


def test_declared_layout_that_fits_beside_a_built_in_one_must_be_chosen(tmp_path: Path, top_root: Path) -> None:
    candidates = {"pt": "PFCands_pt", "eta": "PFCands_eta", "phi": "PFCands_phi", "mass": "PFCands_mass"}
    layouts = {"raw": {"tree": "Events", "candidates": candidates, "event": "event"}}
    with pytest.raises(OddjetError, match=r"fits the layouts pfnano and raw.*features\.layout"):
        detect_layout(top_root, opening_of(FeatureSettings(layouts=layouts)))
    assert detect_layout(top_root, opening_of(FeatureSettings(layouts=layouts, layout="raw"))).name == "raw"


def test_page_lists_every_layout_and_its_examples_are_settings() -> None:
    assert re.findall(r"^\| `(\w+)` \| (\w+) \|", PAGE, re.MULTILINE) == [(one.name, one.tree) for one in LAYOUTS]
    assert [list(FeatureSettings.model_validate(example).model_fields_set) for example in EXAMPLES[:1]] == [["layouts"]]
    assert FeatureSettings.model_validate(EXAMPLES[1]).network_seconds == 120
