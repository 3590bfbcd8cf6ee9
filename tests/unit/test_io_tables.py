"""Tables round-trip, refuse what is not finite, and refuse to be read when they are not whole."""

import fcntl
import json

import h5py
import numpy as np
import pytest

from oddjet.errors import DiskError, TableError
from oddjet.io.atomic import atomic_path, sync_folder, write_text
from oddjet.io.tables import Column, TableWriter, read_attributes, read_columns, read_table, write_table

COLUMNS = [
    Column("event", "u8", "1", "Event number."),
    Column("pt", "f4", "GeV", "Transverse momentum."),
    Column("score", "(2,)f8", "1", "Scores."),
]


def rows(count: int) -> np.ndarray:
    array = np.zeros(count, [(column.name, column.dtype) for column in COLUMNS])
    array["event"] = np.arange(count) + 2**60
    array["pt"] = np.linspace(500, 1000, count)
    array["score"] = np.arange(2 * count).reshape(count, 2)
    return array


def test_round_trip_in_pieces(tmp_path):
    path = tmp_path / "new" / "t.h5"
    array = rows(10_000)
    with TableWriter(path, COLUMNS, {"script": "test"}) as table:
        for start in range(0, len(array), 3000):
            table.append(array[start : start + 3000])
        table.finish({"cutflow": json.dumps([["read", 1]])})
    assert np.array_equal(read_table(path), array)
    assert read_table(path, ["pt"]).dtype.names == ("pt",)
    assert read_columns(path) == COLUMNS
    attributes = read_attributes(path)
    assert attributes["script"] == "test"
    assert attributes["cutflow"] == '[["read", 1]]'
    assert [entry.name for entry in path.parent.iterdir()] == ["t.h5"]


def test_one_name_for_two_outputs_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    for other in (tmp_path / "t.h5", tmp_path / "link" / "t.h5"):
        with TableWriter(tmp_path / "t.h5", COLUMNS) as table:
            with pytest.raises(DiskError, match=r"t\.h5: is named for two outputs.* Name another file"):
                TableWriter(other, COLUMNS)
            table.append(rows(5))
            table.finish()
        assert len(read_table(tmp_path / "t.h5")) == 5
    write_text(tmp_path / "t.h5", "again, one after the other")


def test_an_empty_table_is_complete(tmp_path):
    write_table(tmp_path / "t.h5", COLUMNS, rows(0), {})
    assert len(read_table(tmp_path / "t.h5")) == 0


@pytest.mark.parametrize(("column", "value"), [("pt", np.nan), ("pt", np.inf), ("score", -np.inf)])
def test_a_value_that_is_not_finite_is_refused_by_column_and_row(tmp_path, column, value):
    array = rows(5)
    array[column][3] = value
    with (
        pytest.raises(TableError, match=f"column '{column}' is not finite in row 8"),
        TableWriter(tmp_path / "t.h5", COLUMNS) as table,
    ):
        table.append(rows(5))
        table.append(array)
    assert list(tmp_path.iterdir()) == []


def test_other_columns_are_refused(tmp_path):
    with (
        pytest.raises(TableError, match=r"the rows have the columns \['event', 'pt'\]"),
        TableWriter(tmp_path / "t.h5", COLUMNS) as table,
    ):
        table.append(rows(3)[["event", "pt"]])


def test_leaving_without_finish_leaves_the_old_file(tmp_path):
    path = tmp_path / "t.h5"
    write_table(path, COLUMNS, rows(4), {})
    with TableWriter(path, COLUMNS) as table:
        table.append(rows(9))
    assert len(read_table(path)) == 4
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.h5"]


def test_missing_column_and_file_are_named(tmp_path):
    path = tmp_path / "t.h5"
    write_table(path, COLUMNS, rows(4), {})
    with pytest.raises(TableError, match=r"t\.h5: column 'tau2' is missing; the table has event, pt, score"):
        read_table(path, ["pt", "tau2"])
    with pytest.raises(TableError, match=r"absent\.h5: no such file"):
        read_table(tmp_path / "absent.h5")


def _without_complete(path):
    with h5py.File(path, "a") as file:
        del file.attrs["complete"]


def _cut(path):
    path.write_bytes(path.read_bytes()[:-700])


def _shortened(path):
    with h5py.File(path, "a") as file:
        file["jets"].resize(2, axis=0)


def _other_schema(path):
    with h5py.File(path, "a") as file:
        file.attrs["schema_version"] = "0"


def _text(path):
    path.write_text("not HDF5")


def _of_others(path):
    with h5py.File(path, "w") as file:
        file.create_group("df").create_dataset("axis0", data=np.arange(3))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_without_complete, "incomplete"),
        (_cut, "not a readable HDF5 file"),
        (_shortened, "has 2 rows and was written with 4"),
        (_other_schema, "schema version 0"),
        (_text, "not a readable HDF5 file .* Give a table that a stage wrote"),
        (_of_others, r"no table of oddjet\. Give one that a stage wrote"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, damage, message):
    path = tmp_path / "t.h5"
    write_table(path, COLUMNS, rows(4), {})
    damage(path)
    with pytest.raises(TableError, match=message):
        read_table(path)


def test_atomic_path_keeps_the_old_file_on_an_error(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError, match="stop"), atomic_path(path) as temporary:
        temporary.write_text("new")
        raise RuntimeError("stop")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def _without_version(path):
    with h5py.File(path, "a") as file:
        del file.attrs["schema_version"]


def _group(path):
    with h5py.File(path, "a") as file:
        del file["jets"]
        file.create_group("jets")


def _numbers(path):
    with h5py.File(path, "a") as file:
        del file["jets"]
        file["jets"] = [1.0, 2.0, 3.0, 4.0]


def _without_rows(path):
    with h5py.File(path, "a") as file:
        del file.attrs["rows"]


def _damaged_chunk(path):
    with h5py.File(path) as file:
        place = file["jets"].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    data[place.byte_offset : place.byte_offset + place.size] = bytes(place.size)
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [_without_version, _group, _numbers, _without_rows, _damaged_chunk])
def test_what_is_damaged_inside_names_the_file(tmp_path, damage):
    path = tmp_path / "t.h5"
    write_table(path, COLUMNS, rows(4), {})
    damage(path)
    with pytest.raises(TableError, match=r"t\.h5: "):
        read_table(path)


@pytest.mark.parametrize(
    ("text", "message"), [("{", "'columns' is damaged"), ('[{"nome": 1}]', "'columns' is damaged"), (None, "no attrib")]
)
def test_damaged_attributes_name_the_file(tmp_path, text, message):
    path = tmp_path / "t.h5"
    write_table(path, COLUMNS, rows(4), {})
    with h5py.File(path, "a") as file:
        del file.attrs["columns"]
        if text is not None:
            file.attrs["columns"] = text
    with pytest.raises(TableError, match=rf"t\.h5: .*{message}"):
        read_columns(path)


def test_a_file_is_opened_without_a_lock(tmp_path):
    path = tmp_path / "t.h5"
    write_table(path, COLUMNS, rows(4), {})
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)  # what HDF5 asks for, and what network file systems refuse
        assert len(read_table(path)) == 4


def test_a_folder_that_cannot_be_synced_is_no_trouble(tmp_path):
    sync_folder(tmp_path / "nowhere")
