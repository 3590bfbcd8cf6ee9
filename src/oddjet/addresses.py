"""Addresses of files, and which files are the same: however they are spelled, and copies of their bytes."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# A path of this machine in the form of an address, or as cmsRun has it: read as the path that it is.
LOCAL_ADDRESS = re.compile(r"file:(?://(?:localhost(?=/))?)?", re.IGNORECASE)
PORTS = {"root": 1094, "https": 443, "http": 80}
XROOTD = ("root", "roots", "xroot", "xroots")
# Not the doors of dCache, nor clouds, archives and repositories: nothing of theirs is tried.
READ = ("root", "xroot", "https", "http")
NOT_READ = "no such kind of address is read; give the file's root:// or https:// address, or copy it to this machine"
# Logical names of CMS for files that are the same at every site; those of users and groups are not. EOS at CERN has
# them below a folder of its own, also where it is mounted; sites do so too, and there the whole name must be one of the
# catalogue's: era, dataset, tier, processing, block, file.
CATALOGUED = re.compile(r"(?:/eos/cms|/.+(?=/store/[^/]+(?:/[^/]+){6}$))?(/store/(?:mc|data|hidata|himc|relval)/.*)")


def is_remote(source: str) -> bool:
    """Tell an address (`root://`, `https://`) from a path of this machine."""
    return ADDRESS.match(source) is not None and not LOCAL_ADDRESS.match(source)


def is_read(source: str) -> bool:
    """Tell whether files are read from this kind of address, or whether it is a path."""
    return not is_remote(source) or source.partition("://")[0].lower() in READ


def readable(source: str) -> str:
    """Give an address with its scheme as the libraries know it: in small letters, `root` for `xroot`."""
    scheme, mark, rest = source.partition("://")
    scheme = scheme.lower()
    return f"{'root' if scheme == 'xroot' else scheme}{mark}{rest}" if is_remote(source) else source


def without_scheme(source: str) -> str:
    """Give the path that an address of this machine (`file:///data/x.root`) stands for; others stay as they are."""
    return LOCAL_ADDRESS.sub("", source, count=1) if LOCAL_ADDRESS.match(source) else source


def expanded(source: str) -> str:
    """Expand `~`, `$NAME` and `${NAME}`; raises ValueError for a home or a variable that there is not."""
    for name in re.findall(r"\$(?:(\w+)|\{(\w+)\})", source):
        if (name[0] or name[1]) not in os.environ:
            raise ValueError(f"{source}: the variable {name[0] or name[1]} is not set. Set it, or write the path.")
    try:
        home = str(Path(source).expanduser()) if source.startswith("~") else source
    except RuntimeError:
        raise ValueError(f"{source}: there is no such home. Write the path.") from None
    return os.path.expandvars(home)


FilePath = Annotated[str, AfterValidator(expanded)]


def alternatives(source: str, prefixes: Sequence[str]) -> list[str]:
    """Give the other addresses of a file, in the order of the prefixes.

    Parameters
    ----------
    source
        A path or an address.
    prefixes
        Beginnings of addresses that stand for each other: redirectors, sites. A file of the catalogue of CMS is behind
        each of them by its logical name, also where its address begins with none.

    Returns
    -------
    list of str
        Empty for a path of this machine, and for an address that is not behind one of the prefixes.

    Examples
    --------
    >>> alternatives("root://a.org//store/mc/x.root", ["root://a.org/", "root://b.org/"])
    ['root://b.org//store/mc/x.root']
    """
    if not is_remote(source):
        return []
    own = next((prefix for prefix in prefixes if source.startswith(prefix)), None)
    catalogued = CATALOGUED.fullmatch(posixpath.normpath("/" + urlsplit(source).path.lstrip("/")))
    if own is None and catalogued is None:
        return []
    rest = source.removeprefix(own) if own is not None else catalogued[1] if catalogued else ""
    found = (prefix + rest if rest[:1] == "/" or prefix[-1:] == "/" else f"{prefix}/{rest}" for prefix in prefixes)
    return [address for address in dict.fromkeys(found) if identity_of_place(address) != identity_of_place(source)]


def identity_of_place(source: str) -> str:
    """Give an address in the one spelling of its scheme, host, port and path."""
    parts = urlsplit(readable(source))
    host, port = (parts.hostname or "").lower(), parts.port or PORTS.get(parts.scheme, 0)
    return f"{parts.scheme}://{host}:{port}{posixpath.normpath('/' + unquote(parts.path).lstrip('/'))}"


def identity(source: str) -> str:
    """Give a text that is the same for every spelling of, and every link to, the same file.

    Parameters
    ----------
    source
        A path or an address.

    Returns
    -------
    str
        Of a path its real one (of a file with several hard links, its device and inode). Of an address its scheme, host
        and port, and path without doubled slashes, dots, percent signs and query, where http and https at their own
        ports are one; of a file in the catalogue of CMS its logical name alone, since every redirector leads to the
        same file.
    """
    if not is_remote(source):
        return _local(without_scheme(source))
    parts = urlsplit(source)
    scheme = "root" if parts.scheme.lower() in XROOTD else parts.scheme.lower()
    path = posixpath.normpath("/" + unquote(parts.path).lstrip("/"))
    catalogued = CATALOGUED.fullmatch(path)
    if catalogued:
        return catalogued[1]
    host, usual = (parts.hostname or "").lower().rstrip("."), PORTS.get(scheme, 0)
    port = parts.port or usual
    if scheme == "http" and port == usual:
        scheme, port = "https", PORTS["https"]
    return f"{scheme}://{host}:{port}{path}"


def _local(source: str) -> str:
    real = os.path.realpath(source)
    if real.startswith("/eos/") and (catalogued := CATALOGUED.fullmatch(real)):
        return catalogued[1]
    try:
        status = Path(real).stat()
    except OSError:
        return real
    return f"inode {status.st_dev} {status.st_ino}" if status.st_nlink > 1 else real


# What is read of each end of a file. The header of a ROOT file holds the time and an identifier of its making, so that
# two files that were written are never alike there.
END_BYTES = 1 << 20


def find_copies(samples: Mapping[str, Iterable[str]]) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Find files with the same content, of one sample or of two.

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
        if len(alike) > 1:
            yield from _same_ends(alike, size)


def _same_ends(alike: list[tuple[str, str]], size: int) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    first: dict[str, tuple[str, str]] = {}
    for sample, file in alike:
        try:
            digest = _ends(Path(file), size)
        except OSError:
            continue
        other = first.setdefault(digest, (sample, file))
        if other[1] != file:
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
