"""Methods that are trained on some of the background samples: they see the jets of these and no others."""

from pathlib import Path

import numpy as np
import pytest

from oddjet.dataset.build import build_dataset
from oddjet.dataset.of_samples import count_of, iterate_of, read_of, sources_of
from oddjet.dataset.scaler_file import Inputs
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.detectors.autoencoder.train import train_method
from oddjet.detectors.baseline import fit_method
from oddjet.detectors.file import load
from oddjet.detectors.registry import kind_named
from oddjet.errors import DatasetError
from oddjet.io.tables import Column, read_attributes, read_columns, read_table, write_table

FEATURES = ("x", "y")
COLUMNS = [
    *(Column(name, "u4", "1", "identifier") for name in ("run", "luminosityBlock", "event")),
    Column("entry", "i8", "1", "position"),
    *(Column(name, "f4", "1", "value") for name in ("weight", *FEATURES)),
]
PARTS = ("train", "validation", "test")
SETTINGS = DatasetSettings.model_validate(
    {"features": FEATURES, "log_floors": {}, "minimum_jets": dict.fromkeys(PARTS, 10)}
)
CENTRES = {"top": 0.0, "qcd": 4.0, "qcd_more": 4.0}


def write_sample(folder: Path, name: str, centre: float) -> Path:
    generator = np.random.default_rng(list(name.encode()))
    table = np.zeros(300, dtype=[(column.name, column.dtype) for column in COLUMNS])
    table["run"], table["weight"] = len(name), 1.0
    table["event"] = table["entry"] = np.arange(300)
    for feature in FEATURES:
        table[feature] = generator.normal(centre, 1.0, 300)
    write_table(folder / f"{name}.h5", COLUMNS, table, {"sample": name})
    return folder / f"{name}.h5"


@pytest.fixture(scope="module")
def parts(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("dataset")
    found = {part: folder / f"{part}.h5" for part in PARTS}
    files = [write_sample(folder, name, centre) for name, centre in CENTRES.items()]
    build_dataset(files, found, folder / "scaler.json", SETTINGS, {})
    return found


def inputs(parts: dict[str, Path]) -> Inputs:
    return Inputs(parts["train"], parts["validation"], parts["train"].parent / "scaler.json")


def test_rows_are_told_by_their_sample(parts):
    train = read_table(parts["train"])
    assert sources_of(parts["train"], ["qcd*"]) == [1, 2]
    assert count_of(parts["train"], None) == len(train)
    counts = [count_of(parts["train"], [name]) for name in CENTRES]
    assert sum(counts) == len(train)
    assert min(counts) > 100
    only = read_of(parts["train"], ["run", "x"], ["qcd"])
    assert set(only["run"]) == {len("qcd")}
    pieces = list(iterate_of(parts["train"], ["run", "x"], 50, ["qcd"]))
    assert len(pieces) > 1
    np.testing.assert_array_equal(np.concatenate(pieces)["x"], only["x"])
    with pytest.raises(DatasetError, match=r"train\.h5: background: there is no 'w'\. There are: top, qcd, qcd_more"):
        sources_of(parts["train"], ["w"])


@pytest.mark.parametrize("scaling", ["dataset", "standard"])
def test_a_baseline_of_one_sample_is_that_of_a_dataset_of_this_sample_alone(parts, tmp_path, scaling):
    settings = kind_named("mahalanobis").settings.model_validate(
        {"kind": "mahalanobis", "background": ["top"], "scaling": scaling}
    )
    fit_method("of_top", settings, [1], inputs(parts), tmp_path / "own")
    alone = {part: tmp_path / f"{part}.h5" for part in PARTS}
    build_dataset([parts["train"].parent / "top.h5"], alone, tmp_path / "scaler.json", SETTINGS, {})
    # The jets of this sample, in the coordinates of all: the distance knows no coordinates.
    plain = kind_named("mahalanobis").settings.model_validate({"kind": "mahalanobis"})
    fit_method("alone", plain, [1], inputs(alone), tmp_path / "alone")
    test = read_table(parts["test"])
    own, other = (load(tmp_path / name / "model.pt").score(test) for name in ("own", "alone"))
    np.testing.assert_allclose(own, other, rtol=1e-4)
    far = test["run"] != len("top")
    assert own[far].min() > np.median(own[~far])


def test_an_autoencoder_of_one_sample_reads_no_jet_of_another(parts, tmp_path):
    settings = MethodSettings.model_validate(
        {
            "kind": "ae",
            "background": ["top"],
            "network": {"hidden": [8], "latent": 1},
            "training": {"epochs": 2, "batch_size": 64},
        }
    )
    scores = []
    for shift in (0.0, 1.0):
        folder = tmp_path / f"{shift:g}"
        folder.mkdir()
        shifted = {part: folder / f"{part}.h5" for part in PARTS}
        for part, path in shifted.items():
            rows = read_table(parts[part])
            rows["x"][rows["run"] != len("top")] += shift
            kept = {"sources": read_attributes(parts[part])["sources"]}
            write_table(path, read_columns(parts[part]), rows, kept)
        own = inputs(shifted)._replace(scaler=inputs(parts).scaler)
        train_method("of_top", settings, [1], own, folder / "model")
        scores.append(load(folder / "model" / "model.pt").score(read_table(parts["test"])))
    np.testing.assert_array_equal(*scores)
