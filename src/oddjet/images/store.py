"""Tables of jets with the occupied pixels of their images beside the rows; images found by the rows of other tables.

`oddjet.io.tables.read_table` gives the jets, `read_attributes` what they come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import ImageError, TableError, naming
from oddjet.io.tables import (
    DATASET,
    Column,
    TableWriter,
    count_rows,
    damage_of,
    read_array,
    read_attributes,
)
from oddjet.jets.columns import RECONSTRUCTED
from oddjet.transport.sparse import SparseImages, concatenated, normalised

JET_COLUMNS = (
    *RECONSTRUCTED,
    Column("weight", "f4", "1", "Generator weight."),
    Column("inside", "f4", "1", "Share of the jet's pT that lies in the image."),
)
# The image of row i has the pixels indptr[i] to indptr[i + 1] of the two others: position in the image, and pT.
ARRAYS = {"indptr": "i8", "pixel": "u2", "value": "f4"}
# What tells jets apart: the event's numbers repeat from one simulated sample to the next, the momenta do not.
KEY = np.dtype(
    [("run", "u4"), ("luminosityBlock", "u4"), ("event", "u8"), ("jet_rank", "i2")]
    + [(name, "f4") for name in ("pt", "eta", "phi", "mass")]
)


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
        super().__init__(path, JET_COLUMNS, {**attributes, "pixels": str(pixels), "side": repr(side)}, ARRAYS)
        self.extend("indptr", np.zeros(1, np.int64))
        self._occupied = 0

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
        self.append(jets)
        self.extend("indptr", indptr[1:] + self._occupied)
        self.extend("pixel", pixel)
        self.extend("value", value)
        self._occupied += len(pixel)


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
    if "pixels" not in attributes:
        raise TableError(f"{path}: holds no images; give a file of make_images")
    with damage_of(path, "pixels"):
        pixels = int(attributes["pixels"])
    with damage_of(path, "side"):
        side = float(attributes["side"])
    rows = range(count_rows(path))[start:stop]
    indptr = read_array(path, "indptr", rows.start, rows.stop + 1)
    if len(indptr) != len(rows) + 1 or indptr.dtype.kind not in "iu":
        raise TableError(f"{path}: its index does not fit its {len(rows)} images; make the images again")
    pixel, value = (read_array(path, name, int(indptr[0]), int(indptr[-1])) for name in ("pixel", "value"))
    if (pixel.dtype.kind, value.dtype.kind) != ("u", "f"):
        raise TableError(f"{path}: its pixels are of the types {pixel.dtype} and {value.dtype}; make the images again")
    if pixel.shape != value.shape or pixel.shape != (int(indptr[-1] - indptr[0]),) or not (pixel < pixels**2).all():
        raise TableError(f"{path}: its pixels do not fit its images; make the images again")
    jets = read_array(path, DATASET, rows.start, rows.stop)
    with naming(path):
        return ImageBatch(jets, normalised(indptr, pixel, value, pixels, side))


class ImageLibrary:
    """Images of many files, found by the rows of feature tables and datasets.

    Parameters
    ----------
    files : sequence of Path
        Files of `make_images`: the images of all jets that will be asked for.

    Raises
    ------
    TableError, TransportError
        A file holds no images, or images of another size than the others.

    Attributes
    ----------
    pixels, side : int, float
        Pixels a side and length of a side.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        batches = [read_images(path) for path in files]
        self._images = concatenated([batch.sparse for batch in batches])
        self.pixels, self.side = self._images.pixels, self._images.side
        self._jets = np.concatenate([batch.jets for batch in batches])
        keys = _keys(self._jets)
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]

    def of(self, jets: NDArray[np.void]) -> ImageBatch:
        """Give the images of jets, structured array of shape (n,) with the columns of `KEY`, in their order.

        Raises
        ------
        ImageError
            A jet has no image; the message names the first one.
        """
        keys = _keys(jets)
        places = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        missing = self._sorted[places] != keys
        if missing.any():
            jet = jets[int(np.argmax(missing))]
            raise ImageError(
                f"jet {jet['jet_rank']} of event {jet['run']}:{jet['luminosityBlock']}:{jet['event']} has no image; "
                "make the images with the settings of the feature tables"
            )
        rows = self._order[places]
        return ImageBatch(self._jets[rows], self._images.take(rows))


def _keys(jets: NDArray[np.void]) -> NDArray[np.bytes_]:
    missing = [name for name in KEY.names or () if name not in (jets.dtype.names or ())]
    if missing:
        raise ImageError(f"the table has no column {missing[0]}, by which images are found; give a table of jets")
    packed = np.empty(len(jets), KEY)
    for name in KEY.names or ():
        packed[name] = jets[name]
    return packed.view(f"S{KEY.itemsize}")
