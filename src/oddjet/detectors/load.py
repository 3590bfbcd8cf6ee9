"""Open a model file of any method: networks or baselines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from oddjet.detectors.baseline_settings import KINDS
from oddjet.detectors.modelfile import load_model, load_snapshots, read_content


class Scorer(Protocol):
    """What every method offers: seeds, chosen epochs, metadata, and scores (N, S) of scaled jets (N, D)."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds, in the order of the scores' columns."""

    @property
    def epochs(self) -> tuple[int, ...]:
        """Epoch of each seed."""

    @property
    def metadata(self) -> dict[str, Any]:
        """`method`, `settings`, `scaler`, `features`."""

    def score(self, scaled: NDArray[np.floating[Any]], chunk: int = 65_536) -> NDArray[np.float64]:
        """Score scaled jets; larger is more anomalous."""


def load_scorer(path: Path) -> Scorer:
    """Read `model.pt` of any method; raises `DetectorError` or `DetectorError`."""
    content = read_content(path)
    if not _is_baseline(content):
        return load_model(path)
    # scikit-learn is a second of imports that networks do not need.
    from oddjet.detectors.fitted import read_baseline

    return read_baseline(path, content)


def load_scorers(path: Path) -> Iterator[tuple[int, Scorer]]:
    """Read `snapshots.pt` of any method: pairs of an epoch and the model then; a baseline has the epoch 1 alone."""
    if _is_baseline(read_content(path)):
        yield 1, load_scorer(path)
    else:
        yield from load_snapshots(path)


def _is_baseline(content: dict[str, Any]) -> bool:
    return content["metadata"]["settings"].get("kind") in KINDS
