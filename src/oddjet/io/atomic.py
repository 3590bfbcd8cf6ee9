"""Writing a file so that it is either whole or not there, and saying why a disk does not take it.

Nothing here can change what a file holds, so an edit reruns nothing (`oddjet.provenance.reach`).
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from oddjet.errors import DISK_ERRORS, DiskError, chain

# What this process is writing.
_TEMPORARIES: set[Path] = set()
NOT_SUPPORTED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say of a block that writes a file why the disk does not take it; raises `DiskError`, whatever library wrote."""
    try:
        yield
    except Exception as error:
        reason = disk_refusal(path, error)
        if reason is None:
            raise
        raise DiskError(reason) from error


def disk_refusal(path: Path, error: BaseException) -> str | None:
    """Say why a disk does not take a file.

    Parameters
    ----------
    path
        The file that is being written, or the folder of files without a name.
    error
        What was raised: an `OSError`, or an exception of a library that one lies behind.

    Returns
    -------
    str or None
        One line with the way out; None where the trouble is another.
    """
    refused = next((one for one in chain(error) if isinstance(one, OSError) and one.errno in DISK_ERRORS), None)
    if refused is not None and refused.errno != errno.EROFS:
        if refused.errno == errno.EFBIG:
            return (
                f"{path}: larger than a file may be here (ulimit -f, or the file system). Raise it, or write elsewhere."
            )
        words = "over the disk's quota" if refused.errno == errno.EDQUOT else f"disk full{_left(path)}"
        return f"{path}: {words}. Make room and run again; nothing half-written stays."
    if refused is None and isinstance(error, OSError) and error.filename is not None:
        # Trouble with another file has another cause.
        named = Path(os.fsdecode(error.filename))
        refused = error if named == path or named in path.parents or named.parent == path.parent else None
    if refused is None:
        return None
    return f"{path}: cannot be written ({refused.strerror}). Make its folder writable, or write to another one."


def _left(path: Path) -> str:
    try:
        return f": {shutil.disk_usage(path if path.is_dir() else path.parent).free / 1e6:.0f} MB left"
    except OSError:
        return ""


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

    Raises
    ------
    DiskError
        The disk is full, over its quota or read-only, or the folder takes no file; nothing half-written stays.
    """
    with writing(path):
        temporary = temporary_of(path)
        try:
            yield temporary
            sync(temporary)
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            discard(temporary)


def temporary_of(path: Path) -> Path:
    """Return where to write what becomes `path`; folders above are made, what killed writers left of it is removed.

    The name says which process writes, and on which machine: whether one of another machine lives cannot be told here.

    Raises
    ------
    DiskError
        A device or pipe would be replaced by a file, root's /dev/null for one; or this process writes that file
        already, so that two outputs have one name.
    """
    folder = os.path.realpath(path.parent)
    is_other = path.exists() and not (path.is_file() or path.is_dir())
    if is_other or folder == "/dev" or folder.startswith("/proc/"):
        raise DiskError(f"{path}: is no file (a device or a pipe), and would be replaced by one. Name a file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    start = f".tmp-{_machine()}-"
    written = re.compile(re.escape(start) + r"(\d+)-" + re.escape(path.name))
    with suppress(OSError):  # no trouble of the file that is written
        for other in path.parent.iterdir():
            writer = written.fullmatch(other.name)
            if writer and not _lives(int(writer[1])):
                other.unlink(missing_ok=True)
    temporary = path.with_name(f"{start}{os.getpid()}-{path.name}")
    if any(other.name == temporary.name and os.path.realpath(other.parent) == folder for other in _TEMPORARIES):
        raise DiskError(f"{path}: is named for two outputs, of which one is being written. Name another file.")
    _TEMPORARIES.add(temporary)
    return temporary


def refuse_own_input(output: Path, inputs: Iterable[str | Path]) -> None:
    """Raise `DiskError` where a file would be written over one that it is made from, by whatever name."""
    same = next((one for one in inputs if output.exists() and Path(one).exists() and output.samefile(one)), None)
    if same is not None:
        raise DiskError(f"{output}: would be written over {same}, which it is made from. Name another file.")


def discard(temporary: Path) -> None:
    """Remove what `temporary_of` gave, if it is still there."""
    temporary.unlink(missing_ok=True)
    _TEMPORARIES.discard(temporary)


def remove_temporaries() -> None:
    """Remove all that this process is writing, because it ends here."""
    for temporary in tuple(_TEMPORARIES):
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@cache
def _machine() -> str:
    """Name what numbers processes: the machine, and the container if there is one."""
    processes = ""
    with suppress(OSError):
        processes = str(Path("/proc/self/ns/pid").readlink())
    return hashlib.sha256(f"{socket.gethostname()} {processes}".encode()).hexdigest()[:8]


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


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
