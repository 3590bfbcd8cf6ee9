"""The definitions of all files of the package, and digests of them, kept between processes: each job needs some.

They lie beside the byte code that Python keeps, in `__pycache__`, by the content of each file, so they are never old.
Where the folder cannot be written, every process parses all files.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from oddjet.errors import DigestError
from oddjet.provenance import definitions, syntax
from oddjet.provenance.definitions import Contents, Definition, Imported, read_definitions

NAME = f"definitions.{sys.implementation.cache_tag}.json"
DIGESTS = f"digests.{sys.implementation.cache_tag}.json"


@cache
def read_contents(path: Path, package: Path, scripts: Path) -> Contents:
    """Read the definitions of a file; those of the package's folder and of the scripts' are kept.

    Raises
    ------
    DigestError
        The file does not parse.
    """
    program = path.parent == scripts
    if program or path.is_relative_to(package):
        kept = kept_definitions(package, scripts).get(_name(path, package))
        if kept is not None:
            return _from_lists(kept)
    return read_definitions(path.read_bytes(), str(path), program=program)


@cache
def kept_definitions(package: Path, scripts: Path) -> dict[str, Any]:
    """Return the definitions of all files as lists, by file; files that do not parse are left out."""
    store = package / "__pycache__" / NAME
    # Another reader may see other definitions in the same file.
    reader = hashlib.sha256(
        b"".join(Path(str(part.__file__)).read_bytes() for part in (definitions, syntax))
    ).hexdigest()
    before: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        text = json.loads(store.read_bytes())
        before = text["files"] if text["reader"] == reader else {}
    after: dict[str, Any] = {}
    for path, text in _texts(package, scripts):
        name, digest = _name(path, package), hashlib.sha256(text).hexdigest()
        if before.get(name, [""])[0] == digest:
            after[name] = before[name]
            continue
        with contextlib.suppress(DigestError):
            after[name] = [digest, read_definitions(text, str(path), program=path.parent == scripts)]
    if after != before:
        _write(store, json.dumps({"reader": reader, "files": after}))
    return {name: contents for name, (_, contents) in after.items()}


def kept_digest(package: Path, scripts: Path, key: str, digest_of: Callable[[], str]) -> str:
    """Return a digest that follows from the files of the package and the scripts alone, made by one process for all."""
    files, kept = kept_digests(package, scripts)
    if key not in kept:
        kept[key] = digest_of()
        _write(package / "__pycache__" / DIGESTS, json.dumps({"files": files, "digests": kept}))
    return kept[key]


@cache
def kept_digests(package: Path, scripts: Path) -> tuple[str, dict[str, str]]:
    """Return a digest of the names and bytes of all files, and what was digested of just these, by key."""
    total = hashlib.sha256()
    for path, text in sorted(_texts(package, scripts)):
        total.update(f"{_name(path, package)}\0{len(text)}\0".encode() + text)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        before = json.loads((package / "__pycache__" / DIGESTS).read_bytes())
        if before["files"] == total.hexdigest():
            return before["files"], dict(before["digests"])
    return total.hexdigest(), {}


def _texts(package: Path, scripts: Path) -> Iterator[tuple[Path, bytes]]:
    for path in (*package.rglob("*.py"), *scripts.glob("*.py")):
        yield path, path.read_bytes()


def _name(path: Path, package: Path) -> str:
    # The folder of a clone may be moved.
    folder = _relative(path.parent, package)
    return path.name if folder == os.curdir else f"{folder}/{path.name}"


@cache
def _relative(folder: Path, package: Path) -> str:
    # Of few folders, and slow: asked for every file, it was a third of what a start with kernels spends here.
    return os.path.relpath(folder, package)


def _write(store: Path, text: str) -> None:
    temporary = store.with_name(f"{store.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        store.parent.mkdir(exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        try:
            temporary.replace(store)
        finally:
            temporary.unlink(missing_ok=True)


def _from_lists(kept: Any) -> Contents:  # noqa: ANN401 - what JSON gives
    parts, whole, unbounded = kept
    return Contents(tuple(_definition(*part) for part in parts), whole, unbounded)


def _definition(names: Any, digest: str, uses: Any, calls: Any, imports: Any, runs: bool) -> Definition:  # noqa: ANN401
    return Definition(tuple(names), digest, tuple(uses), tuple(calls), tuple(Imported(*one) for one in imports), runs)
