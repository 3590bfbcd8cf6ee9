"""The images of the jets of a dataset's part, in one file as the trainings on images read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from oddjet.images.store import KEY, ImageLibrary, ImageWriter
from oddjet.io.tables import read_table

JETS_AT_A_TIME = 20_000


def gather_images(
    library: ImageLibrary, table: Path, output: Path, seed: int, attributes: Mapping[str, str] | None = None
) -> int:
    """Write the images of a table's jets.

    Parameters
    ----------
    library : ImageLibrary
        Images of all of its jets.
    table : Path
        Part of the dataset: background jets.
    output : Path
        See `oddjet.images.store`.
    seed : int
        Of the order: a training on the first jets alone must see every sample and every file of the background.
    attributes : mapping of str to str, optional
        Provenance.

    Returns
    -------
    int
        Number of jets.

    Raises
    ------
    ImageError
        A jet has no image.
    """
    jets = read_table(table, [*(KEY.names or ()), "weight"])
    jets = jets[np.random.default_rng(seed).permutation(len(jets))]
    with ImageWriter(output, library.pixels, library.side, attributes or {}) as writer:
        for start in range(0, len(jets), JETS_AT_A_TIME):
            batch = library.of(jets[start : start + JETS_AT_A_TIME])
            images = batch.sparse
            # With the cross section, where the analysis has some.
            batch.jets["weight"] = jets["weight"][start : start + JETS_AT_A_TIME]
            writer.append_images(
                batch.jets, images.indptr, images.pixel.astype(np.uint16), images.value.astype(np.float32)
            )
        writer.finish()
    return len(jets)
