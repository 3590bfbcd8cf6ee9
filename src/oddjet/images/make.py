"""From ROOT files to images: cluster, take the leading jet, preprocess, split by event."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddjet.dataset.split import PARTS, assign_parts
from oddjet.errors import ImageError
from oddjet.images.preprocessing import aligned, pixelate
from oddjet.images.settings import ImageJetSettings
from oddjet.images.store import JET_COLUMNS, ImageWriter
from oddjet.io.candidates import REASONS, CandidateRecord
from oddjet.io.root import read_candidates
from oddjet.jets.clustering import Jets, cluster
from oddjet.jets.columns import rows_of
from oddjet.jets.matching import truth_match
from oddjet.program import progress

LOGGER = logging.getLogger("oddjet")


def make_images(
    inputs: Sequence[str],
    outputs: Mapping[str, Path],
    settings: ImageJetSettings,
    *,
    require_match: str = "none",
    attributes: Mapping[str, str] | None = None,
) -> Counter[str]:
    """Write the images of the leading jets of ROOT files, split into train, validation and test.

    Parameters
    ----------
    inputs : sequence of str
        ROOT files of one sample; one chunk is in memory at a time.
    outputs : mapping of str to Path
        Where `train`, `validation` and `test` go; see `oddjet.images.store`.
    settings : ImageJetSettings
    require_match : {"none", "top", "w"}
        Keep only jets near such a generated particle.
    attributes : mapping of str to str
        Provenance; the cutflow is added.

    Returns
    -------
    Counter
        Events read, rejected by each cut, and kept.

    Raises
    ------
    ImageError
        No event passes.
    InputFileError, JetError
        A file cannot be used.
    """
    cutflow: Counter[str] = Counter()
    with ExitStack() as stack:
        writers = {
            part: stack.enter_context(ImageWriter(path, settings.pixels, settings.side, attributes or {}))
            for part, path in outputs.items()
        }
        for file in progress(inputs, total=len(inputs), description="images of files"):
            for record in read_candidates(file, chunk_size=settings.chunk_size):
                jets = leading_jets(record, require_match, settings, cutflow)
                _write(record, jets, settings, writers)
        _check(cutflow, inputs)
        for writer in writers.values():
            writer.finish({"cutflow": json.dumps(cutflow)})
    LOGGER.info("images: %s", ", ".join(f"{name} {count}" for name, count in cutflow.items()))
    return cutflow


def leading_jets(
    record: CandidateRecord, require_match: str, settings: ImageJetSettings, cutflow: Counter[str]
) -> Jets:
    """Cluster the events and take the leading jet of those that pass; the others are counted by the cut they fail."""
    jets = cluster(record.candidates, settings.radius, settings.subleading_pt_min)
    counts = np.bincount(jets.event, minlength=len(record))
    leading = jets.where(jets.rank == 0)
    alive = np.ones(len(leading), bool)
    left_out = record.losses.left_out
    cutflow["events_read"] += len(record) + sum(left_out.values())
    for reason in REASONS:
        cutflow[f"bad_{reason}"] += left_out.get(reason, 0)
    # A jet below the threshold of the second one is no leading jet either.
    cutflow["leading_pt"] += len(record) - len(leading)
    cuts = [
        ("leading_pt", leading.pt <= settings.leading_pt_min),
        ("subleading_pt", counts[leading.event] < 2),
        ("eta", np.abs(leading.eta) >= settings.eta_max),
    ]
    if require_match != "none":
        cuts.append(("unmatched", truth_match(leading, record, require_match, settings.match_radius) != 1))
    for name, fails in cuts:
        cutflow[name] += int(np.sum(alive & fails))
        alive &= ~fails
    cutflow["kept"] += int(alive.sum())
    return leading.where(alive)


def jet_rows(record: CandidateRecord, jets: Jets, inside: NDArray[np.float64]) -> NDArray[np.void]:
    """Give the rows of the table of jets."""
    rows = rows_of(JET_COLUMNS, record, jets)
    rows["weight"] = record.weight[jets.event]
    rows["inside"] = inside
    return rows


def _write(record: CandidateRecord, jets: Jets, settings: ImageJetSettings, writers: Mapping[str, ImageWriter]) -> None:
    inside = np.zeros(len(jets))
    assigned = assign_parts(jet_rows(record, jets, inside), settings.fractions, settings.seed)
    for part, writer in writers.items():
        selected = jets.where(assigned == PARTS.index(part))
        x, y = aligned(selected.constituents)
        indptr, pixel, value, share = pixelate(selected.constituents, x, y, settings.pixels, settings.side)
        writer.append_images(jet_rows(record, selected, share), indptr, pixel, value)


def _check(cutflow: Counter[str], inputs: Sequence[str]) -> None:
    rejected = sum(count for name, count in cutflow.items() if name not in ("events_read", "kept"))
    if cutflow["events_read"] != rejected + cutflow["kept"]:
        raise ImageError(f"events are lost: {dict(cutflow)}")
    if not cutflow["kept"]:
        raise ImageError(
            f"no jet of {', '.join(inputs)} passes ({dict(cutflow)}); lower images.jets.leading_pt_min or add events"
        )
