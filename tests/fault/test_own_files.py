"""Tables, scalers, images and reference jets that are damaged inside or of another kind: one line names the file."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from fault.test_mutated_files import mutated
from oddjet.dataset.scaler_file import Inputs, read_scaler, write_scaler
from oddjet.dataset.scaling import FeatureScale, Scaler
from oddjet.detectors.baseline import fit_method
from oddjet.detectors.density import Mahalanobis, SingleFeature
from oddjet.detectors.file import read_content, write
from oddjet.detectors.opening import KEPT, Method, one_method
from oddjet.errors import OddjetError
from oddjet.evaluation.history import read_history
from oddjet.evaluation.scores import score_samples
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.evaluation.snapshots import read_jets
from oddjet.images.reference_jets import References, read_references, write_references
from oddjet.images.store import JET_COLUMNS, ImageWriter, read_images
from oddjet.io.tables import Column, iterate_table, read_attributes, read_table, write_table

SCALER = Scaler(tuple(FeatureScale(name, "none", None, 0.0, 1.0, 0.5, 0.3) for name in ("tau2", "tau3")))
REFERENCES = References(
    "wass1", 9, [[1], [1, 2]], [1.0, 0.5], [1.0, 0.5], [[3.0], [3.0]], [2.0, 1.0], 1.5, 0.01, 2, [[4, 8]]
)


def named(path: Path, read: Callable[[], object], also: str = ".") -> None:
    """Assert that reading ends in one line with the name of the file."""
    with pytest.raises(OddjetError, match=also) as raised:
        read()
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def edited(content: dict[str, Any], place: tuple[Any, ...], value: object) -> dict[str, Any]:
    """Copy JSON with another value at a place."""
    changed = copy.deepcopy(content)
    inner: Any = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


WRONG = (None, "x", [], {}, float("nan"))
SCALER_PLACES = [
    *((("features", 0, key), value) for key in ("minimum", "maximum", "deviation") for value in (*WRONG, float("inf"))),
    *((("features", 0, "floor"), value) for value in ("x", [], float("nan"), -1.0)),
    *((("features", 0, "name"), value) for value in (None, 3, [])),
    *((("features", 0, "warp"), value) for value in (None, "x", [None])),
    *((("scaling",), value) for value in (*WRONG, "max_min", "power", "quantile")),
    *((("range",), value) for value in (*WRONG, [3, -3], [1], [0, None])),
    *((("features",), value) for value in (*WRONG, [[]], [{}])),
    (("features", 0, "maximum"), 0.0),
    (("features", 0, "width"), 1.0),
]


@pytest.mark.parametrize(("place", "value"), SCALER_PLACES)
def test_a_damaged_scaler_is_named(tmp_path: Path, place: tuple[Any, ...], value: object) -> None:
    path = tmp_path / "scaler.json"
    path.write_text(json.dumps(edited(SCALER.to_dict(), place, value)))
    named(path, lambda: read_scaler(path), "not a scaler of oddjet")


def test_a_sound_scaler_is_read(tmp_path: Path) -> None:
    write_scaler(tmp_path / "scaler.json", SCALER)
    assert read_scaler(tmp_path / "scaler.json") == SCALER


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *(
            ((key,), value)
            for key in ("medoids", "random", "largest", "peaks", "histograms")
            for value in (*WRONG, [3])
        ),
        *(((key, 0), value) for key in ("medoids", "random") for value in (*WRONG, [9], [-1])),
        (("elbow",), "two"),
        (("chance",), None),
        (("more",), 1),
    ],
)
def test_damaged_reference_jets_are_named(tmp_path: Path, place: tuple[Any, ...], value: object) -> None:
    path = tmp_path / "medoids.json"
    write_references(path, REFERENCES)
    assert read_references(path) == REFERENCES
    path.write_text(json.dumps(edited(json.loads(path.read_text()), place, value)))
    named(path, lambda: read_references(path), "reference jets")


def images(path: Path) -> Path:
    jets = np.zeros(2, [(column.name, column.dtype) for column in JET_COLUMNS])
    with ImageWriter(path, 4, 1.6, {}) as writer:
        writer.append_images(jets, np.array([0, 1, 3]), np.array([5, 6, 7], np.uint16), np.ones(3, np.float32))
        writer.finish()
    return path


def replaced(file: h5py.File, name: str, values: object) -> None:
    del file[name]
    file[name] = values


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("indptr", np.zeros(0, np.int64)),
        ("indptr", np.array([0, 1])),
        ("indptr", np.array([b"ab"] * 3)),
        ("indptr", np.array([0, 1, 30])),
        ("indptr", np.array([0, 0, 3])),
        ("pixel", np.array([b"ab"] * 3)),
        ("pixel", np.zeros(0, np.uint16)),
        ("pixel", np.array([5, 6, 16], np.uint16)),
        ("value", np.array([b"ab"] * 3)),
        ("value", np.ones((3, 1), np.float32)),
        ("value", np.array([1, -1, 1], np.float32)),
        ("value", np.array([1, np.nan, 1], np.float32)),
    ],
)
def test_damaged_images_are_named(tmp_path: Path, name: str, values: object) -> None:
    path = images(tmp_path / "images.h5")
    assert len(read_images(path)) == 2
    with h5py.File(path, "r+") as file:
        replaced(file, name, values)
    named(path, lambda: read_images(path))


def jets_of(path: Path, names: tuple[str, ...] = (*KEPT, "tau2", "tau3"), count: int = 50) -> Path:
    columns = [
        Column(name, "f4" if name in ("pt", "mass", "weight", "score", "tau2", "tau3") else "u4", "1", "")
        for name in names
    ]
    rows = np.ones(count, [(column.name, column.dtype) for column in columns])
    for number, name in enumerate(("tau2", "tau3")):
        if name in names:
            rows[name] = np.random.default_rng(number).uniform(size=count)
    write_table(path, columns, rows, {"cutflow": "[]"})
    return path


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_no_table_was_written_with_is_named(tmp_path: Path, value: float) -> None:
    path = jets_of(tmp_path / "t.h5")
    with h5py.File(path, "r+") as file:
        rows = file["jets"][:]
        rows["tau2"][41] = value
        file["jets"][...] = rows
    named(path, lambda: read_table(path), "'tau2' is not finite in row 41")
    named(path, lambda: list(iterate_table(path, ["tau2"], 20)), "'tau2' is not finite in row 41")


@pytest.mark.parametrize("kind", ["S3", "(2,)f4", "i1", "f8"])
def test_a_column_of_another_type_is_named(tmp_path: Path, kind: str) -> None:
    path = jets_of(tmp_path / "t.h5")
    with h5py.File(path, "r+") as file:
        rows = file["jets"][:]
        changed = np.zeros(len(rows), [(name, kind if name == "pt" else rows.dtype[name]) for name in rows.dtype.names])
        replaced(file, "jets", changed)
    named(path, lambda: read_table(path), "not those that it was written with")


OTHER = {"scores": ("run", "score"), "no weight": ("run", "event", "tau2", "tau3"), "no feature": tuple(KEPT)}


@pytest.mark.parametrize("kind", OTHER)
def test_a_table_of_another_kind_is_named(tmp_path: Path, kind: str) -> None:
    sound, other = jets_of(tmp_path / "jets.h5"), jets_of(tmp_path / "other.h5", OTHER[kind])
    write_scaler(tmp_path / "scaler.json", SCALER)
    named(other, lambda: read_jets([sound, other], SCALER.transform))
    for settings in (Mahalanobis(kind="mahalanobis"), SingleFeature(kind="feature", feature="tau2")):
        for train, validation in ((other, sound), (sound, other)):
            inputs = Inputs(train, validation, tmp_path / "scaler.json")
            named(other, lambda s=settings, i=inputs: fit_method("m", s, [1], i, tmp_path / "model"))

    def scorer(jets: np.ndarray) -> np.ndarray:
        return SCALER.transform(jets)[:, :1]

    given = one_method(Method("m", (1,), (1,)), scorer), other, [], [tmp_path / "scores.h5"], EvaluationSettings(), {}
    named(other, lambda: score_samples(*given))
    assert not (tmp_path / "scores.h5").exists()


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "seed,epoch\n\0,1\n", "seed,epoch,loss\n1,x,2\n"])
def test_a_damaged_history_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "history.csv"
    path.write_text(text)
    named(path, lambda: read_history([path]), "training history")


def test_snapshots_of_a_kind_without_negatives_are_refused() -> None:
    from oddjet.detectors.autoencoder.own_chains import require_negatives

    with pytest.raises(OddjetError, match="kind mahalanobis has no negative samples"):
        require_negatives(Mahalanobis(kind="mahalanobis"))


def test_nothing_of_a_file_is_executed(tmp_path: Path) -> None:
    from oddjet.detectors.file import load

    class Opens:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "OPENED",)

    torch.save({"format": 1, "parameters": Opens()}, tmp_path / "model.pt")
    named(tmp_path / "model.pt", lambda: load(tmp_path / "model.pt"))
    assert not (tmp_path / "OPENED").exists()


def silent(path: Path, read: Callable[[Path], object], seeds: range) -> list[int]:
    """Say which damages of a file change what is read of it without a word, or without the file's name."""
    data, sound, found = path.read_bytes(), read(path), []
    for seed in seeds:
        path.write_bytes(mutated(data, seed))
        try:
            if read(path) != sound:
                found.append(seed)
        except OddjetError as error:
            found += [] if str(path) in str(error) else [seed]
    return found


def test_no_damage_of_a_model_goes_unnoticed(tmp_path: Path) -> None:
    """Half of these changed weights without a word: torch passes over the checksums of its archive."""
    rng = np.random.default_rng(1)
    parameters = {name: torch.from_numpy(rng.normal(size=n).astype(np.float32)) for name, n in (("w", 4000), ("b", 40))}
    path = tmp_path / "model.pt"
    content = {"format": 1, "parameters": parameters, "seeds": [1, 2], "epochs": [3, 4], "metadata": '{"settings": {}}'}
    write(path, content)

    def read(path: Path) -> object:
        content = read_content(path)
        tensors = {name: value.numpy().tobytes() for name, value in content.pop("parameters").items()}
        return tensors, content

    assert silent(path, read, range(150)) == []


@pytest.mark.parametrize("count", [20, 6000])
def test_no_damage_of_a_table_goes_unnoticed(tmp_path: Path, count: int) -> None:
    """Of small tables most is attributes: in the heap that HDF5 has for texts, some damages never ended."""
    columns = [
        Column(name, kind, "1", "A column.") for name, kind in (("event", "u8"), ("pt", "f4"), ("score", "(3,)f8"))
    ]
    rows = np.zeros(count, [(column.name, column.dtype) for column in columns])
    rng = np.random.default_rng(1)
    rows["event"], rows["pt"], rows["score"] = np.arange(count), rng.uniform(5, 7, count), rng.normal(size=(count, 3))
    path = tmp_path / "t.h5"
    write_table(
        path, columns, rows, {"cutflow": json.dumps([["events_read", 100]] * 12), "settings": '{"radius": 0.8}'}
    )

    def read(path: Path) -> object:
        return read_table(path).tobytes(), read_attributes(path)

    assert silent(path, read, range(150)) == []
