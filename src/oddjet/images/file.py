"""Files of sparse images: the table of jets, and beside it the occupied pixels of all of them.

Such a file is also a table of `oddjet.io.tables`: `read_table` gives the jets, `read_attributes` what they come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import TableError
from oddjet.io.hdf5 import open_hdf5
from oddjet.io.jet_columns import RECONSTRUCTED
from oddjet.io.tables import Column, TableWriter, count_rows, damage_of, read_attributes, read_table
from oddjet.transport.sparse import SparseImages, normalised

JET_COLUMNS = (
    *RECONSTRUCTED,
    Column("weight", "f4", "1", "Generator weight."),
    Column("inside", "f4", "1", "Share of the jet's pT that lies in the image."),
)
CHUNK = 65536


class ImageWriter(TableWriter):
    """Append jets and their images to a file that appears under its name only when `finish` was called.

    Parameters
    ----------
    path : Path
        The file to write.
    pixels, side : int, float
        Pixels a side and length of a side, kept as attributes.
    attributes : mapping of str to str
        Provenance.
    """

    def __init__(self, path: Path, pixels: int, side: float, attributes: Mapping[str, str]) -> None:
        super().__init__(path, JET_COLUMNS, {**attributes, "pixels": str(pixels), "side": repr(side)})
        for name, dtype in (("indptr", "i8"), ("pixel", "u2"), ("value", "f4")):
            self._file.create_dataset(
                name, (0,), dtype, maxshape=(None,), chunks=(CHUNK,), compression="gzip", shuffle=True
            )
        self._extend("indptr", np.zeros(1, np.int64))

    def __enter__(self) -> Self:
        return self

    def append_images(
        self,
        jets: NDArray[np.void],
        indptr: NDArray[np.int64],
        pixel: NDArray[np.uint16],
        value: NDArray[np.float32],
    ) -> None:
        """Add jets, a structured array with `JET_COLUMNS`, and their pixels as `preprocessing.pixelate` gives them."""
        before = len(self._file["pixel"])
        self.append(jets)
        self._extend("indptr", indptr[1:] + before)
        self._extend("pixel", pixel)
        self._extend("value", value)

    def _extend(self, name: str, values: NDArray[np.generic]) -> None:
        self._require_space(values.nbytes)
        dataset = self._file[name]
        start = len(dataset)
        dataset.resize(start + len(values), axis=0)
        dataset[start:] = values


@dataclass(frozen=True)
class ImageBatch:
    """Some jets of a file.

    Attributes
    ----------
    jets : structured array, shape (n,)
        With `JET_COLUMNS`.
    sparse : SparseImages
        Their images; each adds up to 1.
    """

    jets: NDArray[np.void]
    sparse: SparseImages

    def __len__(self) -> int:
        return len(self.jets)

    def dense(self) -> NDArray[np.float32]:
        """Give all pixels, float32 array of shape (n, pixels, pixels)."""
        return self.sparse.dense()

    @cached_property
    def side(self) -> float:
        """Length of a side in eta and phi."""
        return self.sparse.side


def read_images(path: Path, start: int = 0, stop: int | None = None) -> ImageBatch:
    """Read the images of jets `start` to `stop` (all from `start` on if None).

    Raises
    ------
    TableError
        The file is missing, incomplete, or holds no images.
    """
    attributes = read_attributes(path)
    with open_hdf5(path) as file:
        missing = [name for name in ("indptr", "pixel", "value") if name not in file]
        if missing or "pixels" not in attributes:
            raise TableError(f"{path}: holds no images ({', '.join(missing)} missing); give a file of make_images")
        rows = range(len(file["jets"]))[start:stop]
        indptr = np.asarray(file["indptr"][rows.start : rows.stop + 1])
        occupied = slice(indptr[0], indptr[-1])
        pixel, value = np.asarray(file["pixel"][occupied]), np.asarray(file["value"][occupied])
        jets = np.asarray(file["jets"][rows.start : rows.stop])
    with damage_of(path, "pixels"):
        pixels = int(attributes["pixels"])
    with damage_of(path, "side"):
        side = float(attributes["side"])
    return ImageBatch(jets, normalised(indptr, pixel, value, pixels, side))


def iterate_images(path: Path, rows: int) -> Iterator[ImageBatch]:
    """Read the images so many jets at a time; raises `TableError` as `read_images` does."""
    for start in range(0, count_rows(path), rows):
        yield read_images(path, start, start + rows)


def read_jets(path: Path) -> NDArray[np.void]:
    """Read the jets without their images."""
    return read_table(path, [column.name for column in JET_COLUMNS])
