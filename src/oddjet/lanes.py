"""Arithmetic in a fixed number of lanes: the same bits on every processor.

A compiler that may reorder a sum orders it by the width of the processor's vectors, and by what it happens to see of
the functions around it. Here the order is written down: a sum over points is kept in `LANES` partial sums, which are
added in pairs at the end, and a product is added without rounding in between (fused) where `fused` or `fused_lanes`
says so and nowhere else. So kernels leave the compiler no freedom, and are as fast: lanes are vectors of the compiler's
own language, which become one, two or four instructions as the processor has 512, 256 or 128 bits.
"""

# ruff: noqa: ANN401 - numba and its compiler have no types
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

# What the widest vectors hold of float32; kernels keep several sums at once, so that an addition need not wait for one.
LANES = 16

# numba's own type tells that the function takes its typing context, which a call leaves out.
_intrinsic: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic


class LanesType(types.Type):
    """`LANES` numbers of one kind in the compiler's registers."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


@register_model(LanesType)
class LanesModel(models.PrimitiveModel):
    """How the compiler holds them: as one vector."""

    def __init__(self, manager: Any, kind: LanesType) -> None:
        vector = ir.VectorType(manager[kind.dtype].get_value_type(), LANES)
        super().__init__(manager, kind, vector)  # type: ignore[no-untyped-call]


@_intrinsic
def fused(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """Give a * b + c, rounded once; all three float32, or float64."""
    if a != b or a != c or not isinstance(a, types.Float):
        return None

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.fma(*values)

    return a(a, b, c), generate


@_intrinsic
def fused_lanes(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """Give a * b + c of each lane, rounded once."""
    if a != b or a != c or not isinstance(a, LanesType):
        return None

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        vector = values[0].type
        name = f"llvm.fma.v{LANES}f{64 if vector.element == ir.DoubleType() else 32}"
        kind = ir.FunctionType(vector, [vector] * 3)
        function = cgutils.get_or_insert_function(builder.module, kind, name)  # type: ignore[no-untyped-call]
        return builder.call(function, values)

    return a(a, a, a), generate


@_intrinsic
def no_lanes(typing_context: Any, like: Any) -> Any:
    """Give zeros in all lanes, of the kind of the elements of `like`, an array."""
    if not isinstance(like, types.Array):
        return None
    kind = LanesType(like.dtype)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return ir.Constant(context.get_value_type(kind), None)

    return kind(like), generate


@_intrinsic
def added_lanes(typing_context: Any, a: Any, b: Any) -> Any:
    """Give a + b of each lane."""
    if a != b or not isinstance(a, LanesType):
        return None

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.fadd(*values)

    return a(a, b), generate


@_intrinsic
def lanes_of(typing_context: Any, array: Any, row: Any, start: Any) -> Any:
    """Read elements (row, start), (row, start + 1), ... of a contiguous array (n, m); nothing is checked."""
    rows = isinstance(array, types.Array) and array.ndim == 2 and array.layout == "C"
    if not rows or not isinstance(row, types.Integer) or not isinstance(start, types.Integer):
        return None
    kind = LanesType(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        held = context.make_array(array)(context, builder, values[0])
        width = builder.extract_value(held.shape, 1)
        line, first = (builder.sext(value, width.type) for value in values[1:])
        place = builder.add(builder.mul(line, width), first)
        pointer = builder.bitcast(builder.gep(held.data, [place]), context.get_value_type(kind).as_pointer())
        return builder.load(pointer, align=array.dtype.bitwidth // 8)

    return kind(array, row, start), generate


@_intrinsic
def sum_of_lanes(typing_context: Any, lanes: Any) -> Any:
    """Add the lanes in pairs: first i and i + LANES / 2, then i and i + LANES / 4, ..."""
    if not isinstance(lanes, LanesType):
        return None

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        vector, count = values[0], LANES
        while count > 1:
            count //= 2
            low, high = (
                builder.shuffle_vector(
                    vector, vector, ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(first, first + count)))
                )
                for first in (0, count)
            )
            vector = builder.fadd(low, high)
        return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    return lanes.dtype(lanes), generate
