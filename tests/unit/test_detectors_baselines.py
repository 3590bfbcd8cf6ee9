"""Baselines: against the formulas, through their model files, with errors that say what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal
from sklearn.ensemble import IsolationForest

from oddjet.dataset.scaler_file import method_scaler, read_scaler, write_scaler
from oddjet.dataset.scaling import FeatureScale, Scaler, fit_scaler
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.baseline_settings import Baseline
from oddjet.detectors.cards import Card
from oddjet.detectors.density import FITS, WEIGHTED_FITS
from oddjet.detectors.file import load, snapshots
from oddjet.detectors.fitted import FittedBaseline, baseline_content, fit, fit_baseline
from oddjet.detectors.registry import kind_named, kinds
from oddjet.detectors.trained import TrainedScore
from oddjet.detectors.trained import train as train_networks
from oddjet.errors import DatasetError, DetectorError, TrainingError
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.evaluation.history import read_history
from oddjet.io.tables import Column, read_table, write_table
from programs import run_program

SMALL = {
    "feature": {"feature": "tau2"},
    "mahalanobis": {},
    "pca": {"components": 2},
    "isolation_forest": {"trees": 30},
    "nearest_neighbours": {},
    "local_outlier_factor": {},
    "gaussian_mixture": {"components": 3},
    "one_class_svm": {},
    "neural_spline_flow": {
        "hidden": (16,),
        "transforms": 1,
        "training": {"epochs": 8, "batch_size": 64, "learning_rate": 0.02},
    },
    "deep_svdd": {"hidden": (16,), "training": {"epochs": 20, "batch_size": 64}},
}
TRAINED = ("neural_spline_flow", "deep_svdd")


def settings(kind: str, **more: object) -> Baseline:
    return cast("Baseline", kind_named(kind).settings.model_validate({"kind": kind, **SMALL[kind], **more}))


def card(kind: str, **more: object) -> Card:
    scales = tuple(FeatureScale(name, "none", None, -1.0, 1.0, 0.0, 1.0) for name in "abc")
    return Card("x", settings(kind, **more), Scaler(scales))


def train_one(kind: str, train: np.ndarray, seed: int, validation: np.ndarray, **training: object) -> TrainedScore:
    """Train a network of one seed; `training` changes its schedule."""
    changed = {**SMALL[kind]["training"], **training}
    (score,) = train_networks(settings(kind, training=changed), [train], validation, [seed])
    return score


def jets(count: int = 400, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    mixing = np.array([[1.0, 0.4, 0.0], [0.0, 0.6, 0.3], [0.0, 0.0, 0.2]])
    return (generator.normal(0, 1, (count, 3)) @ mixing + shift).astype(np.float32)


def save(baseline: FittedBaseline, folder: Path) -> None:
    for name in ("model.pt", "snapshots.pt"):
        torch.save(baseline_content(baseline), folder / name)


def test_every_baseline_is_tested_here() -> None:
    assert set(SMALL) == {name for name, kind in kinds().items() if issubclass(kind.settings, Baseline)}
    assert {*FITS, *WEIGHTED_FITS, *TRAINED} == set(SMALL)


@pytest.mark.parametrize("kind", SMALL)
def test_jets_far_from_the_training_jets_score_higher(kind: str) -> None:
    baseline = fit_baseline(card(kind), (1, 2), jets(), jets(100, 9))
    near, far = baseline.score_scaled(jets(300, 1)), baseline.score_scaled(jets(300, 2, shift=2.0))
    assert near.shape == (300, 2)
    assert near.dtype == np.float64
    # 12 seeds: deep_svdd 0.983 +- 0.025, isolation_forest 0.981 +- 0.005, the flow 0.999 +- 0.001; no other kind draws
    # anything here, and the lowest of them is the single feature with 0.873.
    for column in (0, 1):
        assert compute_auc(SampleScores("near", near[:, column]), SampleScores("far", far[:, column])).value > 0.8


def test_scores_are_those_of_the_formulas() -> None:
    train, x = jets().astype(float), jets(50, 1).astype(float)
    covariance = np.cov(train.T, bias=True)
    centred = x - train.mean(axis=0)
    expected = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(covariance), centred)
    np.testing.assert_allclose(fit(settings("mahalanobis"), train, 1)(x), expected, rtol=1e-9)

    smallest = np.linalg.eigh(covariance)[1][:, 0]
    np.testing.assert_allclose(fit(settings("pca"), train, 1)(x), (centred @ smallest) ** 2, rtol=1e-6, atol=1e-12)

    nearest = np.sort(cdist(x, train), axis=1)[:, :10].mean(axis=1)
    np.testing.assert_allclose(fit(settings("nearest_neighbours"), train, 1)(x), nearest, rtol=1e-9)

    single = fit(settings("gaussian_mixture", components=1), train, 1)(x)
    density = multivariate_normal(train.mean(axis=0), covariance + 1e-6 * np.eye(3))
    np.testing.assert_allclose(single, -density.logpdf(x), rtol=1e-6)

    forest = IsolationForest(n_estimators=30, random_state=5).fit(train)
    np.testing.assert_array_equal(fit(settings("isolation_forest"), train, 5)(x), -forest.score_samples(x))


def test_a_single_feature_has_the_direction_that_was_asked_for() -> None:
    train, x = jets()[:, :1], np.array([[-1.0], [0.0], [3.0]])
    median = np.median(train)
    for direction, expected in (("high", x[:, 0] - median), ("low", median - x[:, 0]), ("both", abs(x[:, 0] - median))):
        np.testing.assert_allclose(fit(settings("feature", direction=direction), train, 1)(x), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", SMALL)
def test_a_model_file_gives_the_same_scores(tmp_path: Path, kind: str) -> None:
    # 80 of 400 jets: each seed draws its own.
    baseline = fit_baseline(card(kind, maximum_jets=80), (3, 8), jets(), jets(100, 9))
    save(baseline, tmp_path)
    loaded = load(tmp_path / "model.pt")
    assert (loaded.seeds, loaded.epochs, loaded.name) == ((3, 8), baseline.epochs, "x")
    assert (baseline.epochs == (1, 1)) == (kind not in TRAINED)
    expected = baseline.score_scaled(jets(100, 1))
    np.testing.assert_allclose(loaded.score_scaled(jets(100, 1), chunk=7), expected, rtol=1e-9)
    assert not np.array_equal(expected[:, 0], expected[:, 1])
    ((epoch, snapshot),) = snapshots(tmp_path / "snapshots.pt")
    assert epoch == 1
    np.testing.assert_array_equal(snapshot.score_scaled(jets(100, 1)), loaded.score_scaled(jets(100, 1)))


@pytest.mark.parametrize("kind", TRAINED)
def test_training_is_repeatable_and_differs_by_seed(kind: str) -> None:
    first, again = (train_one(kind, jets(), 1, jets(100, 9)) for _ in range(2))
    torch.rand(1)
    other = train_one(kind, jets(), 2, jets(100, 9))
    x = jets(50, 1).astype(float)
    np.testing.assert_array_equal(first(x), again(x))
    assert not np.allclose(first(x), other(x), rtol=1e-3)


@pytest.mark.parametrize("kind", TRAINED)
def test_the_validation_jets_choose_the_epoch(kind: str) -> None:
    """Validation jets that the training leaves behind: the loss on them grows from the first epoch on."""
    away = np.full((50, 3), 4.0, dtype=np.float32)
    chosen = train_one(kind, jets(), 1, jets(400, 9), learning_rate=0.02, stop_after=3)
    assert chosen.epoch > 1
    if kind == "neural_spline_flow":
        early = train_one(kind, jets(), 1, away, learning_rate=0.02, stop_after=3)
        assert early.epoch < chosen.epoch
        assert early(jets(400, 3).astype(float)).mean() > chosen(jets(400, 3).astype(float)).mean()


def test_a_flow_is_a_density() -> None:
    """-log p of a trained flow is near the true one, and p integrates to one."""
    generator = np.random.default_rng(4)
    one = generator.normal(0.5, 0.8, (4000, 1))
    held_out = generator.normal(0.5, 0.8, (500, 1))
    flow = train_one("neural_spline_flow", one, 1, held_out, epochs=15, learning_rate=0.01)
    grid = np.linspace(-6, 7, 4001)[:, None]
    density = np.exp(-flow(grid))
    step = grid[1, 0] - grid[0, 0]
    assert density.sum() * step == pytest.approx(1, abs=0.01)
    truth = np.exp(-0.5 * ((grid[:, 0] - 0.5) / 0.8) ** 2) / (0.8 * np.sqrt(2 * np.pi))
    # Nine seeds of sample and flow: 0.021 +- 0.005, and one within 1e-6.
    assert 0.5 * np.abs(density - truth).sum() * step < 0.08


def test_the_network_of_the_svdd_cannot_answer_with_a_constant() -> None:
    svdd = train_one("deep_svdd", jets(), 1, jets(100, 9))
    assert not [name for name in svdd.state() if "bias" in name]
    assert svdd.state()["centre"].abs().min() >= 0.1 - 1e-6
    # Without biases the origin stays at the origin, and so away from the centre.
    np.testing.assert_allclose(svdd(np.zeros((1, 3))), (svdd.state()["centre"] ** 2).sum(), rtol=1e-12)


def test_a_fit_that_is_not_repeated_is_refused(tmp_path: Path) -> None:
    save(fit_baseline(card("pca"), (1,), jets()), tmp_path)
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    content["parameters"]["reference"] *= 1.001
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(DetectorError, match=r"model\.pt: a repeated fit gives other scores"):
        load(tmp_path / "model.pt")
    del content["parameters"]["jets"]
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(DetectorError, match=r"model\.pt: the parameters do not fit .*'jets'"):
        load(tmp_path / "model.pt")


def test_what_cannot_be_fitted_says_why() -> None:
    with pytest.raises(DetectorError, match="pca: 3 components of 3 features leave no residual"):
        fit(settings("pca", components=3), jets(), 1)
    with pytest.raises(DetectorError, match="deep_svdd: no validation jets"):
        fit_baseline(card("deep_svdd"), (1,), jets())
    with pytest.raises(TrainingError, match=r"seed 1, epoch 1, batch 2: .* Lower training.learning_rate \(1e\+30\)"):
        train_one("deep_svdd", jets(), 1, jets(100, 9), learning_rate=1e30)
    with pytest.raises(DetectorError, match="nearest_neighbours: 5 training jets, at least 11 are needed"):
        fit(settings("nearest_neighbours"), jets(5), 1)
    with pytest.raises(DetectorError, match=r"scores rows of shape \(n, 3\), not \(4, 2\)"):
        fit_baseline(card("mahalanobis"), (1,), jets()).score_scaled(np.zeros((4, 2)))
    with pytest.raises(DetectorError, match="there is no 'nearest_neighbors'; did you mean 'nearest_neighbours'"):
        kind_named("nearest_neighbors")
    with pytest.raises(ValidationError, match="trees"):
        settings("pca", trees=3)


COLUMNS = [Column(name, "f4", "1", "value") for name in ("tau2", "tau3", "c2", "n_constituents", "weight")]


def run_script(folder: Path, text: str) -> Path:
    """Fit what the settings say on small tables; the folder of its files."""
    table = np.zeros(200, dtype=[(column.name, column.dtype) for column in COLUMNS])
    for index, column in enumerate(COLUMNS):
        table[column.name] = np.random.default_rng(index).gamma(5, 1, 200)
    table["weight"] = 1.0
    for part in ("train", "validation"):
        write_table(folder / f"{part}.h5", COLUMNS, table, {})
    write_scaler(
        folder / "scaler.json", fit_scaler(table, DatasetSettings(features=("tau2", "tau3", "c2"), log_floors={}))
    )
    command = ["workflow/scripts/fit_baseline.py", "--method", "odd", "--settings", text]
    command += ["--seeds", "4", "--output-dir", str(folder / "out")]
    for part in ("train.h5", "validation.h5", "scaler.json"):
        command += [f"--{part.split('.')[0]}", str(folder / part)]
    done = run_program(command)
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_the_script_writes_what_train_model_writes(tmp_path: Path) -> None:
    text = '{"kind": "feature", "feature": "n_constituents"}'
    output = run_script(tmp_path, text)
    model = load(output / "model.pt")
    assert model.card.scaler.names == ("n_constituents",)
    assert json.loads(model.card.provenance["settings"])["kind"] == json.loads(text)["kind"]
    history = read_history([output / "history.csv"])
    assert history["positive_energy_train"][4][0] == [1]
    assert read_table(tmp_path / "train.h5").dtype.names == tuple(column.name for column in COLUMNS)


@pytest.mark.parametrize("kind", TRAINED)
def test_the_history_of_a_network_has_a_row_an_epoch_and_the_mean_score_of_the_kept_one(
    tmp_path: Path, kind: str
) -> None:
    text = json.dumps({"kind": kind, "hidden": [8], "training": {"epochs": 3, "learning_rate": 0.01}})
    output = run_script(tmp_path, text)
    model, history = load(output / "model.pt"), read_history([output / "history.csv"])
    epochs, losses = history["loss_validation"][4]
    assert epochs == [1, 2, 3]
    assert model.epochs == (epochs[int(np.argmin(losses))],)
    assert history["positive_energy_validation"][4][0] == list(model.epochs)
    # The loss is the mean score, in single precision.
    assert history["positive_energy_validation"][4][1] == pytest.approx([min(losses)], rel=1e-4)
    assert sorted(path.name for path in output.iterdir()) == ["history.csv", "model.pt", "snapshots.pt"]


@pytest.mark.parametrize("key", ["epochs", "stop_after", "batch_size", "learning_rate", "weight_decay"])
def test_a_key_of_the_schedule_says_where_it_stands_now(key: str) -> None:
    with pytest.raises(ValidationError, match=rf"{key} stands in the section training now: training: {{{key}: 7}}"):
        settings("deep_svdd", **{key: 7})


def test_a_baseline_may_have_coordinates_of_its_own(tmp_path: Path) -> None:
    output = run_script(tmp_path, '{"kind": "nearest_neighbours", "scaling": "quantile"}')
    model, jets = load(output / "model.pt"), read_table(tmp_path / "train.h5")
    expected = method_scaler("quantile", tmp_path / "scaler.json", tmp_path / "train.h5")
    assert model.card.scaler == expected
    assert expected != read_scaler(tmp_path / "scaler.json")
    twin = fit_baseline(card("nearest_neighbours"), (4,), expected.transform(jets))
    assert model.score(jets) == pytest.approx(twin.score_scaled(expected.transform(jets)))


@pytest.mark.parametrize("kind", [kind for kind in SMALL if kind != "feature"])
def test_every_baseline_but_a_single_feature_takes_a_scaling(kind: str) -> None:
    assert settings(kind, scaling="standard").scaling == "standard"
    with pytest.raises(ValidationError, match="scaling"):
        settings("feature", scaling="standard")


@pytest.mark.parametrize("kind", SMALL)
def test_one_weight_for_all_changes_no_bit(kind: str) -> None:
    x = jets(50, 1)
    plain = fit_baseline(card(kind, maximum_jets=80), (3,), jets(), jets(100, 9)).score_scaled(x)
    weights = (np.full(400, 3e-7), np.full(100, 0.37))
    weighted = fit_baseline(card(kind, maximum_jets=80), (3,), jets(), jets(100, 9), *weights).score_scaled(x)
    np.testing.assert_array_equal(plain, weighted)


@pytest.mark.parametrize(("kind", "changes"), [("mahalanobis", {}), ("pca", {}), ("feature", {"direction": "both"})])
def test_a_weight_of_three_is_a_jet_three_times(kind: str, changes: dict[str, object]) -> None:
    train, copies, x = jets().astype(float), np.random.default_rng(2).integers(1, 5, 400), jets(50, 1).astype(float)
    weighted = fit(settings(kind, **changes), train, 1, weights=copies.astype(float))
    repeated = fit(settings(kind, **changes), np.repeat(train, copies, axis=0), 1)
    np.testing.assert_allclose(weighted(x), repeated(x), rtol=1e-6, atol=1e-2 if kind == "feature" else 1e-9)


def test_a_model_file_keeps_weights(tmp_path: Path) -> None:
    weights = np.random.default_rng(2).uniform(-0.2, 1, 400)
    baseline = fit_baseline(card("mahalanobis", maximum_jets=300), (3, 8), jets(), None, weights)
    save(baseline, tmp_path)
    np.testing.assert_allclose(
        load(tmp_path / "model.pt").score_scaled(jets(50, 1)), baseline.score_scaled(jets(50, 1)), rtol=1e-9
    )


def test_weights_that_a_kind_cannot_use_are_refused_by_name() -> None:
    some = np.where(np.arange(400) % 4 == 0, -1.0, 1.0)
    with pytest.raises(
        DatasetError, match="nearest_neighbours: 100 of 400 jets have negative weights, and it cannot use"
    ):
        fit_baseline(card("nearest_neighbours"), (1,), jets(), None, some)
    with pytest.raises(DatasetError, match="mahalanobis: the weights of 400 jets add up to -200, not to"):
        fit_baseline(card("mahalanobis"), (1,), jets(), None, -some)
    # The far jets have the negative weights: no covariance is left.
    far = np.where(np.abs(jets()[:, 2]) > 0.3, -1.2, 1.0)
    for kind in ("mahalanobis", "pca"):
        with pytest.raises(DetectorError, match=f"{kind}: with these weights the covariance has the eigenvalue -"):
            fit_baseline(card(kind), (1,), jets(), None, far)
