"""Image VAEs to publish: from the pixels of a preprocessed image to the distance of what the network makes of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto
from torch import nn

from oddjet.arrays import Floats
from oddjet.bundle.make import NOT_FOR, Graph
from oddjet.bundle.nodes import Nodes
from oddjet.dataset.jet_settings import read_jet_settings
from oddjet.detectors.opening import Given
from oddjet.detectors.vae.scores import TRANSPORT, VaeScores, opened_vaes
from oddjet.detectors.vae.settings import VaeMethod
from oddjet.detectors.vae.train import TrainedVae
from oddjet.errors import DetectorError

PREPROCESSING = (
    "constituents of the jet, each with its pT, in (eta, phi), phi relative to one of them",
    "centred: the pT-weighted centroid is the origin",
    "rotated: the first principal axis of the pT-weighted second moments is vertical (phi)",
    "flipped: the right half and the upper half hold the larger part of the pT",
    "pixelated: pT summed in `pixels` squares a side of a square of side `side` about the origin",
    "rows of pixels go up with phi, columns with eta; what lies outside is dropped",
    "divided by the sum of the pixels, in single precision",
)


def open_vaes(given: Given) -> tuple[VaeScores, Graph]:
    """Open the VAEs of a method, and build one graph for all its seeds.

    Parameters
    ----------
    given
        Of a method of kind `vae`: models of all seeds, images of all jets, and the background that is scored.

    Returns
    -------
    The VAEs, which score tables of jets, and the graph: the input is of the pixels (n, P * P), row by row.

    Raises
    ------
    DetectorError
        The score is a transport distance, or a model is missing or of images of another size.
    """
    assert isinstance(given.settings, VaeMethod)
    if given.settings.transported:
        raise DetectorError(
            f"{given.method}: its score is the transport distance {given.settings.transported}, which has no graph; "
            "anomaly: mse or mae has one"
        )
    opened = opened_vaes(given)
    nodes, size = Nodes(), opened.library.pixels
    single = nodes.add("Cast", "features", to=TensorProto.FLOAT)
    every = nodes.add("Concat", *(_distance(nodes, vae, opened.anomaly, single) for vae in opened.vaes), axis=1)
    mean = nodes.add("ReduceMean", every, axes=[1], keepdims=0)
    names = tuple(f"pixel_{row}_{column}" for row in range(size) for column in range(size))
    model = nodes.model(len(names), {"score": (every, ["jets", len(opened.vaes)]), "mean": (mean, ["jets"])})

    def pixels(jets: NDArray[np.void]) -> Floats:
        return opened.library.of(jets).dense().reshape(len(jets), -1).astype(np.float64)

    return opened, Graph(model, names, pixels, _card(given, opened))


def _card(given: Given, opened: VaeScores) -> dict[str, object]:
    return {
        "jets": read_jet_settings(given.background),
        "images": {
            "pixels": opened.library.pixels,
            "side": opened.library.side,
            "preprocessing": list(PREPROCESSING),
        },
        "not_for": [*NOT_FOR, "images made in another way than `images` says"],
        "detectors": [
            {
                "method": given.method,
                "settings": given.settings.model_dump(mode="json"),
                "run": vae.run._asdict(),
                "network": vae.settings.model_dump(mode="json"),
                "validation_loss": vae.validation_loss,
                "provenance": dict(vae.provenance),
            }
            for vae in opened.vaes
        ],
    }


def _distance(nodes: Nodes, vae: TrainedVae, anomaly: str, pixels: str) -> str:
    """Add the score (n, 1) of one VAE, as `oddjet.detectors.vae.scores` has it: network in single precision."""
    network, shape = vae.network, vae.network.shape
    nodes.real = np.float32
    x = nodes.add("Reshape", pixels, nodes.integers(-1, 1, shape.pixels, shape.pixels))
    x = nodes.add("Mul", x, np.array(network.encoder.scale))
    for block in network.encoder.blocks:
        x = _layers(nodes, block.children(), x)
    hidden = _layers(nodes, network.dense, nodes.add("Flatten", x, axis=1))
    mean = _layers(nodes, [network.mean], hidden)
    latent = _layers(nodes, network.decoder.dense, mean)
    unfolded = nodes.integers(-1, network.decoder.channels, network.decoder.side, network.decoder.side)
    x = _layers(nodes, network.decoder.blocks, nodes.add("Reshape", latent, unfolded))
    made = nodes.add("Cast", nodes.add("Flatten", x, axis=1), to=TensorProto.DOUBLE)
    if anomaly == "loss":
        divergence = _kld(nodes, mean, _layers(nodes, [network.log_variance], hidden), vae.settings.kld)
    nodes.real = np.float64
    if vae.run.metric in TRANSPORT:
        made = _adding_up_to_one(nodes, made)
    off = nodes.add("Sub", nodes.add("Cast", pixels, to=TensorProto.DOUBLE), made)
    kind = vae.run.metric if anomaly == "loss" else anomaly
    each = nodes.add("Abs", off) if kind == "mae" else nodes.add("Mul", off, off)
    distance = nodes.add("ReduceMean", each, axes=[1], keepdims=1)
    if anomaly != "loss":
        return distance
    weighted = nodes.add("Mul", distance, np.array(1.0 - vae.run.beta))
    return nodes.add("Add", weighted, nodes.add("Mul", divergence, np.array(vae.run.beta)))


def _layers(nodes: Nodes, layers: Iterable[nn.Module], x: str) -> str:
    """Add layers one after the other."""
    for layer in layers:
        if isinstance(layer, nn.ELU):
            x = nodes.add("Elu", x)
        elif isinstance(layer, nn.AvgPool2d):
            x = nodes.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        else:
            assert isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)
            assert layer.bias is not None
            operation, attributes = LAYERS[type(layer)]
            x = nodes.add(operation, x, layer.weight.detach().numpy(), layer.bias.detach().numpy(), **attributes)
    return x


LAYERS: dict[type[nn.Module], tuple[str, dict[str, object]]] = {
    nn.Linear: ("Gemm", {"transB": 1}),
    nn.Conv2d: ("Conv", {"pads": [1, 1, 1, 1]}),
    nn.ConvTranspose2d: ("ConvTranspose", {"strides": [2, 2]}),
}


def _kld(nodes: Nodes, mean: str, log_variance: str, reduction: str) -> str:
    """Add the Kullback-Leibler divergence (n, 1), see `oddjet.detectors.vae.losses.kld`."""
    known = nodes.add("Sub", nodes.add("Add", log_variance, np.array(1.0)), nodes.add("Mul", mean, mean))
    terms = nodes.add("Mul", nodes.add("Sub", known, nodes.add("Exp", log_variance)), np.array(-0.5))
    if reduction == "sum":
        total = nodes.add("ReduceSum", terms, nodes.integers(1), keepdims=1)
    else:
        total = nodes.add("ReduceMean", terms, axes=[1], keepdims=1)
    return nodes.add("Cast", total, to=TensorProto.DOUBLE)


def _adding_up_to_one(nodes: Nodes, made: str) -> str:
    """Add what transport makes of a reconstruction (n, P * P): nothing below zero, the sum one."""
    zero, least = np.array(0.0), np.array(np.finfo(np.float64).tiny)
    highest = nodes.add("ReduceMax", made, axes=[1], keepdims=1)
    above = nodes.add(
        "Where",
        nodes.add("Greater", highest, zero),
        nodes.add("Max", made, zero),
        nodes.add("Add", made, np.array(1.0)),
    )
    return nodes.add(
        "Div", above, nodes.add("Max", nodes.add("ReduceSum", above, nodes.integers(1), keepdims=1), least)
    )
