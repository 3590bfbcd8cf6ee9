"""The errors that oddjet raises on purpose: one for each room of the library, and the kinds of trouble with files.

Each message is complete for the user: what, where, which value, what to do. Programs print it without a traceback and
end with status 1.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What a disk answers that is full, over its quota, or mounted to be read alone, or that takes no file of this size.
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


class OddjetError(Exception):
    """The base of all errors whose message is meant for the user."""


class ConfigError(OddjetError):
    """The configuration, or the settings that a program is given, cannot be used."""


class SourceError(OddjetError):
    """The files of a sample cannot be found as the configuration names them."""


class ResultsError(OddjetError):
    """A folder of results, or the cluster that fills it, cannot be used."""


class DigestError(OddjetError):
    """A file of code cannot be digested."""


class AxesError(OddjetError, ValueError):
    """Signals, or what a figure shall show of them, do not fit their axes; in a configuration it is a wrong value."""


class DiskError(OddjetError):
    """A file cannot be written: the disk is full, over its quota or read-only, or the folder takes no file."""


class TableError(OddjetError):
    """A table is missing, unreadable, damaged, or lacks what is asked of it."""


class CorrectionError(OddjetError):
    """A payload of corrections cannot be used: file, name, inputs, or a value that it does not have."""


class SimulationError(OddjetError):
    """A sample cannot be generated."""


class JetError(OddjetError):
    """Jets cannot be made, matched or measured, or too few of them pass the cuts."""


class SelectionError(OddjetError):
    """A cut, a kept column or a list of luminosity blocks cannot be used on these files."""


class DatasetError(OddjetError):
    """No dataset, scaling or weights can be made from these jets."""


class ImageError(OddjetError):
    """Jet images cannot be made, found or compared."""


class EventError(OddjetError):
    """Events cannot be mixed, tabulated or scored."""


class TransportError(OddjetError):
    """No optimal transport is defined between these distributions."""


class DetectorError(OddjetError):
    """A detector cannot be built, read or used."""


class TrainingError(OddjetError):
    """A training cannot start or go on."""


class EvaluationError(OddjetError):
    """Scores, or the tables made from them, cannot be evaluated."""


class FigureError(OddjetError):
    """A figure cannot be drawn from this table."""


class InputFileError(OddjetError):
    """An input file cannot be used; the message names the file and the reason."""


class MissingFileError(InputFileError):
    """There is no such file."""


class UnreadableFileError(InputFileError):
    """The file is no ROOT file, has no known tree, lacks branches, or uses what cannot be read here."""


class DamagedFileError(InputFileError):
    """The contents are truncated, damaged, contradict each other, or are no possible values."""


class UnreachableFileError(InputFileError):
    """The file could not be asked, which says nothing about the file: never skipped."""


class TransientError(UnreachableFileError):
    """A time-out, a busy or dead server, a connection or mount that was lost: worth another try."""


class AccessError(UnreachableFileError):
    """The file or its server refuses the reader: no valid proxy, token, certificate or permission."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the name of a file before what is said of its contents, unless it is said already."""
    try:
        yield
    except OddjetError as error:
        if str(path) in str(error):
            raise
        raise type(error)(f"{path}: {error}") from error


def chain(error: BaseException) -> Iterator[BaseException]:
    """Go through an exception and those that it came from."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
