"""Files that nearly fit a layout: other names, columns that change the meaning, other shapes, bad numbers."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from cms_files import (
    EVENTS,
    PER_JET,
    candidates,
    identifiers,
    lists,
    sprays,
    table_of,
    with_a_bad_entry,
    write,
)
from oddjet.errors import ConfigError, DamagedFileError, DatasetError, JetError, TableError, UnreadableFileError
from oddjet.io.chunks import ChunkReader, Reading
from oddjet.io.cutflow import Cutflow
from oddjet.io.layouts import NANOAOD_V15
from oddjet.io.weights import sample_factors
from oddjet.jets.cutflow import check_enough, merge_sample, read_report
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings


def test_puppi_weights_beside_the_names_of_nanoaod_are_applied(tmp_path: Path) -> None:
    weight = lists(np.where(np.arange(2 * PER_JET) % 2, 1.0, 0.2) * np.ones((EVENTS, 1)))
    tables = [
        table_of(write(tmp_path / f"{name}.root", candidates(name, puppiWeight=weight)), pt_min=100)
        for name in ("PFCands", "PFCand")
    ]
    assert tables[0][0].tobytes() == tables[1][0].tobytes()
    assert [one[2]["layout"] for one in tables] == ["pfnano", "nanoaod_v15"]
    assert [one[2]["puppi"] for one in tables] == ["PFCands_puppiWeight applied", "PFCand_puppiWeight applied"]
    plain, _, told = table_of(write(tmp_path / "v15.root", candidates("PFCand")), pt_min=100)
    assert told["puppi"] == "in the momenta already"
    assert plain["mass"].mean() > 1.1 * tables[0][0]["mass"].mean()


@pytest.mark.parametrize(("title", "weight"), [("Puppi-weighted pt", None), ("pt", "PFCand_puppiWeight")])
def test_title_that_says_weighted_is_believed(title: str, weight: str | None) -> None:
    branches = {**dict.fromkeys(candidates("PFCand"), ""), "PFCand_puppiWeight": "", "PFCand_pt": title}
    assert ChunkReader("x", NANOAOD_V15, branches, Reading()).puppi == [weight]


def delphes(path: Path, *, massive: bool) -> Path:
    names = {"PT": "pt", "Eta": "eta", "Phi": "phi", **({"Mass": "mass"} if massive else {})}
    columns: dict[str, object] = {f"EFlowTrack.{name}": sprays()[0][field] for name, field in names.items()}
    for group in ("EFlowPhoton", "EFlowNeutralHadron"):
        columns |= {f"{group}.{name}": lists(np.full((EVENTS, 1), 1e-3)) for name in ("ET", "Eta", "Phi")}
    columns["Event.Number"] = np.arange(EVENTS, dtype=np.int64)
    return write(path, columns, "Delphes")


def test_masses_of_delphes_tracks_are_read_where_there_are_any(tmp_path: Path) -> None:
    whole = table_of(write(tmp_path / "a.root", candidates()))[0]
    massive, _, told = table_of(delphes(tmp_path / "b.root", massive=True))
    massless = table_of(delphes(tmp_path / "c.root", massive=False))[0]
    assert told["masses"] == "EFlowTrack.Mass, EFlowPhoton.ET massless, EFlowNeutralHadron.ET massless"
    assert massive["mass"] == pytest.approx(whole["mass"], rel=2e-4)
    assert (massless["mass"] < 0.999 * whole["mass"]).all()


@pytest.mark.parametrize("name", ["genEventSumw", "genEventSumw_"])
def test_sum_of_generated_weights_has_two_names(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "skim.root", {**candidates(), "genWeight": np.full(EVENTS, 2, np.float32)})
    with uproot.update(path) as file:
        file.mktree("Runs", {name: np.float64})
        file["Runs"].extend({name: np.array([2000.0])})
    _, cutflow, told = table_of(path)
    assert (cutflow.sum_of_weights, cutflow.sum_of_generated_weights) == (40.0, 2000.0)
    assert told["generated"] == f"Runs.{name}"


def shapes() -> dict[str, object]:
    columns = {f"PFCands_{name}": values for name, values in sprays()[0].items()}

    def split(sizes: tuple[int, int]) -> dict[str, ak.Array]:
        return {k: ak.unflatten(v, ak.flatten(ak.Array([list(sizes)] * EVENTS)), axis=1) for k, v in columns.items()}

    return {
        "one number an event": {**columns, "PFCands_pt": np.full(EVENTS, 600, np.float32)},
        "strings": {**columns, "PFCands_pt": ak.Array([["a"] * 2 * PER_JET] * EVENTS)},
        "lists of two lengths": split((20, 30)),
        "lists of one length": split((25, 25)),
        "identifiers as lists": {**columns, "run": lists(np.ones((EVENTS, 1, 1)), np.uint32)},
    }


@pytest.mark.parametrize("kind", shapes())
def test_other_shapes_are_refused_by_name(tmp_path: Path, kind: str) -> None:
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mkrntuple("Events", {**identifiers(), **shapes()[kind]})
    with pytest.raises(UnreadableFileError, match=r"a\.root: (PFCands_pt|run) is of the type"):
        table_of(tmp_path / "a.root")
    output = tmp_path / "skipped.h5"
    assert extract_features(tmp_path / "a.root", output, FeatureSettings(on_bad_file="skip")) == Cutflow()


def test_three_numbers_a_candidate_are_refused(tmp_path: Path) -> None:
    three = {name: np.stack([ak.to_numpy(v)] * 3, axis=2) for name, v in sprays()[0].items()}
    path = write(tmp_path / "three.root", {**identifiers(), **{f"PFCands_{k}": v for k, v in three.items()}})
    with pytest.raises(UnreadableFileError, match=r"three\.root: PFCands_pt is of the type 50 \* 3 \* float32"):
        table_of(path)


def test_a_kind_of_leaf_that_uproot_cannot_read_is_no_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "leaf.root", candidates())
    data = path.read_bytes()
    assert b"TLeafF\x00" in data
    # No class of ROOT's: what uproot says of it is what it says of a kind that it does not know.
    path.write_bytes(data.replace(b"TLeafF\x00", b"TLeafX\x00"))
    with pytest.raises(UnreadableFileError, match=r"cannot read the branch PFCands_pt .*; the file may be whole"):
        table_of(path)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("run", np.full(EVENTS, -1, np.int32), "run is -1 in entry 0"),
        ("run", np.full(EVENTS, 2**33, np.int64), "run is 8589934592 in entry 0"),
        ("event", np.arange(EVENTS) - 5, "event is -5 in entry 0"),
        ("event", np.arange(EVENTS) + 2.0**53, "event is of the type float64"),
    ],
)
def test_identifiers_that_do_not_fit_are_refused(tmp_path: Path, name: str, values: np.ndarray, message: str) -> None:
    path = write(tmp_path / "ids.root", {**candidates(), name: values})
    with pytest.raises(DamagedFileError, match=rf"ids\.root: {message}"):
        table_of(path)


def with_a_bad_candidate(path: Path, field: str, value: float, event: int = 7) -> Path:
    pt = ak.to_numpy(ak.flatten(sprays()[0][field])).copy()
    pt[2 * PER_JET * event + 3] = value
    return write(path, candidates(**{field: lists(pt.reshape(EVENTS, -1))}))


NO_MOMENTUM = [("pt", np.nan), ("eta", 999.9), ("phi", np.inf), ("mass", -np.inf)]
# Placeholders, and an angle that no azimuth has.
NO_MOMENTUM += [("pt", -1.0), ("mass", -1.0), ("phi", 90.0), ("phi", -999.0), ("mass", 1e20)]


@pytest.mark.parametrize(("field", "value"), NO_MOMENTUM)
def test_bad_candidate_leaves_out_its_event_and_is_counted(tmp_path: Path, field: str, value: float) -> None:
    path = with_a_bad_candidate(tmp_path / "a.root", field, value)
    table, cutflow, _ = table_of(path)
    assert sorted(set(table["entry"].tolist())) == [entry for entry in range(EVENTS) if entry != 7]
    assert table["event"].tolist() == table["entry"].tolist()
    assert (cutflow.events_read, cutflow.events_bad_candidate, cutflow.candidates_bad) == (EVENTS, 1, 1)
    assert cutflow.sum_of_weights == EVENTS
    table, cutflow, _ = table_of(path, bad_candidates="candidate")
    assert len(table) == 2 * EVENTS
    sound = table_of(write(tmp_path / "sound.root", candidates()))[0]
    assert table["n_constituents"].sum() == sound["n_constituents"].sum() - 1
    assert (cutflow.events_bad_candidate, cutflow.candidates_bad) == (0, 1)
    for settings in ({"bad_candidates": "file"}, {"max_bad_event_fraction": 0.0}):
        with pytest.raises(DamagedFileError, match=rf"a\.root: .*PFCands_{field} is .* in entry 7"):
            table_of(path, **settings)


def test_padding_without_a_pt_is_no_bad_candidate(tmp_path: Path) -> None:
    padded = {
        name: ak.concatenate([v, lists(np.full((EVENTS, 1), {"pt": 0.0, "eta": np.nan}.get(name, 0.1)))], axis=1)
        for name, v in sprays()[0].items()
    }
    cutflow = table_of(write(tmp_path / "a.root", candidates(**padded)))[1]
    assert (cutflow.candidates_bad, cutflow.jets_passed) == (0, 2 * EVENTS)


def test_no_jet_in_a_file_in_mev_is_guessed(tmp_path: Path) -> None:
    mev = {name: 1000 * values for name, values in sprays()[0].items() if name in ("pt", "mass")}
    cutflow = table_of(write(tmp_path / "a.root", candidates(**mev)))[1]
    with pytest.raises(JetError, match=r"sample top: 0 jets pass.*jets_pt_high takes 40 of .* in MeV\?"):
        check_enough({"top": (cutflow, [])}, ["top"], [], 300)
    with pytest.raises(JetError, match=r"(?s)sample svj: 5 jets pass, fewer than 300.*minimum_signal_jets"):
        check_enough({"svj": (Cutflow(events_read=5, jets_passed=5), [])}, [], ["svj"], 300)


def test_a_sample_without_weight_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    weightless = {"genWeight": np.zeros(EVENTS, np.float32)}
    cutflow = table_of(write(tmp_path / "a.root", {**candidates(), **weightless}))[1]
    assert cutflow.jets_passed == 2 * EVENTS
    with pytest.raises(JetError, match=rf"sample top: the generator weights of its {EVENTS} events add up to 0, so"):
        check_enough({"top": (cutflow, [])}, ["top"], [], 300)


def test_puppi_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.root", candidates(puppiWeight=lists(np.full((EVENTS, 2 * PER_JET), -1.0))))
    with pytest.raises(DamagedFileError, match="PFCands_puppiWeight is -1 in entry 0"):
        table_of(path)


def test_units_and_packing_of_another_kind_are_guessed(tmp_path: Path) -> None:
    degrees = write(tmp_path / "a.root", candidates(phi=sprays()[0]["phi"] * 180 / np.pi))
    packed = write(tmp_path / "b.root", candidates(puppiWeight=lists(np.full((EVENTS, 2 * PER_JET), 255), np.uint8)))
    with pytest.raises(DamagedFileError, match=r"PFCands_phi is .* \(in degrees\? It must be in radians\)"):
        table_of(degrees)
    with pytest.raises(
        DamagedFileError, match=r"PFCands_puppiWeight is 255 \(still packed\? .*apply_puppi_weight: false"
    ):
        table_of(packed)
    assert table_of(packed, apply_puppi_weight=False)[1].jets_passed == 2 * EVENTS
    # From 0 to 2 pi is as good as from -pi to pi.
    turned = candidates(phi=sprays()[0]["phi"] % (2 * np.pi))
    assert table_of(write(tmp_path / "c.root", turned))[1].jets_passed == 2 * EVENTS


def test_a_file_of_two_layouts_is_read_as_the_one_that_is_chosen(tmp_path: Path) -> None:
    both = write(tmp_path / "a.root", {**candidates("PFCand"), **candidates(pt=2 * sprays()[0]["pt"])})
    with pytest.raises(ConfigError, match=r"a\.root: fits the layouts pfnano and nanoaod_v15.*features\.layout"):
        table_of(both, on_bad_file="skip")
    soft, hard = (table_of(both, layout=name, pt_max=5000)[0] for name in ("nanoaod_v15", "pfnano"))
    assert np.allclose(hard["pt"], 2 * soft["pt"], rtol=1e-3)


def own_jets(**changed: np.ndarray) -> dict[str, object]:
    """Candidates with the file's own two jets and their links."""
    links = np.tile(np.repeat([0, 1], PER_JET), (EVENTS, 1)), np.tile(np.arange(2 * PER_JET), (EVENTS, 1))
    jets = {"pt": np.full((EVENTS, 2), 600.0), "eta": np.zeros((EVENTS, 2)), "phi": np.zeros((EVENTS, 2))}
    columns = {f"FatJet_{name}": lists(values) for name, values in {**jets, "mass": jets["pt"] / 10}.items()}
    values = {"jetIdx": links[0], "pFCandsIdx": links[1], **changed}
    columns |= {f"FatJetPFCands_{name}": lists(v, v.dtype.type) for name, v in values.items()}
    return {**candidates(), **columns}


def test_links_of_jets_that_cannot_be(tmp_path: Path) -> None:
    settings = {"recluster": False}
    assert table_of(write(tmp_path / "sound.root", own_jets()), **settings)[1].jets_passed == 2 * EVENTS
    for name, numbers, message in (
        ("half", np.arange(2 * PER_JET) + 0.5, r"pFCandsIdx is 0\.5, which is no position in a collection"),
        (
            "twice",
            np.arange(2 * PER_JET) // 2 * 2,
            r"link a candidate to one jet twice in entry 0; set recluster: true",
        ),
        (
            "outside",
            np.arange(2 * PER_JET) + 1,
            r"pFCandsIdx is 50 in entry 0, which is no position .* recluster: true",
        ),
    ):
        path = write(tmp_path / f"{name}.root", own_jets(pFCandsIdx=np.tile(numbers, (EVENTS, 1))))
        with pytest.raises(DamagedFileError, match=message):
            table_of(path, **settings)


@pytest.mark.parametrize(
    ("stored", "generated", "said"),
    [
        ({"genEventSumw": np.zeros(0)}, EVENTS, ""),
        ({"genEventSumw": np.array([40.0, 60.0])}, 100, ""),
        ({"genEventSumw": np.array([-5.0])}, -5, "adds up to -5, less than the 20 of the events in the file"),
        ({"genEventSumw": np.array([5.0])}, 5, "adds up to 5, less than the 20"),
        (np.histogram(np.ones(3)), EVENTS, ""),
    ],
)
def test_sums_of_weights_that_cannot_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, stored: object, generated: float, said: str
) -> None:
    path = write(tmp_path / "a.root", candidates())
    with uproot.update(path) as file:
        file["Runs"] = stored
    assert table_of(path)[1].sum_of_generated_weights == generated
    assert said in caplog.text
    assert ("less than" in caplog.text) == bool(said)
    if said:
        with pytest.raises(DatasetError, match=r"a\.h5: its file says that its events were generated with weights of"):
            sample_factors({"top": [path.with_suffix(".h5")]}, {"top": 831.8})


def test_sums_of_weights_of_another_shape(tmp_path: Path) -> None:
    for number, values in enumerate((np.ones((2, 3)), ["a", "b"])):
        path = write(tmp_path / f"{number}.root", candidates())
        with uproot.update(path) as file:
            file["Runs"] = {"genEventSumw": values}
        with pytest.raises(UnreadableFileError, match=r"Runs\.genEventSumw is not one number a run"):
            table_of(path)


def test_events_of_one_identifier_count_by_their_entry(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "merged.root", {**candidates(), "event": (np.arange(EVENTS) % 10).astype(np.uint64)})
    _, cutflow, _ = table_of(path)
    merged, _ = merge_sample("top", [path.with_suffix(".h5")])
    assert merged.events_passed == cutflow.events_passed == EVENTS
    assert "sample top: 20 events share run, luminosity block and event number with another" in caplog.text


def test_refusals_say_what_there_is(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "inside.root") as file:
        file.mkdir("ntuplizer").mktree("Events", {"run": np.uint32})
    with pytest.raises(
        UnreadableFileError, match=r"ntuplizer \(folder\), ntuplizer/Events \(TTree\).*features\.layouts"
    ):
        table_of(tmp_path / "inside.root")
    path = write(tmp_path / "old.root", identifiers())
    with pytest.raises(UnreadableFileError, match=r"NanoAOD from v15 on \(earlier versions hold no candidates"):
        table_of(path)


def test_refusals_list_some_of_the_branches_that_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "flat.root", {f"jet_{number}": np.ones(EVENTS) for number in range(300)})
    with pytest.raises(UnreadableFileError, match=r"\(Events has jet_0, jet_1, .* and 280 more\)") as raised:
        table_of(path)
    assert "jet_20" not in str(raised.value)
    with uproot.recreate(tmp_path / "histogram.root") as file:
        file["Events"] = np.histogram(np.ones(3))
    with pytest.raises(UnreadableFileError, match=r"Events is a TH1D, .*give files of events"):
        table_of(tmp_path / "histogram.root")


def test_no_candidate_left_is_not_blamed_on_puppi_weights(tmp_path: Path) -> None:
    nothing = write(tmp_path / "a.root", candidates(pt=np.nan * sprays()[0]["pt"]))
    lost = table_of(nothing, bad_candidates="candidate", max_bad_event_fraction=1.0)[1].largest_loss()
    assert lost.startswith(
        f"events_without_candidates takes {EVENTS} of {EVENTS} events; a candidate without a momentum"
    )
    empty = candidates(**{name: values[:, :0] for name, values in sprays()[0].items()})
    assert "is its collection filled?" in table_of(write(tmp_path / "b.root", empty))[1].largest_loss()


def test_one_bad_stored_jet_costs_its_event_and_no_more(tmp_path: Path) -> None:
    sound, _, _ = table_of(write(tmp_path / "sound.root", own_jets()), recluster=False)
    columns = own_jets()
    name = next(name for name in columns if name.endswith("_eta") and name.startswith("FatJet"))
    columns[name] = with_a_bad_entry(columns[name], 5)
    path = write(tmp_path / "a.root", columns)
    table, cutflow, _ = table_of(path, recluster=False, chunk_size=7)
    assert table.tobytes() == sound[sound["entry"] != 5].tobytes()
    assert (cutflow.events_bad_jet, cutflow.events_bad_candidate, cutflow.events_bad_particle) == (1, 0, 0)
    # Where jets are clustered anew, a stored one is asked for nothing but the comparison.
    assert table_of(path)[1].events_passed == EVENTS
    with pytest.raises(DamagedFileError, match=f"{name} is nan in entry 5"):
        table_of(path, recluster=False, bad_candidates="file")


def test_puppi_weights_by_another_name_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    weight = lists(np.full((EVENTS, 2 * PER_JET), 0.5))
    path = write(tmp_path / "a.root", candidates(puppiWeightNoLep=weight))
    assert table_of(path)[2]["puppi"] == "not applied"
    assert "a.root: PFCands_puppiWeightNoLep is not applied, for the layout pfnano does not know it" in caplog.text
    caplog.clear()
    table_of(path, apply_puppi_weight=False)
    table_of(write(tmp_path / "b.root", candidates(puppiWeightNoLep=weight, puppiWeight=weight)), pt_min=100)
    assert "is not applied" not in caplog.text


def test_jets_that_cannot_be_compared_are_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    scalar = {f"FatJet_{name}": np.ones(EVENTS, np.float32) for name in ("pt", "eta", "phi", "mass")}
    assert table_of(write(tmp_path / "a.root", {**candidates(), **scalar}), chunk_size=7)[1].jets_passed == 2 * EVENTS
    assert caplog.text.count("a.root: FatJet_pt is of the type float32") == 1
    assert "not compared with those found here" in caplog.text


def test_truth_that_lacks_a_branch_is_named(tmp_path: Path) -> None:
    truth = {f"GenPart_{name}": lists(np.ones((EVENTS, 1))) for name in ("pt", "eta", "phi", "mass", "pdgId")}
    path = write(tmp_path / "a.root", {**candidates(), **truth})
    with pytest.raises(JetError, match=r"a\.root: require_match is top, but .*: it lacks GenPart_status\. Set"):
        extract_features(path, tmp_path / "a.h5", FeatureSettings(), require_match="top")


def test_a_weight_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path / "a.root", {**candidates(), "genWeight": np.full(EVENTS, np.nan, np.float32)})
    with pytest.raises(DamagedFileError, match=r"genWeight is nan in entry 0; a weight is .* cut the event out"):
        table_of(path)


def test_every_largest_loss_comes_with_a_guess(tmp_path: Path) -> None:
    tev = {name: 1e-3 * values for name, values in sprays()[0].items() if name in ("pt", "mass")}
    assert "momenta in TeV" in table_of(write(tmp_path / "a.root", candidates(**tev)))[1].largest_loss()
    # Most, but not nearly all.
    cutflow = Cutflow(events_read=9, jets_clustered=10, jets_pt_low=3, jets_unmatched=7)
    with pytest.raises(TableError, match=r"a\.h5: no readable report of check_cutflow"):
        read_report(tmp_path / "a.h5")
    with pytest.raises(
        JetError, match=r"jets_unmatched, 7 of 10 jets \(9 events\); require_match .* wide enough\?\nGive"
    ):
        check_enough({"svj": (cutflow, [])}, [], ["svj"], 1)
