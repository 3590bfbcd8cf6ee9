"""Score the background test jets and all signals with a trained method, and compute AUCs from the scores."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import EvaluationError, TableError
from oddjet.evaluation.merit import AucRow, SampleScores, compute_auc, undefined
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.evaluation.signals import Signal, check_counts, points_to_json, read_points
from oddjet.io.tables import Column, TableWriter, read_attributes, read_columns, read_list, read_table
from oddjet.io.weights import row_weights
from oddjet.program import LOGGER, progress

# From a structured array of n jets in physical units to scores, shape (n, S), one column a seed.
Scorer: TypeAlias = Callable[[NDArray[np.void]], NDArray[np.float64]]

# An event is told by its file (`source`, within its sample) and its entry there; its numbers are data like any other.
KEPT = ("run", "luminosityBlock", "event", "source", "entry", "jet_rank", "pt", "mass", "weight")


class Method(NamedTuple):
    """Where scores come from: the method's name, its seeds and the epoch chosen for each seed."""

    name: str
    seeds: tuple[int, ...]
    epochs: tuple[int, ...]


def score_samples(
    scorer: Scorer,
    method: Method,
    background: Path,
    signals: Sequence[Signal],
    output: Path,
    settings: EvaluationSettings,
    attributes: Mapping[str, str],
    factors: Mapping[str, float] | None = None,
) -> None:
    """Score background and signals, one file in memory at a time, and write one table.

    Parameters
    ----------
    scorer : callable
        From jets to scores; see `Scorer`.
    method : Method
        Kept as attributes of the table.
    background : Path
        Test part of the background.
    signals : sequence of Signal
        With their feature tables.
    output : Path
        Score table: identifiers, pt, mass, weight, `sample` (0 is background) and `score`, shape (S,), float64.
    settings : EvaluationSettings
        Smallest number of signal jets.
    attributes : mapping of str to str
        Provenance.
    factors : mapping of str to float, optional
        On the weights of a signal, by its name: what weights it to its cross section.

    Raises
    ------
    EvaluationError
        If a signal has too few jets.
        If a score is not finite; the message names method, seed, sample and number of jets.
    """
    check_counts(signals, settings.minimum_signal_jets)
    samples = {"background": (background,), **{signal.name: signal.files for signal in signals}}
    more = {
        "method": method.name,
        "seeds": json.dumps(method.seeds),
        "epochs": json.dumps(method.epochs),
        "samples": json.dumps(list(samples)),
        "points": points_to_json(signals),
    }
    columns = _score_columns(background, len(method.seeds))
    dtype = np.dtype([(column.name, column.dtype) for column in columns])
    with TableWriter(output, columns, {**attributes, **more}) as writer:
        items = progress(samples.items(), total=len(samples), description=f"scoring with {method.name}")
        for code, (name, files) in enumerate(items):
            for number, path in enumerate(files):
                jets = read_table(path)
                rows = np.zeros(len(jets), dtype=dtype)
                rows["sample"], rows["source"] = code, number
                # A feature table is one source; a table that was made of several says which one each jet is of.
                for column in [kept for kept in KEPT if kept != "source" or kept in (jets.dtype.names or ())]:
                    rows[column] = jets[column]
                rows["weight"] = row_weights(jets["weight"], (factors or {}).get(name, 1.0))
                rows["score"] = _checked(scorer(jets), name, method)
                writer.append(rows)
        writer.finish()


def auc_rows(path: Path) -> list[AucRow]:
    """Compute the AUC of every seed and signal of one score table: by seed, then in the table's order of signals.

    An AUC that cannot be given (`oddjet.evaluation.merit.undefined`) is NaN, and the log says why.

    Raises
    ------
    TableError
        If the file is not a score table.
    EvaluationError
        If a sample is empty; the message names it.
    """
    method, points = read_method(path), read_points(path)
    table = read_table(path, ["sample", "weight", "score"])
    jets = [table[table["sample"] == code] for code in range(len(points) + 1)]
    rows = []
    for column, seed in enumerate(method.seeds):
        background = SampleScores("background", jets[0]["score"][:, column], jets[0]["weight"])
        for name, selected in zip(points, jets[1:], strict=True):
            signal = SampleScores(name, selected["score"][:, column], selected["weight"])
            auc = compute_auc(background, signal)
            if math.isnan(auc.value):
                why = undefined(background, signal)
                LOGGER.warning("method %s, seed %s, signal %s has no AUC: %s", method.name, seed, name, why)
            rows.append(AucRow(method.name, seed, name, *points[name], *auc, len(selected), len(jets[0])))
    return rows


def read_method(path: Path) -> Method:
    """Read from a score table which method, seeds and epochs made it; raise `TableError` for another table."""
    attributes = read_attributes(path)
    missing = [key for key in ("method", "seeds", "epochs", "samples", "points") if key not in attributes]
    if missing:
        raise TableError(f"{path}: no attribute '{missing[0]}'; give a table that score_samples wrote")
    seeds, epochs = (tuple(read_list(path, key, int)) for key in ("seeds", "epochs"))
    width = _score_width(path)
    if not len(seeds) == len(epochs) == width:
        raise TableError(
            f"{path}: {len(seeds)} seeds, {len(epochs)} epochs and {width} columns of scores do not fit; score again"
        )
    samples, points = read_list(path, "samples", str), read_points(path)
    if samples[1:] != list(points):
        raise TableError(f"{path}: its samples {samples} and points, of {list(points)}, do not fit; score again")
    return Method(attributes["method"], seeds, epochs)


def _score_width(path: Path) -> int:
    """Count the columns of scores."""
    dtypes = [np.dtype(column.dtype) for column in read_columns(path) if column.name == "score"]
    return dtypes[0].shape[0] if dtypes and dtypes[0].shape else 0


def _checked(scores: NDArray[np.float64], sample: str, method: Method) -> NDArray[np.float64]:
    """Return scores of shape (n, S) if all are finite."""
    bad = np.count_nonzero(~np.isfinite(scores), axis=0)
    if bad.any():
        seed = int(np.argmax(bad > 0))
        raise EvaluationError(
            f"method {method.name}, seed {method.seeds[seed]}: {bad[seed]} of {len(scores)} scores of sample {sample} "
            "are not finite; look at the training history of this method"
        )
    return scores


def _score_columns(background: Path, seeds: int) -> list[Column]:
    """Return the columns of a score table; the kept ones are described as in the feature table."""
    known = {column.name: column for column in read_columns(background)}
    missing = [name for name in KEPT if name not in known]
    if missing:
        raise TableError(f"{background}: no column {missing[0]}; give a table that build_dataset wrote")
    return [
        Column("sample", "i2", "1", "position in the attribute `samples`; 0 is background"),
        *(known[name] for name in KEPT),
        Column("score", f"({seeds},)f8", "1", "anomaly score of each seed; larger is more anomalous"),
    ]
