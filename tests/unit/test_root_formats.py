"""Files that nearly fit a layout: other names, columns that change the meaning, other shapes, bad numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from oddjet.errors import ConfigError, DamagedFileError, DatasetError, JetError, UnreadableFileError
from oddjet.io.chunks import ChunkReader, Reading
from oddjet.io.cutflow import Cutflow
from oddjet.io.layouts import NANOAOD_V15
from oddjet.io.tables import read_attributes, read_table
from oddjet.io.weights import sample_factors
from oddjet.jets.cutflow import check_enough, merge_sample
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings

EVENTS = 20
PER_JET = 25
FIELDS = ("pt", "eta", "phi", "mass")


def sprays() -> tuple[dict[str, ak.Array], np.ndarray]:
    """Candidates of events with two jets back to back of 570 to 900 GeV, and the jets' axes (events, 2, 2)."""
    rng = np.random.default_rng(1)
    first = rng.uniform(-np.pi, np.pi, EVENTS)
    axes = np.stack([rng.uniform(-1.5, 1.5, (EVENTS, 2)), np.stack([first, first + np.pi], axis=1)], axis=2)
    shares = rng.dirichlet(np.full(PER_JET, 0.6), (EVENTS, 2))
    pt = shares * rng.uniform(570, 900, (EVENTS, 2, 1))
    eta = axes[:, :, :1] + rng.normal(0, 0.1, pt.shape)
    phi = (axes[:, :, 1:] + rng.normal(0, 0.1, pt.shape) + np.pi) % (2 * np.pi) - np.pi
    columns = {"pt": pt, "eta": eta, "phi": phi, "mass": np.full(pt.shape, 0.13957)}
    return {name: lists(values.reshape(EVENTS, -1)) for name, values in columns.items()}, axes


def lists(values: np.ndarray, kind: type = np.float32) -> ak.Array:
    return ak.values_astype(ak.from_regular(ak.Array(values)), kind)


def identifiers() -> dict[str, np.ndarray]:
    return {
        "run": np.ones(EVENTS, np.uint32),
        "luminosityBlock": np.ones(EVENTS, np.uint32),
        "event": np.arange(EVENTS, dtype=np.uint64),
    }


def write(path: Path, columns: Mapping[str, object], tree: str = "Events") -> Path:
    kinds = {
        name: v.type if isinstance(v, ak.Array) else np.dtype((v.dtype, v.shape[1:])) for name, v in columns.items()
    }
    with uproot.recreate(path, compression=None) as file:
        file.mktree(tree, kinds)
        file[tree].extend(dict(columns))
    return path


def candidates(collection: str = "PFCands", **changed: ak.Array) -> dict[str, object]:
    return {**identifiers(), **{f"{collection}_{name}": v for name, v in {**sprays()[0], **changed}.items()}}


def partons(identifier: tuple[int, int], status: int) -> dict[str, ak.Array]:
    """Two generator particles along the jets' axes."""
    axes = sprays()[1]
    return {
        "GenPart_pt": lists(np.full((EVENTS, 2), 700.0)),
        "GenPart_eta": lists(axes[:, :, 0]),
        "GenPart_phi": lists(axes[:, :, 1]),
        "GenPart_mass": lists(np.zeros((EVENTS, 2))),
        "GenPart_pdgId": lists(np.tile(identifier, (EVENTS, 1)), np.int32),
        "GenPart_status": lists(np.full((EVENTS, 2), status), np.int32),
    }


def table_of(path: Path, **settings: object) -> tuple[np.ndarray, Cutflow, dict[str, str]]:
    output = path.with_suffix(".h5")
    match = settings.pop("require_match", "none")
    cutflow = extract_features(path, output, FeatureSettings(**settings), require_match=match)
    return read_table(output), cutflow, json.loads(read_attributes(output)["reading"])


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


@pytest.mark.parametrize("flavours", [(4900101, -4900101), (4900101, -4900102), (4900103, -4900108)])
def test_dark_quarks_count_in_every_flavour(tmp_path: Path, flavours: tuple[int, int]) -> None:
    path = write(tmp_path / "svj.root", {**candidates(), **partons(flavours, 23)})
    assert len(table_of(path, require_match="dark_quark")[0]) == 2 * EVENTS


@pytest.mark.parametrize(
    ("require", "identifier", "status", "message"),
    [
        ("top", (6, -6), 11, "PDG identifier 6 has Pythia 8's status 62; they have the status 11"),
        ("dark_quark", (1, -1), 23, "no generator particle has the PDG identifier 4900101 to 4900108"),
    ],
)
def test_truth_of_another_kind_is_refused(
    tmp_path: Path, require: str, identifier: tuple[int, int], status: int, message: str
) -> None:
    path = write(tmp_path / "other.root", {**candidates(), **partons(identifier, status)})
    with pytest.raises(JetError, match=rf"other\.root: require_match is {require}.*{message}"):
        table_of(path, require_match=require)


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
        ("outside", np.arange(2 * PER_JET) + 1, r"pFCandsIdx is 50 in entry 0"),
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
    with pytest.raises(UnreadableFileError, match=r"ntuplizer \(folder\), ntuplizer/Events \(TTree\).*copy it there"):
        table_of(tmp_path / "inside.root")
    path = write(tmp_path / "old.root", identifiers())
    with pytest.raises(UnreadableFileError, match=r"NanoAOD from v15 on \(earlier versions hold no candidates"):
        table_of(path)


def dark_decays(path: Path, share: float) -> Path:
    """A dark hadron along each jet's axis, whose two quarks carry `share` of 700 GeV, and one invisible particle."""
    axes = np.repeat(sprays()[1], 4, axis=1)
    kinds = [4900111, 1, -1, 51]
    pt = np.tile([700.0, 350.0 * share, 350.0 * share, 5000.0], 2)
    mother = np.concatenate([[-1, 0, 0, 0], [-1, 4, 4, 4]])
    return write(
        path,
        {
            **candidates(),
            "GenPart_pt": lists(np.tile(pt, (EVENTS, 1))),
            "GenPart_eta": lists(axes[:, :, 0]),
            "GenPart_phi": lists(axes[:, :, 1]),
            "GenPart_mass": lists(np.zeros((EVENTS, 8))),
            "GenPart_pdgId": lists(np.tile(kinds, (EVENTS, 2)), np.int32),
            "GenPart_status": lists(np.full((EVENTS, 8), 91), np.int32),
            "GenPart_genPartIdxMother": lists(np.tile(mother, (EVENTS, 1)), np.int32),
        },
    )


@pytest.mark.parametrize(("share", "kept"), [(0.95, 2 * EVENTS), (0.3, 0)])
def test_dark_jet_is_made_of_dark_decay_products_by_more_than_half(tmp_path: Path, share: float, kept: int) -> None:
    table, cutflow, _ = table_of(dark_decays(tmp_path / "a.root", share), require_match="dark_jet")
    assert (len(table), cutflow.jets_unmatched) == (kept, 2 * EVENTS - kept)


def test_dark_jet_needs_the_mothers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.root", {**candidates(), **partons((4900101, -4900101), 23)})
    with pytest.raises(
        UnreadableFileError, match=r"a\.root: lacks GenPart_genPartIdxMother.*require_match: dark_quark"
    ):
        table_of(path, require_match="dark_jet")


def test_dark_jets_of_the_simulation_are_jets_near_a_dark_quark(tmp_path: Path, svj_root: Path) -> None:
    found = {}
    for require in ("dark_quark", "dark_jet"):
        output = tmp_path / f"{require}.h5"
        extract_features(svj_root, output, FeatureSettings(features=("ptd",)), require_match=require)
        found[require] = {tuple(row) for row in read_table(output, ["entry", "jet_rank"]).tolist()}
    both = found["dark_quark"] & found["dark_jet"]
    # Of m_phi 2000 GeV and r_inv 0.3 few jets near a dark quark are mostly the mediator's visible quark.
    assert 0.8 * len(found["dark_quark"]) < len(both) < len(found["dark_quark"])
    assert len(found["dark_jet"] - found["dark_quark"]) < 0.2 * len(both)
