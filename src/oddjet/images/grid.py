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
from oddjet.io.root import open_events
from oddjet.jets.corrections import Corrections
from oddjet.jets.extract import opening_of, reading_of, select_jets
from oddjet.jets.selection import Selection
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
    require_match : {"none", "dark_quark", "dark_jet", "top"}
        As for the feature table.
    attributes : mapping of str to str
        Provenance.

    Returns
    -------
    int
        Number of jets; 0 for a file that cannot be used, where `features.on_bad_file` is "skip".
    """
    of_sample = Selection(features, own), Corrections(features.corrections, features.eta_max)
    side = images.width if images.width is not None else 3.2 * features.radius
    try:
        with ImageWriter(output, images.pixels, side, attributes) as writer:
            return _append_all(path, writer, features, of_sample, require_match, (images.pixels, side))
    except InputFileError as error:
        if features.on_bad_file == "fail" or isinstance(error, UnreachableFileError):
            raise
        LOGGER.warning("skipped: %s", error)
        with ImageWriter(output, images.pixels, side, attributes) as writer:
            writer.finish()
        return 0


def _append_all(
    path: str,
    writer: ImageWriter,
    features: FeatureSettings,
    of_sample: tuple[Selection, Corrections],
    require_match: Match,
    size: tuple[int, float],
) -> int:
    """Write the images of a file, and count them."""
    total, cutflow = 0, Cutflow()
    selection, corrections = of_sample
    with open_events(path, opening_of(features)) as file:
        branches = tuple(dict.fromkeys([*selection.readable(file), *corrections.readable(file)]))
        reading = reading_of(features, require_match, branches)
        for record in file.chunks(reading, features.chunk_size)[1]:
            passed = selection.of_events(record, cutflow)
            jets, _ = select_jets(
                passed, features, require_match, cutflow, selection=selection, corrections=corrections
            )
            indptr, pixel, value, inside = pixelate(jets.constituents, *aligned(jets.constituents), *size)
            writer.append_images(jet_rows(passed, jets, inside), indptr, pixel, value)
            total += len(jets)
    writer.finish()
    return total
