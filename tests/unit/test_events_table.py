"""The 57 inputs of the autoencoders, their scaling, and the settings of the section."""

import numpy as np
import pytest
from pydantic import ValidationError

from oddjet.dataset.scaling import Scaler
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.errors import EventError
from oddjet.events.settings import EventSizes, EventsSettings, ObjectSettings, TableSettings
from oddjet.events.table import FEATURES, event_scaler, flatten, write_event_table
from oddjet.io.tables import read_columns, read_table
from oddjet.simulation.event_processes import EVENT_PROCESSES


def two_events() -> np.ndarray:
    events = np.zeros((2, 19, 4))
    events[0, 0] = 20, 0, -np.pi, 1
    events[0, 5] = 50, 2.1, np.pi / 2, 3
    events[1, 9] = 200, -4.0, 0, 4
    return events


def test_the_features_are_slot_by_slot():
    assert len(FEATURES) == 57
    assert FEATURES[:4] == ("met_pt", "met_eta", "met_phi", "egamma1_pt")
    assert FEATURES[-1] == "jet10_phi"
    table = flatten(two_events())
    assert table.dtype.names == FEATURES
    assert table["muon1_eta"].tolist() == pytest.approx([2.1, 0])
    assert table["jet1_pt"].tolist() == [0, 200]


def test_the_scaling_is_the_detectors():
    events = two_events()
    scaler = Scaler.from_dict(event_scaler(events, TableSettings(), ObjectSettings()))
    scaled = scaler.transform(flatten(events))
    assert scaled.shape == (2, 57)
    assert (scaled.min(), scaled.max()) == (-3, 3)
    value = {name: scaled[:, FEATURES.index(name)].tolist() for name in FEATURES}
    assert value["jet1_pt"] == pytest.approx([-3, 3])
    assert value["jet1_eta"] == pytest.approx([0, -3])
    assert value["muon1_eta"] == pytest.approx([3, 0], abs=1e-5)
    assert value["met_phi"] == pytest.approx([-3, 0], abs=1e-6)
    assert value["muon1_pt"] == pytest.approx([6 * np.log(50) / np.log(200) - 3, -3], abs=1e-5)
    # No slot is left out that no training event fills.
    assert value["egamma4_pt"] == [-3, -3]
    assert value["met_eta"] == [0, 0]
    # An object at the trigger's threshold is far from an empty slot.
    events[1, 9, 0] = 3.0
    assert scaler.transform(flatten(events))[1, FEATURES.index("jet1_pt")] > -2


def test_no_object_no_scaling():
    with pytest.raises(EventError, match=r"the 3 training events have no object above pt_floor = 1 GeV"):
        event_scaler(np.zeros((3, 19, 4)), TableSettings(), ObjectSettings())


def test_the_table_is_one_that_a_training_reads(tmp_path):
    write_event_table(tmp_path / "t.h5", two_events(), {"script": "test"})
    table = read_table(tmp_path / "t.h5", [*FEATURES, "weight"])
    assert table["weight"].tolist() == [1, 1]
    assert {column.unit for column in read_columns(tmp_path / "t.h5")} == {"GeV", "rad", "1"}


def test_the_default_section_fits_together():
    section = EventsSettings()
    assert [section.events_of(name) for name in section.samples()] == [5920, 3380, 670, 30, 5000, 5000, 5000, 5000]
    assert sum(section.events_of_part("qcd_lepton", part) for part in range(4)) == 3380
    assert {sample.process for sample in section.samples().values()} == set(EVENT_PROCESSES)
    for method in section.methods.values():
        whole = MethodSettings.model_validate_json(method.model_dump_json())
        assert whole.training.epochs == method.training.epochs
        assert whole.network.widths(57) == (57, 32, 16, 3, 16, 32, 57)


SAMPLE = {"process": "w_lnu", "fraction": 1.0}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"background": {"w": SAMPLE, "v": SAMPLE}}, r"background: the fractions add up to 2, not to 1"),
        ({"background": {"a_4l": SAMPLE}}, r"signals: a_4l is also a sample of the background"),
        ({"background": {"w/": SAMPLE}}, r"background: the name 'w/'"),
        ({"background": {"w": {"fraction": 1}}}, r"give either process or files"),
        ({"background": {"w": {**SAMPLE, "files": ["a.h5"]}}}, r"give either process or files"),
        ({"signals": {"a": {"process": "a_5l"}}}, r"Input should be 'w_lnu'"),
        ({"signals": {"a": {"process": "a_4l", "parts": 6000}}}, r"a.parts: 6000 files cannot share 5000 events"),
        ({"table": {"range": [3, -3]}}, r"range must be ascending"),
        ({"objects": {"trigger_pt_min": 10}}, r"greater than or equal to 20"),
        ({"methods": {"ae": {"kind": "ae", "background": ["w"]}}}, r"methods.ae.background: whole events are one"),
        ({"jets": 1}, r"Extra inputs"),
    ],
)
def test_a_section_that_does_not_fit(section, message):
    with pytest.raises(ValidationError, match=message):
        EventsSettings.model_validate(section)


def test_own_files_take_the_place_of_processes():
    section = EventsSettings.model_validate(
        {
            "background": {"all": {"fraction": 1, "files": ["background_for_training.h5"]}},
            "signals": {"a_4l": {"files": ["Ato4l.h5"]}},
            "sizes": EventSizes().model_dump(),
        }
    )
    assert section.events_of("all") == 10_000
