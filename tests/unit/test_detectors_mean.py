"""The mean of methods: of standardised scores, with the constants of background that is not tested on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from jet_table import COLUMNS as JET_COLUMNS
from oddjet.dataset.scaling import fit_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import NetworkSettings
from oddjet.detectors.cards import Card
from oddjet.detectors.file import content_of, load, write
from oddjet.detectors.mean import background_moments, mean_of
from oddjet.detectors.opening import Method, one_method
from oddjet.detectors.registry import kind_named
from oddjet.errors import EvaluationError
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.evaluation.ensembles import Member, mean_scores
from oddjet.evaluation.score_table import read_method
from oddjet.evaluation.scores import auc_rows, score_samples
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.evaluation.signals import Signal, parse_signals
from oddjet.io.tables import Column, read_attributes, read_columns, read_table, write_table
from programs import run_program

FEATURES = ("tau2", "tau3")
COLUMNS = [*JET_COLUMNS, Column("tau3", "f4", "1", "3-subjettiness")]
WNAE, FOREST = Method("wnae", (1, 2), (10, 20)), Method("forest", (1,), (1,))


def write_jets(path: Path, count: int, centre: float, seed: int) -> Path:
    generator = np.random.default_rng(seed)
    jets = np.zeros(count, dtype=[(column.name, column.dtype) for column in COLUMNS])
    jets["event"] = jets["entry"] = np.arange(count)
    jets["pt"] = 600
    jets["weight"] = generator.uniform(0.5, 1.5, count) - (np.arange(count) == 3)
    for name in FEATURES:
        jets[name] = generator.normal(centre, 1.0, count)
    write_table(path, COLUMNS, jets, {})
    return path


def two_seeds(jets: np.ndarray) -> np.ndarray:
    """Two energies of very different scales, each of which sees one feature."""
    return np.column_stack([1e3 * jets["tau2"].astype(float), 5 + 1e-3 * jets["tau3"].astype(float)])


def one_seed(jets: np.ndarray) -> np.ndarray:
    return np.abs(jets["tau2"].astype(float) - jets["tau3"])[:, None]


class Scored(NamedTuple):
    """A detector that is a function."""

    name: str
    seeds: tuple[int, ...]
    epochs: tuple[int, ...]
    score: Callable[[np.ndarray], np.ndarray]


MODELS = [Scored(*WNAE, two_seeds), Scored(*FOREST, one_seed)]
LIMIT = EvaluationSettings(minimum_signal_jets=50)


@pytest.fixture
def signals(tmp_path: Path) -> list[Signal]:
    write_jets(tmp_path / "test.h5", 200, 0.0, 1)
    write_jets(tmp_path / "validation.h5", 150, 0.1, 3)
    return parse_signals([f"svj_mphi-2000_rinv-0p3={write_jets(tmp_path / 'signal.h5', 60, 1.0, 2)}"])


def write_mean(folder: Path, signals: list[Signal], models: Sequence[Scored] = MODELS) -> Path:
    opened = mean_of("both", models, read_table(folder / "validation.h5"))
    score_samples(opened, folder / "test.h5", signals, [folder / "mean.h5"], LIMIT, {"script": "x"})
    return folder / "mean.h5"


def test_scores_are_the_mean_of_what_each_seed_standardises(tmp_path: Path, signals: list[Signal]) -> None:
    table = read_table(write_mean(tmp_path, signals))
    validation = read_table(tmp_path / "validation.h5")
    jets = np.concatenate([read_table(tmp_path / name) for name in ("test.h5", "signal.h5")])
    weights = validation["weight"].astype(float)
    expected = np.zeros(260)
    for scorer, seed in ((two_seeds, 0), (two_seeds, 1), (one_seed, 0)):
        known = scorer(validation)[:, seed]
        mean = np.average(known, weights=weights)
        deviation = np.sqrt(np.average((known - mean) ** 2, weights=weights))
        expected += (scorer(jets)[:, seed] - mean) / deviation / 3
    assert table["score"].shape == (260, 1)
    np.testing.assert_allclose(table["score"][:, 0], expected, rtol=1e-12, atol=1e-12)


def test_the_table_is_that_of_a_method_with_one_seed(tmp_path: Path, signals: list[Signal]) -> None:
    output, other = write_mean(tmp_path, signals), tmp_path / "wnae.h5"
    score_samples(one_method(WNAE, two_seeds), tmp_path / "test.h5", signals, [other], LIMIT, {})
    table, like = read_table(output), read_table(other)
    for name in ("sample", "run", "luminosityBlock", "event", "jet_rank", "pt", "mass", "weight"):
        np.testing.assert_array_equal(table[name], like[name])
    assert len(np.unique(table["weight"])) > 200
    assert read_method(output) == Method("both", (0,), (0,))
    attributes, known = read_attributes(output), read_attributes(other)
    assert {key: attributes[key] for key in ("samples", "points")} == {k: known[k] for k in ("samples", "points")}
    assert read_columns(output)[:-1] == read_columns(other)[:-1]
    (row,) = auc_rows(output)
    assert (row.method, row.seed, row.signal, row.point) == (
        "both",
        0,
        "svj_mphi-2000_rinv-0p3",
        {"m_phi": 2000, "r_inv": 0.3},
    )
    scores = [table[table["sample"] == code] for code in (0, 1)]
    expected = compute_auc(*(SampleScores("x", part["score"][:, 0], part["weight"]) for part in scores))
    assert (row.auc, row.auc_error) == expected


def test_the_order_of_the_members_does_not_count(tmp_path: Path, signals: list[Signal]) -> None:
    one, two = (read_table(write_mean(tmp_path, signals, order))["score"] for order in (MODELS, MODELS[::-1]))
    np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("scores", "told"), [([2.0, 2.0], "mean 2 and deviation 0"), ([1.0, np.inf], "mean inf"), ([1e200, -1e200], "inf")]
)
def test_a_seed_that_cannot_be_standardised_is_named(scores: list[float], told: str) -> None:
    columns = np.column_stack([[0.0, 1.0], scores])
    with pytest.raises(EvaluationError, match=rf"method wnae, seed 2: its scores of 2 background jets have .*{told}"):
        background_moments(columns, np.ones(2), WNAE)


def test_weights_that_cancel_are_blamed_and_no_training() -> None:
    with pytest.raises(EvaluationError, match="the weights of 2 background jets add up to 0, not above 0"):
        background_moments(np.array([[0.0], [1.0]]), np.array([1.0, -1.0]), FOREST)


def test_tables_that_do_not_fit_are_refused(tmp_path: Path, signals: list[Signal]) -> None:
    members, validation = [], read_table(tmp_path / "validation.h5")
    for model in MODELS:
        path, method = tmp_path / f"{model.name}.h5", Method(*model[:3])
        score_samples(one_method(method, model.score), tmp_path / "test.h5", signals, [path], LIMIT, {})
        members.append(Member(method, model.score, path))
    swapped = [members[0], Member(WNAE, two_seeds, members[1].scores)]
    with pytest.raises(
        EvaluationError, match=r"forest\.h5: scores of forest, seeds \[1\], epochs \[1\]; the model is wn"
    ):
        mean_scores(swapped, validation)
    older = [members[0], members[1]._replace(method=Method("forest", (1,), (2,)))]
    with pytest.raises(EvaluationError, match=r"epochs \[1\]; the model is forest, seeds \[1\], epochs \[2\]"):
        mean_scores(older, validation)
    table = read_table(members[1].scores)
    table["weight"][5] *= 2
    write_table(members[1].scores, read_columns(members[1].scores), table, read_attributes(members[1].scores))
    with pytest.raises(EvaluationError, match=r"forest\.h5: other jets, or other weights, than in .*wnae\.h5"):
        mean_scores(members, validation)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return run_program(["score", *arguments])


def test_the_program_scales_as_the_model_does(tmp_path: Path, signals: list[Signal]) -> None:
    validation = read_table(tmp_path / "validation.h5")
    scaler = fit_scaler(validation, DatasetSettings(features=FEATURES, log_floors={}))
    network = Network(NetworkSettings(), len(FEATURES), 2)
    network.initialise(Generators((1, 2), "initial weights", torch.device("cpu")))
    card = Card("wnae", kind_named("wnae").settings.model_validate({"kind": "wnae"}), scaler)
    model, output, test = tmp_path / "model.pt", tmp_path / "e.h5", tmp_path / "test.h5"
    write(model, content_of(network.parameters(), (1, 2), (10, 20), card))
    expected = write_mean(tmp_path, signals, [Scored(*WNAE, load(model).score)])
    common = ["--method", "e", "--models", model, "--validation", tmp_path / "validation.h5", "--background", test]
    common += ["--signals", f"svj_mphi-2000_rinv-0p3={tmp_path / 'signal.h5'}", "--seeds", "--output", output]
    common += ["--evaluation", LIMIT.model_dump_json(), "--settings"]
    done = run(*common, '{"kind": "mean", "of": "wnae"}')
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(read_table(output), read_table(expected))
    attributes = read_attributes(output)
    assert (attributes["method"], attributes["script"]) == ("e", "score")
    assert json.loads(attributes["settings"]) == {"kind": "mean", "of": ["wnae"]}
    files = (model, tmp_path / "validation.h5", test, tmp_path / "signal.h5")
    assert set(json.loads(attributes["inputs"])) == set(map(str, files))
    done = run(*common, '{"kind": "mean", "of": ["wnae", "nae"]}')
    assert done.returncode == 1
    assert done.stderr == "error: --models are of wnae, and the mean is of wnae, nae\n"
