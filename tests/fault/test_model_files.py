"""Model files that are empty, cut off, of another kind or damaged inside: one line that names the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from oddjet.errors import OddjetError
from oddjet.models.baselines.file import baseline_content, fit_baseline
from oddjet.models.baselines.settings import BaselineSettings
from oddjet.models.load import load_scorer, load_scorers
from oddjet.models.modelfile import model_content
from oddjet.models.networks import Network
from oddjet.models.settings import NetworkSettings

FEATURES = ["tau2", "tau3", "efp1"]


def network_content() -> dict[str, Any]:
    settings = NetworkSettings()
    network = Network(settings, len(FEATURES), 2)
    metadata = {"settings": {"network": settings.model_dump(mode="json")}, "features": FEATURES}
    return model_content(network, network.flat, [1, 2], [3, 4], metadata)


def neighbours_content() -> dict[str, Any]:
    jets = np.random.default_rng(1).normal(size=(80, len(FEATURES))).astype(np.float32)
    settings = BaselineSettings.model_validate({"kind": "nearest_neighbours"})
    return baseline_content(fit_baseline(settings, [1], jets, {"features": FEATURES}))


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
    "features that are a number": _metadata(features=3),
    "parameters that are a list": edited(parameters=[1]),
    "parameters without tensors": edited(parameters={"a": 1}),
    "no parameters": edited(parameters={}),
    "seeds that are a text": edited(seeds="12"),
}
# Of a baseline the features are read by nobody.
HARMLESS = {("baseline", "features that are a number")}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_is_one_line_that_names_the_file(tmp_path: Path, kind: str, damage: str) -> None:
    path = tmp_path / "model.pt"
    DAMAGES[damage](path, MADE[kind]())
    if (kind, damage) in HARMLESS:
        load_scorer(path)
        return
    for load in (load_scorer, lambda file: list(load_scorers(file))):
        with pytest.raises(OddjetError, match=r"model\.pt: ") as raised:
            load(path)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", MADE)
def test_a_sound_file_is_read(tmp_path: Path, kind: str) -> None:
    save(tmp_path / "model.pt", MADE[kind]())
    scores = load_scorer(tmp_path / "model.pt").score(np.zeros((4, len(FEATURES)), np.float32))
    assert np.isfinite(scores).all()
