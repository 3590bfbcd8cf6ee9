"""Images of the jets of the semivisible-jet analysis, and scores by their distance to medoids of the background.

The jets are those of the feature tables: the same clustering and the same cuts, in the same order.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import OddjetError
from oddjet.images.file import ImageWriter, read_images
from oddjet.images.grid_settings import ImageMethod
from oddjet.images.jet_settings import ImageJetSettings
from oddjet.images.make import jet_rows
from oddjet.images.preprocessing import aligned, pixelate
from oddjet.io.chunks import InputFileError
from oddjet.io.root import read_candidates
from oddjet.jets.cutflow import Cutflow
from oddjet.jets.extract import select_jets
from oddjet.jets.settings import FeatureSettings, Match
from oddjet.transport.condensed import square
from oddjet.transport.images import cross, metric_of, pairwise
from oddjet.transport.medoids import find_medoids
from oddjet.transport.sparse import SparseImages, concatenated

LOGGER = logging.getLogger("oddjet")

# What tells jets apart: the event's numbers repeat from one simulated sample to the next, the momenta do not.
KEY = np.dtype(
    [("run", "u4"), ("luminosityBlock", "u4"), ("event", "u8"), ("jet_rank", "i2")]
    + [(name, "f4") for name in ("pt", "eta", "phi", "mass")]
)


class GridImageError(OddjetError):
    """A jet without an image, or too few jets to find medoids in."""


def make_grid_images(
    path: str,
    output: Path,
    features: FeatureSettings,
    images: ImageJetSettings,
    *,
    require_match: Match,
    attributes: Mapping[str, str],
) -> int:
    """Write the images of the jets that the feature table of the same file has.

    Parameters
    ----------
    path : str
        ROOT file.
    output : Path
        See `oddjet.images.file`.
    features : FeatureSettings
        Clustering and cuts of the feature stage.
    images : ImageJetSettings
        Pixels and width alone are read; left out, the width is 3.2 times the radius of `features`.
    require_match : {"none", "dark_quark", "top"}
        As for the feature table.
    attributes : mapping of str to str
        Provenance.

    Returns
    -------
    int
        Number of jets; 0 for a file that cannot be used, where `features.on_bad_file` is "skip".
    """
    side = images.width if images.width is not None else 3.2 * features.radius
    try:
        with ImageWriter(output, images.pixels, side, attributes) as writer:
            return _append_all(path, writer, features, require_match, (images.pixels, side))
    except InputFileError as error:
        if features.on_bad_file == "fail":
            raise
        LOGGER.warning("skipped: %s", error)
        with ImageWriter(output, images.pixels, side, attributes) as writer:
            writer.finish()
        return 0


def _append_all(
    path: str, writer: ImageWriter, features: FeatureSettings, require_match: Match, size: tuple[int, float]
) -> int:
    """Write the images of a file, and count them."""
    total, cutflow = 0, Cutflow()
    for record in read_candidates(
        path,
        chunk_size=features.chunk_size,
        layout=features.layout,
        apply_puppi_weight=features.apply_puppi_weight,
        stored_jets=not features.recluster,
    ):
        jets, _ = select_jets(record, features, require_match, cutflow)
        indptr, pixel, value, inside = pixelate(jets.constituents, *aligned(jets.constituents), *size)
        writer.append_images(jet_rows(record, jets, inside), indptr, pixel, value)
        total += len(jets)
    writer.finish()
    return total


class ImageScorer:
    """Scores jets by the distance of their image to the medoids of training jets, each seed with jets of its own.

    Parameters
    ----------
    files : sequence of Path
        Images of all jets that will be asked for, and of the training jets.
    train : structured array, shape (n,)
        Training jets, rows of the dataset's table.
    method : ImageMethod
    seeds : sequence of int
        One column of scores each.
    threads : int

    Raises
    ------
    GridImageError
        There are fewer training jets than medoids, or one has no image.
    """

    def __init__(
        self, files: Sequence[Path], train: NDArray[np.void], method: ImageMethod, seeds: Sequence[int], threads: int
    ) -> None:
        batches = [read_images(path) for path in files]
        self._images = concatenated([batch.sparse for batch in batches])
        keys = np.concatenate([_keys(batch.jets) for batch in batches])
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]
        self._method, self._threads = method, threads
        self._metric = metric_of(method.metric)
        if len(train) < max(method.medoids, 2):
            raise GridImageError(f"{len(train)} training jets are too few for {method.medoids} medoids")
        self._medoids = [self._find(train, seed) for seed in seeds]

    def __call__(self, jets: NDArray[np.void]) -> NDArray[np.float64]:
        """Score jets: float64 array of shape (n, seeds), larger is farther from the background."""
        images = self._images_of(jets)
        scores = np.empty((len(jets), len(self._medoids)))
        for column, medoids in enumerate(self._medoids):
            to = cross(images, medoids, self._metric, self._threads)
            scores[:, column] = to.min(axis=1) if self._method.combination == "min" else to.sum(axis=1)
        return scores

    def _find(self, train: NDArray[np.void], seed: int) -> SparseImages:
        drawn = np.random.default_rng(seed).permutation(len(train))[: self._method.jets]
        images = self._images_of(train[np.sort(drawn)])
        matrix = square(pairwise(images, self._metric, self._threads))
        return images.take(find_medoids(matrix, self._method.medoids)[-1].members)

    def _images_of(self, jets: NDArray[np.void]) -> SparseImages:
        keys = _keys(jets)
        places = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        missing = self._sorted[places] != keys
        if missing.any():
            jet = jets[int(np.argmax(missing))]
            raise GridImageError(
                f"jet {jet['jet_rank']} of event {jet['run']}:{jet['luminosityBlock']}:{jet['event']} has no image; "
                "make the images with the settings of the feature tables"
            )
        return self._images.take(self._order[places])


def _keys(jets: NDArray[np.void]) -> NDArray[np.bytes_]:
    packed = np.empty(len(jets), KEY)
    for name in KEY.names or ():
        packed[name] = jets[name]
    return packed.view(f"S{KEY.itemsize}")
