"""Opening and closing HDF5 files: without locks, with checksums, without the crash that a full disk is for the library.

Some network file systems refuse HDF5's locks, and every file here has one writer and is renamed when it is whole. The
environment variable of HDF5 for that is read when the library is loaded, which is too early for us.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import h5py

from oddjet.errors import DiskError

# More than HDF5 holds back in its caches.
SPARE_BYTES = 16_000_000
# Files that could not be closed.
_LOST: list[object] = []


def open_hdf5(path: Path, mode: Literal["r", "r+", "w"] = "r") -> h5py.File:
    """Open an HDF5 file without a lock; raises what h5py does, `OSError` above all.

    What is written has the format of HDF5 1.10, whose structures have checksums.
    """
    return h5py.File(path, mode, locking=False, libver=("v110", "v110") if mode == "w" else None)


def write_attributes(file: h5py.File, attributes: Mapping[str, str]) -> None:
    """Write texts at the root of a file, each with its length: texts of any length lie in a heap without checksums."""
    for name, text in attributes.items():
        content = text.encode()
        file.attrs.create(name, content, dtype=h5py.string_dtype("utf-8", max(1, len(content))))


def attributes_of(file: h5py.File) -> dict[str, Any]:
    """Read what lies at the root of a file: texts, however they were written, and numbers."""
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in file.attrs.items()}


def require_space(path: Path, size: int) -> None:
    """Raise `DiskError` unless the disk of `path` has room for `size` more bytes.

    A write that fails inside HDF5 leaves it in a state in which closing the file ends the process with a segmentation
    fault (HDF5 2.0): so the disk is asked first. `close_hdf5` is for what comes between, and for quotas.
    """
    try:
        left = shutil.disk_usage(path.parent).free
    except OSError:
        return  # a file system that does not say; quotas, which no file system says, are not seen either way
    if left < size + SPARE_BYTES:
        raise DiskError(
            f"{path}: disk full: {left / 1e6:.0f} MB left, {(size + SPARE_BYTES) / 1e6:.0f} MB needed. "
            "Make room and run again; nothing half-written stays."
        )


def close_hdf5(file: h5py.File, datasets: Sequence[h5py.Dataset] = ()) -> None:
    """Close a file; raises `OSError` if the disk does not take the rest.

    HDF5 tries again to write it when the process ends, and then ends that by a segmentation fault, whatever its status
    was to be. So after an error the process ends with status 1 before HDF5 does; until then what is open of the file is
    kept.
    """
    if any(file is lost for lost in _LOST):
        return
    try:
        file.close()
    except (OSError, RuntimeError):
        if not _LOST:
            atexit.register(_end)
        # Not to be closed again by the garbage collector.
        _LOST.extend((file, *datasets))
        raise


@contextmanager
def new_hdf5(path: Path) -> Iterator[h5py.File]:
    """Make a file and close it behind the block; raises what `close_hdf5` does."""
    file = open_hdf5(path, "w")
    try:
        yield file
    finally:
        close_hdf5(file)


def _end() -> None:
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
