"""The files behind a sample: paths, globs, folders, addresses, lists of these, and a stable name for each.

What counts is written down in docs/files.md; what a folder or glob leaves out is told.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from glob import glob
from itertools import pairwise
from pathlib import Path
from unicodedata import category
from urllib.parse import urlsplit

from oddjet.addresses import NOT_READ, expanded, find_copies, identity, is_read, is_remote, without_scheme
from oddjet.errors import SourceError

LISTS = (".txt", ".list", ".lst")
ROOT_FILES = (".root",)
NEARLY = re.compile(r"\.root(?:[.~]|$)(?!log|txt|json|md5|sha|ya?ml)", re.IGNORECASE)
# Folders in which batch systems keep what did not end well.
FAILED = ("failed",)
MAGIC = re.compile(r"[*?\[]")
DATASET = re.compile(r"/[^/\s]+/[^/\s]+/[A-Z][A-Z0-9-]*")
ONE_SLASH = re.compile(r"(?:root|roots|xroot|xroots|https?):/(?!/)")
# Files that `{0..99}` stands for; more is a mistake.
MOST_NUMBERS = 100_000
# Lists in lists; more is a mistake.
DEEPEST_LIST = 20


@dataclass
class Found:
    """What the sources of a sample stand for."""

    parts: dict[str, str] = field(default_factory=dict)
    """Part name to path or address."""
    left_out: list[str] = field(default_factory=list)
    """A line for each thing that a folder or glob has and that is no part."""
    gone: frozenset[str] = frozenset()
    """Files that are no longer there; their tables stand for them."""


def part_files(sources: Sequence[str]) -> dict[str, str]:
    """Give the files of one sample alone, path or address by the name of the part; see `find_files`."""
    return find_files(sources).parts


def find_files(sources: Sequence[str], suffixes: Sequence[str] = ROOT_FILES, gone: Sequence[str] = ()) -> Found:
    """Resolve the sources of a sample.

    Parameters
    ----------
    sources
        Each a path, a glob, a folder (all files below it that end in one of `suffixes`), an address, or a list: a text
        file (`.txt`, `.list`, `.lst`) with one of these a line. `~`, `$NAME` and `{a,b}` are expanded.
    suffixes
        How the sample's files end.
    gone
        Files that are no longer there and count nevertheless, where a source stands for them: their tables are kept.

    Returns
    -------
    Found
        Part names depend on the path alone, so that a file put in front of the list does not rename the others.

    Raises
    ------
    SourceError
        A source names no file, names a file of another kind, or names one that another source names too (by any
        spelling or link); or a path has braces.
    """
    found = Found()
    search = _Search(tuple(suffixes), found.left_out, tuple(gone))
    seen: dict[str, str] = {}
    for source in sources:
        try:
            paths = list(search.files(source))
        except OSError as error:
            raise SourceError(f"files: {source}: {error}.") from error
        for path in paths:
            _check_name(path)
            same = seen.setdefault(identity(path), path)
            name = part_name(path)
            if name in found.parts:
                other = "" if same == path else f", as {same} too"
                raise SourceError(f"files: {path} is listed twice{other}. Its events would count twice; name it once.")
            if same != path:
                raise SourceError(
                    f"files: {same} and {path} are one file, so it is listed twice. Its events would count twice; "
                    "name it once."
                )
            found.parts[name] = path
    return found


def refuse_shared(samples: Mapping[str, Sequence[str]]) -> None:
    """Refuse a file that two samples have, by whatever spelling or link, or as a copy, and a copy within one.

    Parameters
    ----------
    samples
        The files of each sample by the sample's name, as the messages give it.

    Raises
    ------
    SourceError
        Names the file and both samples: one that is background and signal would be tested on what it trained.
    """
    owners: dict[str, tuple[str, str]] = {}
    for sample, files in samples.items():
        for file in files:
            other, spelling = owners.setdefault(identity(file), (sample, file))
            if other != sample:
                also = "" if spelling == file else f" (there: {spelling})"
                raise SourceError(
                    f"{sample}.files: {file} is also a file of {other}{also}. A model must not "
                    "be tested on what it trained on, and no jet counts twice. Take it out of one of them."
                )
    for (sample, file), (other, copy) in find_copies(samples):
        if sample == other:
            raise SourceError(
                f"{sample}.files: {copy} is a copy of {file}. Its events would count twice; take one out."
            )
        raise SourceError(
            f"{other}.files: {copy} is a copy of {file}, a file of {sample}. A model must not be tested on what it "
            "trained on, and no jet counts twice. Take it out of one of them."
        )


def stands_for(source: str, file: str) -> bool:
    """Tell whether a folder or glob would give a file that is no longer there."""
    pattern = os.path.normpath(source)
    # `**/` stands for no folder as well.
    return file.startswith(f"{pattern}/") or fnmatch(file, pattern.replace("**/", "*"))


def part_name(path: str) -> str:
    """Name a part after its file: the stem, made harmless, and 8 digits of a digest of the whole path."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(path).stem).strip("-")[:60] or "file"
    return f"{stem}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"


@dataclass
class _Search:
    """The search for the files of one sample."""

    suffixes: tuple[str, ...]
    left_out: list[str]
    gone: tuple[str, ...] = ()

    def files(self, source: str, lists: tuple[Path, ...] = (), written: str | None = None) -> Iterator[str]:
        """Give the files behind a source; `lists` are those that it stands in, `written` is it before expansion."""
        source = without_scheme(source)
        if not source.strip():
            raise SourceError("files: an entry is empty. Name a file, or take it out; the folder of the run is '.'.")
        if is_remote(source):
            yield from (_address(one) for one in _expand(source))
        elif Path(source).is_file():
            source = source.rstrip("/")
            yield from self._read_list(source, lists) if _is_list(source) else [self._of_kind(source)]
        elif Path(source).is_dir():
            yield from self._non_empty(
                source, self._walk(Path(source)), f"the folder holds no *{self.suffixes[0]} file"
            )
        elif written is None and (several := _expand(source)) != [source]:
            for one in several:
                yield from self.files(one, lists, written=source)
        elif MAGIC.search(source):
            yield from self._non_empty(source, self._glob(source, lists), "the glob matches no file")
        elif gone := [file for file in self.gone if file == source or file.startswith(f"{source.rstrip('/')}/")]:
            yield from gone
        elif _is_list(source):
            raise SourceError(f"files: {source} is no such list. Give the path of a text file with one file a line.")
        else:
            told = source if written in (None, source) else f"{source} (of {written})"
            raise SourceError(f"files: {told}: {_missing(source)}")

    def _non_empty(self, source: str, found: Iterator[str], reason: str) -> list[str]:
        before = len(self.left_out)
        paths = list(found)
        missing = [file for file in self.gone if stands_for(source, file)]
        if missing:
            paths = sorted({*paths, *missing})
        if not paths:
            without = "; ".join(["", *self.left_out[before:][:3]])
            inside = _inside(source)
            meant = f" One file a line or entry, and nothing else: write {inside}." if inside else ""
            raise SourceError(f"files: {source}: {reason} (looked for in {Path.cwd()}{without}).{meant}")
        return paths

    def _of_kind(self, path: str) -> str:
        """Refuse a file of another kind by its ending; one without an ending is left to whoever reads it."""
        ending = Path(path).suffix
        # Versions of a file: x.root.2
        if ending and not ending[1:].isdigit() and ending not in self.suffixes:
            raise SourceError(
                f"files: {path} does not end in {' or '.join(self.suffixes)}. Name data files here, or a list of them "
                f"that ends in {', '.join(LISTS)}."
            )
        return path

    def _walk(self, folder: Path) -> Iterator[str]:
        """Give the files below a folder, sorted; links are followed; what is hidden, broken or failed is left out."""
        visited = set()
        paths = []
        for place, folders, files in os.walk(folder, followlinks=True, onerror=self._unreadable):
            real = os.path.realpath(place)
            if real in visited:
                self.left_out.append(f"{place}: left out, the folder behind this link is read already")
                folders.clear()
                continue
            visited.add(real)
            for name in sorted(folders):
                if name.startswith(".") or name in FAILED:
                    self.left_out.append(
                        f"{place}/{name}: left out, {'hidden' if name.startswith('.') else 'of failed jobs'}"
                    )
                    folders.remove(name)
            folders.sort()
            for path in (Path(place, name) for name in files if Path(name).suffix in self.suffixes):
                if path.name.startswith("."):
                    self.left_out.append(f"{path}: left out, hidden")
                elif not path.is_file():
                    self.left_out.append(f"{path}: left out, {_no_file(path)}")
                else:
                    paths.append(str(path))
            self._tell_nearly(place, files)
        yield from sorted(paths)

    def _tell_nearly(self, place: str, names: Sequence[str]) -> None:
        """Tell of files in a folder that nearly end as they must: x.ROOT, x.root.1, x.root.part."""
        nearly = sorted(name for name in names if NEARLY.search(name) and Path(name).suffix not in self.suffixes)
        if nearly and ROOT_FILES[0] in self.suffixes:
            more = f" and {len(nearly) - 1} more" if len(nearly) > 1 else ""
            self.left_out.append(f"{place}/{nearly[0]}{more}: left out, not named *.root; rename it if it is data")

    def _unreadable(self, error: OSError) -> None:
        self.left_out.append(f"{error.filename}: left out, {error.strerror}")

    def _glob(self, source: str, lists: tuple[Path, ...]) -> Iterator[str]:
        # Not Path.glob: that takes hidden files and follows no links.
        matches = {str(Path(match)) for match in glob(source, recursive=True)}  # noqa: PTH207
        every = {str(Path(match)) for match in glob(source, recursive=True, include_hidden=True)}  # noqa: PTH207
        self.left_out.extend(f"{match}: left out, hidden" for match in sorted(every - matches))
        for match in sorted(matches):
            if Path(match).is_file():
                yield from self.files(match, lists)
            elif not Path(match).is_dir():
                self.left_out.append(f"{match}: left out, {_no_file(Path(match))}")
            # What `**` goes through itself is no folder that was asked for.
            elif "**" not in source:
                yield from self._walk(Path(match))

    def _read_list(self, source: str, lists: tuple[Path, ...]) -> Iterator[str]:
        """Give the files of a list; messages name it and the line."""
        path = Path(source).resolve()
        if path in lists:
            raise SourceError(f"files: the list {source} names itself. Take it out.")
        if len(lists) >= DEEPEST_LIST:
            raise SourceError(f"files: the list {source} stands in {len(lists)} lists, one in the other. Use fewer.")
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceError(
                f"files: the list {source} is not text in UTF-8 ({error.reason}). Save it as UTF-8."
            ) from error
        empty = True
        for number, line in enumerate(text.splitlines(), start=1):
            entry = re.sub(r"(^|\s)#.*", "", line).strip()
            if len(entry) > 1 and entry[0] == entry[-1] and entry[0] in "\"'":
                entry = entry[1:-1]
            if not entry:
                continue
            empty = False
            try:
                yield from self.files(entry, (*lists, path))
            except SourceError as error:
                raise SourceError(f"{error} (line {number} of the list {source})") from None
        if empty:
            raise SourceError(f"files: the list {source} names no file.")


def _address(source: str) -> str:
    """Refuse an address that cannot be one, or that stands for several files."""
    if not is_read(source):
        raise SourceError(f"files: {source}: {NOT_READ}.")
    try:
        parts = urlsplit(source)
        whole = bool(parts.hostname) and parts.port != 0 and parts.path.strip("/") != ""
    except ValueError:
        whole = False
    if not whole:
        raise SourceError(f"files: {source} is no address of a file. Write it as root://HOST[:PORT]//PATH.")
    kind = "a glob" if "*" in parts.path else "a folder" if parts.path.endswith("/") else ""
    if _is_list(parts.path):
        kind = "a list"
    if kind:
        raise SourceError(
            f"files: {source}: {kind} is looked up on this machine alone. Name each file, or make a list here."
        )
    if re.search(r"\s\S+://", source):
        raise SourceError(f"files: {source} is two addresses; one file a line or entry.")
    return source


def _check_name(path: str) -> None:
    """Refuse a file whose name Snakemake cannot hold."""
    if set(path) & set("{}"):
        raise SourceError(
            f"files: {path}: Snakemake takes braces for wildcards. Rename the file, or link it by another name."
        )
    # Bytes that are no UTF-8 are surrogates in Python (Cs).
    if any(category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in path):
        raise SourceError(
            f"files: {path!a}: its name holds a line break, a tab or bytes that are not UTF-8. Rename the file, or "
            "link it by another name."
        )


def _no_file(path: Path) -> str:
    return "no file of data (a pipe or a device)" if path.exists() else "a broken link"


def _is_list(source: str) -> bool:
    return Path(source).suffix in LISTS


def _expand(source: str) -> list[str]:
    """Expand `~`, `$NAME`, `${NAME}`, `{a,b}` and `{0..9}` as a shell does."""
    try:
        whole = expanded(source)
    except ValueError as error:
        raise SourceError(f"files: {error}") from None
    numbers = re.search(r"\{(\d{1,9})\.\.(\d{1,9})\}", whole)
    if numbers and 0 <= int(numbers[2]) - int(numbers[1]) < MOST_NUMBERS:
        # Zeros in front keep the width.
        width = max((len(one) for one in numbers.groups() if one[0] == "0"), default=0)
        every = range(int(numbers[1]), int(numbers[2]) + 1)
        before, after = whole[: numbers.start()], whole[numbers.end() :]
        return [one for number in every for one in _expand(f"{before}{number:0{width}d}{after}")]
    # Outer braces first, as a shell does.
    for start in (place for place, letter in enumerate(whole) if letter == "{"):
        depth, edges = 0, [start]
        for place in range(start, len(whole)):
            depth += {"{": 1, "}": -1}.get(whole[place], 0)
            if depth == 0 or (depth == 1 and whole[place] == ","):
                edges.append(place)
            if depth == 0:
                break
        if depth == 0 and len(edges) > 2:
            choices = [whole[left + 1 : right] for left, right in pairwise(edges)]
            return [one for choice in choices for one in _expand(whole[:start] + choice + whole[edges[-1] + 1 :])]
    return [whole]


def _inside(source: str) -> str | None:
    """Give the first word in an entry that is the path of a file."""
    words = re.split(r"[\s,;\"'“”\[\]]+", source)
    return next((word for word in words if word != source and Path(word).is_file()), None)


def _missing(source: str) -> str:
    """Say that a path is none, and what may have been meant."""
    if not source.isprintable():
        return f"no such file; there are signs in it that cannot be seen: {source!a}. Remove them."
    if Path(source).exists():
        return "is no file of data (a pipe or a device)."
    if ONE_SLASH.match(source):
        return f"no such file; an address has two slashes: {source.replace(':/', '://', 1)}."
    if DATASET.fullmatch(source):
        return (
            "no such file. It looks like the name of a dataset of CMS; list its files (dasgoclient --query "
            f"'file dataset={source}') and put a redirector in front of each."
        )
    start, _, rest = source.partition(" ")
    if source.startswith("/store/"):
        return (
            f"no such file here. It is a logical file name of CMS: put a redirector in front, as in "
            f"root://cms-xrd-global.cern.ch/{source}"
        )
    if source.endswith(",") or (rest and Path(start.rstrip(",")).is_file()):
        return f"no such file; one file a line or entry: {rest.strip() or ','!r} is not understood. Remove it."
    inside = _inside(source)
    if inside:
        return f"no such file; one file a line or entry, and nothing else: write {inside}"
    path, colon, tree = source.rpartition(":")
    if colon and Path(path).is_file():
        return f"no such file; {path} is one. No tree is named here: remove ':{tree}'."
    if Path(source).is_symlink():
        return f"a broken link (to {Path(source).readlink()})."
    return f"no such file or folder. Paths are taken from the folder that Snakemake runs in ({Path.cwd()})."
