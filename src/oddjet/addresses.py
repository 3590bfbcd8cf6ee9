"""Addresses of files and which of them are the same file, however they are spelled."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# A path of this machine in the form of an address: read as the path that it is.
LOCAL_ADDRESS = re.compile(r"file:(?://(?:localhost(?=/))?|(?=/))", re.IGNORECASE)
PORTS = {"root": 1094, "https": 443, "http": 80}
XROOTD = ("root", "roots", "xroot", "xroots")
# Logical names of CMS for files that are the same at every site; those of users and groups are not. EOS at CERN has
# them below a folder of its own, also where it is mounted.
CATALOGUED = re.compile(r"(?:/eos/cms)?(/store/(?:mc|data|hidata|himc|relval)/.*)")


def is_remote(source: str) -> bool:
    """Tell an address (`root://`, `https://`) from a path of this machine."""
    return ADDRESS.match(source) is not None and not LOCAL_ADDRESS.match(source)


def readable(source: str) -> str:
    """Give an address with its scheme as the libraries know it: in small letters, `root` for `xroot`."""
    scheme, mark, rest = source.partition("://")
    scheme = scheme.lower()
    return f"{'root' if scheme == 'xroot' else scheme}{mark}{rest}" if is_remote(source) else source


def without_scheme(source: str) -> str:
    """Give the path that an address of this machine (`file:///data/x.root`) stands for; others stay as they are."""
    return LOCAL_ADDRESS.sub("", source, count=1) if LOCAL_ADDRESS.match(source) else source


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
        and port, and path without doubled slashes, dots, percent signs and query; of a file in the catalogue of CMS its
        logical name alone, since every redirector leads to the same file.
    """
    if not is_remote(source):
        return _local(without_scheme(source))
    parts = urlsplit(source)
    scheme = "root" if parts.scheme.lower() in XROOTD else parts.scheme.lower()
    path = posixpath.normpath("/" + unquote(parts.path).lstrip("/"))
    catalogued = CATALOGUED.fullmatch(path)
    if catalogued:
        return catalogued[1]
    host, port = (parts.hostname or "").lower(), parts.port or PORTS.get(scheme, 0)
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
