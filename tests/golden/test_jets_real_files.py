"""Closure on files that CMS and Delphes made: found jets, tau_N and soft drop mass against those in the file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from oddjet.errors import UnreadableFileError
from oddjet.io.candidates import CandidateRecord
from oddjet.io.chunks import Reading
from oddjet.io.root import detect_layout, open_events, read_candidates
from oddjet.io.tables import read_attributes, read_table
from oddjet.jets.clustering import Jets, cluster, stored, trees
from oddjet.jets.extract import extract_features
from oddjet.jets.grooming import soft_drop_mass
from oddjet.jets.njettiness import njettiness
from oddjet.jets.recombination import CAMBRIDGE_AACHEN, KT
from oddjet.jets.settings import FeatureSettings

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("ODDJET_TEST_DATA", REPOSITORY.parent / "shared" / "data"))


def real_file(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{path} is not there; ODDJET_TEST_DATA names the folder of real files")
    return path


@pytest.fixture(scope="module")
def record() -> CandidateRecord:
    (whole,) = read_candidates(real_file("cms_pfnano.root"), Reading(stored_jets=True))
    return whole


@pytest.fixture(scope="module")
def own(record: CandidateRecord) -> Jets:
    """CMS's jets with CMS's constituents."""
    assert record.jets is not None
    return stored(record.jets)


@pytest.fixture(scope="module")
def cms() -> dict[str, np.ndarray]:
    """CMS's numbers for the same jets, in falling pT in each event."""
    names = [f"FatJet_{name}" for name in ("pt", "rawFactor", "eta", "phi", "tau1", "tau2", "tau3", "msoftdrop")]
    with uproot.open(real_file("cms_pfnano.root")) as file:
        columns = file["Events"].arrays(names)
    order = ak.argsort(-columns.FatJet_pt)
    return {name.removeprefix("FatJet_"): ak.to_numpy(ak.flatten(columns[name][order])) for name in names}


def pt_of_constituents(jets: Jets, jet: int) -> float:
    of = slice(jets.constituents.offsets[jet], jets.constituents.offsets[jet + 1])
    pt, phi = jets.constituents.pt[of], jets.constituents.phi[of]
    return float(np.hypot(np.sum(pt * np.cos(phi)), np.sum(pt * np.sin(phi))))


def half_step(values: np.ndarray, bits: int) -> np.ndarray:
    """How far a number may lie from what a float with so many bits of mantissa holds of it."""
    return 2.0 ** (np.floor(np.log2(values)) - bits - 1)


def test_every_jet_of_cms_is_found_again(record: CandidateRecord, own: Jets, cms: dict[str, np.ndarray]) -> None:
    """The constituents are the same ones; raw pT agrees within 0.2 % of the interval in which the file leaves it.

    CMS stores `rawFactor` with 6 bits and `pt` with 10, so the raw pT of a jet with rawFactor 0.13 is known to 0.14 %
    only. The candidates' pT has 10 bits and PUPPI weights come from one byte each: that is the rest.
    """
    ours = cluster(record.candidates, 0.8, 20.0)
    raw = cms["pt"] * (1 - cms["rawFactor"])
    known = (half_step(cms["rawFactor"], 6) / (1 - cms["rawFactor"])) + half_step(cms["pt"], 10) / cms["pt"]
    assert known.max() < 0.0015
    assert len(raw) == len(own) == 24
    deviations = np.zeros(24)
    for jet, event in enumerate(own.event):
        here = np.flatnonzero(ours.event == event)
        dphi = np.angle(np.exp(1j * (ours.phi[here] - cms["phi"][jet])))
        distance = np.hypot(ours.eta[here] - cms["eta"][jet], dphi)
        nearest = here[np.argmin(distance)]
        assert distance.min() < 0.001
        assert pt_of_constituents(ours, nearest) == pytest.approx(pt_of_constituents(own, jet), rel=1e-12)
        deviations[jet] = abs(ours.pt[nearest] / raw[jet] - 1)
    assert (deviations - known).max() < 0.002
    assert (deviations < 0.002).sum() >= 23
    assert np.median(deviations) < 0.0005


@pytest.mark.parametrize("order", [1, 2, 3])
def test_njettiness_is_that_of_cms(own: Jets, cms: dict[str, np.ndarray], order: int) -> None:
    tau = njettiness(own.constituents, trees(own.constituents, KT), (order,), 0.8)[0]
    assert np.median(np.abs(tau / cms[f"tau{order}"] - 1)) < 0.002


def test_soft_drop_mass_is_nine_percent_below_that_of_cms(own: Jets, cms: dict[str, np.ndarray]) -> None:
    """CMS applies jet energy corrections to the two subjets before it adds them: a scale, not another jet."""
    mass = soft_drop_mass(trees(own.constituents, CAMBRIDGE_AACHEN), 0.1, 0.0, 0.8)
    groomed = cms["msoftdrop"] > 10
    ratio = mass[groomed] / cms["msoftdrop"][groomed]
    assert groomed.sum() >= 15
    assert np.median(ratio) == pytest.approx(0.915, abs=0.01)
    assert ratio.std() < 0.02
    assert mass[cms["msoftdrop"] <= 0].max() == 0.0


def test_puppi_weights_can_be_left_out() -> None:
    path = real_file("cms_pfnano.root")
    (weighted,) = read_candidates(path)
    (plain,) = read_candidates(path, Reading(apply_puppi_weight=False))
    with uproot.open(path) as file:
        stored_weights = ak.flatten(file["Events"]["PFCands_puppiWeight"].array())
    assert len(plain.candidates.pt) == len(stored_weights)
    assert len(weighted.candidates.pt) == ak.sum(stored_weights > 0)
    assert plain.candidates.pt.sum() > weighted.candidates.pt.sum()


def test_tree_and_rntuple_give_the_same_table(tmp_path: Path) -> None:
    tables = []
    for name in ("cms_pfnano.root", "cms_pfnano_rntuple.root"):
        assert detect_layout(real_file(name)).name == "pfnano"
        extract_features(real_file(name), tmp_path / f"{name}.h5", FeatureSettings(pt_max=2000.0, chunk_size=4))
        tables.append(read_table(tmp_path / f"{name}.h5"))
    assert len(tables[0]) == 20
    assert tables[0].tobytes() == tables[1].tobytes()


def test_own_jets_have_the_calibrated_pt(tmp_path: Path, cms: dict[str, np.ndarray]) -> None:
    settings = FeatureSettings(recluster=False, cluster_pt_min=0, pt_min=0, pt_max=5000, eta_max=5)
    extract_features(real_file("cms_pfnano.root"), tmp_path / "own.h5", settings)
    table = read_table(tmp_path / "own.h5")
    assert table["pt"].tolist() == cms["pt"].tolist()
    assert np.median(np.abs(table["tau2"] / cms["tau2"] - 1)) < 0.002


def test_jets_are_compared_with_those_of_the_file(tmp_path: Path, cms: dict[str, np.ndarray]) -> None:
    path = real_file("cms_pfnano.root")
    extract_features(path, tmp_path / "a.h5", FeatureSettings())
    closure = json.loads(read_attributes(tmp_path / "a.h5")["closure"])
    own = int(np.sum(cms["pt"] * (1 - cms["rawFactor"]) > 200))
    assert closure["found"] == closure["own"] == own > 15
    assert closure["pt"] == pytest.approx(1, abs=0.001)
    assert closure["mass"] == pytest.approx(1, abs=0.002)
    extract_features(path, tmp_path / "b.h5", FeatureSettings(radius=0.4))
    assert json.loads(read_attributes(tmp_path / "b.h5")["closure"])["mass"] < 0.9
    extract_features(real_file("delphes_eflow.root"), tmp_path / "c.h5", FeatureSettings())
    assert "closure" not in read_attributes(tmp_path / "c.h5")  # it has no large-radius jets


def test_delphes_jets_lie_at_the_tops(tmp_path: Path) -> None:
    path = real_file("delphes_eflow.root")
    assert detect_layout(path).name == "delphes"
    settings = FeatureSettings(pt_min=150.0, cluster_pt_min=20.0)
    cutflow = extract_features(path, tmp_path / "d.h5", settings, require_match="top")
    table = read_table(tmp_path / "d.h5")
    assert cutflow.events_read == 10
    assert len(table) == cutflow.jets_passed > 0
    assert (table["truth_match"] == 1).all()
    assert (table["event"] < 10).all()
    with pytest.raises(UnreadableFileError, match=r"delphes links no jets.*recluster: true"):
        extract_features(path, tmp_path / "x.h5", FeatureSettings(recluster=False))


def test_file_without_candidates_is_refused(tmp_path: Path) -> None:
    path = real_file("cms_nanoaod_no_candidates.root")
    with pytest.raises(UnreadableFileError) as error:
        extract_features(path, tmp_path / "x.h5", FeatureSettings())
    for part in (str(path), "pfnano", "PFCands_pt", "nanoaod_v15", "PFCand_pt"):
        assert part in str(error.value)
    assert not (tmp_path / "x.h5").exists()


def test_the_weight_of_all_generated_events_is_read() -> None:
    # Neither the RNTuple file nor Delphes keeps it.
    for name, weight in (
        ("cms_pfnano.root", (10.0, "Runs.genEventSumw")),
        ("cms_pfnano_rntuple.root", None),
        ("delphes_eflow.root", None),
    ):
        with open_events(real_file(name)) as file:
            assert file.generated_weight() == weight


@pytest.mark.parametrize("name", ["cms_pfnano.root", "cms_pfnano_rntuple.root"])
def test_cuts_and_kept_columns_on_a_file_of_cms(tmp_path: Path, name: str) -> None:
    # By hand from the ten events of the file: MET 61 51 550 154 86 74 105 37 167 31 GeV; a muon above 20 GeV in the 4th
    # and the 7th; electrons of 127 and 1419 GeV in the 8th and the 9th.
    cuts = {
        "events": "MET_pt > 50 and HLT_AK8PFJet360_TrimMass30 and count(Muon_pt > 20) == 0 and max(Electron_pt) < 100",
        "jets": "FatJet_jetId >= 2 and FatJet_msoftdrop > 20",
    }
    keep = ["FatJet_msoftdrop", "PV_npvs", {"jets_above_400": "count(Jet_pt > 400)"}]
    given = {"selection": cuts, "keep": keep, "pt_min": 200, "pt_max": 3000, "features": ["softdrop_mass"]}
    cutflow = extract_features(real_file(name), tmp_path / "a.h5", FeatureSettings.model_validate(given))
    assert cutflow.events_cut == {
        "MET_pt > 50": 2,
        "HLT_AK8PFJet360_TrimMass30": 0,
        "count(Muon_pt > 20) == 0": 2,
        "max(Electron_pt) < 100": 1,
    }
    # Of the file's jets of the five events left: 3.8 65.9 11.3 | 0 1.1 | 16.0 16.2 | 2.4 54.0 | 26.2 20.9 GeV.
    assert cutflow.jets_cut == {"FatJet_jetId >= 2": 0, "FatJet_msoftdrop > 20": 7}
    table = read_table(tmp_path / "a.h5")
    assert table["entry"].tolist() == [0, 4, 5, 5]
    assert table["FatJet_msoftdrop"] == pytest.approx([65.875, 54.0, 26.15625, 20.875])
    assert table["PV_npvs"].tolist() == [21, 21, 21, 21]
    # CMS calibrates its groomed mass; ours is not.
    assert table["softdrop_mass"] == pytest.approx(table["FatJet_msoftdrop"], rel=0.2)
