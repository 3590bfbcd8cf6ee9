"""The layout of CMS ADC 2021: what is written comes back, and what breaks its rules is refused with its place."""

import h5py
import numpy as np
import pytest

from oddjet.errors import TableError
from oddjet.events.layout import (
    CLASSES,
    SLOT_CODES,
    check_events,
    count_events,
    iterate_events,
    read_event_attributes,
    read_events,
    write_events,
)


def some_events(n: int = 5) -> np.ndarray:
    """Events with MET, an electron, two muons and three jets each."""
    events = np.zeros((n, 19, 4))
    for slot, pt, eta, phi in (
        (0, 31.0, 0.0, 3.1),
        (1, 25.0, -1.2, 0.4),
        (5, 24.0, 2.0, -3.14),
        (6, 3.5, -2.0, 1.0),
        (9, 80.0, 3.9, 2.0),
        (10, 40.0, -3.9, -2.0),
        (11, 40.0, 0.1, 0.0),
    ):
        events[:, slot] = pt, eta, phi, SLOT_CODES[slot]
    return events


@pytest.fixture
def path(tmp_path):
    write_events(tmp_path / "events.h5", some_events(), {"script": "test"})
    return tmp_path / "events.h5"


def test_the_classes_fill_the_slots():
    assert [slot for kind in CLASSES for slot in range(kind.start, kind.stop)] == list(range(19))
    assert [kind.size for kind in CLASSES] == [1, 4, 4, 10]


def test_written_events_come_back(path):
    assert np.array_equal(read_events(path), some_events())
    assert read_events(path).dtype == np.float64
    assert count_events(path) == 5
    assert read_event_attributes(path)["script"] == "test"
    assert [path.name for path in path.parent.iterdir()] == ["events.h5"]


def test_slices_are_those_of_the_whole(tmp_path):
    events = some_events(7)
    events[:, 0, 0] = np.arange(1, 8)
    write_events(tmp_path / "e.h5", events, {})
    assert np.array_equal(read_events(tmp_path / "e.h5", 2, 5), events[2:5])
    pieces = list(iterate_events(tmp_path / "e.h5", rows=3))
    assert [len(piece) for piece in pieces] == [3, 3, 1]
    assert np.array_equal(np.concatenate(pieces), events)
    with pytest.raises(TableError, match=r"rows 3 to 9 asked for, the file has 7 events"):
        read_events(tmp_path / "e.h5", 3, 9)


def test_a_file_has_the_datasets_of_the_challenge(path):
    with h5py.File(path) as file:
        assert file["Particles"].shape == (5, 19, 4)
        assert list(file["Particles_Names"]) == [b"Pt", b"Eta", b"Phi", b"Class"]
        assert list(file["Particles_Classes"]) == [
            b"MET_class_1",
            b"Four_Ele_class_2",
            b"Four_Mu_class_3",
            b"Ten_Jet_class_4",
        ]


def test_empty_slots_are_zeroed_and_holes_are_kept():
    # The published files blank the pT of forward jets after sorting and leave their phi and class.
    events = some_events(1)
    events[0, 10] = 0.0, 0.0, 1.3, 4.0
    expected = events.copy()
    expected[0, 10] = 0.0
    assert np.array_equal(check_events(events, "somewhere.h5"), expected)
    assert events[0, 10, 2] == 1.3


def test_no_events_and_an_empty_event(tmp_path):
    write_events(tmp_path / "none.h5", np.zeros((0, 19, 4)), {})
    assert read_events(tmp_path / "none.h5").shape == (0, 19, 4)
    assert list(iterate_events(tmp_path / "none.h5")) == []
    write_events(tmp_path / "empty.h5", np.zeros((1, 19, 4)), {})
    assert not read_events(tmp_path / "empty.h5").any()


def test_single_precision_and_black_boxes_are_read(tmp_path, path):
    with h5py.File(path) as source, h5py.File(tmp_path / "box.h5", "w") as box:
        box["Particles"] = source["Particles"][:].astype(np.float32)
        box["Particles_Names"] = source["Particles_Names"][:]
        box["Particles_Classes"] = source["Particles_Classes"][:]
        box["EvtId"] = np.arange(5)
    assert np.array_equal(read_events(tmp_path / "box.h5"), some_events().astype(np.float32).astype(np.float64))


@pytest.mark.parametrize(
    ("slot", "values", "message"),
    [
        (5, (np.nan, 0, 0, 3), r"slot 5, column 'Pt': nan is not finite"),
        (8, (0, 0, np.inf, 0), r"slot 8, column 'Phi': inf is not finite"),
        (5, (-2, 0, 0, 3), r"slot 5, column 'Pt': pT -2 GeV is negative"),
        (5, (24, 0, 0, 7), r"slot 5, column 'Class': class 7 is unknown"),
        (5, (24, 0, 0, 0), r"slot 5, column 'Class': class 0 is unknown"),
        (6, (24.5, 0, 0, 3), r"slot 6, column 'Pt': pT 24.5 GeV is above that of the muon before"),
        (11, (81, 0, 0, 4), r"slot 11, column 'Pt': pT 81 GeV is above that of the jet before"),
        (12, (41, 0, 0, 4), r"slot 12, column 'Pt': pT 41 GeV is above that of the jet before"),
        (7, (3, 0, 0, 2), r"slot 7, column 'Class': an object of class 2 in a slot of another class"),
        (1, (1.2e5, 0, 1, 2), r"slot 1, column 'Pt': pT 120000 GeV is that of no object; in MeV\?"),
        (1, (25, 999.9, 1, 2), r"slot 1, column 'Eta': eta 999\.9 is that of no object; a placeholder\?"),
        (1, (25, 0, 6.2, 2), r"slot 1, column 'Phi': phi 6.2 is not between -pi and pi"),
        (0, (25, 0.5, 0, 1), r"slot 0, column 'Eta': MET has eta 0.5"),
    ],
)
def test_a_bad_object_is_refused_with_its_place(slot, values, message):
    events = some_events()
    events[3, slot] = values
    with pytest.raises(TableError, match=rf"^some/file\.h5: row 103, {message}"):
        check_events(events, "some/file.h5", 100)


def test_an_event_with_more_objects_than_slots_is_refused():
    events = some_events()
    events[2, 1:6] = [[25 - i, 0, 0, 2] for i in range(5)]
    with pytest.raises(TableError, match=r"row 2, slot 5, column 'Class': more than 4 objects of class 2"):
        check_events(events, "file.h5")


def test_a_bad_row_is_named_by_its_place_in_the_file(path):
    with h5py.File(path, "r+") as file:
        file["Particles"][4, 9, 0] = np.nan
    assert len(read_events(path, 0, 4)) == 4
    with pytest.raises(TableError, match=r"events\.h5: row 4, slot 9, column 'Pt': nan"):
        read_events(path, 3)


def spoil(path, name, value):
    with h5py.File(path, "r+") as file:
        del file[name]
        if value is not None:
            file[name] = value


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Particles", None, r"no dataset 'Particles'; there are: Particles_Classes, Particles_Names"),
        ("Particles_Names", None, r"no dataset 'Particles_Names'"),
        ("Particles", np.zeros((5, 18, 4)), r"'Particles' has shape \(5, 18, 4\), not \(N, 19, 4\)"),
        ("Particles", np.zeros((5, 76)), r"'Particles' has shape \(5, 76\)"),
        ("Particles", np.zeros((5, 19, 4), int), r"'Particles' is of type int64"),
        ("Particles_Names", np.array([b"E", b"Px", b"Py", b"Pz"]), r"Particles_Names is \['E', 'Px', 'Py', 'Pz'\]"),
        ("Particles_Classes", np.array([b"MET_class_1"]), r"Particles_Classes is \['MET_class_1'\], not"),
    ],
)
def test_a_file_of_another_layout_is_refused(path, name, value, message):
    spoil(path, name, value)
    with pytest.raises(TableError, match=message):
        read_events(path)
    with pytest.raises(TableError, match=r"events\.h5"):
        count_events(path)


def test_a_missing_file_and_one_that_is_not_hdf5(tmp_path):
    with pytest.raises(TableError, match=r"missing\.h5: no such file"):
        read_events(tmp_path / "missing.h5")
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(TableError, match=r"text\.h5: not a readable HDF5 file"):
        read_events(tmp_path / "text.h5")


def test_bad_events_are_not_written(tmp_path):
    events = some_events()
    events[1, 0, 0] = -1
    with pytest.raises(TableError, match=r"out\.h5: row 1, slot 0"):
        write_events(tmp_path / "out.h5", events, {})
    assert list(tmp_path.iterdir()) == []


def test_another_shape_is_refused():
    with pytest.raises(TableError, match=r"shape \(3, 19, 3\)"):
        check_events(np.zeros((3, 19, 3)), "file.h5")
