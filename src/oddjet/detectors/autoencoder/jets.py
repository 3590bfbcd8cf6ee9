"""The jets that a training draws its batches from: in memory, or in a file where they do not fit."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from oddjet.dataset.scaling import Scaler
from oddjet.io.tables import count_rows, iterate_table

LOGGER = logging.getLogger("oddjet")
ROWS_AT_A_TIME = 1_000_000


def read_jets(
    path: Path, scaler: Scaler, device: torch.device, memory_mb: float, scratch: Path, rows: int = ROWS_AT_A_TIME
) -> tuple[Tensor, Tensor]:
    """Read a table's jets, so many rows at a time.

    Parameters
    ----------
    path
        Table of background jets.
    scaler
        Scaler of the dataset.
    device
        Where jets go that fit.
    memory_mb
        Scaled jets that are larger are written to a file and read from there, batch by batch: the tensor is a view of
        the file (the system keeps in memory what it can), stays on the CPU, and its values are the same.
    scratch
        Folder of that file, which has no name: it goes when the process ends, however it ends.
    rows
        Rows read at a time.

    Returns
    -------
    Scaled features (N, D) and weights (N,), float32.

    Raises
    ------
    TableError, DatasetError
        See `oddjet.io.tables.iterate_table` and `oddjet.dataset.scaling`.
    OSError
        The disk of `scratch` is full.
    """
    count, width = count_rows(path), len(scaler.names)
    pieces = iterate_table(path, [*scaler.names, "weight"], rows)
    weights = np.empty(count, np.float32)
    if count * width * 4 <= memory_mb * 1e6:
        scaled = np.empty((count, width), np.float32)
        start = 0
        for piece in pieces:
            scaled[start : start + len(piece)] = scaler.transform(piece)
            weights[start : start + len(piece)] = piece["weight"]
            start += len(piece)
        return torch.from_numpy(scaled).to(device), torch.from_numpy(weights).to(device)
    LOGGER.info(
        "%s: %.0f MB of scaled jets are more than %g MB: read from a file", path, count * width * 4e-6, memory_mb
    )
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=scratch) as file:
        start = 0
        # Written and not mapped while it grows: a full disk is then an error and not the end of the process.
        for piece in pieces:
            file.write(np.ascontiguousarray(scaler.transform(piece), dtype=np.float32).tobytes())
            weights[start : start + len(piece)] = piece["weight"]
            start += len(piece)
        file.flush()
        mapped = np.memmap(file, np.float32, mode="c", shape=(count, width))
    return torch.from_numpy(mapped), torch.from_numpy(weights).to(device)
