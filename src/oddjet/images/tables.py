"""AUCs of event-to-ensemble distances, and the page that sets them beside the numbers of arXiv:2110.06948."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.evaluation.auc import Auc, SampleScores, compute_auc
from oddjet.images.distances import DistanceTable, read_distances
from oddjet.images.ensembles import EnsembleDistances, read_ensembles
from oddjet.images.reference_jets import References, read_references
from oddjet.images.store import ImageBatch, read_images
from oddjet.io.atomic import write_text
from oddjet.io.csv import write_rows
from oddjet.report.markdown import markdown_table, with_errors

# Mean and standard deviation of the number of pixels above 1 % of the pT (section 2).
PIXELS_ABOVE = {"qcd": (10.4, 5.3), "top": (13.5, 4.3), "w": (10.1, 3.3)}

# Pearson correlation of MAE and Wass(1) between QCD jets (section 5).
PEARSON = {("mae", "wass1"): 0.87}

# AUC of table 2: (reference, metric, combination, signal) to number of medoids (0 is the average image) to AUC.
TABLE_2: dict[tuple[str, str, str, str], dict[int, float]] = {
    ("qcd", "wass1", "min", "top"): {0: 0.81, 1: 0.83, 3: 0.85, 5: 0.87, 7: 0.87},
    ("qcd", "wass1", "min", "w"): {0: 0.62, 1: 0.66, 3: 0.68, 5: 0.60, 7: 0.61},
    ("qcd", "wass5", "min", "top"): {0: 0.53, 1: 0.68, 3: 0.66, 4: 0.67, 5: 0.71},
    ("qcd", "wass5", "min", "w"): {0: 0.60, 1: 0.36, 3: 0.41, 4: 0.41, 5: 0.43},
    ("qcd", "mae", "min", "top"): {0: 0.83, 1: 0.82, 3: 0.82, 5: 0.83, 7: 0.83},
    ("qcd", "mae", "min", "w"): {0: 0.71, 1: 0.71, 3: 0.61, 5: 0.67, 7: 0.65},
    ("top", "wass1", "min", "top"): {0: 0.69, 1: 0.58, 3: 0.32, 5: 0.45, 7: 0.49},
    ("top", "wass1", "min", "w"): {0: 0.69, 1: 0.79, 3: 0.79, 5: 0.84, 7: 0.83},
    ("top", "wass5", "min", "top"): {0: 0.72, 1: 0.53, 2: 0.72, 3: 0.66, 5: 0.61},
    ("top", "wass5", "min", "w"): {0: 0.40, 1: 0.52, 2: 0.70, 3: 0.61, 5: 0.54},
    ("top", "wass5", "sum", "top"): {3: 0.66, 5: 0.73, 7: 0.75},
    ("top", "wass5", "sum", "w"): {3: 0.66, 5: 0.58, 7: 0.60},
    ("top", "mae", "min", "top"): {0: 0.48, 1: 0.29, 3: 0.25, 5: 0.32},
    ("top", "mae", "min", "w"): {0: 0.57, 1: 0.64, 3: 0.36, 5: 0.58},
}
# Elbows that the paper marks.
ELBOWS = {("qcd", "wass1"): 3, ("qcd", "wass5"): 4, ("qcd", "mae"): 3}


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
    table = [["sample", "test jets", "pT, GeV", "mass, GeV", "occupied pixels", "above 1 % of the pT", "the paper's"]]
    for name, batch in batches.items():
        above, occupied = pixels_above(batch), np.diff(batch.sparse.indptr)
        paper = with_errors(*PIXELS_ABOVE[name], form=".1f") if name in PIXELS_ABOVE else ""
        medians = [f"{np.median(batch.jets[column]):.0f}" for column in ("pt", "mass")]
        pixels = [f"{occupied.mean():.1f}", with_errors(above.mean(), above.std(), form=".1f")]
        table.append([name, str(len(batch)), *medians, *pixels, paper])
    return "\n".join(markdown_table(table)) + "\n"


def correlation_table(tables: Sequence[DistanceTable]) -> str:
    """Markdown table of the Pearson correlations of the metrics over all pairs of background test jets."""
    table = [["metrics", "pairs", "Pearson", "the paper's"]]
    for position, first in enumerate(tables):
        for second in tables[position + 1 :]:
            names = tuple(sorted((first.metric, second.metric)))
            value = float(np.corrcoef(first.condensed, second.condensed)[0, 1])
            paper = next((f"{text}" for key, text in PEARSON.items() if tuple(sorted(key)) == names), "")
            table.append([f"{first.metric}, {second.metric}", str(len(first.condensed)), f"{value:.3f}", paper])
    return "\n".join(markdown_table(table)) + "\n"


def ensemble_table(rows: Sequence[EnsembleRow]) -> str:
    """Markdown table after table 2 of the paper: a line a reference, metric, combination and signal."""
    header = ["Avg", *(f"k = {k}" for k in SHOWN[1:]), "random"]
    table = [["reference", "metric", "over medoids", "elbow", "signal", *header]]
    keys = dict.fromkeys((row.reference, row.metric, row.combination, row.signal) for row in rows)
    for reference, metric, how, signal in keys:
        same = [r for r in rows if (r.reference, r.metric, r.combination, r.signal) == (reference, metric, how, signal)]
        mark = next((str(row.members) for row in same if row.elbow), "none")
        paper = ELBOWS.get((reference, metric))
        by_members = {row.members: row for row in same if row.references != "random"}
        cells = [_cell(by_members.get(k)) for k in SHOWN]
        cells.append(_cell(next((row for row in same if row.references == "random"), None)))
        elbow = f"{mark} ({paper})" if paper else mark
        table.append([reference, metric, how, elbow, signal, *cells])
    return "\n".join(markdown_table(table)) + "\n"


def _cell(row: EnsembleRow | None) -> str:
    if row is None:
        return ""
    error = row.auc_error if row.spread is None else float(np.hypot(row.auc_error, row.spread))
    return with_errors(row.auc, error) + (f" ({row.paper:.2f})" if row.paper is not None else "")


EXPLANATION = """\
After table 2 of arXiv:2110.06948; the paper's numbers stand in brackets. The score of a jet is its distance to the
nearest of k medoids of the reference sample (min), the sum of its distances to them (sum), or its distance to the
sample's average image (Avg). Where the reference jets are not of the background, the score is minus the distance: a
signal is expected to be near them. One sign holds for all rows of a reference; no AUC is flipped. Errors are
statistical (DeLong). The column `random` takes `images.medoids.drawn` random reference jets: mean over
the draws, with the standard deviation over the draws added in quadrature. The elbow is where two joined lines through
the most frequent distance to the nearest medoid break.
"""


def summarize_images(
    tests: Mapping[str, Path],
    measured: Sequence[Path],
    medoids: Sequence[Path],
    distances: Sequence[Path],
    *,
    background: str,
    table: Path,
    summary: Path,
) -> list[EnsembleRow]:
    """Write the table of AUCs (CSV) and the page (Markdown).

    Parameters
    ----------
    tests : mapping of str to Path
        Test images of each sample.
    measured, medoids : sequences of Path
        Files of `measure_ensembles` and of `find_medoids`, in the same order.
    distances : sequence of Path
        Distances between background test jets, a metric each.
    background : str
        Name of the background sample.
    table, summary : Path
        What is written.

    Raises
    ------
    TableError, ImageError, EvaluationError
        A file cannot be read, or a sample has too few jets.
    """
    rows: list[EnsembleRow] = []
    for ensemble, references in zip(measured, medoids, strict=True):
        rows += ensemble_rows(read_ensembles(ensemble), read_references(references), background)
    page = (
        "# Jet images and event-to-ensemble distances\n\n## Images\n\n"
        + images_table({name: read_images(path) for name, path in tests.items()})
        + "\n## Metrics compared, between background test jets\n\n"
        + correlation_table([read_distances(path) for path in distances])
        + "\n## AUC by the distance to reference jets\n\n"
        + EXPLANATION
        + "\n"
        + ensemble_table(rows)
    )
    write_rows(table, rows, EnsembleRow)
    write_text(summary, page)
    return rows
