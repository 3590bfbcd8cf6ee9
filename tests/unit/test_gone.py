"""Input files that are gone: their tables stand for them only where the attributes say that they are the right ones."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from oddjet.errors import SourceError
from oddjet.gone import find_listed
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
