"""Input files that are gone: their tables stand for them only where the attributes say that they are the right ones."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from oddjet.errors import SourceError
from oddjet.inputs import find_listed
from oddjet.io.kept import Kept, find_kept
from oddjet.io.tables import Column, write_table
from oddjet.jets.settings import FeatureSettings
from oddjet.samples import Listed
from oddjet.sources import part_name

SETTINGS = FeatureSettings()


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Listed, Path]:
    """A sample whose file is gone, and its table."""
    file = str(tmp_path / "a.root")
    table = tmp_path / "features" / f"{part_name(file)}.h5"
    attributes = {
        "inputs": json.dumps({file: "digest"}),
        "settings": SETTINGS.model_dump_json(),
        "require_match": "none",
        "sample_weight": "1.0",
    }
    write_table(table, [Column("pt", "f4", "GeV", "")], np.ones(3, [("pt", "f4")]), attributes)
    return Listed(kind="background", files=(file,)), table


def test_the_table_stands_for_its_file(kept: tuple[Listed, Path]) -> None:
    sample, table = kept
    found = find_listed(sample, table.parent, SETTINGS)
    assert list(found.parts) == [table.stem]
    assert "gone; its table" in found.left_out[0]


@pytest.mark.parametrize("content", [None, "", "{", "3", "0.5"])
@pytest.mark.parametrize(
    ("name", "differs"), [("settings", "features"), ("require_match", "require_match"), ("sample_weight", "weight")]
)
def test_a_table_that_does_not_say_what_made_it_stands_for_nothing(
    kept: tuple[Listed, Path], name: str, differs: str, content: str | None
) -> None:
    sample, table = kept
    with h5py.File(table, "r+") as file:
        del file.attrs[name]
        if content is not None:
            file.attrs[name] = content
    with pytest.raises(SourceError, match=rf"a\.root is gone, and .*\.h5 was made from it with other .*{differs}"):
        find_listed(sample, table.parent, SETTINGS)


@pytest.mark.parametrize("content", ["", "{", "3", "[1]"])
def test_a_table_without_inputs_is_nobodys(kept: tuple[Listed, Path], content: str) -> None:
    sample, table = kept
    with h5py.File(table, "r+") as file:
        file.attrs["inputs"] = content
    with pytest.raises(SourceError, match=r"a\.root: no such file"):
        find_listed(sample, table.parent, SETTINGS)


OPTIONS = {"settings": [{"pixels": 8}], "require-match": ["none"]}


def images(folder: Path, files: list[str], options: dict[str, object] = OPTIONS) -> Kept:
    """A sample of files that are read together, and its two tables, made of these files."""
    tables = tuple(folder / f"tables/{part}.h5" for part in ("train", "test"))
    attributes = {"inputs": json.dumps(dict.fromkeys(files, "digest")), "options": json.dumps(options)}
    for table in tables:
        table.parent.mkdir(exist_ok=True)
        with h5py.File(table, "w") as file:
            file.attrs.update(attributes)
    return Kept((str(folder / "data"),), tables, OPTIONS)


@pytest.fixture
def data(tmp_path: Path) -> list[Path]:
    (tmp_path / "data").mkdir()
    files = [tmp_path / "data" / name for name in ("a.root", "b.root")]
    for file in files:
        file.touch()
    return files


@pytest.mark.parametrize("lost", [[0], [1], [0, 1]])
def test_tables_of_several_files_stand_for_those_that_are_gone(
    tmp_path: Path, data: list[Path], lost: list[int]
) -> None:
    sample = images(tmp_path, [str(file) for file in data])
    before = find_kept({"top": sample}, "images.samples")["top"]
    assert not before.left_out
    for number in lost:
        data[number].unlink()
    found = find_kept({"top": sample}, "images.samples")["top"]
    assert found.parts == before.parts
    assert [line.split(":")[0] for line in found.left_out] == [str(data[number]) for number in lost]
    assert all("gone;" in line for line in found.left_out)


@pytest.mark.parametrize(
    ("options", "files", "differs"),
    [
        ({**OPTIONS, "settings": [{"pixels": 9}]}, ["a.root", "b.root"], "settings"),
        ({"settings": OPTIONS["settings"]}, ["a.root", "b.root"], "require-match"),
        (OPTIONS, ["a.root"], "files"),
    ],
)
def test_tables_of_other_options_or_files_stand_for_nothing(
    tmp_path: Path, data: list[Path], options: dict[str, object], files: list[str], differs: str
) -> None:
    sample = images(tmp_path, [str(tmp_path / "data" / name) for name in files], options)
    data[0].unlink()
    message = rf"a\.root is gone, and .*train\.h5 was made from it with other {differs}\. Bring"
    with pytest.raises(SourceError, match=rf"images\.samples\.top\.files: .*{message}"):
        find_kept({"top": sample}, "images.samples")


@pytest.mark.parametrize("damage", ["one is missing", "no HDF5", "no inputs"])
def test_tables_that_are_not_whole_stand_for_nothing(tmp_path: Path, data: list[Path], damage: str) -> None:
    sample = images(tmp_path, [str(file) for file in data])
    for file in data:
        file.unlink()
    if damage == "one is missing":
        sample.tables[1].unlink()
    elif damage == "no HDF5":
        sample.tables[0].write_text("a table")
    else:
        with h5py.File(sample.tables[0], "r+") as table:
            del table.attrs["inputs"]
    with pytest.raises(SourceError, match=r"images\.samples\.top\.files: .*the folder holds no \*\.root file"):
        find_kept({"top": sample}, "images.samples")
