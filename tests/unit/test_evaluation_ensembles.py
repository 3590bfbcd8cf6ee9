"""An ensemble as a method: the mean of standardised scores, with the constants of background that is not tested on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from oddjet.dataset.scaling import fit_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.autoencoder.generators import Generators
from oddjet.detectors.autoencoder.network import Network
from oddjet.detectors.autoencoder.settings import NetworkSettings
from oddjet.detectors.cards import Card
from oddjet.detectors.file import content_of, load, write
from oddjet.detectors.registry import kind_named
from oddjet.errors import EvaluationError
from oddjet.evaluation.ensembles import Member, background_moments, score_ensemble
from oddjet.evaluation.merit import SampleScores, compute_auc
from oddjet.evaluation.scores import Method, auc_rows, read_method, score_samples
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.evaluation.signals import parse_signals
from oddjet.io.tables import Column, read_attributes, read_columns, read_table, write_table

FEATURES = ("tau2", "tau3")
COLUMNS = [
    Column("run", "u4", "1", "run number"),
    Column("luminosityBlock", "u4", "1", "luminosity block"),
    Column("event", "u8", "1", "event number"),
    Column("source", "u4", "1", "position of the feature table"),
    Column("entry", "i8", "1", "position of the event in its file"),
    Column("jet_rank", "i2", "1", "0 for the leading jet"),
    *(Column(name, "f4", "1", "value") for name in ("pt", "mass", "weight", *FEATURES)),
]
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


@pytest.fixture
def members(tmp_path: Path) -> list[Member]:
    test, signal = write_jets(tmp_path / "test.h5", 200, 0.0, 1), write_jets(tmp_path / "signal.h5", 60, 1.0, 2)
    write_jets(tmp_path / "validation.h5", 150, 0.1, 3)
    signals = parse_signals([f"svj_mphi-2000_rinv-0p3={signal}"])
    made = [Member(WNAE, two_seeds, tmp_path / "wnae.h5"), Member(FOREST, one_seed, tmp_path / "forest.h5")]
    for member in made:
        score_samples(*member[1::-1], test, signals, member.scores, EvaluationSettings(minimum_signal_jets=50), {})
    return made


def test_scores_are_the_mean_of_what_each_seed_standardises(tmp_path: Path, members: list[Member]) -> None:
    output = tmp_path / "ensemble.h5"
    score_ensemble("both", members, tmp_path / "validation.h5", output, {"script": "x"})
    validation = read_table(tmp_path / "validation.h5")
    jets = np.concatenate([read_table(tmp_path / name) for name in ("test.h5", "signal.h5")])
    weights = validation["weight"].astype(float)
    expected = np.zeros(260)
    for scorer, seed in ((two_seeds, 0), (two_seeds, 1), (one_seed, 0)):
        known = scorer(validation)[:, seed]
        mean = np.average(known, weights=weights)
        deviation = np.sqrt(np.average((known - mean) ** 2, weights=weights))
        expected += (scorer(jets)[:, seed] - mean) / deviation / 3
    table = read_table(output)
    assert table["score"].shape == (260, 1)
    np.testing.assert_allclose(table["score"][:, 0], expected, rtol=1e-12, atol=1e-12)


def test_the_table_is_that_of_a_method_with_one_seed(tmp_path: Path, members: list[Member]) -> None:
    output = tmp_path / "ensemble.h5"
    score_ensemble("both", members, tmp_path / "validation.h5", output, {"script": "x"})
    table, like = read_table(output), read_table(tmp_path / "wnae.h5")
    for name in ("sample", "run", "luminosityBlock", "event", "jet_rank", "pt", "mass", "weight"):
        np.testing.assert_array_equal(table[name], like[name])
    assert len(np.unique(table["weight"])) > 200
    assert read_method(output) == Method("both", (0,), (0,))
    attributes, known = read_attributes(output), read_attributes(tmp_path / "wnae.h5")
    assert {key: attributes[key] for key in ("samples", "points")} == {k: known[k] for k in ("samples", "points")}
    assert read_columns(output)[:-1] == read_columns(tmp_path / "wnae.h5")[:-1]
    (row,) = auc_rows(output)
    assert (row.method, row.seed, row.signal, row.m_phi, row.r_inv) == ("both", 0, "svj_mphi-2000_rinv-0p3", 2000, 0.3)
    scores = [table[table["sample"] == code] for code in (0, 1)]
    expected = compute_auc(*(SampleScores("x", part["score"][:, 0], part["weight"]) for part in scores))
    assert (row.auc, row.auc_error) == expected


def test_the_order_of_the_members_does_not_count(tmp_path: Path, members: list[Member]) -> None:
    for name, order in (("one.h5", members), ("two.h5", members[::-1])):
        score_ensemble("both", order, tmp_path / "validation.h5", tmp_path / name, {})
    one, two = (read_table(tmp_path / name)["score"] for name in ("one.h5", "two.h5"))
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


def test_tables_that_do_not_fit_are_refused(tmp_path: Path, members: list[Member]) -> None:
    background, output = tmp_path / "validation.h5", tmp_path / "ensemble.h5"
    swapped = [members[0], Member(WNAE, two_seeds, members[1].scores)]
    with pytest.raises(
        EvaluationError, match=r"forest\.h5: scores of forest, seeds \[1\], epochs \[1\]; the model is wn"
    ):
        score_ensemble("both", swapped, background, output, {})
    older = [members[0], members[1]._replace(method=Method("forest", (1,), (2,)))]
    with pytest.raises(EvaluationError, match=r"epochs \[1\]; the model is forest, seeds \[1\], epochs \[2\]"):
        score_ensemble("both", older, background, output, {})
    table = read_table(members[1].scores)
    table["weight"][5] *= 2
    write_table(members[1].scores, read_columns(members[1].scores), table, read_attributes(members[1].scores))
    with pytest.raises(EvaluationError, match=r"forest\.h5: other jets, or other weights, than in .*wnae\.h5"):
        score_ensemble("both", members, background, output, {})
    assert not output.exists()


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "workflow/scripts/score_ensemble.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_script_scales_as_the_model_does(tmp_path: Path, members: list[Member]) -> None:
    validation = read_table(tmp_path / "validation.h5")
    scaler = fit_scaler(validation, DatasetSettings(features=FEATURES, log_floors={}))
    network = Network(NetworkSettings(), len(FEATURES), 2)
    network.initialise(Generators((1, 2), "initial weights", torch.device("cpu")))
    card = Card("wnae", kind_named("wnae").settings.model_validate({"kind": "wnae"}), scaler)
    model, scores, output = tmp_path / "model.pt", tmp_path / "scores.h5", tmp_path / "ensemble.h5"
    write(model, content_of(network.parameters(), (1, 2), (10, 20), card))
    scorer = load(model).score
    signals = parse_signals([f"svj_mphi-2000_rinv-0p3={tmp_path / 'signal.h5'}"])
    limit = EvaluationSettings(minimum_signal_jets=50)
    score_samples(scorer, WNAE, tmp_path / "test.h5", signals, scores, limit, {})
    score_ensemble("e", [Member(WNAE, scorer, scores)], tmp_path / "validation.h5", tmp_path / "expected.h5", {})
    common = ["--method", "e", "--models", model, "--scores", scores, "--background", tmp_path / "validation.h5"]
    done = run("--settings", '{"kind": "mean", "of": "wnae"}', *common, "--output", output)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(read_table(output), read_table(tmp_path / "expected.h5"))
    attributes = read_attributes(output)
    assert (attributes["method"], attributes["script"]) == ("e", "score_ensemble")
    assert json.loads(attributes["settings"]) == {"kind": "mean", "of": ["wnae"]}
    assert set(json.loads(attributes["inputs"])) == {str(model), str(scores), str(tmp_path / "validation.h5")}
    done = run("--settings", '{"kind": "mean", "of": ["wnae", "nae"]}', *common, "--output", output)
    assert done.returncode == 1
    assert done.stderr == "error: --models are of wnae, and the ensemble is of wnae, nae\n"
