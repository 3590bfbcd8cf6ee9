"""Distances between all jets of a set, measured once for every metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import ImageError, TableError
from oddjet.images.settings import DistanceSettings
from oddjet.images.store import JET_COLUMNS, read_images
from oddjet.io.tables import TableWriter, read_array, read_attributes, read_table

KEPT = ("run", "luminosityBlock", "event", "jet_rank", "pt", "mass", "weight")


@dataclass(frozen=True)
class DistanceTable:
    """Distances between the first jets of a file of images.

    Attributes
    ----------
    metric : str
    jets : structured array, shape (n,)
        Identifiers, pT, mass and weight.
    condensed : float64 array, shape (n (n - 1) / 2,)
        Pairs (0, 1), (0, 2), ..., as scipy's `squareform` wants them.
    """

    metric: str
    jets: NDArray[np.void]
    condensed: NDArray[np.float64]

    def weights(self) -> NDArray[np.float64]:
        """Weights of the jets, shape (n,)."""
        return np.asarray(self.jets["weight"], np.float64)

    def matrix(self) -> NDArray[np.float64]:
        """Full symmetric matrix, shape (n, n)."""
        from scipy.spatial.distance import squareform  # slow to import, and not needed where they are written

        return np.asarray(squareform(self.condensed))


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
        Number of threads that measure pairs.
    attributes : mapping of str to str
        Provenance.

    Raises
    ------
    ImageError
        The file has fewer than 4 jets.
    """
    # Brings the compiler, which those who read distances do not need.
    from oddjet.transport.images import metric_of, pairwise

    batch = read_images(images, 0, settings.jets)
    if len(batch) < 4:
        raise ImageError(f"{images}: {len(batch)} jets are too few for distances; give more events or files")
    condensed = pairwise(batch.sparse, metric_of(metric, root=settings.root), threads)
    columns = [column for column in JET_COLUMNS if column.name in KEPT]
    with TableWriter(output, columns, {**attributes, "metric": metric}, {"distances": "f8"}) as table:
        table.append(batch.jets[list(KEPT)])
        table.extend("distances", condensed)
        table.finish()


def read_distances(path: Path) -> DistanceTable:
    """Read what `compute_distances` wrote.

    Raises
    ------
    TableError
        The file is missing, incomplete, or holds no distances.
    """
    jets, attributes = read_table(path), read_attributes(path)
    if "metric" not in attributes:
        raise TableError(f"{path}: holds no distances; give a file of compute_distances")
    condensed = read_array(path, "distances")
    if "weight" not in (jets.dtype.names or ()):
        raise TableError(f"{path}: its jets have no column 'weight'; make it again with compute_distances")
    if len(condensed) != len(jets) * (len(jets) - 1) // 2:
        raise TableError(f"{path}: {len(condensed)} distances do not fit {len(jets)} jets; make it again")
    return DistanceTable(attributes["metric"], jets, condensed)
