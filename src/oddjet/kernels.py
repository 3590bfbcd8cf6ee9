"""Compiled kernels: one decorator for all of them, and the folder where their code is kept.

numba by itself keeps code beside the source, and compiles a function again when its own file changes, not when a
function of another file does that was compiled into it. Here the folder is named by a digest of all files that kernels
are made of, by the versions of the compiler and by the processor: what lies there is never old, is shared by all copies
of the repository that have the same kernels, and need never be deleted while something runs. Each piece of code has a
file of its own, named by what it was compiled for and put there whole, so that processes may write at the same time.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import pickle
import platform
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite
import numba
from llvmlite.binding import get_host_cpu_name
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.serialize import dumps

from oddjet.provenance.digest import PACKAGE, PACKAGE_FOLDER, modules_digest

LOGGER = logging.getLogger("oddjet")
# What numba reads from the environment; it gives no types for it.
CONFIG: Any = numba.config
Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(fastmath: bool | set[str] = False) -> Callable[[Function], Function]:
    """Give a decorator that compiles a function at its first call, or loads what was compiled before.

    Parameters
    ----------
    fastmath
        Freedom of the compiler, as of `numba.njit`: none that reorders a sum or fuses a product; see `oddjet.lanes`.
    """

    def decorate(function: Function) -> Function:
        dispatcher: Any = numba.njit(nogil=True, error_model="numpy", fastmath=fastmath)(function)
        if not CONFIG.DISABLE_JIT:
            # What `cache=True` does, with a folder of our own.
            dispatcher._cache = _KernelCache(function)
        return cast(Function, dispatcher)

    return decorate


kernel = compiled()
"""A kernel that releases the interpreter's lock; division by zero gives infinity or NaN."""


@cache
def kernel_folder() -> Path:
    """Give the folder of the compiled code, made if need be.

    It lies below `NUMBA_CACHE_DIR` where that is set, otherwise below the user's cache folder (`XDG_CACHE_HOME`,
    `~/.cache`); where neither can be written it is a temporary one, which goes when the process ends, and says so.
    """
    text = "\n".join(
        (modules_digest(kernel_modules()), numba.__version__, llvmlite.__version__, platform.python_version())
    )
    name = f"{hashlib.sha256(text.encode()).hexdigest()[:16]}-{CONFIG.CPU_NAME or get_host_cpu_name()}"
    above = CONFIG.CACHE_DIR or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    folder = Path(above, "oddjet", "kernels", name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        temporary = Path(tempfile.mkdtemp(prefix="oddjet-kernels-"))
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        LOGGER.warning(
            "%s: %s; kernels are compiled for this job alone (seconds). Set NUMBA_CACHE_DIR to a folder that can be"
            " written.",
            folder,
            error.strerror or error,
        )
        return temporary
    return folder


def kernel_modules() -> list[str]:
    """Name the modules of the package that import this one: those that have kernels."""
    files = [path for path in sorted(PACKAGE_FOLDER.rglob("*.py")) if f"from {__name__} import" in path.read_text()]
    return [".".join((PACKAGE, *path.relative_to(PACKAGE_FOLDER).with_suffix("").parts)) for path in files]


class _KernelLocator:
    """Where the code of one function lies, as numba asks for it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._module = function.__module__
        self._py_file = function.__code__.co_filename

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> _KernelLocator:
        return cls(function)

    def ensure_cache_path(self) -> None:
        """Nothing: `kernel_folder` has made it."""

    def get_cache_path(self) -> str:
        return str(kernel_folder())

    def get_source_stamp(self) -> str:
        return ""  # the folder's name tells

    def get_disambiguator(self) -> str:
        return self._module


class _KernelCacheImplementation(CompileResultCacheImpl):
    def __init__(self, function: Callable[..., Any]) -> None:
        self._locator_classes = [_KernelLocator]  # type: ignore[list-item]
        super().__init__(function)  # type: ignore[no-untyped-call]


class _KernelFiles:
    """Code of one function, a file for each signature and processor; what cannot be read or written is no error."""

    def __init__(self, folder: Path, base: str) -> None:
        self._folder = folder
        self._base = base

    def _path(self, key: object) -> Path:
        # Signature, processor with its features, and byte code.
        return self._folder / f"{self._base}.{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}.nbc"

    def load(self, key: object) -> object:
        try:
            return pickle.loads(self._path(key).read_bytes())  # noqa: S301 - written by this class
        except (OSError, EOFError, pickle.UnpicklingError):
            return None

    def save(self, key: object, data: object) -> None:
        path = self._path(key)
        try:
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False) as file:
                file.write(dumps(data))  # type: ignore[no-untyped-call]
            Path(file.name).replace(path)
        except OSError as error:
            LOGGER.warning("%s: %s; this kernel is compiled again next time", path, error.strerror or error)

    def flush(self) -> None:
        """Nothing: there is no index."""


class _KernelCache(FunctionCache):
    _impl_class = _KernelCacheImplementation

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._cache_file: Any = _KernelFiles(kernel_folder(), self._impl.filename_base)
