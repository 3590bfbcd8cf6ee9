"""Images of the jets of the semivisible-jet analysis.

The jets are those of the feature tables: the same clustering and the same cuts, in the same order.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from oddjet.errors import InputFileError, UnreachableFileError
from oddjet.images.make import jet_rows
from oddjet.images.preprocessing import aligned, pixelate
from oddjet.images.settings import ImageJetSettings
from oddjet.images.store import ImageWriter
from oddjet.io.cutflow import Cutflow
from oddjet.io.root import read_candidates
from oddjet.jets.extract import reading_of, select_jets
from oddjet.jets.settings import FeatureSettings, Match

LOGGER = logging.getLogger("oddjet")


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
        See `oddjet.images.store`.
    features : FeatureSettings
        Clustering and cuts of the feature stage.
    images : ImageJetSettings
        Pixels and width alone are read; left out, the width is 3.2 times the radius of `features`.
    require_match : {"none", "dark_quark", "dark_jet", "top"}
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
        if features.on_bad_file == "fail" or isinstance(error, UnreachableFileError):
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
        reading_of(features, require_match),
        chunk_size=features.chunk_size,
        layout=features.layout,
        network_seconds=features.network_seconds,
    ):
        jets, _ = select_jets(record, features, require_match, cutflow)
        indptr, pixel, value, inside = pixelate(jets.constituents, *aligned(jets.constituents), *size)
        writer.append_images(jet_rows(record, jets, inside), indptr, pixel, value)
        total += len(jets)
    writer.finish()
    return total
