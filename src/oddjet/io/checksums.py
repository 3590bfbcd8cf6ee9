"""Manifests of checksums, as `sha256sum` writes them, to notice a byte that changed on the way.

ROOT keeps no checksum: a flipped byte in an uncompressed basket, or in one compressed with ZSTD, is read as another
number without complaint.
"""

from __future__ import annotations

from pathlib import Path

from oddjet.errors import DamagedFileError, InputFileError, SourceError
from oddjet.io.failures import failure_of
from oddjet.provenance.attributes import file_digest

SHA256_DIGITS = 64


def read_manifest(manifest: Path) -> dict[Path, str]:
    """Read a manifest.

    Parameters
    ----------
    manifest : Path
        Lines of a SHA-256 in hexadecimal digits, white space (and "*" for binary mode), and a path relative to the
        manifest's folder.

    Returns
    -------
    dict of Path to str
        Resolved path of each file and its SHA-256.

    Raises
    ------
    SourceError
        Names the file and the line.
    """
    if not manifest.is_file():
        raise SourceError(f"{manifest}: no such file; make it with: sha256sum *.root > {manifest.name}")
    try:
        lines = manifest.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{manifest}: no readable manifest ({error}); make it with sha256sum") from error
    known = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        digest, _, name = line.partition(" ")
        if len(digest) != SHA256_DIGITS or not name.strip():
            raise SourceError(f"{manifest}: line {number} is not a SHA-256 and a path: {line[:80]!r}")
        known[(manifest.parent / name.strip().removeprefix("*")).resolve()] = digest.lower()
    return known


def verify(path: str | Path, manifest: Path) -> None:
    """Compare a file with its line of the manifest.

    Raises
    ------
    SourceError
        The manifest is unusable or does not list the file, or the file is not local.
    DamagedFileError
        The file is missing or has another checksum.
    UnreachableFileError
        It cannot be read now, or not by this user.
    """
    if "://" in str(path):
        raise SourceError(f"{path}: checksums are for local files only; leave `checksums` out for this sample")
    known = read_manifest(manifest)
    place = Path(path).resolve()
    if place not in known:
        raise SourceError(f"{path}: not listed in {manifest}")
    if not place.is_file():
        raise DamagedFileError(f"{path}: no such file, but {manifest} lists it")
    try:
        found = file_digest(place)
    except InputFileError as error:  # a mount with passing trouble, or no permission: not the file's fault
        raise failure_of(str(path), error.__cause__ or error, "cannot be read", DamagedFileError) from error
    if found != known[place]:
        raise DamagedFileError(f"{path}: SHA-256 is {found}, {manifest} says {known[place]}; fetch the file again")
