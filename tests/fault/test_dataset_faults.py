"""Bad feature tables: one error that names file, column or part, and no table that looks whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oddjet.dataset.build import build_dataset
from oddjet.dataset.scaler_file import read_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.errors import DatasetError
from oddjet.io.tables import Column, write_table
from programs import run_program

COLUMNS = [
    Column("run", "u4", "1", "run number"),
    Column("luminosityBlock", "u4", "1", "luminosity block"),
    Column("event", "u8", "1", "event number"),
    Column("entry", "i8", "1", "position of the event in its file"),
    Column("tau2", "f4", "1", "2-subjettiness"),
]
SETTINGS = DatasetSettings.model_validate(
    {"features": ["tau2"], "minimum_jets": {"train": 40, "validation": 10, "test": 10}}
)


def write_features(path: Path, columns: list[Column] = COLUMNS, count: int = 300, constant: bool = False) -> Path:
    jets = np.zeros(count, dtype=[(column.name, column.dtype) for column in columns])
    jets["event"] = jets["entry"] = np.arange(count)
    if "tau2" in jets.dtype.names:
        jets["tau2"] = 0.5 if constant else np.linspace(0, 1, count)
    write_table(path, columns, jets, {})
    return path


def build(folder: Path, inputs: list[Path]) -> None:
    parts = {part: folder / f"{part}.h5" for part in ("train", "validation", "test")}
    build_dataset(inputs, parts, folder / "scaler.json", SETTINGS, {})


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")} - {"one.h5", "two.h5"}


def test_another_column_is_named_with_its_file(tmp_path: Path) -> None:
    inputs = [
        write_features(tmp_path / "one.h5"),
        write_features(tmp_path / "two.h5", [*COLUMNS, Column("tau3", "f4", "1", "3-subjettiness")]),
    ]
    with pytest.raises(DatasetError, match=r"two\.h5: column tau3 differs from .*one\.h5 \(here: .*; there: no such"):
        build(tmp_path, inputs)
    assert left_in(tmp_path) == set()


def test_another_unit_is_named_with_its_file(tmp_path: Path) -> None:
    other = [*COLUMNS[:4], Column("tau2", "f4", "GeV", "2-subjettiness")]
    inputs = [write_features(tmp_path / "one.h5"), write_features(tmp_path / "two.h5", other)]
    with pytest.raises(DatasetError, match=r"two\.h5: column tau2 .*here: float32 in GeV; there: float32 in 1"):
        build(tmp_path, inputs)


def test_a_missing_feature_is_named_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"one\.h5 has no column tau2, which dataset\.features names"):
        build(tmp_path, [write_features(tmp_path / "one.h5", COLUMNS[:4])])


def test_too_few_jets_names_the_part_and_both_numbers(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"the train part has \d+ jets, dataset\.minimum_jets\.train is 40 \(50 jets"
    ):
        build(tmp_path, [write_features(tmp_path / "one.h5", count=50)])
    assert left_in(tmp_path) == set()


def test_a_constant_feature_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"feature tau2 has the value 0\.5"):
        build(tmp_path, [write_features(tmp_path / "one.h5", constant=True)])
    assert left_in(tmp_path) == set()


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    path = write_features(tmp_path / "one.h5")
    with pytest.raises(DatasetError, match=r"one\.h5 is given twice"):
        build(tmp_path, [path, path])


def test_a_signal_table_is_refused(tmp_path: Path) -> None:
    jets = np.zeros(10, dtype=[(column.name, column.dtype) for column in COLUMNS])
    write_table(tmp_path / "two.h5", COLUMNS, jets, {"require_match": "dark_quark"})
    with pytest.raises(DatasetError, match=r"two\.h5 holds jets matched to dark quarks: a signal sample"):
        build(tmp_path, [write_features(tmp_path / "one.h5"), tmp_path / "two.h5"])


def test_with_the_roles_reversed_signal_is_taken_and_background_refused(tmp_path: Path) -> None:
    jets = np.zeros(300, dtype=[(column.name, column.dtype) for column in COLUMNS])
    jets["event"] = jets["entry"] = np.arange(300)
    jets["tau2"] = np.linspace(0, 1, 300)
    write_table(tmp_path / "two.h5", COLUMNS, jets, {"require_match": "dark_quark"})
    parts = {part: tmp_path / f"{part}.h5" for part in ("train", "validation", "test")}
    counts = build_dataset([tmp_path / "two.h5"], parts, tmp_path / "scaler.json", SETTINGS, {}, of_signal=True)
    assert sum(counts.values()) == 300
    other = write_features(tmp_path / "one.h5")
    with pytest.raises(DatasetError, match=r"one\.h5 holds jets that need not come from a dark quark"):
        build_dataset([other], parts, tmp_path / "scaler.json", SETTINGS, {}, of_signal=True)


def test_no_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no background feature table"):
        build(tmp_path, [])


@pytest.mark.parametrize("content", ["not json", '{"range": [-3, 3]}', ""])
def test_a_broken_scaler_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "scaler.json"
    path.write_text(content)
    with pytest.raises(DatasetError, match=r"scaler\.json"):
        read_scaler(path)


def test_the_script_ends_with_one_line_and_status_one(tmp_path: Path) -> None:
    command = ["build_dataset.py", "--inputs", str(tmp_path / "absent.h5")]
    for part in ("train", "validation", "test", "scaler"):
        command += [f"--{part}", str(tmp_path / part)]
    done = run_program(command)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "absent.h5" in done.stderr
    assert "Traceback" not in done.stderr
