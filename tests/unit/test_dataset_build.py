"""The dataset stage, from feature tables to three tables and a scaler."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.recfunctions import structured_to_unstructured

from oddjet.dataset.build import SOURCE, build_dataset
from oddjet.dataset.scaler_file import read_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.dataset.split import PARTS, Interleaved, assign_parts
from oddjet.errors import DatasetError
from oddjet.io.tables import Column, read_attributes, read_columns, read_table, write_table
from programs import run_program

COLUMNS = [
    Column("run", "u4", "1", "run number"),
    Column("luminosityBlock", "u4", "1", "luminosity block"),
    Column("event", "u8", "1", "event number"),
    Column("entry", "i8", "1", "position of the event in its file"),
    Column("jet_rank", "i2", "1", "0 for the leading jet"),
    Column("tau2", "f4", "1", "2-subjettiness"),
    Column("softdrop_mass", "f4", "GeV", "groomed mass"),
]
SETTINGS = DatasetSettings.model_validate(
    {"features": ["tau2", "softdrop_mass"], "minimum_jets": {"train": 10, "validation": 10, "test": 10}, "seed": 7}
)


def write_features(folder: Path, files: int = 3, events: int = 200) -> list[Path]:
    generator = np.random.default_rng(5)
    paths = []
    for block in range(1, files + 1):
        jets = np.zeros(2 * events, dtype=[(column.name, column.dtype) for column in COLUMNS])
        jets["run"], jets["luminosityBlock"] = 1, block
        jets["event"] = jets["entry"] = np.repeat(np.arange(events), 2)
        jets["jet_rank"] = np.tile([0, 1], events)
        jets["tau2"] = generator.normal(0.2, 0.05, 2 * events)
        jets["softdrop_mass"] = generator.gamma(4.0, 40.0, 2 * events)
        paths.append(folder / f"features_{block}.h5")
        write_table(paths[-1], COLUMNS, jets, {})
    return paths


def write_sample(path: Path, sample: str, generated: float, weight: float = 2.0) -> Path:
    """Twenty jets of one weight in one part of a sample."""
    columns = [*COLUMNS, Column("weight", "f4", "1", "weight")]
    jets = np.zeros(20, dtype=[(column.name, column.dtype) for column in columns])
    jets["event"] = jets["entry"] = np.arange(20)
    jets["weight"] = weight
    jets["run"] = int(path.stem, 36)
    jets["tau2"] = jets["softdrop_mass"] = np.linspace(1, 2, 20)
    cutflow = json.dumps([["sum_of_generated_weights", generated]])
    write_table(path, columns, jets, {"sample": sample, "cutflow": cutflow})
    return path


def test_samples_are_weighted_to_their_cross_sections(tmp_path: Path) -> None:
    parts = (("a0", "qcd", 10.0), ("a1", "qcd", 30.0), ("b0", "top", 5.0))
    files = [write_sample(tmp_path / f"{name}.h5", sample, generated) for name, sample, generated in parts]
    fewest = dict.fromkeys(PARTS, 2)
    settings = DatasetSettings.model_validate({**SETTINGS.model_dump(), "minimum_jets": fewest})
    where, sigma = destinations(tmp_path), {"qcd": 80.0, "top": 1.0}
    build_dataset(files, where, tmp_path / "scaler.json", settings, {}, sigma)
    jets = np.concatenate([read_table(where[part]) for part in PARTS])
    for name, weight in (("a0", 4.0), ("a1", 4.0), ("b0", 0.4)):
        np.testing.assert_allclose(jets["weight"][jets["run"] == int(name, 36)], weight, rtol=1e-6)
    with pytest.raises(DatasetError, match=r"'wjets' is no sample of the tables; they are qcd, top"):
        build_dataset(files, where, tmp_path / "scaler.json", settings, {}, {"wjets": 1.0})


def test_samples_count_the_same_where_that_is_asked_for(tmp_path: Path) -> None:
    files = [write_sample(tmp_path / f"{name}.h5", name[0], 1.0) for name in ("a0", "a1", "a2", "b0")]
    chosen = {"minimum_jets": dict.fromkeys(PARTS, 2), "sample_weights": "equal"}
    settings = DatasetSettings.model_validate({**SETTINGS.model_dump(), **chosen})
    where = destinations(tmp_path)
    build_dataset(files, where, tmp_path / "scaler.json", settings, {})
    jets = np.concatenate([read_table(where[part]) for part in PARTS])
    sums = [jets["weight"][jets["run"] == int(name, 36)].sum(dtype=float) for name in ("a0", "a1", "a2", "b0")]
    # 160 in all, as the stored weights: 80 for each sample.
    np.testing.assert_allclose(sums, [80 / 3, 80 / 3, 80 / 3, 80], rtol=1e-6)
    write_sample(files[3], "b", 1.0, weight=-1.0)
    with pytest.raises(DatasetError, match=r"sample b: the weights of its jets add up to -20"):
        build_dataset(files, where, tmp_path / "scaler.json", settings, {})


def destinations(folder: Path) -> dict[str, Path]:
    return {part: folder / f"{part}.h5" for part in PARTS}


def test_every_jet_lands_in_the_part_of_its_event(tmp_path: Path) -> None:
    files, parts = write_features(tmp_path), destinations(tmp_path)
    counts = build_dataset(files, parts, tmp_path / "scaler.json", SETTINGS, {"script": "build_dataset"})
    tables = [read_table(parts[part]) for part in PARTS]
    assert [len(table) for table in tables] == list(counts.values())
    for index, table in enumerate(tables):
        assert set(assign_parts(table, SETTINGS.fractions, SETTINGS.seed).tolist()) == {index}
    everything = np.concatenate([read_table(path) for path in files])
    found = np.sort(np.concatenate(tables), order=["luminosityBlock", "event", "jet_rank"])
    assert found[list(everything.dtype.names)].astype(everything.dtype).tobytes() == everything.tobytes()
    assert read_columns(parts["test"]) == [*COLUMNS, SOURCE]
    sources = json.loads(read_attributes(parts["test"])["sources"])
    assert [sources[number][1] for number in found["source"]] == [
        f"features_{block}.h5" for block in found["luminosityBlock"]
    ]
    assert read_attributes(parts["test"])["script"] == "build_dataset"


def test_the_scaler_sees_the_training_part_only(tmp_path: Path) -> None:
    parts = destinations(tmp_path)
    build_dataset(write_features(tmp_path), parts, tmp_path / "scaler.json", SETTINGS, {})
    scaler = read_scaler(tmp_path / "scaler.json")
    scaled = scaler.transform(read_table(parts["train"]))
    np.testing.assert_array_equal(scaled.min(axis=0), [-3, -3])
    np.testing.assert_array_equal(scaled.max(axis=0), [3, 3])
    values = structured_to_unstructured(read_table(parts["train"])[["tau2"]])
    assert scaler.features[0].minimum == values.min()


def test_the_number_and_order_of_the_files_change_no_jet_and_no_scaler(tmp_path: Path) -> None:
    files = write_features(tmp_path)
    merged = tmp_path / "merged.h5"
    write_table(merged, COLUMNS, np.concatenate([read_table(path) for path in files]), {})
    ways = {"forward": files, "backward": files[::-1], "merged": [merged]}
    tables, scalers = {}, {}
    for way, inputs in ways.items():
        parts = destinations(tmp_path / way)
        build_dataset(inputs, parts, tmp_path / way / "scaler.json", SETTINGS, {})
        train = read_table(parts["train"], [column.name for column in COLUMNS])
        tables[way] = train.tobytes()
        scalers[way] = [(f.minimum, f.maximum) for f in read_scaler(tmp_path / way / "scaler.json").features]
    assert tables["forward"] == tables["backward"] == tables["merged"]
    assert scalers["forward"] == scalers["backward"] == scalers["merged"]


def test_the_script_runs_by_hand(tmp_path: Path) -> None:
    files, parts = write_features(tmp_path), destinations(tmp_path)
    command = [
        "workflow/scripts/build_dataset.py",
        "--settings",
        SETTINGS.model_dump_json(),
        "--inputs",
    ]
    command += [*map(str, files), "--scaler", str(tmp_path / "scaler.json")]
    for part in PARTS:
        command += [f"--{part}", str(parts[part])]
    done = run_program(command)
    assert done.returncode == 0, done.stderr
    attributes = read_attributes(parts["train"])
    assert json.loads(attributes["settings"])["seed"] == SETTINGS.seed
    assert len(json.loads(attributes["inputs"])) == len(files)


@pytest.mark.parametrize("option", ["--help"])
def test_the_script_explains_itself(option: str) -> None:
    done = run_program(["workflow/scripts/build_dataset.py", option])
    assert done.returncode == 0
    assert "example:" in done.stdout


def two_samples(folder: Path, events: int = 600) -> list[Path]:
    """Write two samples of two files each, whose jets differ in tau2; two jets an event."""
    columns = [*COLUMNS, Column("weight", "f4", "1", "weight")]
    generator, paths = np.random.default_rng(8), []
    for number, (sample, centre) in enumerate((("qcd", 0.0), ("qcd", 0.0), ("top", 5.0), ("top", 5.0))):
        jets = np.zeros(2 * events, dtype=[(column.name, column.dtype) for column in columns])
        jets["run"], jets["luminosityBlock"] = 10 if sample == "qcd" else 20, number
        jets["event"] = jets["entry"] = np.repeat(np.arange(events), 2)
        jets["jet_rank"] = np.tile([0, 1], events)
        jets["tau2"], jets["weight"] = generator.normal(centre, 1, 2 * events), 1.0
        jets["softdrop_mass"] = generator.gamma(4.0, 40.0, 2 * events)
        paths.append(folder / f"{sample}{number}.h5")
        write_table(paths[-1], columns, jets, {"sample": sample, "cutflow": "[]"})
    return paths


def test_any_stretch_of_rows_is_a_fair_sample_of_all_samples(tmp_path: Path) -> None:
    parts = destinations(tmp_path)
    build_dataset(two_samples(tmp_path), parts, tmp_path / "scaler.json", SETTINGS, {})
    for part in PARTS:
        jets = read_table(parts[part])
        share = float(np.mean(jets["run"] == 20))
        for stretch in np.array_split(jets, len(jets) // 200):
            # Events come whole, so 100 independent draws: four standard deviations.
            assert np.mean(stretch["run"] == 20) == pytest.approx(share, abs=0.2)
        pairs = jets[["source", "entry"]].reshape(-1, 2)
        assert (pairs[:, 0] == pairs[:, 1]).all()
        assert jets["jet_rank"].tolist() == [0, 1] * len(pairs)


@pytest.mark.parametrize("rows_at_a_time", [7, 1000])
def test_rows_that_memory_does_not_hold_come_in_the_same_order(tmp_path: Path, rows_at_a_time: int) -> None:
    jets = np.concatenate([read_table(path) for path in two_samples(tmp_path)])
    orders = []
    for size in (rows_at_a_time, len(jets)):
        with Interleaved(jets.dtype, len(jets), 7, tmp_path / "scratch", size) as rows:
            for piece in np.array_split(jets, 9):
                rows.add(piece)
            pieces = list(rows.pieces())
        assert len(pieces) == min(-(-len(jets) // size), 256)
        assert max(map(len, pieces)) < 2 * max(size, len(jets) / 256)
        orders.append(np.concatenate(pieces).tobytes())
    assert orders[0] == orders[1]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_events_of_the_same_numbers_are_told_by_their_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files, parts = two_samples(tmp_path), destinations(tmp_path)
    build_dataset(files, parts, tmp_path / "scaler.json", SETTINGS, {})
    assert read_attributes(parts["train"])["repeated_events"] == "0"
    assert "share run" not in caplog.text
    columns = read_columns(files[0])
    for number, path in enumerate(files):
        jets = read_table(path)
        # As Delphes writes them, and one file in which two productions were merged.
        jets["run"], jets["luminosityBlock"] = 1, 1
        jets["event"] = jets["entry"] % 300 if number == 3 else jets["entry"] + 1000 * number
        write_table(path, columns, jets, {"sample": path.stem[:3], "cutflow": "[]"})
    build_dataset(files, parts, tmp_path / "scaler.json", SETTINGS, {})
    # All 600 events of the merged file, and the 300 of the first file that have numbers below 300.
    assert read_attributes(parts["test"])["repeated_events"] == "900"
    assert caplog.text.count("share run") == 1
    assert "900 of 2400 events share run, luminosity block and event number with another one (1:1:" in caplog.text
    tables = [read_table(parts[part]) for part in PARTS]
    seen = [set(np.unique(table["event"]).tolist()) for table in tables]
    assert len(set.union(*seen)) == sum(map(len, seen))
    identity = np.concatenate([table[["source", "entry"]] for table in tables])
    assert len(np.unique(identity)) == 2400
