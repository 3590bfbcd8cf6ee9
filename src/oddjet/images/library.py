"""The images of the jets of the semivisible-jet analysis, found by the rows of its tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import ImageError
from oddjet.images.file import ImageBatch, read_images
from oddjet.transport.sparse import concatenated

# What tells jets apart: the event's numbers repeat from one simulated sample to the next, the momenta do not.
KEY = np.dtype(
    [("run", "u4"), ("luminosityBlock", "u4"), ("event", "u8"), ("jet_rank", "i2")]
    + [(name, "f4") for name in ("pt", "eta", "phi", "mass")]
)


class ImageLibrary:
    """Images of many files, found by the rows of feature tables and datasets.

    Parameters
    ----------
    files : sequence of Path
        Files of `make_grid_images`: the images of all jets that will be asked for.

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
    packed = np.empty(len(jets), KEY)
    for name in KEY.names or ():
        packed[name] = jets[name]
    return packed.view(f"S{KEY.itemsize}")
