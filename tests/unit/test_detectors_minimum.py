"""The minimum of detectors of one background each: quantiles of their own background, and what that promises."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import pytest

from oddjet.dataset.build import build_dataset
from oddjet.dataset.scaler_file import Inputs
from oddjet.dataset.settings import DatasetSettings
from oddjet.detectors.baseline import fit_method
from oddjet.detectors.file import load
from oddjet.detectors.minimum import MinimumSettings, minimum_of, open_detector
from oddjet.detectors.opening import Given, Opened
from oddjet.detectors.registry import kind_named
from oddjet.errors import DetectorError
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.io.tables import Column, read_table, write_table

FEATURES = ("x", "y")
COLUMNS = [
    *(Column(name, "u4", "1", "identifier") for name in ("run", "luminosityBlock", "event")),
    Column("entry", "i8", "1", "position"),
    *(Column(name, "f4", "1", "value") for name in ("weight", *FEATURES)),
]
PARTS = ("train", "validation", "test")
# A narrow and a wide background.
CENTRES = {"narrow": (0.0, 0.0), "wide": (12.0, 0.0)}
WIDTHS = {"narrow": 0.5, "wide": 3.0}
SHARES = {"narrow": 6000, "wide": 2000}


class Model(NamedTuple):
    """A detector that is a function of one column."""

    name: str
    seeds: tuple[int, ...]
    epochs: tuple[int, ...]
    score: object


def jets_of(name: str, count: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng([seed, *name.encode()])
    table = np.zeros(count, dtype=[(column.name, column.dtype) for column in COLUMNS])
    table["run"], table["weight"] = len(name), 1.0
    table["event"] = table["entry"] = np.arange(count)
    for feature, centre in zip(FEATURES, CENTRES[name], strict=True):
        table[feature] = generator.normal(centre, WIDTHS[name], count)
    return table


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A dataset of both backgrounds, a detector of each and one of both together."""
    folder = tmp_path_factory.mktemp("minimum")
    files = []
    for name, count in SHARES.items():
        files.append(folder / f"{name}.h5")
        write_table(files[-1], COLUMNS, jets_of(name, count, 1), {"sample": name})
    settings = DatasetSettings.model_validate({"features": FEATURES, "log_floors": {}})
    build_dataset(files, {part: folder / f"{part}.h5" for part in PARTS}, folder / "scaler.json", settings, {})
    inputs = Inputs(folder / "train.h5", folder / "validation.h5", folder / "scaler.json")
    for name, background in (("narrow", ["narrow"]), ("wide", ["wide"]), ("both", None)):
        settings = kind_named("gaussian_mixture").settings.model_validate(
            {"kind": "gaussian_mixture", "components": 1 if background else 2, "background": background}
        )
        fit_method(f"of_{name}", settings, [1, 2], inputs, folder / name)
    return folder


def opened(folder: Path, *names: str, validation: bool = True) -> Opened:
    settings = MinimumSettings(kind="minimum", of=tuple(f"of_{name}" for name in ("narrow", "wide")))
    models = tuple(folder / name / "model.pt" for name in names)
    part = folder / "validation.h5" if validation else None
    return open_detector(Given("least", settings, folder / "test.h5", models=models, validation=part))


def test_it_is_the_lowest_quantile_among_those_of_each_background() -> None:
    """Scores x and -x of jets that are spread evenly: a quantile is the place among those of the background."""
    background = np.zeros(4001, dtype=[("x", "f8"), ("weight", "f8")])
    background["x"], background["weight"] = np.linspace(-1, 1, 4001), 1.0
    up, down = (
        Model(
            name, (1, 2), (1, 1), lambda table, sign=sign: np.column_stack([sign * table["x"], 10 * sign * table["x"]])
        )
        for name, sign in (("up", 1.0), ("down", -1.0))
    )
    jets = np.zeros(5, dtype=background.dtype)
    jets["x"] = [-0.9, -0.2, 0.0, 0.5, 0.98]
    (scores,) = minimum_of("least", [[up], [down]], [background, background]).score(jets)
    quantiles = (1 - np.abs(jets["x"])) / 2
    np.testing.assert_allclose(scores[:, 0], [NormalDist().inv_cdf(q) for q in quantiles], atol=2e-3)
    # Beyond all background a score keeps its order.
    jets["x"] = [1.5, 2.0, 3.0, 4.0, 5.0]
    (scores,) = minimum_of("least", [[up]], [background]).score(jets)
    assert (np.diff(scores[:, 0]) > 0).all()
    assert scores[0, 0] > NormalDist().inv_cdf(0.999)


def test_no_background_passes_a_cut_more_often_than_the_cut_says(folder: Path) -> None:
    least = opened(folder, "narrow", "wide")
    for name in SHARES:
        jets = jets_of(name, 20000, 2)
        (scores,) = least.score(jets)
        for share in (0.5, 0.1, 0.01):
            passed = np.mean(scores[:, 0] > NormalDist().inv_cdf(1 - share))
            # Validation jets, 400 of the smaller sample, calibrate: their own fluctuation counts too.
            assert passed < share + 4 * np.sqrt(share * (1 - share) / 400)


def test_it_finds_what_a_detector_of_the_mixture_does_not(folder: Path) -> None:
    """A signal three widths from the narrow background is likelier than any of the wide one, whose density is low."""
    signal, angle = jets_of("narrow", 4000, 3), np.random.default_rng(4).uniform(0, 2 * np.pi, 4000)
    signal["x"], signal["y"] = 1.5 * np.cos(angle), 1.5 * np.sin(angle)
    least, together = opened(folder, "narrow", "wide"), load(folder / "both" / "model.pt")
    auc = {}
    for name in SHARES:
        jets = jets_of(name, 4000, 5)
        for who, score in (("least", lambda table: least.score(table)[0]), ("together", together.score)):
            samples = [SampleScores(name, score(table)[:, 0]) for table in (jets, signal)]
            auc[who, name] = compute_auc(*samples).value
    assert min(auc["least", name] for name in SHARES) > 0.95
    assert auc["together", "wide"] < 0.05
    assert auc["together", "narrow"] > 0.95


def test_what_it_is_made_of_must_be_there(folder: Path) -> None:
    with pytest.raises(DetectorError, match=r"--models are of of_narrow, and the minimum is of of_narrow, of_wide"):
        opened(folder, "narrow")
    with pytest.raises(DetectorError, match=r"least: no --validation"):
        opened(folder, "narrow", "wide", validation=False)


def test_its_validation_rows_are_those_of_what_each_method_was_trained_on(folder: Path) -> None:
    validation = read_table(folder / "validation.h5")
    (scores,) = opened(folder, "narrow", "wide").score(validation)
    for name in SHARES:
        own = scores[validation["run"] == len(name), 0]
        # The calibration itself: half of the rows of a background are below the median of its own detector.
        assert np.mean(own <= 1e-6) == pytest.approx(0.5, abs=0.01)
