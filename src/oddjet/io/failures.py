"""The kinds of trouble with an input file, and which of them an exception of another library is.

Only what lies in the file itself may be skipped (`on_bad_file`): a server that is busy today says nothing about the
file, and a table without rows in its place would never be asked for again.
"""

from __future__ import annotations

import errno
import re
import ssl
from pathlib import Path

from oddjet.addresses import is_remote, without_scheme
from oddjet.errors import (
    AccessError,
    InputFileError,
    MissingFileError,
    OddjetError,
    SourceError,
    TransientError,
    UnreadableFileError,
    chain,
)

# How an XRootD server says that it has no such file, and that one may not read it; its client raises an OSError for
# everything.
XROOTD_NOT_FOUND = ("[3011]",)
XROOTD_NO_ACCESS = ("[3010]", "Auth failed", "No protocols left to try", "Permission denied", "not authorized")
# A chunk of a file that ends early: uproot's OSError, which is no trouble of the network.
SHORT_FILE = "expected Chunk of length"
LOCAL_PASSING = (
    errno.EIO,
    errno.ESTALE,
    errno.ETIMEDOUT,
    errno.EAGAIN,
    errno.EREMOTEIO,
    errno.ENOTCONN,
    errno.EHOSTDOWN,
)
LOCAL_NO_ACCESS = (errno.EACCES, errno.EPERM)
HTTP_MISSING = (404, 410)
HTTP_NO_ACCESS = (401, 403, 407, 451)
# The file is shorter than what is asked for: empty, or not the one that it was.
HTTP_TOO_SHORT = 416
HTTP_PASSING = (408, 425, 429)
HTTP_SERVER_ERROR = 500
MAXIMUM_LETTERS = 300
# How other files begin, in small letters, which people name .root or find where one should be.
BEGINNINGS = {
    b"<!doctype": "a web page, perhaps one to log in; fetch it again",
    b"<html": "a web page, perhaps one to log in; fetch it again",
    b"version https://git-lfs": "a pointer of git-lfs; fetch it by `git lfs pull`",
    b"\x89hdf": "HDF5",
    b"\x1f\x8b": "compressed by gzip; unpack it by gunzip",
    b"bzh": "compressed by bzip2; unpack it by bunzip2",
    b"\xfd7zxz": "compressed by xz; unpack it by unxz",
    b"(\xb5/\xfd": "compressed by zstd; unpack it by unzstd",
    b"pk\x03\x04": "a zip archive; unpack it",
    b"par1": "Parquet",
}
# uproot takes what fsspec returns for a failed range of bytes, the exception, for the bytes.
EXCEPTION_AS_BYTES = re.compile(r"'\w*(Error|Timeout|Exception)\w*' object|not '?\w*Error")


def is_address(path: str) -> bool:
    """Tell whether a path is an address on a network; `file://` is not."""
    return "://" in path and not path.lower().startswith("file:")


def what_it_is(path: str) -> str:
    """Say what a file of this machine is by its first bytes, and what to do; nothing of others."""
    if is_remote(path):
        return ""
    try:
        with Path(without_scheme(path)).open("rb") as file:
            start = file.read(64).lstrip().lower()
    except OSError:
        return ""
    if not start:
        return ", it is empty; fetch it again"
    return next((f", it is {words}" for mark, words in BEGINNINGS.items() if start.startswith(mark)), "")


def one_line(error: BaseException) -> str:
    """Give the class and the message of an exception, on one line of bounded length."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:MAXIMUM_LETTERS]}"


def failure_of(path: str, error: BaseException, what: str, in_file: type[InputFileError]) -> OddjetError:
    """Tell which kind of trouble an exception of uproot and of what lies below it is.

    Parameters
    ----------
    path : str
        The file.
    error : BaseException
        What was raised.
    what : str
        What is wrong if the trouble lies in the file, after its name: "not a readable ROOT file".
    in_file : type of InputFileError
        The kind if it does.
    """
    if isinstance(error, OddjetError):
        return error
    if isinstance(error, ImportError):
        if not is_address(path):
            return UnreadableFileError(f"{path}: a package that reads it is missing ({one_line(error)})")
        return SourceError(
            f"{path}: a package for this kind of address is missing ({one_line(error)}); pip install 'oddjet[remote]'"
        )
    kind = _remote_kind(error, in_file) if is_address(path) else _local_kind(error, in_file)
    say = {
        MissingFileError: "no such file",
        TransientError: "cannot be reached now",
        AccessError: _refusal(error),
    }.get(kind, what)
    return kind(f"{path}: {say} ({_innermost(error)})")


def _innermost(error: BaseException) -> str:
    """Describe the exception that says most: fsspec turns every answer of a server into "file not found"."""
    status = _status(error)
    if status is not None:
        message = next((one.message for one in chain(error) if hasattr(one, "message")), "")
        return f"the server answers {status} {' '.join(str(message).split())[:MAXIMUM_LETTERS]}".strip()
    return one_line(error)


def _status(error: BaseException) -> int | None:
    """Give the status that a server answers; an answer that is no HTTP gets one from aiohttp, which is none."""
    causes = list(chain(error))
    if any(type(one).__module__ == "aiohttp.http_exceptions" for one in causes):
        return None
    return next((one.status for one in causes if getattr(one, "status", None)), None)  # type: ignore[attr-defined]


def _refusal(error: BaseException) -> str:
    """Say what to do about a refusal."""
    status = _status(error)
    if any(type(one).__name__ == "TooManyRedirects" for one in chain(error)):
        return "is redirected in a circle; look at the address in a browser, perhaps to log in"
    if status is None or status in HTTP_NO_ACCESS:
        return "may not be read; renew the proxy or token, or ask for the permission"
    return "is refused by the server; look at the address"


def _remote_kind(error: BaseException, in_file: type[InputFileError]) -> type[InputFileError]:
    causes = list(chain(error))
    status = _status(error)
    if any(type(one).__name__ == "TooManyRedirects" for one in causes):
        return AccessError
    text = " ".join(str(one) for one in causes)
    if status is not None:
        if status in HTTP_MISSING:
            return MissingFileError
        if status == HTTP_TOO_SHORT:
            return in_file
        return TransientError if status in HTTP_PASSING or status >= HTTP_SERVER_ERROR else AccessError
    if any(mark in text for mark in XROOTD_NOT_FOUND):
        return MissingFileError
    if any(mark in text for mark in XROOTD_NO_ACCESS) or any(isinstance(one, ssl.SSLError) for one in causes):
        return AccessError
    if SHORT_FILE in text:
        return in_file
    network = any(isinstance(one, OSError | TimeoutError) and not isinstance(one, FileNotFoundError) for one in causes)
    if EXCEPTION_AS_BYTES.search(text):
        return TransientError
    if network or any(type(one).__module__.split(".")[0] in ("aiohttp", "fsspec") for one in causes):
        return TransientError
    return MissingFileError if isinstance(error, FileNotFoundError) else in_file


def _local_kind(error: BaseException, in_file: type[InputFileError]) -> type[InputFileError]:
    if isinstance(error, FileNotFoundError):
        return MissingFileError
    number = error.errno if isinstance(error, OSError) else None
    if number in LOCAL_NO_ACCESS:
        return AccessError
    return TransientError if number in LOCAL_PASSING else in_file
