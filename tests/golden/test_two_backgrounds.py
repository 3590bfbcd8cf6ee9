"""Two background samples with weights, from feature tables to the leaderboard, against one sample of the same law.

The law is a mixture of two Gaussians. As two samples it comes with cross sections that are equal or 50 to 1, and with
weights of which a quarter is negative: there each sample holds more jets where more of them are negative, so that the
law is the same, and a method that leaves out weights or signs sees another one. Each method has to reach the AUC that
it reaches on unweighted jets of the law, or to refuse by name.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from oddjet.dataset.build import build_dataset
from oddjet.dataset.scaler_file import Inputs
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.autoencoder.settings import MethodSettings
from oddjet.detectors.autoencoder.train import train_method
from oddjet.detectors.baseline import fit_method
from oddjet.detectors.file import load
from oddjet.detectors.opening import Method, one_method
from oddjet.detectors.registry import kind_named
from oddjet.errors import DatasetError, TrainingError
from oddjet.evaluation.backgrounds import of_training
from oddjet.evaluation.bootstrap import grid_replicas
from oddjet.evaluation.figures_of_merit import merit_rows
from oddjet.evaluation.grid import grid_rows
from oddjet.evaluation.leaderboard_table import write_leaderboard
from oddjet.evaluation.scores import auc_rows, score_samples
from oddjet.evaluation.settings import EvaluationSettings, MeritSettings
from oddjet.evaluation.signals import Signal
from oddjet.evaluation.summary import SeedAverage, average_over_seeds
from oddjet.io.tables import Column, read_columns, read_table, write_table
from oddjet.studies.ceilings import POOLED, SINGLE, ceiling_rows

FEATURES = ("x", "y", "z")
COLUMNS = (
    *(Column(name, "u4", "1", "identifier") for name in ("run", "luminosityBlock", "event")),
    Column("entry", "i8", "1", "position of the event in its file"),
    Column("jet_rank", "i2", "1", "0 for the leading jet"),
    *(Column(name, "f4", "1", "value") for name in ("pt", "mass", "weight", *FEATURES)),
)
CENTRES = {"wide": (0.0, 0.0, 0.0), "narrow": (3.0, 0.0, 0.0), "signal": (3.0, 1.3, 0.5)}
WIDTHS = {"wide": 1.0, "narrow": 0.7, "signal": 0.7}
# Features are correlated, so that the planes of a principal component analysis are well told apart.
MIXING = np.array([[1.0, 0.9, 0.0], [0.0, 0.5, 0.0], [0.0, 0.4, 1.0]])
JETS, SIGNAL = 2500, 500
FAST = {
    "feature": {"feature": "y"},
    "mahalanobis": {},
    "pca": {"components": 2},
    "isolation_forest": {"trees": 100},
    "nearest_neighbours": {},
    "local_outlier_factor": {},
    "gaussian_mixture": {"components": 4},
    "one_class_svm": {"nu": 0.1},
    "neural_spline_flow": {
        "transforms": 2,
        "hidden": [32],
        "training": {"epochs": 25, "batch_size": 256, "learning_rate": 5e-3},
    },
    "deep_svdd": {"training": {"epochs": 60, "batch_size": 128, "learning_rate": 1e-3}},
}
NETWORK = {"network": {"hidden": [16], "latent": 2}}
NEGATIVES = {"network": {"hidden": [16], "latent": 16}, "replay": {"capacity": 2000}, "validation": {"jets": 200}}
TRAINED = {
    "ae": {**NETWORK, "training": {"epochs": 150, "batch_size": 128, "learning_rate": 5e-3, "validate_every": 10}},
    "nae": {
        **NEGATIVES,
        "training": {"epochs": 30, "batch_size": 128, "validate_every": 5, "on_divergence": "stop"},
    },
    "wnae": {
        **NEGATIVES,
        "training": {"epochs": 30, "batch_size": 128, "learning_rate": 2e-3, "ema_decay": 0.99, "validate_every": 5},
    },
}
SEEDS = (1, 2)


class Law(NamedTuple):
    """Cross sections of the two samples, and whether weights are signed."""

    sections: tuple[float, float]
    signed: bool


def jets(name: str, count: int, seed: int) -> np.ndarray:
    """Jets of a Gaussian, one an event."""
    generator = np.random.default_rng([seed, *name.encode()])
    table = np.zeros(count, dtype=[(column.name, column.dtype) for column in COLUMNS])
    table["run"], table["weight"] = 1 + len(name), 1.0
    table["event"] = table["entry"] = np.arange(count)
    values = generator.normal(CENTRES[name], WIDTHS[name], (count, 3)) @ MIXING
    for axis, feature in enumerate(FEATURES):
        table[feature] = values[:, axis]
    table["pt"], table["mass"] = generator.uniform(500, 1000, count), generator.uniform(50, 200, count)
    return table


def signed(name: str, count: int, seed: int) -> np.ndarray:
    """Jets of the same law with a quarter of weights -1: 0.32 of them where y is positive, 0.1 elsewhere.

    There are 1 / (1 - 2 q) times as many as the law has where a share q is negative.
    """
    generator = np.random.default_rng([seed, 7])
    many = jets(name, 4 * count, seed)
    more = 0.36 / (1 - 2 * np.where(many["y"] > 0, 0.32, 0.1))
    kept = many[generator.random(len(many)) < more][:count].copy()
    kept["weight"] = np.where(generator.random(len(kept)) < np.where(kept["y"] > 0, 0.32, 0.1), -1.0, 1.0)
    kept["event"] = kept["entry"] = np.arange(len(kept))
    return kept


def write_sample(folder: Path, name: str, table: np.ndarray) -> Path:
    path = folder / f"{name}.h5"
    cutflow = json.dumps([["sum_of_generated_weights", float(table["weight"].sum())]])
    write_table(path, COLUMNS, table, {"sample": name, "cutflow": cutflow})
    return path


def build(folder: Path, law: Law, *, reference: bool, seed: int = 1) -> None:
    """Write the feature tables and the dataset: of two weighted samples, or of one unweighted sample of the law."""
    folder.mkdir()
    shares = np.array(law.sections) / sum(law.sections)
    if reference:
        # As many as the weights are worth.
        counts = [round(share * JETS / shares.max()) for share in shares]
        pairs = zip(("wide", "narrow"), counts, strict=True)
        together = np.concatenate([jets(name, count, 100 + seed) for name, count in pairs])
        together["entry"] = together["event"] = np.random.default_rng(5).permutation(len(together))
        files, sections = [write_sample(folder, "mixture", together)], {}
    else:
        make = signed if law.signed else jets
        files = [write_sample(folder, name, make(name, JETS, seed)) for name in ("wide", "narrow")]
        sections = dict(zip(("wide", "narrow"), law.sections, strict=True))
    settings = DatasetSettings(features=FEATURES, log_floors={}, scaling="standard")
    parts = {part: folder / f"{part}.h5" for part in ("train", "validation", "test")}
    build_dataset(files, parts, folder / "scaler.json", settings, {}, sections)
    write_sample(folder, "signal", jets("signal", SIGNAL, 200 + seed))


def fit(folder: Path, kind: str, seeds: Sequence[int] = SEEDS) -> Path:
    """Fit or train a method; the folder of its model."""
    if kind in TRAINED:
        trained = MethodSettings.model_validate({"kind": kind, "scaling": "min_max", **TRAINED[kind]})
        files = Inputs(folder / "train.h5", folder / "validation.h5", folder / "scaler.json")
        train_method(kind, trained, seeds, files, folder / kind)
        return folder / kind
    settings = kind_named(kind).settings.model_validate({"kind": kind, **FAST[kind]})
    inputs = Inputs(folder / "train.h5", folder / "validation.h5", folder / "scaler.json")
    fit_method(kind, settings, seeds, inputs, folder / kind)
    return folder / kind


def score(folder: Path, kind: str) -> Path:
    model = load(folder / kind / "model.pt")
    output = folder / f"scores_{kind}.h5"
    score_samples(
        one_method(Method(kind, model.seeds, model.epochs), model.score),
        folder / "test.h5",
        [Signal("signal", {"m_phi": 1000.0, "r_inv": 0.3}, (folder / "signal.h5",))],
        [output],
        EvaluationSettings(minimum_signal_jets=50),
        {},
    )
    return output


LAWS = {
    "equal": Law((1.0, 1.0), signed=False),
    "50_to_1": Law((50.0, 1.0), signed=False),
    "equal_signed": Law((1.0, 1.0), signed=True),
    "50_to_1_signed": Law((50.0, 1.0), signed=True),
}
# Weighted less unweighted AUC, over 12 pairs of samples of equal cross sections, mean and spread, with the error of the
# test jets in it: feature 0.013 +- 0.019, mahalanobis 0.005 +- 0.015, pca 0.002 +- 0.015, one_class_svm -0.005 +-
# 0.038, local_outlier_factor 0.005 +- 0.019, nearest_neighbours 0.007 +- 0.014, gaussian_mixture 0.001 +- 0.013,
# isolation_forest 0.001 +- 0.024, deep_svdd -0.008 +- 0.042, ae 0.001 +- 0.026, nae -0.037 +- 0.048, wnae 0.018 +-
# 0.050, neural_spline_flow 0.005 +- 0.030. The part of the error that another training sample makes, so that three
# errors hold five spreads; four times as many signed jets say as much.
TRAINING = {
    "feature": 0.03,
    "mahalanobis": 0.02,
    "pca": 0.02,
    "isolation_forest": 0.04,
    "nearest_neighbours": 0.02,
    "local_outlier_factor": 0.03,
    "gaussian_mixture": 0.02,
    "one_class_svm": 0.065,
    "neural_spline_flow": 0.05,
    "deep_svdd": 0.07,
    "ae": 0.06,
    "nae": 0.09,
    "wnae": 0.09,
}


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Give a function from a law to the folder of its dataset, made once."""
    base = tmp_path_factory.mktemp("laws")

    @cache
    def make(name: str, *, reference: bool = False) -> Path:
        law = LAWS[name.removesuffix("_signed")] if reference else LAWS[name]
        folder = base / f"{name}{'_reference' if reference else ''}"
        build(folder, law, reference=reference)
        return folder

    return lambda name, *, reference=False: make(
        name.removesuffix("_signed") if reference else name, reference=reference
    )


@pytest.fixture(scope="module")
def measured(datasets: Callable[..., Path]) -> Callable[..., SeedAverage]:
    """Give a function to the AUC of a kind on a law, averaged over seeds."""

    @cache
    def make(folder: Path, kind: str) -> SeedAverage:
        fit(folder, kind)
        return average_over_seeds(of_training(auc_rows(score(folder, kind))))[kind]["signal"]

    return lambda kind, name, *, reference=False: make(datasets(name, reference=reference), kind)


def error_of(kind: str, *results: SeedAverage, signed: bool = False) -> float:
    training = TRAINING.get(kind, 0.02) * (2 if signed else 1)
    return math.hypot(training, *(result.uncertainty for result in results))


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("kind", [*FAST, *TRAINED])
def test_the_auc_is_that_of_one_sample_of_the_law(kind: str, name: str, measured: Callable[..., SeedAverage]) -> None:
    if LAWS[name].signed and kind in ("ae", "nae"):
        with pytest.raises(TrainingError, match=f"negative.*kind {kind} cannot use it"):
            measured(kind, name)
        return
    if LAWS[name].signed and not getattr(kind_named(kind).settings, "signed", kind == "wnae"):
        with pytest.raises(DatasetError, match=rf"method {kind}: \d+ of \d+ jets have negative weights, and it cannot"):
            measured(kind, name)
        return
    found, expected = measured(kind, name), measured(kind, name, reference=True)
    assert abs(found.mean - expected.mean) < 3 * error_of(kind, found, expected, signed=LAWS[name].signed)


@pytest.mark.parametrize("kind", [kind for kind in FAST if kind not in ("local_outlier_factor", "deep_svdd")])
def test_the_two_laws_are_told_apart(kind: str, measured: Callable[..., SeedAverage]) -> None:
    """Or the agreement above would say nothing; of the two kinds that are left out it says that little.

    Ten samples or more: local_outlier_factor 0.04 +- 0.04, deep_svdd 0.18 +- 0.05; of the others the weakest are
    pca 0.230 +- 0.023, neural_spline_flow 0.245 +- 0.022 and one_class_svm 0.285 +- 0.026. What nae and wnae draw by
    weight is asked for in tests/unit/test_training_weights.py: their limit is as wide as the two laws are apart.
    """
    equal, uneven = (measured(kind, name, reference=True) for name in ("equal", "50_to_1"))
    assert abs(equal.mean - uneven.mean) > 0.11


def test_without_their_signs_the_weights_are_those_of_another_law(tmp_path: Path) -> None:
    moved = []
    for seed in (1, 2, 3):
        signs, sizes = tmp_path / f"signs_{seed}", tmp_path / f"sizes_{seed}"
        build(signs, LAWS["equal_signed"], reference=False, seed=seed)
        shutil.copytree(signs, sizes)
        for part in ("train", "validation"):
            table = read_table(signs / f"{part}.h5")
            table["weight"] = abs(table["weight"])
            write_table(sizes / f"{part}.h5", read_columns(signs / f"{part}.h5"), table, {})
        for folder in (signs, sizes):
            fit(folder, "feature", (1,))
        found, ignoring = (auc_rows(score(folder, "feature"))[0].auc for folder in (signs, sizes))
        moved.append(ignoring - found)
    # 16 samples: -0.122 +- 0.029. The limit is five spreads of a mean of three.
    assert np.mean(moved) < -0.035


@pytest.mark.parametrize("name", LAWS)
def test_supervised_trees_too(name: str, datasets: Callable[..., Path]) -> None:
    signals = [Signal("signal", {"m_phi": 1000.0, "r_inv": 0.3}, (datasets(name) / "signal.h5",))]
    found, expected = (
        average_over_seeds(ceiling_rows((folder / "train.h5", folder / "test.h5"), signals, FEATURES, (1,)))
        for folder in (datasets(name), datasets(name, reference=True))
    )
    for mode in (SINGLE, POOLED):
        pair = (found[mode]["signal"], expected[mode]["signal"])
        assert abs(pair[0].mean - pair[1].mean) < 3 * error_of(mode, *pair, signed=LAWS[name].signed)


@pytest.mark.parametrize("name", LAWS)
def test_the_leaderboard_has_every_method_that_takes_part(
    name: str, datasets: Callable[..., Path], measured: Callable[..., SeedAverage]
) -> None:
    kinds = ("feature", "mahalanobis", "pca")
    for kind in kinds:
        measured(kind, name)
    tables = [datasets(name) / f"scores_{kind}.h5" for kind in kinds]
    rows = [row for path in tables for row in auc_rows(path)]
    merits = [row for path in tables for row in merit_rows(path, MeritSettings(replicas=20))]
    replicas = grid_replicas(tables, MeritSettings(replicas=20))
    text = write_leaderboard(rows, grid_rows(rows, replicas, ["mahalanobis"]), merits)
    for kind in kinds:
        assert f"{measured(kind, name).mean:.3f}" in text
    assert "nan" not in text
    assert "inf" not in text
