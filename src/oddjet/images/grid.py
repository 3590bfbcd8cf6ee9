"""Images of the jets of feature tables, for methods that see images.

The jets are those of the feature tables: the same clustering and the same cuts, in the same order.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from oddjet.errors import InputFileError, UnreachableFileError
from oddjet.images.make import jet_images, jets_of
from oddjet.images.settings import ImageJetSettings
from oddjet.images.store import ImageWriter
from oddjet.io.cutflow import Cutflow
from oddjet.jets.settings import FeatureSettings, Match
from oddjet.selection.settings import SampleSelection

LOGGER = logging.getLogger("oddjet")


def make_grid_images(
    path: str,
    output: Path,
    features: FeatureSettings,
    images: ImageJetSettings,
    *,
    own: SampleSelection | None = None,
    require_match: Match,
    weight: float = 1.0,
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
    own : SampleSelection, optional
        Cuts of the sample's own, as for the feature table.
    require_match : {"none", "dark_quark", "dark_jet", "top", "w"}
        As for the feature table.
    weight : float
        Factor on the generator weights.
    attributes : mapping of str to str
        Provenance.

    Returns
    -------
    int
        Number of jets; 0 for a file that cannot be used, where `features.on_bad_file` is "skip".
    """
    side = images.width if images.width is not None else 3.2 * features.radius
    total = 0
    try:
        with ImageWriter(output, images.pixels, side, attributes) as writer:
            for record, jets in jets_of(path, features, own, require_match, Cutflow()):
                writer.append_images(*jet_images(record, jets, images.pixels, side, record.weight[jets.event] * weight))
                total += len(jets)
            writer.finish()
    except InputFileError as error:
        if features.on_bad_file == "fail" or isinstance(error, UnreachableFileError):
            raise
        LOGGER.warning("skipped: %s", error)
        with ImageWriter(output, images.pixels, side, attributes) as writer:
            writer.finish()
        return 0
    return total
