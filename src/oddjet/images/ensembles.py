"""Event-to-ensemble distances: how far test jets are from the reference jets of a sample and from its average image."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import TableError
from oddjet.images.reference_jets import References, read_references
from oddjet.images.store import read_images
from oddjet.io.tables import Column, TableWriter, read_attributes, read_list, read_table
from oddjet.transport.sparse import SparseImages

if TYPE_CHECKING:
    from oddjet.transport.images import Metric

LOGGER = logging.getLogger("oddjet")

# Test jets are measured and written in blocks of this many.
ROWS = 2000


@dataclass(frozen=True)
class EnsembleDistances:
    """Distances of test jets to the reference jets of one sample.

    Attributes
    ----------
    reference, metric : str
        Sample of the reference jets, metric.
    members : int64 array, shape (r,)
        Positions of the reference jets among the reference sample's.
    samples : dict of str to (float64 array of shape (n, r), float64 array of shape (n,))
        For each sample the distances of its test jets to the members and to the average image.
    weights : dict of str to array of shape (n,)
        Weights of these jets.
    """

    reference: str
    metric: str
    members: NDArray[np.int64]
    samples: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    weights: dict[str, NDArray[np.floating[Any]]]

    def to(self, sample: str, jets: Sequence[int]) -> NDArray[np.float64]:
        """Distances of a sample's test jets to these reference jets, shape (n, len(jets))."""
        return self.samples[sample][0][:, np.searchsorted(self.members, np.asarray(jets))]


def ensemble_columns(members: int) -> list[Column]:
    """Columns of a table of distances to `members` reference jets."""
    return [
        Column("sample", "i2", "1", "Position in the attribute `samples`."),
        Column("run", "u4", "1", "Run number of the event."),
        Column("luminosityBlock", "u4", "1", "Luminosity block of the event."),
        Column("event", "u8", "1", "Event number."),
        Column("jet_rank", "i2", "1", "Position in pT among the jets of the event, 0 for the leading one."),
        Column("pt", "f4", "GeV", "Transverse momentum of the jet."),
        Column("mass", "f4", "GeV", "Mass of the jet, at least 0."),
        Column("weight", "f4", "1", "Generator weight."),
        Column("distance", f"({members},)f8", "1", "Distance to each jet of the attribute `members`."),
        Column("average", "f8", "1", "Distance to the average image of the reference sample."),
    ]


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
        Table with `ensemble_columns`.
    reference : str
        Name of the reference sample.
    root : bool
        Whether Wasserstein distances are roots of costs.
    threads : int
        Number of threads that measure pairs.
    attributes : mapping of str to str
        Provenance.

    Raises
    ------
    TableError, ImageError
        A file cannot be read.
    """
    # Brings the compiler, which those who read distances do not need.
    from oddjet.transport.images import metric_of

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
    from oddjet.transport.images import cross

    return cross(images, members, metric, threads), cross(images, average, metric, threads)[:, 0]


def read_ensembles(path: Path) -> EnsembleDistances:
    """Read what `measure_ensembles` wrote; raises `TableError` for anything else."""
    attributes = read_attributes(path)
    missing = [key for key in ("samples", "members", "reference", "metric") if key not in attributes]
    if missing:
        raise TableError(f"{path}: no attribute '{missing[0]}'; give a table that measure_ensembles wrote")
    samples, members = read_list(path, "samples", str), np.array(read_list(path, "members", int), np.int64)
    table = read_table(path, ["sample", "weight", "distance", "average"])
    found = {name: table[table["sample"] == code] for code, name in enumerate(samples)}
    return EnsembleDistances(
        attributes["reference"],
        attributes["metric"],
        members,
        {name: (rows["distance"], rows["average"]) for name, rows in found.items()},
        {name: rows["weight"] for name, rows in found.items()},
    )
