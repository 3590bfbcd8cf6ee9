"""Corrections by payloads that are written here: factors by hand, the pT window, ranks, weights, and every slip."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
import yaml

from oddjet.errors import CorrectionError
from oddjet.io.columns import Columns
from oddjet.io.root import read_candidates
from oddjet.io.tables import read_columns, read_table
from oddjet.jets.clustering import cluster
from oddjet.jets.corrections import Corrections, normal
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings
from oddjet.samples import Listed

pytest.importorskip("correctionlib", reason="payloads need the package correctionlib (the extra `corrections`)")
from payloads import write_payload

# Jets of two candidates 0.05 apart; pT, eta, phi of each candidate. The third event has a jet outside eta 2.4.
EVENTS = [
    [(260.0, 0.0, 1.0), (260.0, 0.0, 1.05), (265.0, 1.5, -2.0), (265.0, 1.5, -1.95)],
    [(230.0, 0.5, 0.0), (230.0, 0.5, 0.05)],
    [(400.0, 3.0, 0.0), (400.0, 3.0, 0.05), (300.0, -1.0, 2.0), (300.0, -1.0, 2.05)],
]
RHO = [10.0, 20.0, 30.0]
TRUE_PILE_UP = [5.0, 15.0, 25.0]
LOSS = np.cos(0.025)  # pT of two such candidates over the sum of theirs


@pytest.fixture
def file(tmp_path: Path) -> Path:
    particles = ak.Array([[{"pt": p, "eta": e, "phi": f, "mass": 0.0} for p, e, f in event] for event in EVENTS])
    columns = {
        "run": np.ones(3, np.uint32),
        "luminosityBlock": np.full(3, 5, np.uint32),
        "event": np.arange(10, 13, dtype=np.uint64),
        "genWeight": np.array([1.0, 2.0, 4.0], np.float32),
        "Rho": np.array(RHO, np.float32),
        "Pileup_nTrueInt": np.array(TRUE_PILE_UP, np.float32),
        "TopWeight": np.array([1.0, 0.5, 0.25], np.float32),
        "PFCands": ak.values_astype(particles, np.float32),
    }
    with uproot.recreate(tmp_path / "a.root") as root:
        tree = root.mktree("Events", {k: v.type if isinstance(v, ak.Array) else v.dtype for k, v in columns.items()})
        tree.extend(columns)
    return tmp_path / "a.root"


@pytest.fixture
def payload(tmp_path: Path) -> str:
    return write_payload(tmp_path / "payload.json.gz")


def jec(payload: str, **more: Any) -> dict[str, Any]:
    inputs = {"JetEta": "eta", "JetPt": "pt", "Rho": "Rho"}
    return {"file": payload, "name": "jec", "inputs": inputs, **more}


def uncertainty(payload: str) -> dict[str, Any]:
    return {"file": payload, "name": "jec_uncertainty", "inputs": {"JetPt": "pt"}}


def jer(payload: str, **more: Any) -> dict[str, Any]:
    return {
        "resolution": {"file": payload, "name": "resolution", "inputs": {"JetPt": "pt"}},
        "scale_factor": {"file": payload, "name": "scale_factor", "inputs": {"JetEta": "eta", "systematic": "nom"}},
        **more,
    }


def pileup(payload: str) -> dict[str, Any]:
    inputs = {"NumTrueInteractions": "Pileup_nTrueInt", "weights": "nominal"}
    return {"file": payload, "name": "pileup", "inputs": inputs, "up": {"weights": "up"}, "down": {"weights": "down"}}


def settings(**corrections: Any) -> FeatureSettings:
    return FeatureSettings.model_validate({"check_jets": 10, "corrections": corrections})


def rows(file: Path, given: FeatureSettings, **more: Any) -> np.ndarray:
    output = file.with_suffix(".h5")
    extract_features(file, output, given, **more)
    return read_table(output)


def test_window_and_ranks_are_of_corrected_jets(file: Path, payload: str) -> None:
    # Raw jets: 520 (eta 0) and 530 (eta 1.5); 460; 800 (eta 3) and 600. Factors: 1.2 within |eta| 1, 1.1 beyond it, and
    # 1 - Rho / 1000 of both.
    plain = rows(file, settings())
    assert plain["pt"] == pytest.approx(np.array([530, 520, 600]) * LOSS)
    assert plain["jet_rank"].tolist() == [0, 1, 1]
    table = rows(file, settings(jec=jec(payload)))
    raw = np.array([520, 530, 460, 600]) * LOSS
    factor = np.array([1.2 * 0.99, 1.1 * 0.99, 1.2 * 0.98, 1.1 * 0.97])
    assert table["pt"] == pytest.approx(raw * factor)
    assert table["event"].tolist() == [10, 10, 11, 12]
    assert table["jet_rank"].tolist() == [0, 1, 0, 1]
    # The mass goes with it; shapes do not.
    assert table["mass"][[1, 0]] == pytest.approx(plain["mass"][:2] * factor[[1, 0]])
    assert table["tau2"][[1, 0]] == pytest.approx(plain["tau2"][:2])


def test_jets_are_shifted_by_the_uncertainty_of_corrected_pt(file: Path, payload: str) -> None:
    given = settings(jec=jec(payload, uncertainty=uncertainty(payload)))
    assert given.corrections.shifted() == ["jec_up", "jec_down"]
    nominal = rows(file, given)["pt"]
    # 2 % below 600 GeV, 5 % above.
    share = np.where(nominal < 600, 0.02, 0.05)
    assert rows(file, given, variation="jec_up")["pt"] == pytest.approx(nominal * (1 + share))
    assert rows(file, given, variation="jec_down")["pt"] == pytest.approx(nominal * (1 - share))


def test_smearing_goes_by_the_event_and_by_the_scale_factor(file: Path, payload: str) -> None:
    given = settings(jer=jer(payload, up={"systematic": "up"}, down={"systematic": "down"}))
    (record,) = read_candidates(file)
    jets = cluster(record.candidates, 0.8, 20.0)
    deviate = normal(jets, record)
    smeared = Corrections(given.corrections, 2.4).corrected(jets, record)
    expected = jets.pt * np.where(np.abs(jets.eta) < 2.4, 1 + deviate * 0.1 * np.sqrt(1.25**2 - 1), 1)
    assert np.sort(smeared.pt) == pytest.approx(np.sort(expected))
    up = Corrections(given.corrections, 2.4, "jer_up").corrected(jets, record)
    expected = jets.pt * np.where(np.abs(jets.eta) < 2.4, 1 + deviate * 0.1 * np.sqrt(1.5**2 - 1), 1)
    assert np.sort(up.pt) == pytest.approx(np.sort(expected))
    # A scale factor below 1 smears nothing.
    down = Corrections(given.corrections, 2.4, "jer_down").corrected(jets, record)
    assert np.sort(down.pt) == pytest.approx(np.sort(jets.pt))
    assert np.array_equal(normal(jets, record), deviate)


def test_deviates_are_normal(top_root: Path) -> None:
    (record,) = read_candidates(top_root)
    deviates = normal(cluster(record.candidates, 0.4, 1.0), record)
    assert len(deviates) > 2000
    assert abs(deviates.mean()) < 4 / np.sqrt(len(deviates))
    assert deviates.std() == pytest.approx(1, abs=4 / np.sqrt(2 * len(deviates)))


def test_weights_nominal_and_varied_are_columns(file: Path, payload: str) -> None:
    weights = {"pileup": pileup(payload), "top": {"nominal": "TopWeight", "up": "Rho"}}
    given = settings(weights=weights)
    assert given.corrections.reweighted() == ["pileup_up", "pileup_down", "top_up"]
    table = rows(file, given, weight=3.0)
    entry = table["entry"]
    generator = 3 * np.array([1.0, 2.0, 4.0])[entry]
    nominal, up, down = (
        np.array([0.5, 1.0, 2.0])[entry],
        np.array([0.6, 1.0, 2.4])[entry],
        np.array([0.4, 1, 1.6])[entry],
    )
    top = np.array([1.0, 0.5, 0.25])[entry]
    assert table["weight"] == pytest.approx(generator * nominal * top)
    assert table["weight_pileup_up"] == pytest.approx(generator * up * top)
    assert table["weight_pileup_down"] == pytest.approx(generator * down * top)
    assert table["weight_top_up"] == pytest.approx(generator * nominal * np.array(RHO)[entry])
    described = {one.name: one.description for one in read_columns(file.with_suffix(".h5"))}
    assert described["weight_pileup_up"] == "Weight under the variation pileup_up."


def test_jets_of_the_file_are_corrected_from_their_raw_momenta(file: Path, payload: str) -> None:
    with uproot.open(file) as root:
        data = {name: root["Events"][name].array() for name in root["Events"].keys() if name != "nPFCands"}  # noqa: SIM118
    float32 = {"FatJet_pt": [[1000.0, 50.0], [500.0], []], "FatJet_eta": [[0.0, 1.5], [0.5], []]}
    float32 |= {"FatJet_phi": [[1.0, -2.0], [0.0], []], "FatJet_mass": [[10.0, 5.0], [8.0], []]}
    float32 |= {"FatJet_rawFactor": [[0.5, 0.0], [0.1], []]}
    integers = {
        "FatJetPFCands_jetIdx": [[0, 0, 1, 1], [0, 0], []],
        "FatJetPFCands_pFCandsIdx": [[0, 1, 2, 3], [0, 1], []],
    }
    data |= {name: ak.values_astype(ak.Array(values), np.float32) for name, values in float32.items()}
    data |= {name: ak.values_astype(ak.Array(values), np.int32) for name, values in integers.items()}
    with uproot.recreate(file) as root:
        kinds = {k: v.type if v.ndim > 1 else np.dtype(v.type.content.primitive) for k, v in data.items()}
        root.mktree("Events", kinds).extend(data)
    given = FeatureSettings.model_validate({"recluster": False, "corrections": {"jec": jec(payload)}})
    assert rows(file, given)["pt"] == pytest.approx([500 * 1.2 * 0.99, 450 * 1.2 * 0.98])
    without = FeatureSettings(recluster=False)
    assert rows(file, without)["pt"].tolist() == []  # calibrated by the file: 1000, 50 and 500 GeV


def test_without_corrections_nothing_is_read_or_changed(file: Path) -> None:
    corrections = Corrections(FeatureSettings().corrections, 2.4)
    assert (corrections.branches(), corrections.columns(), corrections.of_jets) == ((), [], False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": "no.json"}, r"corrections\.jec\.file: no\.json: no such file; no payload comes with oddjet"),
        (
            {"name": "jce"},
            r"corrections\.jec\.name: .*payload.json.gz: there is no 'jce'; did you mean 'jec'\? There are:",
        ),
        ({"inputs": {"JetEta": "eta", "JetPT": "pt", "Rho": "Rho"}}, "there is no 'JetPT'; did you mean 'JetPt'"),
        ({"inputs": {"JetEta": "eta", "JetPt": "pt"}}, r"jec of .* also asks for Rho \(real\)"),
        (
            {"inputs": {"JetEta": "eta", "JetPt": "pt", "Rho": "rho"}},
            r"a\.root: .*no branch 'rho'; the nearest are Rho",
        ),
        ({"inputs": {"JetEta": 6.0, "JetPt": "pt", "Rho": "Rho"}}, r"has no value for JetEta 6.*lies between -5 and 5"),
        ({"inputs": {"JetEta": "eta", "JetPt": "pt", "Rho": "PFCands_pt"}}, "PFCands_pt is a list an event"),
    ],
)
def test_slip_in_a_correction_of_jets_is_one_line(
    file: Path, payload: str, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(CorrectionError, match=message) as error:
        rows(file, settings(jec={**jec(payload), **change}))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": {"NumTrueInteractions": "Pileup_nTrueInt", "weights": "nominl"}}, "there are: down, nominal, up"),
        ({"inputs": {"NumTrueInteractions": "Rho", "weights": "nominal"}}, "NumTrueInteractions 30.*between 0 and 30"),
        (
            {"inputs": {"NumTrueInteractions": "Pileup_nTrueInt", "weights": 1.0}},
            "weights: 1.0: a word is wanted; there",
        ),
    ],
)
def test_slip_in_a_weight_is_one_line(file: Path, payload: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(CorrectionError, match=rf"weights\.pileup.*{message}"):
        rows(file, settings(weights={"pileup": {**pileup(payload), **change}}))


def test_file_that_is_no_payload_is_named(file: Path, payload: str, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "b.json.gz", "wt") as damaged:
        damaged.write("{")
    with pytest.raises(CorrectionError, match=r"jec\.file: .*b\.json\.gz: no readable payload"):
        rows(file, settings(jec=jec(str(tmp_path / "b.json.gz"))))


def test_variation_that_is_not_there_is_named(file: Path, payload: str) -> None:
    with pytest.raises(CorrectionError, match=r"there is no 'jes_up'; did you mean 'jec_up'"):
        rows(file, settings(jec=jec(payload, uncertainty=uncertainty(payload))), variation="jes_up")


def test_weight_that_is_no_number_is_named(file: Path) -> None:
    (record,) = read_candidates(file)
    damaged = Columns("a.root", ak.Array({"w": [1.0, np.nan, 1.0]}))
    corrections = Corrections(settings(weights={"own": {"nominal": "w"}}).corrections, 2.4)
    with pytest.raises(CorrectionError, match=r"weights\.own: w is nan in entry 1"):
        corrections.weights(type(record)(**{**vars(record), "columns": damaged}))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weights": {"Pile": {"nominal": "w"}}}, "'Pile' is no name of a weight"),
        ({"weights": {"jec": {"nominal": "w"}}}, "'jec' is the name of a correction of jets"),
        ({"weights": {"own": {}}}, "no branch is named"),
        ({"weights": {"p": {"file": "x", "name": "y", "inputs": {"a": 1}, "up": {"b": 2}}}}, "up: there is no 'b'"),
        ({"jec": {"file": "x", "name": "y"}}, "inputs"),
    ],
)
def test_slip_in_the_settings_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings(**given)


def test_kept_column_of_the_name_of_a_varied_weight_is_refused() -> None:
    corrections = {"weights": {"own": {"nominal": "a", "up": "b"}}}
    with pytest.raises(ValueError, match="'weight_own_up': weight_ begins the columns of varied weights"):
        FeatureSettings.model_validate({"keep": {"weight_own_up": "b"}, "corrections": corrections})


def test_example_of_the_page_is_a_configuration() -> None:
    page = (Path(__file__).parents[2] / "docs/corrections.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    example = yaml.safe_load(block)
    given = FeatureSettings.model_validate(example["features"]).corrections
    assert given.files() == ["fatJet_jerc.json.gz", "puWeights.json.gz"]
    assert given.shifted() == ["jec_up", "jec_down", "jer_up", "jer_down"]
    assert given.reweighted() == ["pileup_up", "pileup_down", "top_pt_up"]
    (data,) = example["samples"].values()
    assert Listed.model_validate(data).own_features(FeatureSettings(corrections=given)).corrections.files() == []
