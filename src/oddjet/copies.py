"""Byte copies of a file among the samples: another path and inode, and the same events."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from oddjet.addresses import is_remote

# What is read of each end of a file. The header of a ROOT file holds the time and an identifier of its making, so that
# two files that were written are never alike there.
END_BYTES = 1 << 20


def find_copies(samples: Mapping[str, Iterable[str]]) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Find files of different samples with the same content.

    Only files of one size are opened, and of those only the first and the last megabyte are read. Addresses, empty
    files and files that cannot be read are passed over.

    Parameters
    ----------
    samples
        The files of each sample by the sample's name.

    Yields
    ------
    tuple
        (sample, file) of a file and of its copy.
    """
    by_size: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for sample, files in samples.items():
        for file in files:
            if not is_remote(file) and (size := _size(file)):
                by_size[size].append((sample, file))
    for size, alike in by_size.items():
        if len({sample for sample, _ in alike}) > 1:
            yield from _same_ends(alike, size)


def _same_ends(alike: list[tuple[str, str]], size: int) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    first: dict[str, tuple[str, str]] = {}
    for sample, file in alike:
        try:
            digest = _ends(Path(file), size)
        except OSError:
            continue
        other = first.setdefault(digest, (sample, file))
        if other[0] != sample:
            yield other, (sample, file)


def _size(file: str) -> int:
    try:
        return Path(file).stat().st_size
    except (OSError, ValueError):
        return 0


def _ends(path: Path, size: int) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(END_BYTES))
        file.seek(max(size - END_BYTES, 0), os.SEEK_SET)
        digest.update(file.read(END_BYTES))
    return digest.hexdigest()
