"""Event-to-ensemble distances: how far test jets are from the reference jets of a sample and from its average image."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.images.ensemble_file import ensemble_columns
from oddjet.images.file import read_images
from oddjet.images.references import References, read_references
from oddjet.io.tables import TableWriter
from oddjet.transport.images import Metric, cross, metric_of
from oddjet.transport.sparse import SparseImages

LOGGER = logging.getLogger("oddjet")

# Test jets are measured and written so many at a time.
ROWS = 2000


def measure_ensembles(
    references: Path,
    images: Path,
    tests: Mapping[str, Path],
    output: Path,
    *,
    reference: str,
    root: bool,
    threads: int,
    attributes: Mapping[str, str],
) -> None:
    """Measure the distances of all test jets to the reference jets and to the average image.

    Parameters
    ----------
    references : Path
        File of `find_medoids`.
    images : Path
        The images among which the reference jets were chosen; the average image is that of all of them, by weight.
    tests : mapping of str to Path
        Test images of each sample.
    output : Path
        Table; see `oddjet.images.ensemble_file`.
    reference : str
        Name of the reference sample.
    root : bool
        Whether Wasserstein distances are roots of costs.
    threads : int
        Pairs are measured on so many.
    attributes : mapping of str to str
        Provenance.

    Raises
    ------
    TableError, ImageError
        A file cannot be read.
    """
    chosen = read_references(references)
    members = members_of(chosen)
    training = read_images(images)
    metric = metric_of(chosen.metric, root=root)
    kept, average = training.sparse.take(members), training.sparse.mean(training.jets["weight"])
    more = {
        "reference": reference,
        "metric": chosen.metric,
        "members": json.dumps(members.tolist()),
        "samples": json.dumps(list(tests)),
    }
    columns = ensemble_columns(len(members))
    with TableWriter(output, columns, {**attributes, **more}) as table:
        for code, (sample, path) in enumerate(tests.items()):
            batch = read_images(path)
            for start in range(0, len(batch), ROWS):
                some = batch.sparse.take(np.arange(start, min(start + ROWS, len(batch))))
                rows = np.zeros(len(some), [(column.name, column.dtype) for column in columns])
                rows["sample"] = code
                for name in ("run", "luminosityBlock", "event", "jet_rank", "pt", "mass", "weight"):
                    rows[name] = batch.jets[name][start : start + ROWS]
                rows["distance"], rows["average"] = _measured(some, kept, average, metric, threads)
                table.append(rows)
            LOGGER.info("%s: %d jets of %s", metric.name, len(batch), sample)
        table.finish()


def members_of(references: References) -> NDArray[np.int64]:
    """Give every jet that is a medoid for some k or was drawn, once, ascending."""
    every = sorted({jet for group in (*references.medoids, *references.random) for jet in group})
    return np.array(every, np.int64)


def _measured(
    images: SparseImages, members: SparseImages, average: SparseImages, metric: Metric, threads: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return cross(images, members, metric, threads), cross(images, average, metric, threads)[:, 0]
