"""Score the background test rows and all signals with a method, and compute AUCs from the scores."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.detectors.opening import Method, Opened
from oddjet.errors import EvaluationError, naming
from oddjet.evaluation.auc import AucRow, SampleScores, compute_auc, undefined
from oddjet.evaluation.backgrounds import TOGETHER, backgrounds_to_json, find_backgrounds
from oddjet.evaluation.score_table import open_scores
from oddjet.evaluation.settings import EvaluationSettings
from oddjet.evaluation.signals import Signal, check_counts, files_of, points_to_json
from oddjet.io.tables import Column, TableWriter
from oddjet.program import LOGGER, progress


def score_samples(
    opened: Opened,
    background: Path,
    signals: Sequence[Signal],
    outputs: Sequence[Path],
    settings: EvaluationSettings | None,
    attributes: Mapping[str, str],
    factors: Mapping[str, float] | None = None,
    data: Mapping[str, Sequence[Path]] | None = None,
    test_backgrounds: Mapping[str, Sequence[Path]] | None = None,
) -> None:
    """Score backgrounds, signals and data, one file in memory at a time, and write a table for each method.

    Parameters
    ----------
    opened : Opened
        A method that is open for scoring, or several that share their work.
    background : Path
        Test part of the background.
    signals : sequence of Signal
        With their feature tables.
    outputs : sequence of Path
        A score table a method: what identifies a row, of jets also pt, mass, weight and kept columns (`features.keep`),
        `sample` (0 is background, then the signals, then data) and `score`, shape (S,), float64.
    settings : EvaluationSettings, optional
        Smallest number of signal jets; left out where the rows are no jets.
    attributes : mapping of str to str
        Provenance.
    factors : mapping of str to float, optional
        On the weights of a signal or test background, by its name: what weights it to its cross section.
    data : mapping of str to sequence of Path, optional
        Feature tables of samples that are neither: they enter no figure of merit, and figures show them.
    test_backgrounds : mapping of str to sequence of Path, optional
        Tables of the samples that train nothing and that signals are tested against as well, by name.

    Raises
    ------
    EvaluationError
        If a signal has too few jets, or the outputs are not one a method.
        If a score is not finite; the message names method, seed, sample and number of jets.
    """
    if settings is not None:
        check_counts(signals, settings.minimum_signal_jets)
    if len(outputs) != len(opened.methods):
        names = ", ".join(method.name for method in opened.methods)
        raise EvaluationError(
            f"--output: {len(outputs)} files for {len(opened.methods)} methods ({names}); give one each"
        )
    shown, others = data or {}, test_backgrounds or {}
    samples = {TOGETHER: (background,), **files_of(signals), **shown, **others}
    backgrounds = find_backgrounds(background, list(others), len(samples) - len(others), opened.rows.of_samples)
    opened.rows.check([path for files in samples.values() for path in files])
    told = {
        "samples": json.dumps(list(samples)),
        "points": points_to_json(signals),
        "data": json.dumps(list(shown)),
        "backgrounds": backgrounds_to_json(backgrounds),
    }
    kept = opened.rows.columns(background)
    columns = [_columns(kept, len(method.seeds)) for method in opened.methods]
    with ExitStack() as stack:
        writers = [
            stack.enter_context(TableWriter(output, own, {**attributes, **told, **_described(method)}))
            for output, own, method in zip(outputs, columns, opened.methods, strict=True)
        ]
        for values, scores in _scored(opened, samples, [column.name for column in kept], factors or {}):
            for writer, own, found in zip(writers, columns, scores, strict=True):
                rows = np.zeros(len(found), dtype=[(column.name, column.dtype) for column in own])
                for column, value in {**values, "score": found}.items():
                    rows[column] = value
                writer.append(rows)
        for writer in writers:
            writer.finish()


def _scored(
    opened: Opened, samples: Mapping[str, Sequence[Path]], kept: Sequence[str], factors: Mapping[str, float]
) -> Iterator[tuple[dict[str, Any], list[NDArray[np.float64]]]]:
    """Give sample and kept columns of the rows of all files, part by part, with the scores (n, S) of each method."""
    items = progress(samples.items(), total=len(samples), description=f"scoring with {opened.methods[0].name}")
    for code, (name, files) in enumerate(items):
        for position, path in enumerate(files):
            for values, what in opened.rows.read(path, kept, position, factors.get(name, 1.0)):
                with naming(path):
                    scores = [_checked(*one, name) for one in zip(opened.score(what), opened.methods, strict=True)]
                yield {"sample": code, **values}, scores


def _columns(kept: Sequence[Column], seeds: int) -> list[Column]:
    return [
        Column("sample", "i2", "1", "position in the attribute `samples`; 0 is background"),
        *kept,
        Column("score", f"({seeds},)f8", "1", "anomaly score of each seed; larger is more anomalous"),
    ]


def _described(method: Method) -> dict[str, str]:
    return {"method": method.name, "seeds": json.dumps(method.seeds), "epochs": json.dumps(method.epochs)}


def auc_rows(path: Path) -> list[AucRow]:
    """Compute the AUC of every seed, background and signal of one score table, in the table's order of each.

    The background of the training comes first (`oddjet.evaluation.backgrounds`).

    An AUC that cannot be given (`oddjet.evaluation.auc.undefined`) is NaN, and the log says why.

    Raises
    ------
    TableError
        If the file is not a score table.
    EvaluationError
        If a sample is empty; the message names it.
    """
    table = open_scores(path, ["source", "weight"])
    backgrounds = {one.name: one.places(table.rows) for one in table.backgrounds}
    signals = {name: table.of_sample(code) for code, name in enumerate(table.points, start=1)}
    weights = table.rows["weight"]
    rows = []
    for seed, scores in table.seeds():
        for against, known in backgrounds.items():
            background = SampleScores(against, scores[known], weights[known])
            for name, selected in signals.items():
                signal = SampleScores(name, scores[selected], weights[selected])
                auc = compute_auc(background, signal)
                if math.isnan(auc.value):
                    LOGGER.warning(
                        "method %s, seed %s, signal %s has no AUC against %s: %s",
                        *(table.method.name, seed, name, against, undefined(background, signal)),
                    )
                found = AucRow(
                    *(table.method.name, seed, name, table.points[name], *auc, len(selected), len(known), against)
                )
                rows.append(found)
    return rows


def _checked(scores: NDArray[np.float64], method: Method, sample: str) -> NDArray[np.float64]:
    """Return scores if they have the shape (n, S) and all are finite."""
    if scores.ndim != 2 or scores.shape[1] != len(method.seeds):
        raise EvaluationError(
            f"method {method.name}, sample {sample}: scores of shape {scores.shape} for {len(method.seeds)} seeds"
        )
    bad = np.count_nonzero(~np.isfinite(scores), axis=0)
    if bad.any():
        seed = int(np.argmax(bad > 0))
        raise EvaluationError(
            f"method {method.name}, seed {method.seeds[seed]}: {bad[seed]} of {len(scores)} scores of sample {sample} "
            "are not finite; look at the training history of this method"
        )
    return scores
