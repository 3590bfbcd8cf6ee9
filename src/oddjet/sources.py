"""The ROOT files behind a sample: paths, globs, folders, addresses, lists of these, and a stable name for each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from oddjet.errors import OddjetError

ADDRESS = re.compile(r"[a-z]+://")


class SourceError(OddjetError):
    """A file, glob, folder or list of a sample names nothing, or the same file twice."""


def is_remote(source: str) -> bool:
    """Tell an address (`root://`, `https://`) from a path of this machine."""
    return ADDRESS.match(source) is not None


def part_files(sources: Sequence[str]) -> dict[str, str]:
    """Resolve the sources of a sample.

    Parameters
    ----------
    sources
        Each a path, a glob, a folder (all `*.root` below it), an address, or a `.txt` file with one of these a line
        (empty lines and lines that start with `#` are passed over).

    Returns
    -------
    dict of str
        Part name to path or address. The name depends on the path alone, so that a file put in front of the list does
        not rename the others.

    Raises
    ------
    SourceError
        A source names no file, a file stands in the list twice, or has braces in its path.
    """
    parts: dict[str, str] = {}
    for source in sources:
        for path in _resolve(source):
            if set(path) & set("{}"):
                raise SourceError(
                    f"files: {path}: Snakemake takes braces for wildcards. Rename the file, or link it by another name."
                )
            name = part_name(path)
            if name in parts:
                raise SourceError(f"files: {path} is listed twice. Its events would count twice; name it once.")
            parts[name] = path
    return parts


def part_name(path: str) -> str:
    """Name a part after its file: the stem, made harmless, and 8 digits of a digest of the whole path."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(path).stem).strip("-")[:60] or "file"
    return f"{stem}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


def _resolve(source: str) -> Iterator[str]:
    path = Path(source)
    if is_remote(source):
        yield source
    elif path.suffix == ".txt":
        if not path.is_file():
            raise SourceError(f"files: {source} is no such list. Give the path of a text file with one file a line.")
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield from _resolve(line.strip())
    elif path.is_dir():
        yield from _non_empty(source, path.rglob("*.root"), "the folder holds no *.root file")
    elif path.is_file():
        yield source
    elif any(letter in source for letter in "*?["):
        anchor = Path(path.anchor) if path.is_absolute() else Path()
        pattern = str(path.relative_to(path.anchor)) if path.is_absolute() else source
        yield from _non_empty(source, anchor.glob(pattern), "the glob matches no file")
    else:
        raise SourceError(f"files: {source}: no such file or folder. Paths are taken from the folder of the Snakefile.")


def _non_empty(source: str, found: Iterator[Path], reason: str) -> list[str]:
    paths = sorted(str(path) for path in found if path.is_file())
    if not paths:
        raise SourceError(f"files: {source}: {reason}.")
    return paths
