"""Distances between all jets of a set, kept in one file a metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import h5py
import numpy as np
from numpy.typing import NDArray

from oddjet.errors import OddjetError
from oddjet.images.ensemble_settings import DistanceSettings
from oddjet.images.file import JET_COLUMNS, read_images
from oddjet.io.tables import TableError, TableWriter, read_attributes, read_table
from oddjet.transport.images import metric_of, pairwise, square

KEPT = ("run", "luminosityBlock", "event", "jet_rank", "pt", "mass")


class DistanceError(OddjetError):
    """Too few jets to measure distances between."""


@dataclass(frozen=True)
class DistanceTable:
    """Distances between the first jets of a file of images.

    Attributes
    ----------
    metric : str
    jets : structured array, shape (n,)
        Identifiers, pT and mass.
    condensed : float64 array, shape (n (n - 1) / 2,)
        Pairs (0, 1), (0, 2), ..., as scipy's `squareform` wants them.
    """

    metric: str
    jets: NDArray[np.void]
    condensed: NDArray[np.float64]

    def matrix(self) -> NDArray[np.float64]:
        """Full symmetric matrix, shape (n, n)."""
        return square(self.condensed)


def compute_distances(
    images: Path, output: Path, metric: str, settings: DistanceSettings, threads: int, attributes: Mapping[str, str]
) -> None:
    """Measure all pairs of the first jets of a file and write them.

    Parameters
    ----------
    images : Path
        File of `make_images`.
    output : Path
        Table of the jets, with a dataset `distances` beside it; see `DistanceTable`.
    metric : str
        See `oddjet.transport.images.metric_of`.
    settings : DistanceSettings
        Number of jets, root.
    threads : int
        Pairs are measured on so many.
    attributes : mapping of str to str
        Provenance.

    Raises
    ------
    DistanceError
        The file has fewer than 4 jets.
    """
    batch = read_images(images, 0, settings.jets)
    if len(batch) < 4:
        raise DistanceError(f"{images}: {len(batch)} jets are too few for distances; simulate more events")
    condensed = pairwise(batch.sparse, metric_of(metric, root=settings.root), threads)
    columns = [column for column in JET_COLUMNS if column.name in KEPT]
    with DistanceWriter(output, columns, {**attributes, "metric": metric}) as table:
        table.append(batch.jets[list(KEPT)])
        table.add(condensed)
        table.finish()


class DistanceWriter(TableWriter):
    """A table with the distances between its rows beside it."""

    def __enter__(self) -> Self:
        return self

    def add(self, condensed: NDArray[np.float64]) -> None:
        """Store the distances of all pairs."""
        self._require_space(condensed.nbytes)
        self._file.create_dataset("distances", data=condensed, compression="gzip", shuffle=True)


def read_distances(path: Path) -> DistanceTable:
    """Read what `compute_distances` wrote.

    Raises
    ------
    TableError
        The file is missing, incomplete, or holds no distances.
    """
    jets, attributes = read_table(path), read_attributes(path)
    with h5py.File(path, "r") as file:
        if "distances" not in file:
            raise TableError(f"{path}: holds no distances; give a file of compute_distances")
        condensed = np.asarray(file["distances"])
    if len(condensed) != len(jets) * (len(jets) - 1) // 2:
        raise TableError(f"{path}: {len(condensed)} distances do not fit {len(jets)} jets; make it again")
    return DistanceTable(attributes["metric"], jets, condensed)
