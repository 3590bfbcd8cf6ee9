"""AUCs of the event-to-ensemble distances, and the tables that set them beside those of the paper."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from oddjet.evaluation.merit import Auc, SampleScores, compute_auc
from oddjet.images.distances import DistanceTable
from oddjet.images.ensembles import EnsembleDistances
from oddjet.images.paper import ELBOWS, PEARSON, PIXELS_ABOVE, TABLE_2
from oddjet.images.reference_jets import References
from oddjet.images.store import ImageBatch

SHOWN = (0, 1, 2, 3, 4, 5, 7, 10)


@dataclass(frozen=True)
class EnsembleRow:
    """AUC of one signal by the distance to one set of reference jets.

    `references` is `medoids`, `average` (one image, members 0) or `random` (mean over the draws, whose standard
    deviation is `spread`); `combination` is `min` or `sum` over the members. `paper` is None where the paper has none.
    """

    reference: str
    metric: str
    references: str
    combination: str
    members: int
    elbow: bool
    signal: str
    auc: float
    auc_error: float
    spread: float | None
    n_signal: int
    n_background: int
    paper: float | None


def ensemble_rows(measured: EnsembleDistances, chosen: References, background: str) -> list[EnsembleRow]:
    """Compute the AUC of every signal for every set of reference jets.

    The score is the distance where the reference jets are of the background, and minus the distance where they are of
    another sample: then being near is what is anomalous. The sign is the same for every row of a reference.
    """
    rows: list[EnsembleRow] = []
    sets: list[tuple[list[int], str, str]] = [
        ([], "average", "min"),
        *((jets, "medoids", "min") for jets in chosen.medoids),
    ]
    sets += [(jets, "medoids", "sum") for jets in chosen.medoids[1:]]
    for signal in (name for name in measured.samples if name != background):
        for jets, kind, how in sets:
            value, error = ensemble_auc(measured, background, signal, jets, how)
            row = _row(measured, background, signal, kind, how, len(jets), value, error)
            rows.append(replace(row, elbow=kind == "medoids" and len(jets) == chosen.elbow))
        drawn = [ensemble_auc(measured, background, signal, jets, "min") for jets in chosen.random]
        value, error = (statistics.fmean(values) for values in zip(*drawn, strict=True))
        row = _row(measured, background, signal, "random", "min", len(chosen.random[0]), value, error)
        rows.append(replace(row, spread=statistics.stdev(one.value for one in drawn), paper=None))
    return rows


def ensemble_auc(
    measured: EnsembleDistances, background: str, signal: str, jets: Sequence[int], combination: str
) -> Auc:
    """AUC by the distance to these reference jets, to the average image where there are none; signs as said above.

    Jets count with their weights.
    """
    sign = 1.0 if measured.reference == background else -1.0

    def scores(sample: str) -> SampleScores:
        weights = measured.weights[sample]
        if not jets:
            return SampleScores(sample, sign * measured.samples[sample][1], weights)
        to = measured.to(sample, jets)
        return SampleScores(sample, sign * (to.min(axis=1) if combination == "min" else to.sum(axis=1)), weights)

    return compute_auc(scores(background), scores(signal))


def _row(
    measured: EnsembleDistances,
    background: str,
    signal: str,
    kind: str,
    combination: str,
    members: int,
    auc: float,
    error: float,
) -> EnsembleRow:
    return EnsembleRow(
        reference=measured.reference,
        metric=measured.metric,
        references=kind,
        combination=combination,
        members=members,
        elbow=False,
        signal=signal,
        auc=auc,
        auc_error=error,
        spread=None,
        n_signal=len(measured.samples[signal][1]),
        n_background=len(measured.samples[background][1]),
        paper=TABLE_2.get((measured.reference, measured.metric, combination, signal), {}).get(members),
    )


def pixels_above(batch: ImageBatch, share: float = 0.01) -> NDArray[np.int64]:
    """Count the pixels of each image that hold more than a share of its pT, int64 array of shape (n,)."""
    images = batch.sparse
    row = np.repeat(np.arange(len(images)), np.diff(images.indptr))
    return np.bincount(row[images.value > share], minlength=len(images)).astype(np.int64)


def images_table(batches: Mapping[str, ImageBatch]) -> str:
    """Markdown table of the samples: jets, pT, mass, pixels above 1 % of the pT with the paper's."""
    lines = ["| sample | test jets | pT, GeV | mass, GeV | occupied pixels | above 1 % of the pT | the paper's |"]
    lines.append("|---|---|---|---|---|---|---|")
    for name, batch in batches.items():
        above, occupied = pixels_above(batch), np.diff(batch.sparse.indptr)
        paper = "{} ± {}".format(*PIXELS_ABOVE[name]) if name in PIXELS_ABOVE else ""
        lines.append(
            f"| {name} | {len(batch)} | {np.median(batch.jets['pt']):.0f} | {np.median(batch.jets['mass']):.0f} "
            f"| {occupied.mean():.1f} | {above.mean():.1f} ± {above.std():.1f} | {paper} |"
        )
    return "\n".join(lines) + "\n"


def correlation_table(tables: Sequence[DistanceTable]) -> str:
    """Markdown table of the Pearson correlations of the metrics over all pairs of background test jets."""
    lines = ["| metrics | pairs | Pearson | the paper's |", "|---|---|---|---|"]
    for position, first in enumerate(tables):
        for second in tables[position + 1 :]:
            names = tuple(sorted((first.metric, second.metric)))
            value = float(np.corrcoef(first.condensed, second.condensed)[0, 1])
            paper = next((text for key, text in PEARSON.items() if tuple(sorted(key)) == names), "")
            lines.append(f"| {first.metric}, {second.metric} | {len(first.condensed)} | {value:.3f} | {paper} |")
    return "\n".join(lines) + "\n"


def ensemble_table(rows: Sequence[EnsembleRow]) -> str:
    """Markdown table after table 2 of the paper: a line a reference, metric, combination and signal."""
    header = ["Avg", *(f"k = {k}" for k in SHOWN[1:]), "random"]
    lines = [
        f"| reference | metric | over medoids | elbow | signal | {' | '.join(header)} |",
        "|---" * (5 + len(header)) + "|",
    ]
    keys = dict.fromkeys((row.reference, row.metric, row.combination, row.signal) for row in rows)
    for reference, metric, how, signal in keys:
        same = [r for r in rows if (r.reference, r.metric, r.combination, r.signal) == (reference, metric, how, signal)]
        mark = next((row.members for row in same if row.elbow), "")
        paper = ELBOWS.get((reference, metric))
        by_members = {row.members: row for row in same if row.references != "random"}
        cells = [_cell(by_members.get(k)) for k in SHOWN]
        cells.append(_cell(next((row for row in same if row.references == "random"), None)))
        elbow = f"{mark} ({paper})" if paper else f"{mark}"
        lines.append(f"| {reference} | {metric} | {how} | {elbow} | {signal} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(row: EnsembleRow | None) -> str:
    if row is None:
        return ""
    error = row.auc_error if row.spread is None else float(np.hypot(row.auc_error, row.spread))
    return f"{row.auc:.3f} ± {error:.3f}" + (f" ({row.paper:.2f})" if row.paper is not None else "")
