"""The page that says what the images and the event-to-ensemble distances give, with the paper's numbers beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from oddjet.images.distances import read_distances
from oddjet.images.ensembles import read_ensembles
from oddjet.images.reference_jets import read_references
from oddjet.images.store import read_images
from oddjet.images.tables import (
    EnsembleRow,
    correlation_table,
    ensemble_rows,
    ensemble_table,
    images_table,
)
from oddjet.io.atomic import write_text
from oddjet.io.csv import write_rows

EXPLANATION = """\
After table 2 of arXiv:2110.06948; the paper's numbers stand in brackets. The score of a jet is its distance to the
nearest of k medoids of the reference sample (min), the sum of its distances to them (sum), or its distance to the
sample's average image (Avg). Where the reference jets are not of the background, the score is minus the distance: a
signal is expected to be near them. One sign holds for all rows of a reference; no AUC is flipped. Errors are
statistical (DeLong). The column `random` takes so many random reference jets as `images.medoids.drawn` says: mean over
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
