"""What generator particles say of the jets of a file: dark quarks, dark jets, top quarks, bad momenta."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cms_files import (
    EVENTS,
    candidates,
    lists,
    partons,
    sprays,
    table_of,
    with_a_bad_entry,
    write,
)
from oddjet.errors import DamagedFileError, JetError, UnreadableFileError
from oddjet.io.tables import read_table
from oddjet.jets.extract import extract_features
from oddjet.jets.settings import FeatureSettings


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


@pytest.mark.parametrize(("name", "value"), [("pt", np.nan), ("pt", np.inf), ("phi", 90.0), ("eta", np.nan)])
def test_generator_particle_without_a_momentum_matches_no_jet_in_silence(
    tmp_path: Path, name: str, value: float
) -> None:
    truth = partons((4900101, -4900101), 23)
    truth[f"GenPart_{name}"] = lists(np.full((EVENTS, 2), value))
    path = write(tmp_path / "a.root", {**candidates(), **truth})
    said = rf"20 of the first 20 events have a momentum that no particle has, the first is GenPart_{name} is {value} in"
    with pytest.raises(DamagedFileError, match=f"{said} entry 0"):
        table_of(path, require_match="dark_quark")


def test_one_bad_generator_particle_costs_its_event_and_no_more(tmp_path: Path) -> None:
    truth = partons((4900101, -4900101), 23)
    sound, _, _ = table_of(write(tmp_path / "sound.root", {**candidates(), **truth}), require_match="dark_quark")
    bad = {**truth, "GenPart_phi": with_a_bad_entry(truth["GenPart_phi"], 3)}
    path = write(tmp_path / "a.root", {**candidates(), **bad})
    for policy in ("event", "candidate"):
        table, cutflow, _ = table_of(path, require_match="dark_quark", bad_candidates=policy, chunk_size=7)
        assert table.tobytes() == sound[sound["entry"] != 3].tobytes()
        assert (cutflow.events_read, cutflow.events_bad_particle, cutflow.events_bad_candidate) == (EVENTS, 1, 0)
        assert cutflow.sum_of_weights == EVENTS
    with pytest.raises(DamagedFileError, match="GenPart_phi is nan in entry 3; repair the file"):
        table_of(path, require_match="dark_quark", bad_candidates="file")


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
