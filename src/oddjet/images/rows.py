"""The first jets of a file of images, for scoring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from oddjet.images.store import JET_COLUMNS, ImageBatch, read_images
from oddjet.io.tables import Column, count_rows
from oddjet.io.weights import row_weights

KEPT = ("run", "luminosityBlock", "event", "entry", "jet_rank", "pt", "mass", "weight")
SOURCE = Column("source", "i2", "1", "position of the file within its sample")
# Dense images and reconstructions that are in memory at a time.
JETS_AT_A_TIME = 5000


class ImageRows:
    """The first jets of a file, with their images.

    Parameters
    ----------
    number
        How many are scored, at most.
    """

    of_samples = False

    def __init__(self, number: int) -> None:
        self._number = number

    def columns(self, path: Path) -> list[Column]:
        """Return what tells jets apart, pT, mass and weight."""
        known = {column.name: column for column in JET_COLUMNS}
        return [SOURCE, *(known[name] for name in KEPT)]

    def check(self, paths: Sequence[Path]) -> None:
        """Raise `TableError` for a file that holds no images."""
        for path in paths:
            read_images(path, 0, 1)

    def read(
        self, path: Path, kept: Sequence[str], position: int, factor: float
    ) -> Iterator[tuple[Mapping[str, Any], ImageBatch]]:
        """Read a file; see `oddjet.detectors.opening.Rows`."""
        number = min(self._number, count_rows(path))
        for start in range(0, number, JETS_AT_A_TIME):
            batch = read_images(path, start, min(start + JETS_AT_A_TIME, number))
            values = {name: batch.jets[name] for name in KEPT if name != "weight"}
            yield {"source": position, **values, "weight": row_weights(batch.jets["weight"], factor)}, batch
