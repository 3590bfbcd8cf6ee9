"""Tensors and plain values in a file: detectors and checkpoints. Nothing in such a file is executed when it is read."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from oddjet.io.atomic import atomic_path

CODE = "it holds code, which is never executed here, and is no file of numbers"


def write_tensors(path: Path, content: Mapping[str, Any]) -> None:
    """Write a dictionary, whole or not at all; raises `DiskError`."""
    # A file of Python's: of its own torch says nothing about the disk, and keeps the name of the temporary file.
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        torch.save(dict(content), file)


def read_tensors(path: Path) -> Any:  # noqa: ANN401  a file of another kind may hold anything
    """Read what `write_tensors` wrote; raises what zipfile and torch do about damage, an exception a kind.

    The file is a zip archive, whose checksums torch passes over: weights with a changed bit would score without a word.
    """
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
        code = any("/code/" in name for name in archive.namelist())
    if damaged is not None:
        raise zipfile.BadZipFile(f"the checksum of its part {damaged} is another one")
    if code:
        raise pickle.UnpicklingError(f"TorchScript: {CODE}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # Torch's own words say how to execute it.
        raise pickle.UnpicklingError(CODE) from error
