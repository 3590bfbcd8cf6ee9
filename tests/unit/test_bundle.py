"""A bundle scores as the detector does, without oddjet, and is not written where it would not."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
pytest.importorskip("onnx", reason="the extra `onnx` is not installed")

import onnx
import onnxruntime

from oddjet.bundle import graphs
from oddjet.bundle.make import FILES, Tables, make_bundle
from oddjet.bundle.quantized import make_quantized, single_graph
from oddjet.config import load_config
from oddjet.detectors.file import load
from oddjet.detectors.protocol import ScaledDetector
from oddjet.errors import DetectorError
from oddjet.evaluation.signals import Signal
from oddjet.io.tables import read_table
from oddjet.published import exported, not_exported, quantized

METHODS = ("ae", "mahalanobis", "gaussian_mixture", "neural_spline_flow")


def tables_of(folder: Path) -> Tables:
    # Other jets than the test background: of two equal ones the last bit would decide which is above.
    signal = Signal("svj", {"m_phi": 2000.0, "r_inv": 0.3}, (folder / "dataset/train.h5",))
    return Tables(folder / "dataset/validation.h5", folder / "dataset/test.h5", [signal])


def detector_of(folder: Path, method: str) -> ScaledDetector:
    return load(folder / "models" / method / "model.pt")


@pytest.mark.parametrize("method", METHODS)
def test_the_scorer_gives_the_scores_of_the_detector(small_analysis, tmp_path, method):
    detector = detector_of(small_analysis, method)
    worst = make_bundle(method, [detector], tables_of(small_analysis), tmp_path, {})
    assert worst < 1e-9
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    done = subprocess.run([sys.executable, "scorer.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    jets = read_table(small_analysis / "features.h5")
    names = json.loads((tmp_path / "card.json").read_text())["features"]
    lines = [",".join(names), *(",".join(repr(float(jet[name])) for name in names) for jet in jets)]
    (tmp_path / "jets.csv").write_text("\n".join(lines))
    done = subprocess.run(
        [sys.executable, "scorer.py", "jets.csv"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    scores = [float(line) for line in done.stdout.splitlines()[1:]]
    np.testing.assert_allclose(scores, detector.score(jets).mean(axis=1), rtol=1e-9)
    np.save(tmp_path / "jets.npy", np.stack([jets[name] for name in names], axis=1))
    again = subprocess.run(
        [sys.executable, "scorer.py", "jets.npy"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert again.stdout == done.stdout


def test_a_mean_of_methods_is_standardised_in_the_graph(small_analysis, tmp_path):
    detectors = [detector_of(small_analysis, method) for method in ("ae", "gaussian_mixture")]
    assert make_bundle("both", detectors, tables_of(small_analysis), tmp_path, {}, mean=True) < 1e-9
    validation, test = (read_table(small_analysis / f"dataset/{name}.h5") for name in ("validation", "test"))
    parts = []
    for detector in detectors:
        known = detector.score(validation)
        parts.append((detector.score(test) - known.mean(axis=0)) / known.std(axis=0))
    expected = np.concatenate(parts, axis=1).mean(axis=1)
    check = np.genfromtxt(tmp_path / "check_jets.csv", delimiter=",", names=True)
    np.testing.assert_allclose(np.sort(check["mean"]), np.sort(expected), rtol=1e-6, atol=1e-9)


def test_a_graph_that_differs_is_not_written(small_analysis, tmp_path, monkeypatch):
    monkeypatch.setattr(graphs, "gaussian", lambda jets, weights: (np.zeros(jets.shape[1]), np.eye(jets.shape[1])))
    with pytest.raises(DetectorError, match="no bundle is written"):
        make_bundle(
            "mahalanobis",
            [detector_of(small_analysis, "mahalanobis")],
            tables_of(small_analysis),
            tmp_path / "bundle",
            {},
        )
    assert not (tmp_path / "bundle").exists()


def test_what_has_no_graph_is_refused(small_analysis, tmp_path):
    detector = detector_of(small_analysis, "nearest_neighbours")
    with pytest.raises(DetectorError, match="a detector of kind nearest_neighbours has no graph"):
        make_bundle("nearest", [detector], tables_of(small_analysis), tmp_path, {})


def test_the_methods_that_are_published():
    methods = {
        "wnae": {"kind": "wnae"},
        "forest": {"kind": "isolation_forest"},
        "mean": {"kind": "mean", "of": ["wnae"]},
        "mixed": {"kind": "mean", "of": ["wnae", "forest"]},
    }
    top = {"kind": "background", "process": {"name": "top_pairs", "pthat_min": 450}, "events": 10}
    signals = {"m_phi": [2000], "r_inv": [0.3], "events": 10}
    config = load_config({"seed": 1, "samples": {"top": top}, "signals": signals, "methods": methods})
    assert exported(config.methods) == ["wnae", "mean"]


def test_the_scorer_needs_numpy_and_onnxruntime_alone():
    tree = ast.parse(Path(graphs.__file__).with_name("scorer.py").read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names == {"json", "sys", "pathlib", "numpy", "onnxruntime"}


def test_a_threshold_that_the_card_does_not_have_is_told(small_analysis, tmp_path):
    make_bundle("m", [detector_of(small_analysis, "mahalanobis")], tables_of(small_analysis), tmp_path, {})
    spec = importlib.util.spec_from_file_location("scorer", tmp_path / "scorer.py")
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    with pytest.raises(ValueError, match=r"no threshold for efficiency 0.5, pT None; the card has the efficiencies"):
        scorer.threshold(0.5)
    with pytest.raises(ValueError, match="pT 5000"):
        scorer.threshold(0.1, pt=5000)


@pytest.mark.slow
def test_a_fresh_environment_reproduces_the_check_scores(small_analysis, tmp_path):
    make_bundle("ae", [detector_of(small_analysis, "ae")], tables_of(small_analysis), tmp_path / "b", {})
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    install = [python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", "numpy", "onnxruntime"]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"numpy and onnxruntime cannot be fetched: {installed.stderr.strip().splitlines()[-1]}")
    done = subprocess.run([python, "-I", "scorer.py"], cwd=tmp_path / "b", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "scores agree" in done.stdout


@pytest.fixture(scope="module")
def eight_bits(small_analysis, tmp_path_factory):
    """A folder with the graph of 8 bits of a small autoencoder, and its card."""
    folder = tmp_path_factory.mktemp("int8")
    make_quantized("ae", [detector_of(small_analysis, "ae")], tables_of(small_analysis), folder, {"script": "test"})
    return folder


def test_a_graph_of_8_bits_multiplies_whole_numbers_and_nearly_reconstructs(eight_bits, small_analysis):
    model = onnx.load(eight_bits / "model_int8.onnx")
    kinds = {one.name: one.data_type for one in model.graph.initializer}
    layers = [node for node in model.graph.node if node.op_type == "MatMul"]
    # Two seeds; what each layer multiplies comes from 8 bits.
    assert len(layers) == 2 * len(detector_of(small_analysis, "ae").network.weights)
    weights = [node for node in model.graph.node if node.op_type == "DequantizeLinear" and node.input[0] in kinds]
    assert [kinds[node.input[0]] for node in weights].count(onnx.TensorProto.INT8) >= len(layers)
    card = json.loads((eight_bits / "card_int8.json").read_text())
    assert card["sha256"] == hashlib.sha256((eight_bits / "model_int8.onnx").read_bytes()).hexdigest()
    assert card["median_relative_difference"] < 0.1
    assert card["auc"]["svj"]["int8"]["value"] == pytest.approx(card["auc"]["svj"]["float64"]["value"], abs=0.05)
    for kind in ("float64", "int8"):
        assert all(time > 0 for time in card["microseconds"][kind].values())
        assert card["bytes"][kind] > 1000


def test_the_float_side_of_the_card_is_the_bundle(eight_bits, small_analysis, tmp_path):
    make_bundle("ae", [detector_of(small_analysis, "ae")], tables_of(small_analysis), tmp_path, {})
    whole = json.loads((tmp_path / "card.json").read_text())
    card = json.loads((eight_bits / "card_int8.json").read_text())
    assert card["auc"]["svj"]["float64"] == whole["auc"]["svj"]
    assert card["features"] == whole["features"]
    assert [row["pt_min"] for row in card["thresholds"]] == [row["pt_min"] for row in whole["thresholds"]]


def test_single_precision_alone_changes_no_score_by_much(small_analysis):
    detector = detector_of(small_analysis, "ae")
    model, names = single_graph([detector])
    jets = read_table(small_analysis / "dataset/test.h5")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    features = np.stack([jets[name].astype(np.float64) for name in names], axis=1)
    np.testing.assert_allclose(session.run(["score"], {"features": features})[0], detector.score(jets), rtol=1e-4)
    with pytest.raises(DetectorError, match="of kind mahalanobis has no layers to quantize"):
        single_graph([detector_of(small_analysis, "mahalanobis")])


def test_what_has_no_bundle_is_named_with_the_reason():
    methods = {
        "wnae": {"kind": "wnae"},
        "forest": {"kind": "isolation_forest"},
        "mean": {"kind": "mean", "of": ["forest"]},
    }
    top = {"kind": "background", "process": {"name": "top_pairs", "pthat_min": 450}, "events": 10}
    signals = {"m_phi": [2000], "r_inv": [0.3], "events": 10}
    methods |= {
        "image_vae": {"kind": "vae", "metric": "wass1"},
        "moved": {"kind": "vae", "anomaly": "wass2"},
        "lost": {"kind": "vae", "metric": "wass1", "anomaly": "loss"},
    }
    config = load_config({"seed": 1, "samples": {"top": top}, "signals": signals, "methods": methods})
    assert quantized(config.methods) == ["wnae"]
    assert exported(config.methods) == ["wnae", "image_vae"]
    forest, mean, moved, lost = not_exported(config.methods)
    assert forest == "forest: its score is no formula of fixed size"
    assert mean == "mean: it is a mean of methods of which one has no graph"
    words = "which is no formula of fixed size; anomaly: mse or mae has a bundle"
    assert moved == f"moved: its score is the transport distance wass2, {words}"
    assert lost == f"lost: its score is the transport distance wass1, {words}"


def test_what_the_scorer_cannot_score_is_one_line(small_analysis, tmp_path):
    make_bundle("m", [detector_of(small_analysis, "mahalanobis")], tables_of(small_analysis), tmp_path, {})
    names = json.loads((tmp_path / "card.json").read_text())["features"]
    np.save(tmp_path / "narrow.npy", np.ones((4, 3)))
    np.save(tmp_path / "gap.npy", np.where(np.eye(3, len(names)) > 0, np.nan, 1.0))
    (tmp_path / "short.csv").write_text("tau2,tau3\n1,2\n")
    for file, words in {
        "nothing.csv": "nothing.csv",
        "narrow.npy": "cannot reshape",
        "gap.npy": f"{names[0]} of jet 0 is not a finite number",
        "short.csv": f"no column {sorted(set(names) - {'tau2', 'tau3'})[0]}; the card has {len(names)} features",
    }.items():
        command = [sys.executable, "scorer.py", file]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"error: {file}: ")
        assert words in line
