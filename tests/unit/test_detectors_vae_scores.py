"""Image VAEs as a method: one a seed, scored in the tables of any method; trainings with every metric."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from oddjet.dataset.build import SOURCE
from oddjet.detectors.opening import Given, open_detector
from oddjet.detectors.vae.scores import score_images
from oddjet.detectors.vae.settings import ANOMALY_METRICS, VaeMethod, VaeSchedule, VaeSettings, VaeTraining
from oddjet.detectors.vae.train import VaeRun, load_vae, train_vae
from oddjet.errors import DetectorError
from oddjet.evaluation.scores import auc_rows
from oddjet.images.store import JET_COLUMNS, ImageWriter, read_images
from oddjet.io.cutflow import Cutflow
from oddjet.io.tables import Column, read_attributes, read_table, write_table
from programs import run_program

PIXELS, SIDE = 8, 0.64
COMMON = {
    "latent": 4,
    "hidden": 16,
    "validation_jets": 40,
    "training": VaeSchedule(batch_size=16, learning_rate=0.01),
}
RUNS = [(1, 0.0), (1, 1e-3), (2, 0.0), (2, 1e-3)]
SIGNAL = "svj_mphi-2000_rinv-0p3"


def write_jets(path, count, number, spots, weight=1.0):
    """Jets of bright pixels with dim ones beside: their images, and their table as the dataset has it."""
    generator = np.random.default_rng(number)
    jets = np.zeros(count, dtype=[(column.name, column.dtype) for column in JET_COLUMNS])
    jets["run"], jets["event"], jets["weight"] = number, np.arange(count), weight
    jets["pt"], jets["mass"] = generator.uniform(500, 600, count), 80
    pixel = np.sort(generator.permuted(np.tile(np.arange(PIXELS**2), (count, 1)), axis=1)[:, : spots + 3], axis=1)
    value = generator.permuted(np.tile([1.0] * spots + [0.05] * 3, (count, 1)), axis=1) / (spots + 0.15)
    indptr = np.arange(count + 1) * (spots + 3)
    with ImageWriter(path / "images.h5", PIXELS, SIDE, {}) as writer:
        writer.append_images(jets, indptr, pixel.ravel().astype(np.uint16), value.ravel().astype(np.float32))
        writer.finish()
    cutflow = Cutflow(sum_of_generated_weights=2.0 * count).to_json()
    columns = [Column(column.name, column.dtype, column.unit, column.description) for column in JET_COLUMNS[:-1]]
    columns.append(SOURCE)
    rows = np.zeros(count, dtype=[(column.name, column.dtype) for column in columns])
    for column in columns[:-1]:
        rows[column.name] = jets[column.name]
    write_table(path / "table.h5", columns, rows, {"cutflow": cutflow})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vae_method")
    kinds = {"train": (200, 1), "validation": (60, 1), "test": (80, 1), "signal": (50, 6)}
    for number, (name, (count, spots)) in enumerate(kinds.items()):
        (folder / name).mkdir()
        write_jets(folder / name, count, number, spots, 0.5 if name == "signal" else 1.0)
    for seed, beta in RUNS:
        train(folder, VaeRun("mse", 1, beta), folder / f"seed-{seed}/{beta:g}", 6, seeds=(seed,))
    return folder


def train(folder, run, output, epochs, **changes):
    settings = VaeSettings(**COMMON, trainings={run.metric: VaeTraining(train_jets=120, epochs=epochs)}, **changes)
    train_vae(run, settings, folder / "train/images.h5", folder / "validation/images.h5", output)


def models(folder):
    return [folder / f"seed-{seed}/{beta:g}/model.pt" for seed, beta in RUNS]


def given(folder, seeds, images, anomaly="mse"):
    settings = VaeMethod(kind="vae", anomaly=anomaly)
    test = folder / "test/table.h5"
    return Given("image_vae", settings, test, seeds, tuple(models(folder)), images=(images,))


def test_scores_are_those_of_each_seeds_best_beta(folder):
    images = folder / "test/images.h5"
    jets = read_table(folder / "test/table.h5")[::-1]
    for anomaly in ("mse", "wass1"):
        torch.set_num_threads(2)
        opened = open_detector(given(folder, (2, 1), images, anomaly))
        # Else the last bits of the scores would be those of a number of threads.
        assert torch.get_num_threads() == 1
        (scores,) = opened.score(jets)
        assert scores.shape == (80, 2)
        for column, seed in enumerate((2, 1)):
            trained = [load_vae(path) for path in models(folder) if f"seed-{seed}" in str(path)]
            best = min(trained, key=lambda vae: vae.validation_loss)
            assert opened.methods[0].epochs[column] == best.epoch
            expected = score_images(best, read_images(images), (anomaly,))[anomaly]
            np.testing.assert_allclose(scores[::-1, column], expected, rtol=1e-6)


def test_what_does_not_fit_is_named(folder, tmp_path):
    with pytest.raises(DetectorError, match=r"seed 3: no model; the models are of seeds \[1, 2\]"):
        open_detector(given(folder, (1, 3), folder / "test/images.h5"))
    with ImageWriter(tmp_path / "large.h5", PIXELS, 2 * SIDE, {}) as writer:
        row = np.zeros(1, [(column.name, column.dtype) for column in JET_COLUMNS])
        writer.append_images(row, np.array([0, 1]), np.array([3], np.uint16), np.array([1.0], np.float32))
        writer.finish()
    with pytest.raises(DetectorError, match=r"8 pixels on 0.64, the images have 8 on 1.28"):
        open_detector(given(folder, (1,), tmp_path / "large.h5"))


def test_the_program_writes_the_scores_of_any_method(folder, tmp_path):
    command = ["score", "--method", "image_vae", "--settings", '{"kind": "vae"}', "--seeds", "1", "2"]
    command += ["--evaluation", json.dumps({"minimum_signal_jets": 10}), "--models"]
    command += [str(path) for path in models(folder)]
    command += ["--images", *(str(folder / name / "images.h5") for name in ("test", "signal"))]
    command += ["--background", str(folder / "test/table.h5"), "--signals", f"{SIGNAL}={folder / 'signal/table.h5'}"]
    command += ["--cross-sections", json.dumps({SIGNAL: 300.0}), "--output", str(tmp_path / "scores.h5")]
    done = run_program(command)
    assert done.returncode == 0, done.stderr
    table, attributes = read_table(tmp_path / "scores.h5"), read_attributes(tmp_path / "scores.h5")
    assert np.bincount(table["sample"]).tolist() == [80, 50]
    # 300 pb over the 100 that the sample's generator weights add up to.
    np.testing.assert_allclose(table["weight"], np.where(table["sample"] == 1, 0.5 * 3.0, 1.0), rtol=1e-6)
    assert attributes["method"] == "image_vae"
    assert json.loads(attributes["seeds"]) == [1, 2]
    assert all(1 <= epoch <= 6 for epoch in json.loads(attributes["epochs"]))
    rows = auc_rows(tmp_path / "scores.h5")
    assert [(row.method, row.seed, row.signal) for row in rows] == [("image_vae", seed, SIGNAL) for seed in (1, 2)]


@pytest.mark.parametrize("anomaly", ["mse", "wass2"])
def test_the_program_scores_a_transport_vae_with_another_distance(folder, tmp_path, anomaly):
    train(folder, VaeRun("wass1", 1, 1e-8), tmp_path, 1)
    command = ["score", "--method", "image_vae", "--seeds", "1"]
    command += ["--settings", json.dumps({"kind": "vae", "metric": "wass1", "anomaly": anomaly})]
    command += ["--evaluation", json.dumps({"minimum_signal_jets": 10}), "--models", str(tmp_path / "model.pt")]
    command += ["--images", *(str(folder / name / "images.h5") for name in ("test", "signal"))]
    command += ["--background", str(folder / "test/table.h5"), "--signals", f"{SIGNAL}={folder / 'signal/table.h5'}"]
    done = run_program([*command, "--output", str(tmp_path / "scores.h5")])
    assert done.returncode == 0, done.stderr
    vae, images = load_vae(tmp_path / "model.pt"), read_images(folder / "test/images.h5")
    found = read_table(tmp_path / "scores.h5")
    expected = score_images(vae, images, (anomaly,))[anomaly]
    np.testing.assert_allclose(found["score"][found["sample"] == 0][:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("metric", ["mse", "mae", "wass1", "wass2"])
def test_every_metric_trains_and_scores(folder, tmp_path, metric):
    """The validation loss is finite, its lowest epoch is kept, and every anomaly metric is finite."""
    run = VaeRun(metric, 1, 1e-8)
    train(folder, run, tmp_path, 4)
    with (tmp_path / "history.csv").open(newline="") as file:
        losses = [float(row["loss_validation"]) for row in csv.DictReader(file)]
    assert np.isfinite(losses).all()
    vae = load_vae(tmp_path / "model.pt")
    assert (vae.validation_loss, vae.epoch) == (min(losses), 1 + losses.index(min(losses)))
    scores = score_images(vae, read_images(folder / "test/images.h5"), ANOMALY_METRICS)
    assert all(np.isfinite(values).all() and (values >= 0).all() for values in scores.values())


@pytest.fixture(scope="module")
def published(folder, tmp_path_factory):
    """A folder of VAEs by the metric that they were trained with, a seed each."""
    made = tmp_path_factory.mktemp("published")
    for metric in ("mse", "wass1"):
        train(folder, VaeRun(metric, 2, 1e-3), made / metric, 3)
    return made


def publish(folder, models, output, seeds=(1,), **method):
    command = ["make_bundle", "--method", "image_vae", "--settings", json.dumps({"kind": "vae", **method})]
    command += ["--seeds", *map(str, seeds), "--models", *map(str, models)]
    command += ["--images", *(str(folder / name / "images.h5") for name in ("validation", "test", "signal"))]
    command += ["--validation", str(folder / "validation/table.h5"), "--test", str(folder / "test/table.h5")]
    command += ["--signals", f"{SIGNAL}={folder / 'signal/table.h5'}", "--output-dir", str(output)]
    return run_program(command)


@pytest.mark.parametrize(
    ("metric", "anomaly"), [("mse", "mse"), ("mse", "mae"), ("mse", "loss"), ("wass1", "mse"), ("wass1", "mae")]
)
def test_a_bundle_scores_preprocessed_pixels_as_the_vae_does(folder, published, tmp_path, metric, anomaly):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
    done = publish(folder, [published / metric / "model.pt"], tmp_path, metric=metric, anomaly=anomaly)
    assert done.returncode == 0, done.stderr
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["parity"]["largest_relative_difference"] < 1e-5
    assert (card["images"]["pixels"], card["images"]["side"]) == (PIXELS, SIDE)
    assert card["features"][:2] == ["pixel_0_0", "pixel_0_1"]
    assert any("images made in another way" in line for line in card["not_for"])
    done = subprocess.run([sys.executable, "scorer.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "80 scores agree" in done.stdout, done.stderr
    images = read_images(folder / "signal/images.h5")
    np.save(tmp_path / "images.npy", images.dense())
    command = [sys.executable, "scorer.py", "images.npy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    scores = [float(line) for line in done.stdout.splitlines()[1:]]
    expected = score_images(load_vae(published / metric / "model.pt"), images, (anomaly,))[anomaly]
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_a_bundle_has_the_best_vae_of_each_seed(folder, tmp_path):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
    done = publish(folder, models(folder), tmp_path, (1, 2))
    assert done.returncode == 0, done.stderr
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["seeds"] == [1, 2]
    loaded = [load_vae(path) for path in models(folder)]
    best = [
        min((vae for vae in loaded if vae.settings.seed == seed), key=lambda vae: vae.validation_loss)
        for seed in (1, 2)
    ]
    assert [one["run"]["beta"] for one in card["detectors"]] == [vae.run.beta for vae in best]
    assert all("code_digest" in one["provenance"] for one in card["detectors"])


@pytest.mark.parametrize(("metric", "anomaly", "distance"), [("mse", "wass2", "wass2"), ("wass1", "loss", "wass1")])
def test_a_transport_distance_has_no_bundle(folder, published, tmp_path, metric, anomaly, distance):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
    output = tmp_path / "bundle"
    done = publish(folder, [published / metric / "model.pt"], output, metric=metric, anomaly=anomaly)
    assert done.returncode == 1
    assert f"its score is the transport distance {distance}, which has no graph" in done.stderr
    assert not output.exists()


def test_a_graph_of_other_pixels_is_not_written(folder, published, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    images = pytest.importorskip("oddjet.bundle.images", reason="the extra `onnx` is not installed")
    monkeypatch.setitem(images.LAYERS, torch.nn.Linear, ("Gemm", {"transB": 1, "alpha": 1.001}))
    done = publish(folder, [published / "mse/model.pt"], tmp_path / "bundle")
    assert done.returncode == 1
    assert "no bundle is written" in done.stderr
    assert not (tmp_path / "bundle").exists()
