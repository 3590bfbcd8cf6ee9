"""The attributes that every result carries: version, code, settings, inputs, packages."""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from oddjet.errors import InputFileError
from oddjet.program import given_options
from oddjet.provenance.digest import code_digest

# The packages whose version can change a number.
PACKAGES = (
    "awkward",
    "fastjet",
    "h5py",
    "numba",
    "numpy",
    "POT",
    "pythia8mc",
    "scikit-learn",
    "scipy",
    "torch",
    "uproot",
)
BLOCK_BYTES = 1 << 20


def attributes(script: str, settings: str, inputs: Sequence[Path], *modules: str) -> dict[str, str]:
    """Describe what a result is made from.

    Parameters
    ----------
    script
        Name of the script in `workflow/scripts`, without `.py`.
    settings
        The settings of the stage as JSON text.
    inputs
        The files that it reads.
    *modules
        Modules that the script imports by name at run time; see `oddjet.provenance.digest.code_digest`.

    Returns
    -------
    dict of str
        `oddjet_version`, `script`, `code_digest`, `options` (JSON: name to values, all that the program was given),
        `settings`, `settings_digest`, `inputs` (JSON: name to SHA-256), `packages` (JSON: name to version) and
        `processor`, which tells where a result was made and makes it neither old nor another's.
    """
    return {
        "oddjet_version": installed_version("oddjet"),
        "script": script,
        "code_digest": code_digest(script, *modules),
        "options": json.dumps(given_options(), sort_keys=True),
        "settings": settings,
        "settings_digest": text_digest(settings),
        "inputs": json.dumps({str(path): file_digest(path) for path in inputs}, sort_keys=True),
        "packages": json.dumps({name: installed_version(name) for name in PACKAGES}),
        "processor": processor(),
    }


def processor(description: Path = Path("/proc/cpuinfo")) -> str:
    """Name the processor as Linux describes it; where it does not, its architecture."""
    with contextlib.suppress(OSError):
        for line in description.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    return platform.machine()


def installed_version(package: str) -> str:
    """Return the version of an installed package, or that it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"  # the environment of a stage holds only what the stage needs


def text_digest(text: str) -> str:
    """Give 16 hexadecimal digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_digest(path: Path) -> str:
    """Give the SHA-256 of a file's bytes, read block by block; raises `InputFileError` when it cannot be read."""
    total = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                total.update(block)
    except OSError as error:
        raise InputFileError(
            f"{path}: {error.strerror}. Check the path, or run the stage that makes the file."
        ) from error
    return total.hexdigest()
