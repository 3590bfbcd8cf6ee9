"""ONNX graphs in double precision, built node by node, and the scaling of features."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

from oddjet.dataset.scaling import Scaler
from oddjet.dataset.warping import knots_of

OPSET = 17
# What onnxruntime and its older versions read of this opset.
IR_VERSION = 8


class Nodes:
    """Nodes and constants of a graph that is being built; values are handled by name.

    Attributes
    ----------
    real
        Type of the numbers that become constants.
    """

    def __init__(self) -> None:
        self.real: type[np.floating[Any]] = np.float64
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, values: ArrayLike, kind: Any = None) -> str:  # noqa: ANN401  a type of numpy
        """Add a constant, of the type `real` if not given another one, and return its name."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values, kind or self.real), name))
        return name

    def integers(self, *values: int) -> str:
        """Add a list of integers, as shapes and axes are given."""
        return self.constant(values, np.int64)

    def add(self, operation: str, *inputs: str | float | NDArray[Any], **attributes: Any) -> str:  # noqa: ANN401
        """Add a node and return the name of its output; numbers among the inputs become constants."""
        name = f"n{len(self._nodes)}"
        named = [one if isinstance(one, str) else self.constant(one) for one in inputs]
        self._nodes.append(helper.make_node(operation, named, [name], **attributes))
        return name

    def column(self, table: str, index: int) -> str:
        """Take a column (n, 1) of (n, D)."""
        return self.add("Slice", table, self.integers(index), self.integers(index + 1), self.integers(1))

    def model(self, width: int, outputs: dict[str, tuple[str, list[Any]]]) -> onnx.ModelProto:
        """Close the graph: input `features` (n, width), outputs by name with the value's name and its shape."""
        nodes = [*self._nodes, *(helper.make_node("Identity", [value], [name]) for name, (value, _) in outputs.items())]
        graph = helper.make_graph(
            nodes,
            "oddjet",
            [helper.make_tensor_value_info("features", TensorProto.DOUBLE, ["jets", width])],
            [helper.make_tensor_value_info(name, TensorProto.DOUBLE, shape) for name, (_, shape) in outputs.items()],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model


def add_scaler(nodes: Nodes, scaler: Scaler, features: str, names: tuple[str, ...]) -> str:
    """Add the scaling of a detector: (n, width) in physical units, columns as in `names`, to (n, D) as it sees them."""
    slope, offset = scaler.affine()
    columns = []
    for index, feature in enumerate(scaler.features):
        values = nodes.column(features, names.index(feature.name))
        if feature.floor is not None:
            values = nodes.add("Log", nodes.add("Max", values, np.array(feature.floor)))
        values = nodes.add("Add", nodes.add("Mul", values, np.array(slope[index])), np.array(offset[index]))
        if scaler.scaling == "power":
            values = _power(nodes, values, *feature.warp)
        elif scaler.scaling == "quantile":
            values = _quantile(nodes, values, feature.warp)
        columns.append(values)
    scaled = nodes.add("Concat", *columns, axis=1)
    # Detectors see single precision, and compute in double.
    return nodes.add("Cast", nodes.add("Cast", scaled, to=TensorProto.FLOAT), to=TensorProto.DOUBLE)


def _power(nodes: Nodes, values: str, exponent: float, mean: float, deviation: float) -> str:
    """Add the map of Yeo and Johnson, and the standardisation after it."""
    zero = np.array(0.0)
    above = nodes.add("Add", nodes.add("Max", values, zero), np.array(1.0))
    below = nodes.add("Sub", np.array(1.0), nodes.add("Min", values, zero))
    parts = []
    for part, power in ((above, exponent), (below, 2.0 - exponent)):
        raised = nodes.add("Pow", part, np.array(power))
        parts.append(nodes.add("Div", nodes.add("Sub", raised, np.array(1.0)), np.array(power)))
    # One of the two is 0.
    mapped = nodes.add("Sub", *parts)
    return nodes.add("Div", nodes.add("Sub", mapped, np.array(mean)), np.array(deviation))


def _quantile(nodes: Nodes, values: str, quantiles: tuple[float, ...]) -> str:
    """Add the piecewise linear map to normal scores: slope 1 at both ends, and a change of slope at each knot."""
    knots, scores = knots_of(quantiles)
    slopes = np.concatenate([[1.0], np.diff(scores) / np.diff(knots), [1.0]])
    beyond = nodes.add("Max", nodes.add("Sub", values, knots[None]), np.array(0.0))
    bent = nodes.add("MatMul", beyond, np.diff(slopes)[:, None])
    return nodes.add("Add", nodes.add("Add", values, bent), np.array(scores[0] - knots[0]))
