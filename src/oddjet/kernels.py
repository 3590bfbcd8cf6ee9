"""Compiled kernels: one decorator for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

# numba reads them when it is imported. Kernels cannot run without the compiler, and use one thread: what a shell says
# of either would end every program in numba's traceback, and change no number.
for _name in ("NUMBA_DISABLE_JIT", "NUMBA_NUM_THREADS"):
    os.environ.pop(_name, None)

import numba  # noqa: E402
from numba.core import types  # noqa: E402

from oddjet.provenance.kernel_cache import KernelCache  # noqa: E402

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(fastmath: bool | set[str] = False) -> Callable[[Function], Function]:
    """Return a decorator that compiles a function at its first call, or loads what was compiled before.

    Parameters
    ----------
    fastmath
        Freedom of the compiler, as of `numba.njit`: none that reorders a sum or fuses a product; see `oddjet.lanes`.
    """

    def decorate(function: Function) -> Function:
        dispatcher: Any = numba.njit(nogil=True, error_model="numpy", fastmath=fastmath)(function)
        # What `cache=True` does, with a folder of our own.
        kept = dispatcher._cache = KernelCache(function)
        call_template, compile_for = dispatcher.get_call_template, dispatcher.compile

        def called_by_kernel(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:  # noqa: ANN401  numba's
            # To numba each number that is written in the caller is a type of its own, to compile a kernel for.
            return call_template(tuple(map(types.unliteral, arguments)), keywords)

        def compile_alone(signature: Any) -> Any:  # noqa: ANN401  numba's
            try:
                return compile_for(signature)
            finally:
                kept.release()

        dispatcher.get_call_template, dispatcher.compile = called_by_kernel, compile_alone
        return cast(Function, dispatcher)

    return decorate


kernel = compiled()
"""A kernel that releases the interpreter's lock; division by zero gives infinity or NaN."""
