"""Evaluate the expressions of cuts and columns on the arrays of a whole chunk."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any, TypeAlias

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from oddjet.errors import SelectionError
from oddjet.selection.expressions import REDUCTIONS, Expression, branch_name

# Numbers or truth values: one a row, or a list of them a row.
Value: TypeAlias = "NDArray[Any] | ak.Array | float | bool"
# From a name to its array, with one entry a row.
Lookup: TypeAlias = Callable[[str], Value]

OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    # Not Python's: no whole number grows without bound, and a negative power of one is no error.
    ast.Pow: np.float_power,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
BITS = (ast.BitAnd, ast.BitOr)
ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "abs": np.abs,
    "sqrt": np.sqrt,
    "log": np.log,
    "exp": np.exp,
    "sin": np.sin,
    "cos": np.cos,
    "sinh": np.sinh,
    "cosh": np.cosh,
}
FULL_CIRCLE = 2 * np.pi


def passes(clause: Expression, lookup: Lookup, rows: int, row: str) -> NDArray[np.bool_]:
    """Tell which rows a clause keeps, bool array of shape (rows,).

    Parameters
    ----------
    clause : Expression
        Of `oddjet.selection.expressions.parse_cut`.
    lookup : callable
        From a name to its array; raises `SelectionError` for one that is not there.
    rows : int
    row : str
        What a row is, "event" or "jet", for messages.

    Raises
    ------
    SelectionError
        It is not one truth value a row: a number, a list; or lists in it do not fit together. One line.
    """
    value = evaluate(clause, lookup)
    if depth(value) > 1:
        raise SelectionError(
            f"{clause.text!r} has a list of values for each {row}, where one is wanted; put any(...), all(...) or "
            "count(...) around it"
        )
    if kind(value) != "b":
        raise SelectionError(
            f"{clause.text!r} is a number for each {row}, not true or false; compare it, as in {clause.text} > 0"
        )
    return np.broadcast_to(np.asarray(value, bool), rows)


def numbers(column: Expression, lookup: Lookup, rows: int, row: str) -> NDArray[np.float64]:
    """Give the numbers of a column, float64 of shape (rows,); truth values are 0 and 1.

    Raises
    ------
    SelectionError
        It is a list a row, or lists in it do not fit together; one line.
    """
    value = evaluate(column, lookup)
    if depth(value) > 1:
        raise SelectionError(
            f"{column.text!r} has a list of values for each {row}, where one is wanted; take sum(...), max(...), "
            "count(...) or the like of it"
        )
    return np.broadcast_to(np.asarray(value, np.float64), rows)


def evaluate(expression: Expression, lookup: Lookup) -> Value:
    """Evaluate an expression; raises `SelectionError`, one line that names it, where its parts do not fit together."""
    try:
        with np.errstate(all="ignore"):
            return _value(expression.tree, lookup)
    except SelectionError as error:
        raise SelectionError(f"{expression.text!r}: {error}") from None


def depth(value: Value) -> int:
    """Return 0 for a number, 1 for one value a row, 2 for a list a row."""
    return int(value.ndim) if isinstance(value, ak.Array | np.ndarray) else 0


def kind(value: Value) -> str:
    """Return "b" for truth values, "i" for whole numbers, "f" for others."""
    if isinstance(value, ak.Array):
        inner = value.type.content
        while not hasattr(inner, "primitive"):
            inner = inner.content
        return _kind(np.dtype(inner.primitive))
    return _kind(np.asarray(value).dtype)


def _kind(dtype: np.dtype[Any]) -> str:
    return "i" if dtype.kind in "iu" else dtype.kind


def _value(node: ast.expr, lookup: Lookup) -> Value:
    name = branch_name(node)
    if name is not None:
        return lookup(name)
    match node:
        case ast.Constant(value=value):
            return np.asarray(value)
        case ast.BoolOp():
            join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            parts = [_truth(part, lookup) for part in node.values]
            return reduce(lambda one, other: _together(node, join, one, other), parts)
        case ast.UnaryOp(op=ast.Not()):
            return np.logical_not(_truth(node.operand, lookup))
        case ast.UnaryOp():
            number = _number(node.operand, lookup)
            return -number if isinstance(node.op, ast.USub) else number
        case ast.BinOp():
            pair = (_value(node.left, lookup), _value(node.right, lookup))
            if isinstance(node.op, BITS):
                _check_bits(node, pair)
            else:
                pair = (_plain(pair[0]), _plain(pair[1]))
            return _together(node, OPERATORS[type(node.op)], *pair)
        case ast.Compare():
            values = [_value(part, lookup) for part in (node.left, *node.comparators)]
            found = [
                _together(node, OPERATORS[type(one)], left, right)
                for one, left, right in zip(node.ops, values, values[1:], strict=False)
            ]
            return reduce(lambda one, other: _together(node, np.logical_and, one, other), found)
        case ast.Call(func=ast.Name(id=name)) if name in REDUCTIONS:
            return _reduced(name, node.args[0], lookup)
        case ast.Call(func=ast.Name(id=name)):
            return _called(node, name, [_number(part, lookup) for part in node.args])
    raise SelectionError(f"{ast.unparse(node)!r} is not of the grammar")


def _together(node: ast.expr, action: Callable[..., Any], *values: Value) -> Value:
    """Apply an operator or function, and say so where lists do not have the same lengths."""
    try:
        result: Value = action(*values)
    except ValueError:
        raise SelectionError(
            f"in {ast.unparse(node)!r} lists of different lengths meet: those of one collection have the same"
        ) from None
    return result


def _truth(node: ast.expr, lookup: Lookup) -> Value:
    value = _value(node, lookup)
    if kind(value) != "b":
        text = ast.unparse(node)
        raise SelectionError(f"{text!r} is a number, not true or false; compare it, as in {text} > 0")
    return value


def _number(node: ast.expr, lookup: Lookup) -> Value:
    return _plain(_value(node, lookup))


def _plain(value: Value) -> Value:
    """Count truth values as 0 and 1."""
    if kind(value) != "b":
        return value
    return ak.values_astype(value, np.int64) if isinstance(value, ak.Array) else np.asarray(value).astype(np.int64)


def _check_bits(node: ast.BinOp, pair: tuple[Value, Value]) -> None:
    kinds = {kind(value) for value in pair}
    if kinds not in ({"b"}, {"i"}):
        word = "and" if isinstance(node.op, ast.BitAnd) else "or"
        raise SelectionError(
            f"{ast.unparse(node)!r} takes the bits of whole numbers, or two truth values in brackets; between "
            f"comparisons write {word!r}"
        )


def _reduced(name: str, node: ast.expr, lookup: Lookup) -> Value:
    """Make one value a row of a list.

    The largest value of an empty list is -inf and its smallest inf: `max(x) < 20` holds for it, `max(x) > 20` does not.
    """
    value = _truth(node, lookup) if name in ("any", "all") else _value(node, lookup)
    text = ast.unparse(node)
    if depth(value) < 2:
        raise SelectionError(f"{name}({text}): {text} is one value and no list; leave {name} out")
    if name == "count":
        result = ak.sum(value, axis=1) if kind(value) == "b" else ak.num(value, axis=1)
    elif name in ("min", "max"):
        extreme = ak.min if name == "min" else ak.max
        result = extreme(ak.values_astype(value, np.float64), axis=1, mask_identity=False)
    else:
        result = {"any": ak.any, "all": ak.all, "sum": ak.sum}[name](value, axis=1)
    return np.asarray(ak.to_numpy(result))


def _called(node: ast.expr, name: str, values: list[Value]) -> Value:
    if name == "delta_phi":
        return _together(node, _delta_phi, *values)
    if name == "delta_r":
        return _together(node, _delta_r, *values)
    return _together(node, ELEMENTWISE[name], *values)


def _delta_phi(one: Any, other: Any) -> Any:  # noqa: ANN401  numpy or awkward
    """Give the distance in azimuth, between 0 and pi."""
    difference = np.abs(one - other) % FULL_CIRCLE
    return np.minimum(difference, FULL_CIRCLE - difference)


def _delta_r(eta1: Any, phi1: Any, eta2: Any, phi2: Any) -> Any:  # noqa: ANN401
    return np.sqrt((eta1 - eta2) ** 2 + _delta_phi(phi1, phi2) ** 2)
