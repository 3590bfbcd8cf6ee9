"""From simulated events to files of images: selection, cutflow, split, round trip."""

import shutil

import h5py
import numpy as np
import pytest
import uproot

from oddjet.dataset.split import assign_parts
from oddjet.errors import ImageError, InputFileError, JetError, TableError
from oddjet.images.make import make_images
from oddjet.images.settings import ImageJetSettings
from oddjet.images.store import read_images
from oddjet.io.cutflow import Cutflow
from oddjet.io.root import read_candidates
from oddjet.io.tables import count_rows, read_attributes
from oddjet.jets.settings import FeatureSettings
from oddjet.selection.settings import OwnCuts, SampleSelection
from oddjet.simulation.generate import simulate_sample
from oddjet.simulation.settings import Process, SimulationSettings

SETTINGS = ImageJetSettings(chunk_size=40)
PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """A hundred events with a W boson; without the underlying event, which takes four times as long."""
    path = tmp_path_factory.mktemp("images") / "w.root"
    process = Process.model_validate({"name": "hadronic_w", "pthat_min": 450})
    settings = SimulationSettings(multiparton_interactions=False)
    simulate_sample(path, process, settings, sample="w", part=0, events=100, seed=1, attributes={})
    return path


@pytest.fixture(scope="module")
def made(events, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    outputs = {part: folder / f"{part}.h5" for part in PARTS}
    return outputs, make_images([str(events)], outputs, SETTINGS, require_match="w", attributes={"who": "test"})


def test_every_event_is_kept_or_rejected_by_a_cut(made):
    outputs, cutflow = made
    cutflow.check("w.root")
    assert cutflow.events_read == 100
    assert (
        20 < cutflow.jets_passed == cutflow.events_passed < 80
    )  # the W boson is the leading jet in about half of the events
    for path in outputs.values():
        assert Cutflow.from_json(read_attributes(path)["cutflow"]) == cutflow
        assert read_attributes(path)["who"] == "test"
    assert sum(count_rows(path) for path in outputs.values()) == cutflow.jets_passed


def test_jets_pass_the_cuts_and_lie_in_their_part(made):
    for index, path in enumerate(made[0].values()):
        batch = read_images(path)
        assert (batch.jets["pt"] > 450).all()
        assert (np.abs(batch.jets["eta"]) < 2.4).all()
        assert (batch.jets["inside"] > 0.9).all()
        assert (assign_parts(batch.jets, SETTINGS.fractions, SETTINGS.seed) == index).all()
        # W jets: two prongs, so the mass is near that of the W boson.
        assert 60 < np.median(batch.jets["mass"]) < 110


def test_images_are_read_in_slices(made):
    path = made[0]["train"]
    whole = read_images(path)
    assert whole.dense().dtype == np.float32
    assert whole.dense().shape == (len(whole), 40, 40)
    np.testing.assert_allclose(whole.dense().sum(axis=(1, 2)), 1.0, rtol=1e-6)
    assert whole.side == 3.2
    parts = [read_images(path, start, start + 7) for start in range(0, len(whole), 7)]
    np.testing.assert_array_equal(np.concatenate([part.dense() for part in parts]), whole.dense())
    np.testing.assert_array_equal(np.concatenate([part.jets for part in parts]), whole.jets)
    assert len(read_images(path, 3, 5)) == 2
    assert len(read_images(path, len(whole))) == 0


def test_chunks_change_nothing(events, made, tmp_path):
    outputs = {part: tmp_path / f"{part}.h5" for part in PARTS}
    make_images([str(events)], outputs, ImageJetSettings(), require_match="w")
    for part in PARTS:
        np.testing.assert_array_equal(read_images(outputs[part]).dense(), read_images(made[0][part]).dense())


def test_matched_particles_are_one_w_boson_an_event(events):
    chunks = [record.partons["w"] for record in read_candidates(events, chunk_size=30)]
    assert [len(chunk) for chunk in chunks] == [30, 30, 30, 10]
    assert all((chunk.counts() == 1).all() for chunk in chunks)
    assert all((chunk.pt > 100).all() for chunk in chunks)


def test_a_match_without_generated_particles_is_refused(events, tmp_path):
    outputs = {part: tmp_path / f"{part}.h5" for part in PARTS}
    with uproot.open(events) as file:
        kept = {name: array for name, array in _columns(file["Events"]).items() if "GenPart" not in name}
    with uproot.recreate(tmp_path / "data.root") as file:
        file["Events"] = kept
    with pytest.raises(JetError, match=r"data\.root: require_match is top, but the file has no generator particles"):
        make_images([str(tmp_path / "data.root")], outputs, SETTINGS, require_match="top")


def test_nothing_is_written_when_no_jet_passes(events, tmp_path):
    outputs = {part: tmp_path / f"{part}.h5" for part in PARTS}
    with pytest.raises(ImageError, match="no jet"):
        make_images([str(events)], outputs, ImageJetSettings(leading_pt_min=5000))
    assert list(tmp_path.iterdir()) == []


def test_a_sample_has_its_own_cuts_and_weight(events, made, tmp_path):
    outputs = {part: tmp_path / f"{part}.h5" for part in PARTS}
    own = SampleSelection(where="event > 50", cuts=OwnCuts(jets="mass > 60 and abs(eta) < 1"))
    cutflow = make_images([str(events)], outputs, SETTINGS, own=own, require_match="w", weight=2.5)
    assert cutflow.events_cut == {"event > 50": 50}
    assert cutflow.jets_cut.keys() == {"mass > 60", "abs(eta) < 1"}
    cutflow.check("w.root")
    every = np.concatenate([read_images(path).jets for path in made[0].values()])
    kept = np.concatenate([read_images(path).jets for path in outputs.values()])
    wanted = every[(every["event"] > 50) & (every["mass"] > 60) & (np.abs(every["eta"]) < 1)]
    assert 0 < len(wanted) < len(every)
    assert sorted(kept["event"]) == sorted(wanted["event"])
    assert (kept["weight"] == np.float32(2.5)).all()


def test_files_are_read_as_the_features_say(events, tmp_path):
    outputs = {part: tmp_path / f"{part}.h5" for part in PARTS}
    (tmp_path / "bad.root").write_bytes(b"no ROOT file")
    files = [str(tmp_path / "bad.root"), str(events)]
    with pytest.raises(InputFileError, match=r"bad\.root"):
        make_images(files, outputs, SETTINGS, FeatureSettings())
    with pytest.raises(JetError, match="1 of 2 files were skipped"):
        make_images(files, outputs, SETTINGS, FeatureSettings(on_bad_file="skip"))
    skipping = FeatureSettings(on_bad_file="skip", max_bad_fraction=0.5)
    assert make_images(files, outputs, SETTINGS, skipping).events_read == 100
    with pytest.raises(InputFileError, match="delphes"):
        make_images([str(events)], outputs, SETTINGS, FeatureSettings(layout="delphes"))


def test_files_without_images_and_unfinished_ones_are_refused(made, tmp_path):
    for change, message in (
        (lambda file: file.attrs.pop("complete"), "incomplete"),
        (lambda file: file.pop("pixel"), "holds no array 'pixel'"),
        (lambda file: file.attrs.pop("pixels"), "holds no images"),
    ):
        path = tmp_path / "changed.h5"
        shutil.copy(made[0]["test"], path)
        with h5py.File(path, "r+") as file:
            change(file)
        with pytest.raises(TableError, match=message):
            read_images(path)


def _columns(tree):
    arrays = tree.arrays(["run", "luminosityBlock", "event"], library="np")
    jagged = tree.keys(filter_name="PFCands_*")
    return {**arrays, **{name: tree[name].array() for name in jagged}}
