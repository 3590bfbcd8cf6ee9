"""The image VAE from files to files: schedule, resume, scores, correlations; and the supervised network."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from oddjet.detectors.opening import Given
from oddjet.detectors.vae.classifier import LabelledFiles, train_classifier
from oddjet.detectors.vae.scores import score_images
from oddjet.detectors.vae.settings import ANOMALY_METRICS, CnnSettings, VaeScan, VaeSchedule, VaeSettings, VaeTraining
from oddjet.detectors.vae.train import VaeObjective, VaeRun, counted_images, load_vae, train_vae
from oddjet.errors import DatasetError, DetectorError, EvaluationError, TrainingError
from oddjet.evaluation.scores import score_samples
from oddjet.evaluation.signals import Signal
from oddjet.images.distances import compute_distances
from oddjet.images.settings import DistanceSettings
from oddjet.images.store import JET_COLUMNS, ImageWriter, read_images
from oddjet.io.tables import read_table
from oddjet.studies.image_classifier import classifier_rows
from oddjet.studies.vae_convergence import late_fall
from oddjet.studies.vae_latent import inner_distances, study, write_pairs
from oddjet.studies.vae_scan import open_detector, scan_rows
from programs import run_program

PIXELS, SIDE = 8, 0.64
SETTINGS = VaeSettings(
    latent=4,
    hidden=16,
    # In so few steps the KLD of a code that pixels times 1000 make does not come down.
    scale=100.0,
    training=VaeSchedule(batch_size=32, learning_rate=0.01),
    validation_jets=40,
    trainings={
        "mse": VaeTraining(depths=(1, 2), betas=(0.0, 1e-3), train_jets=120, epochs=3),
        "wass1": VaeTraining(depths=(1,), betas=(1e-7,), train_jets=60, epochs=2),
    },
    cnn=CnnSettings(train_jets=200, epochs=40),
)


def write_images(path: Path, count: int, seed: int, spots: int, weights: float | np.ndarray = 1.0) -> Path:
    """Jets of so many bright pixels around the centre, three dim ones beside."""
    generator = np.random.default_rng(seed)
    jets = np.zeros(count, dtype=[(column.name, column.dtype) for column in JET_COLUMNS])
    jets["run"], jets["event"], jets["pt"], jets["mass"] = seed, np.arange(count), 500, 80
    jets["weight"] = weights
    pixels, values, indptr = [], [], [0]
    for _ in range(count):
        occupied = np.sort(generator.choice(PIXELS**2, spots + 3, replace=False))
        share = generator.permutation([1.0] * spots + [0.05] * 3)
        pixels.append(occupied)
        values.append(share / share.sum())
        indptr.append(indptr[-1] + len(occupied))
    with ImageWriter(path, PIXELS, SIDE, {}) as writer:
        writer.append_images(
            jets,
            np.array(indptr, np.int64),
            np.concatenate(pixels).astype(np.uint16),
            np.concatenate(values).astype(np.float32),
        )
        writer.finish()
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vae")
    for index, (name, spots) in enumerate((("qcd", 1), ("top", 6), ("w", 2))):
        (folder / name).mkdir()
        for number, (part, count) in enumerate((("train", 200), ("validation", 60), ("test", 80))):
            write_images(folder / name / f"{part}.h5", count, 10 * index + number, spots)
    for run in (VaeRun("mse", 1, 0.0), VaeRun("mse", 1, 1e-3), VaeRun("mse", 2, 0.0), VaeRun("wass1", 1, 1e-7)):
        train(folder, run, folder / path_of(run))
    return folder


def path_of(run: VaeRun) -> str:
    return "{}-{}-{:g}".format(*run)


def train(folder: Path, run: VaeRun, output: Path, settings: VaeSettings = SETTINGS) -> None:
    train_vae(run, settings, folder / "qcd/train.h5", folder / "qcd/validation.h5", output)


def history(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_training_that_was_stopped_goes_on_with_the_same_numbers(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = VaeRun("mse", 1, 1e-3)
    validate, calls = VaeObjective.validation_loss, []

    def told_to_stop(objective: VaeObjective, network: torch.nn.Module) -> float:
        calls.append(network)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return validate(objective, network)

    monkeypatch.setattr(VaeObjective, "validation_loss", told_to_stop)
    with pytest.raises(TrainingError, match="stops after epoch 2 of 3"):
        train(folder, run, tmp_path)
    assert (tmp_path / "checkpoints/state.pt").is_file()
    assert [row["epoch"] for row in history(tmp_path / "history.csv")] == ["1", "2"]
    train(folder, run, tmp_path)
    assert not (tmp_path / "checkpoints").exists()
    for name, tensor in load_vae(tmp_path / "model.pt").network.state_dict().items():
        torch.testing.assert_close(
            tensor, load_vae(folder / path_of(run) / "model.pt").network.state_dict()[name], rtol=0, atol=0
        )
    assert [row["epoch"] for row in history(tmp_path / "history.csv")] == ["1", "2", "3"]


def test_the_best_epoch_is_kept_and_seeds_differ(folder: Path, tmp_path: Path) -> None:
    run = VaeRun("mse", 1, 0.0)
    vae = load_vae(folder / path_of(run) / "model.pt")
    rows = history(folder / path_of(run) / "history.csv")
    assert vae.validation_loss == pytest.approx(min(float(row["loss_validation"]) for row in rows))
    train(folder, run, tmp_path, SETTINGS.model_copy(update={"seeds": (2,)}))
    other = load_vae(tmp_path / "model.pt")
    assert other.validation_loss != vae.validation_loss
    with pytest.raises(DetectorError, match="no such model file"):
        load_vae(tmp_path / "nothing.pt")


def test_a_training_can_have_batches_of_its_own(folder: Path, tmp_path: Path) -> None:
    common = SETTINGS.training.model_copy(update={"batch_size": 120, "epochs": 7})
    trainings = {"mse": SETTINGS.trainings["mse"].model_copy(update={"batch_size": 32})}
    settings = SETTINGS.model_copy(update={"training": common, "trainings": trainings})
    train(folder, VaeRun("mse", 1, 0.0), tmp_path, settings)
    expected = [float(row["loss_train"]) for row in history(folder / path_of(VaeRun("mse", 1, 0.0)) / "history.csv")]
    found = [float(row["loss_train"]) for row in history(tmp_path / "history.csv")]
    assert found == expected


def test_images_count_by_weight_in_training_and_validation(folder: Path, tmp_path: Path) -> None:
    """A jet of weight 0 is not there; of others as many are drawn as the weights are worth, each by its share."""
    run, weights = VaeRun("mse", 1, 1e-3), np.repeat([1.0, 0.0], 100)
    for name in ("train", "validation"):
        write_images(tmp_path / f"{name}.h5", 200, 5, 3, weights)
        write_images(tmp_path / f"{name}_alone.h5", 100, 5, 3)
    for name in ("", "_alone"):
        files = (tmp_path / f"{part}{name}.h5" for part in ("train", "validation"))
        train_vae(run, SETTINGS.model_copy(update={"validation_jets": 100}), *files, tmp_path / f"model{name}")
    found, expected = (load_vae(tmp_path / name / "model.pt") for name in ("model", "model_alone"))
    assert found.validation_loss == expected.validation_loss
    for name, tensor in expected.network.state_dict().items():
        assert torch.equal(tensor, found.network.state_dict()[name])
    # 50 to 1, the light jets first in the file: a limit takes them no more than their share.
    uneven = write_images(tmp_path / "uneven.h5", 200, 6, 3, np.repeat([1.0, 50.0], 100))
    drawn = counted_images(uneven, 60, 1, "")
    assert len(drawn) == 60
    assert (drawn.jets["weight"] == 1.0).sum() <= 2
    write_images(tmp_path / "signed.h5", 200, 6, 3, np.repeat([1.0, -0.5], 100))
    with pytest.raises(
        DatasetError, match=r"image VAE \(mse\): training images: 100 of 200 jets have negative weights"
    ):
        train_vae(run, SETTINGS, tmp_path / "signed.h5", tmp_path / "validation.h5", tmp_path / "no")
    pairs = {name: LabelledFiles(tmp_path / f"{name}.h5", folder / "top/validation.h5") for name in ("train", "signed")}
    with pytest.raises(DatasetError, match="cnn: signed: 100 of 200 jets have negative weights"):
        train_classifier("signed", 1, SETTINGS, pairs, tmp_path / "no")


def scanned(models, trained_on, samples, jets, output):
    """Score samples with a scan; return its rows and score tables."""
    background, *signals = samples.items()
    settings = VaeScan(kind="vae_scan", jets=jets)
    given = Given("scan", settings, background[1], (), tuple(models), *trained_on, rows="images")
    opened = open_detector(given)
    tables = [output / f"{method.name}.h5" for method in opened.methods]
    score_samples(opened, background[1], [Signal(name, {}, (path,)) for name, path in signals], tables, None, {})
    (output / "record.json").write_text(json.dumps(opened.record))
    return scan_rows([output / "record.json"], tables), tables


def test_a_trained_vae_finds_what_is_unlike_its_background(folder: Path, tmp_path: Path) -> None:
    models = [folder / path_of(VaeRun("mse", 1, beta)) / "model.pt" for beta in (0.0, 1e-3)]
    samples = {name: folder / name / "test.h5" for name in ("qcd", "top", "w")}
    trained_on = folder / "qcd/train.h5", folder / "qcd/validation.h5"
    rows, tables = scanned(models, trained_on, samples, 50, tmp_path)
    chosen = min((load_vae(path) for path in models), key=lambda vae: vae.validation_loss).run.beta
    assert {(row.beta, row.anomaly_metric) for row in rows if row.chosen} == {
        (chosen, name) for name in ANOMALY_METRICS
    }
    assert {row.anomaly_metric for row in rows if not row.chosen} == {"loss"}
    assert {(row.n_signal, row.n_background) for row in rows} == {(50, 50)}
    assert len(tables) == 2 + len(ANOMALY_METRICS) - 1
    (path,) = (path for path in tables if path.stem == f"scan_beta-{chosen:g}")
    table = read_table(path)
    assert np.bincount(table["sample"]).tolist() == [50, 50, 50]
    # One bright pixel makes a large square error, many a small one: the AUC of the tables is that of the scores.
    loss = {code: table["score"][table["sample"] == code, 0] for code in (0, 1)}
    counted = (loss[1][:, None] > loss[0]).mean()
    found = next(row.auc for row in rows if row.chosen and (row.signal, row.anomaly_metric) == ("top", "loss"))
    assert found == pytest.approx(counted, abs=1e-9)
    mixed = [*models, folder / path_of(VaeRun("mse", 2, 0.0)) / "model.pt"]
    with pytest.raises(DetectorError, match="scan: give the models of one training metric and depth"):
        scanned(mixed, trained_on, samples, 50, tmp_path)
    (tmp_path / "wrong.json").write_text("{}")
    with pytest.raises(EvaluationError, match=r"scan_\S+ seed 1, is in no record"):
        scan_rows([tmp_path / "wrong.json"], tables)
    (tmp_path / "wrong.json").write_text('{"scan_mse": {"beta": 0}}')
    with pytest.raises(EvaluationError, match=r"wrong\.json: no record of the score tables of a VAE"):
        scan_rows([tmp_path / "wrong.json"], tables)


def test_of_several_seeds_the_mean_chooses_beta_and_each_has_a_column(folder: Path, tmp_path: Path) -> None:
    betas, models = (0.0, 1e-3), {}
    for beta in betas:
        models[beta, 1] = folder / path_of(VaeRun("mse", 1, beta)) / "model.pt"
        train(folder, VaeRun("mse", 1, beta), tmp_path / f"{beta:g}", SETTINGS.model_copy(update={"seeds": (2,)}))
        models[beta, 2] = tmp_path / f"{beta:g}" / "model.pt"
    samples = {name: folder / name / "test.h5" for name in ("qcd", "top")}
    trained_on = folder / "qcd/train.h5", folder / "qcd/validation.h5"
    rows, tables = scanned([models[beta, seed] for seed in (2, 1) for beta in betas], trained_on, samples, 40, tmp_path)
    losses = {place: load_vae(path).validation_loss for place, path in models.items()}
    chosen = min(betas, key=lambda beta: losses[beta, 1] + losses[beta, 2])
    assert {row.beta for row in rows if row.chosen} == {chosen}
    assert {(row.beta, row.seed): row.validation_loss for row in rows} == losses
    # The column of a seed is what its own VAE scores.
    (path,) = (path for path in tables if path.stem == "scan_mae")
    table = read_table(path)
    for column, seed in enumerate((1, 2)):
        alone = score_images(load_vae(models[chosen, seed]), read_images(samples["top"], 0, 40), ("mae",))
        np.testing.assert_array_equal(table["score"][table["sample"] == 1, column], alone["mae"])
    with pytest.raises(DetectorError, match=r"models of beta 0\.001 are of the seeds \[1\], others of \[1, 2\]"):
        scanned([models[0.0, 1], models[0.0, 2], models[1e-3, 1]], trained_on, samples, 40, tmp_path)
    with pytest.raises(ValidationError, match=r"seed is a list now, seeds, .*images\.vae: {seeds: \[1, 2\]}"):
        VaeSettings.model_validate({"seed": 3})


def test_loss_and_training_metric_agree_up_to_the_kld(folder: Path) -> None:
    """Table 1 of the paper: the Loss column is the training metric's, where the KLD weighs next to nothing."""
    batch = read_images(folder / "qcd/test.h5", 0, 30)
    for run in (VaeRun("wass1", 1, 1e-7), VaeRun("mse", 1, 1e-3), VaeRun("mse", 1, 0.0)):
        vae = load_vae(folder / path_of(run) / "model.pt")
        scores = score_images(vae, batch, ("loss", run.metric))
        expected = (1 - run.beta) * scores[run.metric] + run.beta * scores["kld"]
        np.testing.assert_allclose(scores["loss"], expected, rtol=1e-12)
        if run.beta < 1e-5:
            np.testing.assert_allclose(scores["loss"], scores[run.metric], rtol=1e-3)
            assert (np.argsort(scores["loss"]) == np.argsort(scores[run.metric])).mean() > 0.9
    assert (scores["kld"] > 0).all()


def test_distances_inside_are_those_of_the_activations(folder: Path, tmp_path: Path) -> None:
    vae = load_vae(folder / path_of(VaeRun("mse", 2, 0.0)) / "model.pt")
    images = read_images(folder / "qcd/test.h5", 0, 12).dense()
    inner = inner_distances(vae, images)
    assert list(inner) == ["block-1", "block-2", "latent"]
    with torch.no_grad():
        flat = vae.network.encoder(torch.from_numpy(images))[0].double()
    expected = torch.pdist(flat).numpy()
    np.testing.assert_allclose(inner["block-1"], expected, rtol=1e-6, atol=1e-9)

    files = []
    for metric in ("wass1", "mse"):
        files.append(tmp_path / f"{metric}.h5")
        compute_distances(folder / "qcd/test.h5", files[-1], metric, DistanceSettings(jets=12), 1, {})
    models = [folder / path_of(run) / "model.pt" for run in (VaeRun("mse", 1, 0.0), VaeRun("mse", 1, 1e-3))]
    found = study(models, folder / "qcd/test.h5", files, 12)
    rows = found.rows
    assert [(row.layer, row.image_metric) for row in rows[:1]] == [("images", "wass1")]
    assert {(row.beta, row.layer) for row in rows[1:]} == {
        (b, name) for b in (0.0, 1e-3) for name in ("block-1", "latent")
    }
    assert {row.pairs for row in rows} == {66}
    assert sum(row.chosen for row in rows[1:]) == 2
    # A second seed has a say in beta; distances are those of the first.
    other = [tmp_path / f"other-{run.beta:g}" for run in (VaeRun("mse", 1, 0.0), VaeRun("mse", 1, 1e-3))]
    for beta, output in zip((0.0, 1e-3), other, strict=True):
        train(folder, VaeRun("mse", 1, beta), output, SETTINGS.model_copy(update={"seeds": (2,)}))
    others = [output / "model.pt" for output in other]
    both = study([*models, *others], folder / "qcd/test.h5", files, 12)
    losses = [[load_vae(path).validation_loss for path in pair] for pair in zip(models, others, strict=True)]
    assert both.chosen == (0.0, 1e-3)[int(np.argmin(np.sum(losses, axis=1)))]
    assert {(row.beta, row.layer): row.correlation for row in both.rows} == {
        (row.beta, row.layer): row.correlation for row in rows
    }
    assert all(-1 <= row.correlation <= 1 for row in rows)
    with pytest.raises(DetectorError, match="are of other jets"):
        study(models, folder / "top/test.h5", files, 12)
    write_pairs(tmp_path / "pairs.h5", found, {})
    pairs = read_table(tmp_path / "pairs.h5")
    assert pairs.dtype.names == ("mse", "wass1", "block-1", "latent 0", "latent 0.001")
    np.testing.assert_allclose(
        pairs["mse"], torch.pdist(torch.from_numpy(images.reshape(12, -1))).numpy() ** 2 / 64, rtol=1e-4
    )
    assert rows[0].correlation == pytest.approx(np.corrcoef(pairs["mse"], pairs["wass1"])[0, 1])


def test_the_supervised_network_finds_its_signal_and_is_tried_on_the_other(folder: Path, tmp_path: Path) -> None:
    files = {
        name: LabelledFiles(folder / name / "train.h5", folder / name / "validation.h5") for name in ("qcd", "top")
    }
    samples = {name: folder / name / "test.h5" for name in ("qcd", "top", "w")}
    network, loss = train_classifier("top", 1, SETTINGS, files, tmp_path)
    batches = {name: read_images(path) for name, path in samples.items()}
    fall = late_fall(tmp_path / "history.csv")
    rows = {row.signal: row for row in classifier_rows(network, "top", 1, 1, loss, fall, batches)}
    assert set(rows) == {"top", "w"}
    assert {(row.training_metric, row.labelled, row.depth) for row in rows.values()} == {("supervised", "top", 1)}
    # 12 seeds: 1 in every one; w 0.896 +- 0.039, at most 0.951.
    assert rows["top"].auc > 0.95
    assert rows["w"].auc < rows["top"].auc
    assert (rows["top"].n_signal, rows["top"].n_background) == (80, 80)


def test_the_scripts_work_by_hand(folder: Path, tmp_path: Path) -> None:
    text = SETTINGS.model_dump_json()
    qcd = folder / "qcd"
    common = ["workflow/scripts/train_vae.py", "--settings", text, "--metric", "mse", "--depth", "1"]
    common += ["--beta", "0.001", "--train", str(qcd / "train.h5"), "--validation", str(qcd / "validation.h5")]
    done = run_program([*common, "--output-dir", str(tmp_path)])
    assert done.returncode == 0, done.stderr
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    assert json.loads(content["metadata"])["run"] == {"metric": "mse", "depth": 1, "beta": 0.001}
    settings = json.dumps({"kind": "vae_scan", "jets": 20})
    command = ["workflow/scripts/score.py", "--method", "scan", "--settings", settings, "--rows", "images"]
    command += ["--models", str(tmp_path / "model.pt"), "--background", str(qcd / "test.h5")]
    command += ["--train", str(qcd / "train.h5"), "--validation", str(qcd / "validation.h5")]
    command += ["--signals", f"top={folder / 'top/test.h5'}", "--record", str(tmp_path / "record.json"), "--output"]
    tables = [tmp_path / f"{name}.h5" for name in ANOMALY_METRICS]
    done = run_program([*command, *map(str, tables)])
    assert done.returncode == 0, done.stderr
    rows = scan_rows([tmp_path / "record.json"], tables)
    assert [row.anomaly_metric for row in rows] == list(ANOMALY_METRICS)
    assert {(row.n_signal, row.n_background) for row in rows} == {(20, 20)}


def test_what_a_scan_cannot_use_is_named(folder: Path, tmp_path: Path) -> None:
    model = folder / path_of(VaeRun("mse", 1, 0.0)) / "model.pt"
    samples = {name: folder / name / "test.h5" for name in ("qcd", "top")}
    trained_on = folder / "qcd/train.h5", folder / "qcd/validation.h5"
    _, tables = scanned([model], trained_on, samples, 20, tmp_path)
    record = tmp_path / "record.json"
    with pytest.raises(EvaluationError, match=r"method scan_\S+, seed 1, stands twice; give it once"):
        scan_rows([record], [*tables, tables[0]])
    (tmp_path / "background").mkdir()
    alone = {"qcd": samples["qcd"]}
    with pytest.raises(EvaluationError, match="no signal in the score tables"):
        scanned([model], trained_on, alone, 20, tmp_path / "background")
    good = json.loads(record.read_text())
    for ended in (["1"], None, "1", {"1": None}, {"1": {"validation_loss": 0.1}}, {"1": {"validation_loss": "x"}}):
        record.write_text(json.dumps({name: {**one, "ended": ended} for name, one in good.items()}))
        with pytest.raises(EvaluationError, match=r"record\.json: no record of the score tables of a VAE"):
            scan_rows([record], tables)
    copied = shutil.copytree(model.parent, tmp_path / "again") / "model.pt"
    with pytest.raises(DetectorError, match=r"models of the seeds \[1, 1\], of which one stands twice"):
        scanned([model, copied], trained_on, samples, 20, tmp_path)
    with ImageWriter(tmp_path / "larger.h5", 2 * PIXELS, SIDE, {}) as writer:
        jets = read_images(samples["qcd"], 0, 1).jets
        writer.append_images(jets, np.arange(2), np.array([3], np.uint16), np.ones(1, np.float32))
        writer.finish()
    with pytest.raises(DetectorError, match=r"model\.pt: trained on images of 8 pixels on 0\.64, the images have 16"):
        scanned([model], (tmp_path / "larger.h5", trained_on[1]), samples, 20, tmp_path)


@pytest.mark.parametrize(
    ("key", "given"), [("betas", [0, 0.0]), ("betas", [1e-7, 1.0000001e-7]), ("depths", [2, 2]), ("betas", [0.0, -0.0])]
)
def test_what_would_have_the_same_folder_is_refused(key: str, given: list[float]) -> None:
    with pytest.raises(ValidationError, match="stands twice"):
        VaeTraining.model_validate({key: given})
