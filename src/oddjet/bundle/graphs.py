"""The score of each kind of detector as nodes of a graph: from scaled features (n, D) to scores (n, S)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto

from oddjet.bundle.nodes import Nodes, add_scaler
from oddjet.detectors.autoencoder.detector import AutoencoderDetector
from oddjet.detectors.density import gaussian, mixture, plane, reference_value
from oddjet.detectors.fitted import FittedBaseline
from oddjet.detectors.protocol import ScaledDetector
from oddjet.errors import DetectorError
from oddjet.weighted import unequal

SPLINE_BOUND = 5.0
SPLINE_SLOPE = 1e-3


def score_graph(
    detectors: Sequence[ScaledDetector], moments: Sequence[tuple[Any, Any]] | None = None
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Build one graph for all seeds of detectors.

    Parameters
    ----------
    detectors
        The groups of seeds of a method, or of all members of a mean.
    moments
        Means and deviations (S,) of each detector's scores, by which a mean of methods standardises them; without them
        `score` has a column a seed, with them one.

    Returns
    -------
    The model, with the input `features` (n, D) in physical units, float64, and the outputs `score` (n, S) and `mean`
    (n,); and the names of the features in the order of the input.

    Raises
    ------
    DetectorError
        A detector is of a kind that has no graph.
    """
    nodes = Nodes()
    names = tuple(dict.fromkeys(name for detector in detectors for name in detector.card.scaler.names))
    scores = []
    for index, detector in enumerate(detectors):
        if isinstance(detector, AutoencoderDetector):
            add: Callable[[Nodes, Any, str], str] = _autoencoder
        elif isinstance(detector, FittedBaseline) and detector.card.kind in BASELINES:
            add = _baseline
        else:
            raise DetectorError(f"{detector.name}: a detector of kind {detector.card.kind} has no graph")
        score = add(nodes, detector, add_scaler(nodes, detector.card.scaler, "features", names))
        if moments is not None:
            centre, deviation = moments[index]
            score = nodes.add("Div", nodes.add("Sub", score, centre[None]), deviation[None])
        scores.append(score)
    every = nodes.add("Concat", *scores, axis=1)
    mean = nodes.add("ReduceMean", every, axes=[1], keepdims=0)
    count = sum(len(detector.seeds) for detector in detectors)
    if moments is not None:
        every, count = nodes.add("Unsqueeze", mean, nodes.integers(1)), 1
    return nodes.model(len(names), {"score": (every, ["jets", count]), "mean": (mean, ["jets"])}), names


def add_activation(nodes: Nodes, name: str, x: str) -> str:
    """Add an activation, of operations that exist in double precision."""
    if name in ("relu", "tanh"):
        return nodes.add({"relu": "Relu", "tanh": "Tanh"}[name], x)
    up, down = nodes.add("Max", x, np.array(0.0)), nodes.add("Min", x, np.array(0.0))
    if name == "leaky_relu":
        return nodes.add("Add", up, nodes.add("Mul", down, np.array(0.01)))
    if name == "elu":
        return nodes.add("Add", up, nodes.add("Sub", nodes.add("Exp", down), np.array(1.0)))
    return nodes.add("Div", x, nodes.add("Add", np.array(1.0), nodes.add("Exp", nodes.add("Neg", x))))  # silu


def _autoencoder(nodes: Nodes, detector: AutoencoderDetector, x: str) -> str:
    """Add the energies of all seeds: the mean squared error of what they reconstruct."""
    network = detector.network
    hidden = nodes.add("Unsqueeze", x, nodes.integers(0))
    for weight, bias, activated in zip(network.weights, network.biases, network.activated, strict=True):
        hidden = nodes.add("Add", nodes.add("MatMul", hidden, weight.detach().numpy()), bias.detach().numpy())
        if activated:
            hidden = add_activation(nodes, network.settings.activation, hidden)
    residual = nodes.add("Sub", nodes.add("Unsqueeze", x, nodes.integers(0)), hidden)
    energies = nodes.add("ReduceMean", nodes.add("Mul", residual, residual), axes=[2], keepdims=0)
    return nodes.add("Transpose", energies, perm=[1, 0])


def _baseline(nodes: Nodes, detector: FittedBaseline, x: str) -> str:
    """Add the scores of all seeds of a baseline, one after the other."""
    add = BASELINES[detector.card.kind]
    scores = [add(nodes, detector, index, x) for index in range(len(detector.seeds))]
    return nodes.add("Concat", *scores, axis=1)


def _sample(detector: FittedBaseline, index: int) -> tuple[Any, Any]:
    """Return the jets and weights that a seed was fitted to, as the fit takes them."""
    jets, weights = detector.sample
    return np.asarray(jets[index], np.float64), unequal(weights[index])


def _feature(nodes: Nodes, detector: FittedBaseline, index: int, x: str) -> str:
    settings: Any = detector.card.settings
    distance = nodes.add("Sub", x, np.array(reference_value(*_sample(detector, index))))
    if settings.direction == "both":
        return nodes.add("Abs", distance)
    return distance if settings.direction == "high" else nodes.add("Neg", distance)


def _mahalanobis(nodes: Nodes, detector: FittedBaseline, index: int, x: str) -> str:
    centre, precision = gaussian(*_sample(detector, index))
    distance = nodes.add("Sub", x, centre[None])
    product = nodes.add("Mul", nodes.add("MatMul", distance, precision), distance)
    return nodes.add("ReduceSum", product, nodes.integers(1), keepdims=1)


def _pca(nodes: Nodes, detector: FittedBaseline, index: int, x: str) -> str:
    settings: Any = detector.card.settings
    centre, across = plane(settings, *_sample(detector, index))
    off = nodes.add("MatMul", nodes.add("Sub", x, centre[None]), across)
    return nodes.add("ReduceSum", nodes.add("Mul", off, off), nodes.integers(1), keepdims=1)


def _gaussian_mixture(nodes: Nodes, detector: FittedBaseline, index: int, x: str) -> str:
    """Add -log p: each Gaussian by the Cholesky factor of its precision."""
    settings: Any = detector.card.settings
    fitted = mixture(settings, _sample(detector, index)[0], detector.seeds[index])
    count, width = fitted.means_.shape
    factors = np.concatenate(list(fitted.precisions_cholesky_), axis=1)
    centres = np.concatenate(
        [mean @ factor for mean, factor in zip(fitted.means_, fitted.precisions_cholesky_, strict=True)]
    )
    off = nodes.add("Sub", nodes.add("MatMul", x, factors), centres[None])
    square = nodes.add("Reshape", nodes.add("Mul", off, off), nodes.integers(-1, count, width))
    distances = nodes.add("ReduceSum", square, nodes.integers(2), keepdims=0)
    volumes = np.log(np.diagonal(fitted.precisions_cholesky_, axis1=1, axis2=2)).sum(axis=1)
    constants = np.log(fitted.weights_) + volumes - 0.5 * width * math.log(2 * math.pi)
    logs = nodes.add("Add", nodes.add("Mul", distances, np.array(-0.5)), constants[None])
    return nodes.add("Neg", nodes.add("ReduceLogSumExp", logs, axes=[1], keepdims=1))


def _linear(nodes: Nodes, layer: Any, x: str) -> str:  # noqa: ANN401  a layer of torch or zuko
    """Add a layer; the mask of a masked one is multiplied in."""
    weight = layer.weight.detach() if not hasattr(layer, "mask") else (layer.mask * layer.weight).detach()
    product = nodes.add("MatMul", x, weight.numpy().T)
    return product if layer.bias is None else nodes.add("Add", product, layer.bias.detach().numpy()[None])


def _svdd(nodes: Nodes, detector: FittedBaseline, index: int, x: str) -> str:
    network = detector.network(index)
    *hidden, last = network.layers
    for layer in hidden:
        x = _linear(nodes, layer, x)
        up, down = nodes.add("Max", x, np.array(0.0)), nodes.add("Min", x, np.array(0.0))
        x = nodes.add("Add", up, nodes.add("Mul", down, np.array(0.1)))
    off = nodes.add("Sub", _linear(nodes, last, x), network.centre.numpy()[None])
    return nodes.add("ReduceSum", nodes.add("Mul", off, off), nodes.integers(1), keepdims=1)


def _flow(nodes: Nodes, detector: FittedBaseline, index: int, x: str) -> str:
    """Add -log p of a spline flow: the splines one after the other, then a normal density."""
    density = detector.network(index).density
    logs = []
    for transform in density.transform.transforms:
        x, log = _spline(nodes, transform, x)
        logs.append(nodes.add("ReduceSum", log, nodes.integers(1), keepdims=1))
    square = nodes.add("ReduceSum", nodes.add("Mul", x, x), nodes.integers(1), keepdims=1)
    width = len(density.base.loc)
    negative = nodes.add("Add", nodes.add("Mul", square, np.array(0.5)), np.array(0.5 * width * math.log(2 * math.pi)))
    for log in logs:
        negative = nodes.add("Sub", negative, log)
    return negative


def _spline(nodes: Nodes, transform: Any, x: str) -> tuple[str, str]:  # noqa: ANN401  zuko has no types
    """Add one rational-quadratic transform (Durkan et al., arXiv:1906.04032) as zuko has it.

    Returns the mapped values and the logarithms of the derivatives, (n, D) each.
    """
    hidden = x
    for layer in transform.hyper:
        hidden = nodes.add("Relu", hidden) if isinstance(layer, torch.nn.ReLU) else _linear(nodes, layer, hidden)
    bins = transform.shapes[0][0]
    raw = nodes.add("Reshape", hidden, nodes.integers(0, -1, transform.total))
    ends = np.cumsum([0, bins, bins, bins - 1])
    parts = [
        nodes.add("Slice", raw, nodes.integers(int(low)), nodes.integers(int(high)), nodes.integers(2))
        for low, high in pairwise(ends)
    ]
    knots = [_knots(nodes, part) for part in parts[:2]]
    soft = nodes.add("Exp", _softened(nodes, parts[2], 1.0))
    one = nodes.add(
        "Add", nodes.add("Mul", nodes.add("ReduceMax", soft, axes=[2], keepdims=1), np.array(0.0)), np.array(1.0)
    )
    slopes = nodes.add("Concat", one, soft, one, axis=2)
    value = nodes.add("Unsqueeze", x, nodes.integers(2))
    above = nodes.add("Cast", nodes.add("Less", knots[0], value), to=TensorProto.DOUBLE)
    low, high = (_part(nodes, above, *span) for span in ((0, bins), (1, bins + 1)))
    # 1 in the bin of the value, 0 elsewhere; nowhere for a value outside of the splines.
    inside = nodes.add("Sub", low, high)
    last = _part(nodes, above, bins, bins + 1)
    covered = nodes.add("Sub", _part(nodes, above, 0, 1), last)
    x0, x1, y0, y1, d0, d1 = (
        nodes.add("ReduceSum", nodes.add("Mul", inside, _part(nodes, table, *span)), nodes.integers(2), keepdims=0)
        for table in (*knots, slopes)
        for span in ((0, bins), (1, bins + 1))
    )
    mask = nodes.add("Squeeze", covered, nodes.integers(2))
    return _rational(nodes, x, mask, (x0, x1, y0, y1, d0, d1))


def _rational(nodes: Nodes, x: str, mask: str, corners: tuple[str, ...]) -> tuple[str, str]:
    """Add the rational-quadratic map of a bin where `mask` is 1, and the identity where it is 0."""
    x0, x1, y0, y1, d0, d1 = corners
    add, one = nodes.add, np.array(1.0)
    off = add("Sub", one, mask)
    # Outside of the splines a bin of width and slope 1 stands in, of which nothing is used.
    width, height = add("Add", add("Sub", x1, x0), off), add("Add", add("Sub", y1, y0), off)
    d0, d1 = add("Add", d0, off), add("Add", d1, off)
    z = add("Div", add("Mul", mask, add("Sub", x, x0)), width)
    s, rest = add("Div", height, width), add("Sub", one, z)
    both = add("Mul", z, rest)
    below = add("Add", s, add("Mul", add("Sub", add("Add", d0, d1), add("Mul", s, np.array(2.0))), both))
    above = add("Mul", height, add("Add", add("Mul", s, add("Mul", z, z)), add("Mul", d0, both)))
    inner = add("Add", y0, add("Div", above, below))
    terms = (
        add("Mul", add("Mul", s, both), np.array(2.0)),
        add("Mul", d0, add("Mul", rest, rest)),
        add("Mul", d1, add("Mul", z, z)),
    )
    ratio = add(
        "Div",
        add("Mul", add("Mul", s, s), add("Add", add("Add", terms[0], terms[1]), terms[2])),
        add("Mul", below, below),
    )
    mapped = add("Add", add("Mul", mask, inner), add("Mul", off, x))
    return mapped, add("Mul", mask, add("Log", ratio))


def _softened(nodes: Nodes, raw: str, factor: float) -> str:
    """Add raw / (1 + |factor raw / ln slope|), which bounds it."""
    share = nodes.add("Abs", nodes.add("Mul", raw, np.array(factor / math.log(SPLINE_SLOPE))))
    return nodes.add("Div", raw, nodes.add("Add", share, np.array(1.0)))


def _knots(nodes: Nodes, raw: str) -> str:
    """Add the knots (n, D, K + 1) of K widths between the bounds of the spline."""
    shares = nodes.add("Softmax", _softened(nodes, raw, 2.0), axis=2)
    padded = nodes.add("Pad", shares, nodes.integers(0, 0, 1, 0, 0, 0))
    sums = nodes.add("CumSum", padded, nodes.constant(2, np.int64))
    return nodes.add(
        "Mul", nodes.add("Sub", nodes.add("Mul", sums, np.array(2.0)), np.array(1.0)), np.array(SPLINE_BOUND)
    )


def _part(nodes: Nodes, table: str, low: int, high: int) -> str:
    return nodes.add("Slice", table, nodes.integers(low), nodes.integers(high), nodes.integers(2))


BASELINES: Mapping[str, Callable[[Nodes, FittedBaseline, int, str], str]] = {
    "feature": _feature,
    "mahalanobis": _mahalanobis,
    "pca": _pca,
    "gaussian_mixture": _gaussian_mixture,
    "deep_svdd": _svdd,
    "neural_spline_flow": _flow,
}
