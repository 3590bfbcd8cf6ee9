"""Score tables of jets whose scores a test chooses, written as the workflow writes them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jet_table import COLUMNS
from oddjet.detectors.opening import Method, one_method
from oddjet.evaluation.scores import score_samples
from oddjet.evaluation.signals import parse_signals
from oddjet.io.tables import write_table


def jets_of(pt: NDArray[np.float64], tau2: NDArray[np.float64], weight: float = 1.0) -> NDArray[np.void]:
    """Jets with a mass of a tenth of their pT; `tau2` is what a method of a test makes scores of."""
    jets = np.zeros(len(pt), dtype=[(column.name, column.dtype) for column in COLUMNS])
    jets["event"] = jets["entry"] = np.arange(len(pt))
    jets["pt"], jets["mass"], jets["tau2"], jets["weight"] = pt, pt / 10, tau2, weight
    return jets


def write_scores(
    path: Path,
    method: str,
    samples: Mapping[str, NDArray[np.void]],
    scores: Mapping[str, NDArray[np.float64]],
    seeds: tuple[int, ...] = (1,),
) -> Path:
    """Write a score table: the background first, then signals; scores (n, S) by sample."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files = {name: path.with_name(f"{path.stem}_{name}.h5") for name in samples}
    for name, jets in samples.items():
        write_table(files[name], COLUMNS, jets, {})
    waiting = iter(scores[name] for name in samples)
    background, *signals = samples
    score_samples(
        one_method(Method(method, seeds, (1,) * len(seeds)), lambda _: next(waiting)),
        files[background],
        parse_signals([f"{name}={files[name]}" for name in signals]),
        [path],
        None,
        {},
    )
    return path
