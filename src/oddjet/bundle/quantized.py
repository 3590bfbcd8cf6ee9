"""Autoencoders with weights and activations of 8 bits, for triggers: AUC and time beside those of the full precision.

The scaler, the residual and its mean square stay as they are; the layers' products are of whole numbers.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from oddjet.arrays import Floats
from oddjet.bundle.graphs import add_activation, score_graph
from oddjet.bundle.make import NOT_FOR, Tables
from oddjet.bundle.nodes import Nodes, add_scaler
from oddjet.detectors.autoencoder.detector import AutoencoderDetector
from oddjet.detectors.protocol import ScaledDetector
from oddjet.errors import DetectorError
from oddjet.evaluation.auc import SampleScores, compute_auc
from oddjet.evaluation.thresholds import thresholds
from oddjet.events.latency import microseconds
from oddjet.io.atomic import atomic_path, write_text
from oddjet.io.tables import read_table

LOGGER = logging.getLogger("oddjet")
FILES = ("model_int8.onnx", "card_int8.json")
CALLS, REPEATS = 200, 5


def single_graph(detectors: Sequence[ScaledDetector]) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Build a graph like `oddjet.bundle.graphs.score_graph` with layers in single precision, each seed by itself.

    Raises
    ------
    DetectorError
        A detector is no autoencoder.
    """
    nodes = Nodes()
    names = tuple(dict.fromkeys(name for detector in detectors for name in detector.card.scaler.names))
    columns = []
    for detector in detectors:
        if not isinstance(detector, AutoencoderDetector):
            raise DetectorError(f"{detector.name}: a detector of kind {detector.card.kind} has no layers to quantize")
        nodes.real = np.float64
        scaled = add_scaler(nodes, detector.card.scaler, "features", names)
        nodes.real = np.float32
        x = nodes.add("Cast", scaled, to=TensorProto.FLOAT)
        columns += [_energy(nodes, detector, seed, x) for seed in range(len(detector.seeds))]
    every = nodes.add("Cast", nodes.add("Concat", *columns, axis=1), to=TensorProto.DOUBLE)
    mean = nodes.add("ReduceMean", every, axes=[1], keepdims=0)
    return nodes.model(len(names), {"score": (every, ["jets", len(columns)]), "mean": (mean, ["jets"])}), names


def _energy(nodes: Nodes, detector: AutoencoderDetector, seed: int, x: str) -> str:
    """Add the energy (n, 1) of one seed: a matrix for each layer, so that each of its columns has a scale."""
    network, hidden = detector.network, x
    for weight, bias, activated in zip(network.weights, network.biases, network.activated, strict=True):
        product = nodes.add("MatMul", hidden, weight[seed].detach().numpy())
        hidden = nodes.add("Add", product, bias[seed].detach().numpy().reshape(1, -1))
        if activated:
            hidden = add_activation(nodes, network.settings.activation, hidden)
    residual = nodes.add("Sub", x, hidden)
    return nodes.add("ReduceMean", nodes.add("Mul", residual, residual), axes=[1], keepdims=1)


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, features: Floats) -> None:
        self._parts: Iterator[dict[str, Floats]] = iter([{"features": features}])

    def get_next(self) -> dict[str, Floats] | None:
        return next(self._parts, None)


def quantize(model: onnx.ModelProto, features: Floats) -> bytes:
    """Return a graph whose products are of 8 bits; the ranges of the activations are those of features (n, D)."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "single.onnx"), Path(folder, "int8.onnx")
        source.write_bytes(model.SerializeToString())
        quantize_static(
            str(source),
            str(target),
            _Calibration(features),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()


def make_quantized(
    method: str, detectors: Sequence[ScaledDetector], tables: Tables, output: Path, about: Mapping[str, str]
) -> None:
    """Write `FILES` into a folder: the graph of 8 bits, and its card with AUC, time and size of it and of `model.onnx`.

    Parameters
    ----------
    method, detectors, tables, output, about
        See `oddjet.bundle.make.make_bundle`; the validation background gives ranges and thresholds.

    Raises
    ------
    DetectorError
        A detector is no autoencoder, or a score is not finite.
    """
    single, names = single_graph(detectors)
    validation = read_table(tables.validation)
    contents = {
        "float64": score_graph(detectors)[0].SerializeToString(),
        "int8": quantize(single, _features(validation, names)),
    }
    samples = {"background": read_table(tables.test)}
    for signal in tables.signals:
        samples[signal.name] = np.concatenate([read_table(path) for path in signal.files])
    inputs = {name: _features(jets, names) for name, jets in samples.items()}
    scores = {kind: {name: _mean(content, own) for name, own in inputs.items()} for kind, content in contents.items()}
    if not all(np.isfinite(own).all() for own in scores["int8"].values()):
        raise DetectorError(f"{method}: scores of 8 bits are not finite; no graph is written")
    exact, rough = (scores[kind]["background"] for kind in ("float64", "int8"))
    difference = float(np.median(np.abs(rough / exact - 1)))
    card = {
        "method": method,
        "features": list(names),
        "calibration": {"jets": len(validation), "of": "validation background"},
        "auc": {name: {kind: _auc(samples, own, name) for kind, own in scores.items()} for name in list(samples)[1:]},
        "microseconds": {kind: _times(content, inputs["background"]) for kind, content in contents.items()},
        "bytes": {kind: len(content) for kind, content in contents.items()},
        "median_relative_difference": difference,
        "thresholds": [
            asdict(one) for one in thresholds(validation, _mean(contents["int8"], _features(validation, names)))
        ],
        "not_for": [
            *NOT_FOR,
            "the thresholds of card.json: scores of 8 bits are others, and have thresholds of their own",
        ],
        "sha256": hashlib.sha256(contents["int8"]).hexdigest(),
        "provenance": dict(about),
    }
    with atomic_path(output / "model_int8.onnx") as path:
        path.write_bytes(contents["int8"])
    write_text(output / "card_int8.json", json.dumps(card, indent=1) + "\n")
    LOGGER.info("%s: %s of 8 bits, scores differ by %.0f %%", output, method, 100 * difference)


def _features(jets: NDArray[np.void], names: Sequence[str]) -> Floats:
    return np.stack([jets[name].astype(np.float64) for name in names], axis=1)


def _session(content: bytes) -> Any:  # noqa: ANN401  onnxruntime has no types
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _mean(content: bytes, features: Floats) -> Floats:
    return np.asarray(_session(content).run(["mean"], {"features": features})[0])


def _auc(samples: Mapping[str, NDArray[np.void]], means: Mapping[str, Floats], signal: str) -> dict[str, float]:
    both = (SampleScores(name, means[name], samples[name]["weight"]) for name in ("background", signal))
    return compute_auc(*both)._asdict()


def _times(content: bytes, features: Floats) -> dict[str, float]:
    """Return the processor time (us) of a jet by itself, and of one among all of the test background; one thread."""
    session = _session(content)
    first = features[:1]

    def one_by_one() -> None:
        for _ in range(CALLS):
            session.run(["mean"], {"features": first})

    return {
        "one_jet": microseconds(one_by_one, CALLS, REPEATS),
        "jet_of_many": microseconds(lambda: session.run(["mean"], {"features": features}), len(features), REPEATS),
    }
