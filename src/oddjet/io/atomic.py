"""Writing a file so that it is either whole or not there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NOT_SUPPORTED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path that becomes `path` when the block ends without an error.

    The temporary file lies in the same folder (a rename across file systems is a copy) and keeps the suffixes of
    `path`, since several libraries choose the format by them. It is synced before the rename, and so is the
    folder after it, where that is possible: a crash leaves the old file or the new one, never half of one.

    Parameters
    ----------
    path
        The file to write; missing folders above it are made.

    Yields
    ------
    Path
        Where to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sync(path: Path) -> None:
    """Flush a file to the disk; a file system that knows no such thing is taken at its word."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NOT_SUPPORTED:
            raise
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Flush a folder to the disk if that can be done: the file in it is whole without."""
    with suppress(OSError):
        sync(path)
