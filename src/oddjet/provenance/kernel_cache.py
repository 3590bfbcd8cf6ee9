"""The folder where the code of compiled kernels is kept.

numba by itself keeps code beside the source, and compiles a function again when its own file changes, not when a
function of another file does that was compiled into it. Here the folder is named by a digest of all files that kernels
are made of, by the versions of the compiler and by the processor: what lies there is never old, is shared by all copies
of the repository that have the same kernels, and need never be deleted while something runs. Each piece of code has a
file of its own, named by what it was compiled for and put there whole, so that processes may write at the same time.

What is loaded is what would be compiled: an edit here reruns nothing (`oddjet.provenance.reach`).
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import logging
import os
import pickle
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO, Any

import llvmlite
import numba
from llvmlite.binding import get_host_cpu_name
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.serialize import dumps

from oddjet.provenance.digest import PACKAGE, PACKAGE_FOLDER, modules_digest
from oddjet.provenance.environment import COMPILING

LOGGER = logging.getLogger("oddjet")
# What numba reads from the environment; it gives no types for it.
CONFIG: Any = numba.config
# Seconds that a process waits for another one that compiles the same kernel: many times as long as that takes.
LONGEST_WAIT = 120.0


@cache
def kernel_folder() -> Path:
    """Return the folder of the compiled code, made if need be.

    It lies below `NUMBA_CACHE_DIR` where that is set, otherwise below the user's cache folder (`XDG_CACHE_HOME`,
    `~/.cache`); where neither can be written it is a temporary one, which goes when the process ends, and says so.
    """
    # An edit of this file changes no kernel, but how one is kept.
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    # A program that is started by hand has these as the shell says.
    how = [f"{name}={os.environ[name]}" for name in COMPILING if name in os.environ]
    versions = (numba.__version__, llvmlite.__version__, platform.python_version())
    text = "\n".join((modules_digest(kernel_modules()), own, *versions, *how))
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
    """Name the modules of the package that have kernels."""
    # The encoding by name: in a locale of ASCII a file with any other letter could not be read.
    files = [
        path
        for path in sorted(PACKAGE_FOLDER.rglob("*.py"))
        if "from oddjet.kernels import" in path.read_text(encoding="utf-8")
    ]
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


class KernelCache(FunctionCache):
    """The code of one function, as a dispatcher of numba asks for it.

    Processes that start together need the same kernels: one of them compiles a kernel, the others wait and load it. A
    kernel waits only for those that it calls, so that nobody waits in a circle.
    """

    _impl_class = _KernelCacheImplementation

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._cache_file: Any = _KernelFiles(kernel_folder(), self._impl.filename_base)
        self._lock: IO[bytes] | None = None

    def load_overload(self, sig: Any, target_context: Any) -> Any:  # noqa: ANN401  as the base class has it
        """Return the code for a signature; None where this process is the one that compiles it, until `release`."""
        found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        if found is None and self._lock is None:
            self._lock = _locked(kernel_folder() / f"{self._impl.filename_base}.lock")
            found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        return found

    def release(self) -> None:
        """Let other processes load the code, or compile it if this one could not."""
        lock, self._lock = self._lock, None
        if lock is not None:
            Path(lock.name).unlink(missing_ok=True)
            lock.close()


def _locked(path: Path) -> IO[bytes] | None:
    """Open a file and lock it, once no other process has it; None where that cannot be had: then both compile."""
    end = time.monotonic() + LONGEST_WAIT
    try:
        file = path.open("ab")
        while time.monotonic() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            else:
                return file
        file.close()
    except OSError:
        pass  # a file system without locks, or one that cannot be written
    return None
