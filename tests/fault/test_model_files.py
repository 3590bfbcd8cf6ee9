"""Models and score tables that are empty, cut off, of another kind or damaged inside: one line that names the file."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from oddjet.dataset.scaling import FeatureScale, Scaler
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import NetworkSettings
from oddjet.detectors.cards import Card
from oddjet.detectors.file import content_of, load, snapshots
from oddjet.detectors.fitted import baseline_content, fit_baseline
from oddjet.detectors.opening import KEPT
from oddjet.detectors.registry import kind_named
from oddjet.errors import OddjetError, TableError
from oddjet.evaluation.backgrounds import Background, backgrounds_to_json
from oddjet.evaluation.bootstrap import grid_replicas
from oddjet.evaluation.figures_of_merit import merit_rows
from oddjet.evaluation.score_table import read_method
from oddjet.evaluation.scores import auc_rows
from oddjet.evaluation.settings import MeritSettings
from oddjet.evaluation.signals import Signal, points_to_json
from oddjet.images.ensembles import ensemble_columns, read_ensembles
from oddjet.io.origin import SUFFIX
from oddjet.io.tables import Column, write_table
from oddjet.io.weights import sample_factors
from oddjet.results import Results
from oddjet.studies.event_merits import EventScores

FEATURES = ["tau2", "tau3", "efp1"]


def card(kind: str) -> Card:
    scaler = Scaler(tuple(FeatureScale(name, "none", None, 0.0, 1.0, 0.5, 0.3) for name in FEATURES))
    return Card("odd", kind_named(kind).settings.model_validate({"kind": kind}), scaler)


def network_content() -> dict[str, Any]:
    network = Network(NetworkSettings(), len(FEATURES), 2)
    return content_of(network.parameters(), [1, 2], [3, 4], card("ae"))


def neighbours_content() -> dict[str, Any]:
    jets = np.random.default_rng(1).normal(size=(80, len(FEATURES))).astype(np.float32)
    return baseline_content(fit_baseline(card("nearest_neighbours"), [1], jets))


MADE: dict[str, Callable[[], dict[str, Any]]] = {"network": network_content, "baseline": neighbours_content}


def save(path: Path, content: object) -> None:
    torch.save(content, path)


def edited(**changes: object) -> Callable[[Path, dict[str, Any]], None]:
    return lambda path, content: save(path, {**content, **changes})


def _metadata(**changes: object) -> Callable[[Path, dict[str, Any]], None]:
    return lambda path, content: save(
        path, {**content, "metadata": json.dumps({**json.loads(content["metadata"]), **changes})}
    )


def _cut(part: float) -> Callable[[Path, dict[str, Any]], None]:
    def cut(path: Path, content: dict[str, Any]) -> None:
        save(path, content)
        path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])

    return cut


def _archive(part: str) -> Callable[[Path, dict[str, Any]], None]:
    def archive(path: Path, _: dict[str, Any]) -> None:
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(part, b"\x93NUMPY")

    return archive


DAMAGES: dict[str, Callable[[Path, dict[str, Any]], None]] = {
    "empty": lambda path, _: path.touch(),
    "text": lambda path, _: path.write_text("a model\n") and None,
    "one byte": lambda path, _: path.write_bytes(b"\x80") and None,
    "cut in half": _cut(0.5),
    "cut at the end": _cut(0.97),
    "a list": lambda path, _: save(path, [1, 2]),
    "another format": edited(format=0),
    "metadata that are no JSON": edited(metadata="{"),
    "metadata that are a list": edited(metadata="[1]"),
    "metadata that are a number": edited(metadata=3),
    "settings that are a text": _metadata(settings="x"),
    "without settings": edited(metadata="{}"),
    "a scaler that is a number": _metadata(scaler=3),
    "an unknown kind": _metadata(settings={"kind": "wnea"}),
    "parameters that are a list": edited(parameters=[1]),
    "parameters without tensors": edited(parameters={"a": 1}),
    "no parameters": edited(parameters={}),
    "seeds that are a text": edited(seeds="12"),
    "a folder": lambda path, _: path.mkdir(),
    "arrays of numpy": _archive("a.npy"),
    "weights alone": lambda path, _: save(path, torch.nn.Linear(2, 2).state_dict()),
    "a module of torch": lambda path, _: save(path, torch.nn.Linear(2, 2)),
    "TorchScript": _archive("m/code/__torch__.py"),
    "a checkpoint of others": lambda path, _: save(path, {"state_dict": {}, "epoch": 3}),
}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_is_one_line_that_names_the_file(tmp_path: Path, kind: str, damage: str) -> None:
    path = tmp_path / "model.pt"
    DAMAGES[damage](path, MADE[kind]())
    for read in (load, lambda file: list(snapshots(file))):
        with pytest.raises(OddjetError, match=r"model\.pt: ") as raised:
            read(path)
        assert "\n" not in str(raised.value)
        # Torch would say how to execute it.
        assert "weights_only" not in str(raised.value)


@pytest.mark.parametrize("kind", MADE)
def test_a_sound_file_is_read(tmp_path: Path, kind: str) -> None:
    save(tmp_path / "model.pt", MADE[kind]())
    scores = load(tmp_path / "model.pt").score_scaled(np.zeros((4, len(FEATURES)), np.float32))
    assert np.isfinite(scores).all()


def score_table(path: Path) -> None:
    columns = [Column(name, "f4", "1", "") for name in ("sample", *KEPT)] + [Column("score", "(2,)f8", "1", "")]
    rows = np.zeros(40, [(column.name, column.dtype) for column in columns])
    rows["sample"], rows["weight"] = np.arange(40) // 20, 1
    rows["pt"], rows["score"] = np.linspace(500, 900, 40), np.random.default_rng(1).normal(size=(40, 2))
    attributes = {"method": "ae", "seeds": "[1, 2]", "epochs": "[3, 4]", "samples": '["background", "svj"]'}
    attributes["backgrounds"] = backgrounds_to_json([Background("top", 0), Background("qcd", 0, (0,))])
    write_table(
        path, columns, rows, {**attributes, "points": points_to_json([Signal("svj", {"m_phi": 2000, "r_inv": 0.3})])}
    )


def event_scores(path: Path) -> None:
    columns = [Column("sample", "i2", "1", ""), Column("row", "i8", "1", ""), Column("score", "(1,)f8", "1", "")]
    rows = np.zeros(4, [(column.name, column.dtype) for column in columns])
    about = {"method": "ot3d", "seeds": "[0]", "epochs": "[1]", "samples": '["background"]', "points": "{}"}
    write_table(path, columns, rows, {**about, "backgrounds": '[["background", 0, null]]'})


def ensemble_table(path: Path) -> None:
    columns = ensemble_columns(2)
    rows = np.zeros(4, [(column.name, column.dtype) for column in columns])
    names = {"reference": "qcd", "metric": "wass1"}
    write_table(path, columns, rows, {**names, "samples": '["background"]', "members": "[0, 1]"})


def feature_table(path: Path) -> None:
    rows = np.ones(4, [("weight", "f4")])
    write_table(path, [Column("weight", "f4", "1", "")], rows, {"cutflow": '[["sum_of_generated_weights", 4.0]]'})


Reader = Callable[[Path], object]
MERIT = MeritSettings(replicas=20)
TABLES: dict[str, tuple[Callable[[Path], None], Reader, tuple[str, ...]]] = {
    "methods": (score_table, read_method, ("method", "seeds", "epochs", "samples", "points", "columns")),
    "auc": (score_table, auc_rows, ("method", "seeds", "epochs", "points", "backgrounds")),
    "merit": (score_table, lambda path: merit_rows(path, MERIT), ("seeds", "points")),
    "replicas": (score_table, lambda path: grid_replicas([path], MERIT), ("seeds", "points", "backgrounds")),
    "events": (event_scores, EventScores, ("method", "seeds", "samples", "points")),
    "ensembles": (ensemble_table, read_ensembles, ("samples", "members", "reference", "metric")),
    "weights": (feature_table, lambda path: sample_factors({"svj": [path]}, {"svj": 1.0}), ("cutflow",)),
}
WRONG = (None, "", "{", "3", "[[1, 2, 3]]", '"12"', '{"svj": 3}', '{"svj": ["a", 1]}')
# A text is whatever it says.
TEXTS = ("method", "reference", "metric")
CASES = [
    (kind, name, content)
    for kind, (_, _, names) in TABLES.items()
    for name in names
    for content in (WRONG[:1] if name in TEXTS else WRONG)
]


@pytest.mark.parametrize("kind", TABLES)
def test_a_sound_table_is_read(tmp_path: Path, kind: str) -> None:
    make, read, _ = TABLES[kind]
    make(tmp_path / "table.h5")
    assert read(tmp_path / "table.h5") is not None


@pytest.mark.parametrize(("kind", "name", "content"), CASES)
def test_a_damaged_attribute_is_one_line_that_names_the_table(
    tmp_path: Path, kind: str, name: str, content: str | None
) -> None:
    make, read, _ = TABLES[kind]
    path = tmp_path / "table.h5"
    make(path)
    with h5py.File(path, "r+") as file:
        del file.attrs[name]
        if content is not None:
            file.attrs[name] = content
    with pytest.raises(OddjetError, match=r"table\.h5: ") as raised:
        read(path)
    assert "\n" not in str(raised.value)
    assert name in str(raised.value)


def test_seeds_and_columns_of_scores_must_fit(tmp_path: Path) -> None:
    score_table(tmp_path / "table.h5")
    with h5py.File(tmp_path / "table.h5", "r+") as file:
        file.attrs["seeds"] = "[1]"
    with pytest.raises(TableError, match=r"table\.h5: 1 seeds, 2 epochs and 2 columns of scores do not fit"):
        read_method(tmp_path / "table.h5")


RECORD = {"script": "evaluate", "code_digest": "c", "inputs": {}, "options": "{}", "outputs": {}}
RECORDS = ["", "{", "3", "[1]", "{}", *(json.dumps({**RECORD, name: 3}) for name in RECORD)]


def test_every_result_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for number, content in enumerate(RECORDS):
        (tmp_path / f"{number}.csv{SUFFIX}").write_text(content)
    for suffix in (".h5", ".root", ".pt"):
        (tmp_path / f"empty{suffix}").touch()
        (tmp_path / f"text{suffix}").write_text("a result")
    for number, content in enumerate(([1], {}, {"metadata": "[1]"}, {"metadata": '{"provenance": 3}'})):
        torch.save(content, tmp_path / f"{number}.pt")
    # Nothing is asked of the plan for a file whose record cannot be read.
    found = Results(tmp_path).check(None)
    assert len(found) == len(RECORDS) + 10
    for result in found:
        assert result.reasons[0].startswith("cannot be read ("), result
        assert "\n" not in result.reasons[0]
