"""From ROOT files to images: the jets that pass, preprocessed, one file of images for each part of the split."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.dataset.split import PARTS, assign_parts
from oddjet.errors import ImageError, InputFileError, UnreachableFileError
from oddjet.images.preprocessing import aligned, pixelate
from oddjet.images.settings import ImageJetSettings
from oddjet.images.store import JET_COLUMNS, ImageWriter
from oddjet.io.candidates import CandidateRecord
from oddjet.io.checksums import verify
from oddjet.io.cutflow import BadFile, Cutflow
from oddjet.io.root import open_events
from oddjet.jets.clustering import Jets
from oddjet.jets.columns import rows_of
from oddjet.jets.corrections import Corrections
from oddjet.jets.cutflow import check_bad_files
from oddjet.jets.extract import opening_of, reading_of, select_jets
from oddjet.jets.matching import check_found, check_truth
from oddjet.jets.selection import Selection
from oddjet.jets.settings import FeatureSettings, Match
from oddjet.program import progress
from oddjet.selection.settings import SampleSelection

LOGGER = logging.getLogger("oddjet")


def make_images(
    inputs: Sequence[str],
    outputs: Mapping[str, Path],
    settings: ImageJetSettings,
    features: FeatureSettings | None = None,
    *,
    own: SampleSelection | None = None,
    require_match: Match = "none",
    weight: float = 1.0,
    attributes: Mapping[str, str] | None = None,
) -> Cutflow:
    """Write the images of the leading jets of ROOT files, split into train, validation and test.

    Parameters
    ----------
    inputs
        ROOT files of one sample; the images of one file and the events of one chunk are in memory at a time.
    outputs
        Where `train`, `validation` and `test` go; see `oddjet.images.store`.
    settings
        Which jets, and their images.
    features
        How files are read, and the corrections of the sample; the jets are those of `settings`.
    own
        Cuts of the sample's own.
    require_match
        Keep only jets near such a generated particle.
    weight
        Factor on the generator weights.
    attributes
        Provenance; the cutflow is added.

    Returns
    -------
    The cutflow of all files. One that cannot be used is left out, where `features.on_bad_file` is "skip".

    Raises
    ------
    ImageError
        No event passes.
    InputFileError, JetError, SelectionError, CorrectionError
        A file cannot be used, or too many were left out.
    """
    common = settings.features(features or FeatureSettings())
    cutflow, bad = Cutflow(), []
    with ExitStack() as stack:
        writers = {
            part: stack.enter_context(ImageWriter(path, settings.pixels, settings.side, attributes or {}))
            for part, path in outputs.items()
        }
        for path in progress(inputs, total=len(inputs), description="images of files"):
            read = Cutflow()
            try:
                found = list(_parts(path, settings, common, own, require_match, weight, read))
            except UnreachableFileError:
                raise
            except InputFileError as error:
                if common.on_bad_file == "fail":
                    raise
                LOGGER.warning("skipped: %s", error)
                bad.append(BadFile(path, type(error).__name__, str(error), None))
                continue
            cutflow += read
            for part, images in found:
                if part in writers:
                    writers[part].append_images(*images)
        check_bad_files("of images", bad, len(inputs), common.max_bad_fraction)
        if not cutflow.jets_passed:
            raise ImageError(
                f"no jet of {', '.join(inputs)} passes: {cutflow.largest_loss()}; lower images.jets.leading_pt_min or "
                "add events"
            )
        for writer in writers.values():
            writer.finish({"cutflow": cutflow.to_json()})
    LOGGER.info("images: %s", ", ".join(f"{name} {count:g}" for name, count in cutflow.counts().items()))
    return cutflow


def jets_of(
    path: str,
    features: FeatureSettings,
    own: SampleSelection | None,
    require_match: Match,
    cutflow: Cutflow,
) -> Iterator[tuple[CandidateRecord, Jets]]:
    """Yield the events of a ROOT file, chunk by chunk, and their jets that a feature table of these settings has.

    Parameters
    ----------
    path
        ROOT file: a path or an address.
    features
        Clustering and cuts.
    own
        Cuts of the sample's own.
    require_match
        As for a feature table.
    cutflow
        Events and jets are added to it, and it is checked at the end of the file.

    Raises
    ------
    InputFileError, JetError, SelectionError, CorrectionError
        As `oddjet.jets.extract.extract_features`.
    """
    selection, corrections = Selection(features, own), Corrections(features.corrections, features.eta_max)
    if features.checksums:
        verify(path, Path(features.checksums))
    with open_events(path, opening_of(features)) as file:
        branches = tuple(dict.fromkeys([*selection.readable(file), *corrections.readable(file)]))
        reader, records = file.chunks(reading_of(features, require_match, branches), features.chunk_size)
        if file.entries:
            check_truth(reader, require_match)
        for record in records:
            passed = selection.of_events(record, cutflow)
            jets, _ = select_jets(
                passed, features, require_match, cutflow, selection=selection, corrections=corrections
            )
            yield passed, jets
        check_found(reader, require_match, cutflow.events_read)
        generated = file.generated_weight()
    cutflow.sum_of_generated_weights = cutflow.sum_of_weights if generated is None else generated[0]
    cutflow.check(path)


def jet_images(
    record: CandidateRecord, jets: Jets, pixels: int, side: float, weight: NDArray[np.float64]
) -> tuple[NDArray[np.void], NDArray[np.int64], NDArray[np.uint16], NDArray[np.float32]]:
    """Return the rows of n jets, with weights (n,), and their pixels, as `ImageWriter.append_images` takes them."""
    x, y = aligned(jets.constituents)
    indptr, pixel, value, inside = pixelate(jets.constituents, x, y, pixels, side)
    rows = rows_of(JET_COLUMNS, record, jets)
    rows["weight"] = weight
    rows["inside"] = inside
    return rows, indptr, pixel, value


def _parts(
    path: str,
    settings: ImageJetSettings,
    features: FeatureSettings,
    own: SampleSelection | None,
    require_match: Match,
    weight: float,
    cutflow: Cutflow,
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the part that jets of a file belong to, and their images."""
    corrections = Corrections(features.corrections, features.eta_max)
    for record, jets in jets_of(path, features, own, require_match, cutflow):
        weights = corrections.nominal(record)[jets.event] * weight
        assigned = assign_parts(rows_of(JET_COLUMNS, record, jets), settings.fractions, settings.seed)
        for position, part in enumerate(PARTS):
            mine = assigned == position
            yield part, jet_images(record, jets.where(mine), settings.pixels, settings.side, weights[mine])
