"""Files of distances between all jets of a set: the table of jets, and beside it the distances of all pairs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import TableError
from oddjet.io.hdf5 import open_hdf5
from oddjet.io.tables import TableWriter, read_attributes, read_table
from oddjet.transport.condensed import square


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
        return square(self.condensed)


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
    with open_hdf5(path) as file:
        if "distances" not in file or "metric" not in attributes:
            raise TableError(f"{path}: holds no distances; give a file of compute_distances")
        condensed = np.asarray(file["distances"])
    if "weight" not in (jets.dtype.names or ()):
        raise TableError(f"{path}: its jets have no column 'weight'; make it again with compute_distances")
    if len(condensed) != len(jets) * (len(jets) - 1) // 2:
        raise TableError(f"{path}: {len(condensed)} distances do not fit {len(jets)} jets; make it again")
    return DistanceTable(attributes["metric"], jets, condensed)
