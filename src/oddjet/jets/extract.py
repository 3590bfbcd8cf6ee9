"""From a ROOT file to a table of jets and their features, chunk by chunk, with a cutflow that adds up."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from oddjet.errors import OddjetError
from oddjet.io.checksums import verify
from oddjet.io.chunks import PARTONS, InputFileError
from oddjet.io.jet_columns import RECONSTRUCTED
from oddjet.io.records import CandidateRecord, Particles
from oddjet.io.root import count_events, generated_weight, read_candidates
from oddjet.io.tables import Column, TableWriter
from oddjet.jets.clustering import Jets, cluster, stored
from oddjet.jets.cutflow import BadFile, Cutflow
from oddjet.jets.features import Feature, Substructure, chosen_features
from oddjet.jets.matching import matched
from oddjet.jets.settings import FeatureSettings, Match
from oddjet.program import progress

LOGGER = logging.getLogger("oddjet")

JET_COLUMNS = (
    *RECONSTRUCTED,
    Column("truth_match", "i1", "1", "1 if a parton of the kind asked for lies near, 0 if not, -1 without truth."),
    Column("weight", "f4", "1", "Generator weight times the weight of the sample."),
)


class TruthError(OddjetError):
    """A truth match is required of a file without generator particles."""


class FeatureValueError(OddjetError):
    """A feature came out NaN or infinite."""


def select(jets: Jets, settings: FeatureSettings, cutflow: Cutflow) -> npt.NDArray[np.bool_]:
    """Which jets lie in the window of pT and eta and are leading enough; counts the others in `cutflow`.

    Each jet is counted in the first cut that it fails, in the order of the cutflow.
    """
    keep = np.ones(len(jets), bool)
    last = len(jets) if settings.max_jets is None else settings.max_jets
    cutflow.jets_clustered += len(jets)
    for name, fails in (
        ("jets_pt_low", jets.pt <= settings.pt_min),
        ("jets_pt_high", jets.pt >= settings.pt_max),
        ("jets_eta", np.abs(jets.eta) >= settings.eta_max),
        ("jets_rank", jets.rank >= last),
    ):
        setattr(cutflow, name, getattr(cutflow, name) + int(np.sum(keep & fails)))
        keep &= ~fails
    return keep


def truth_match(
    jets: Jets, partons: Mapping[str, Particles] | None, require: Match, radius: float
) -> npt.NDArray[np.int8]:
    """Truth match of each jet.

    Parameters
    ----------
    jets : Jets
    partons : mapping of str to Particles, or None
        From `CandidateRecord`.
    require : {"none", "dark_quark", "top"}
        The kind of parton; with "none" any kind counts.
    radius : float
        Largest Delta R.

    Returns
    -------
    int8 array, shape (jets,)
        1 matched, 0 not, -1 where there is no truth.
    """
    if partons is None:
        return np.full(len(jets), -1, np.int8)
    kinds = list(PARTONS) if require == "none" else [require]
    near = np.zeros(len(jets), bool)
    for kind in kinds:
        near |= matched(jets, partons[kind], radius)
    return near.astype(np.int8)


def select_jets(
    record: CandidateRecord, settings: FeatureSettings, require_match: Match, cutflow: Cutflow
) -> tuple[Jets, npt.NDArray[np.int8]]:
    """Jets of one record that pass every cut, and their truth match; adds the record to `cutflow`.

    Raises
    ------
    TruthError
        A match is required and the file has no truth.
    """
    if require_match != "none" and record.partons is None:
        raise TruthError(
            f"{record.file}: require_match is {require_match}, but the file has no generator particles; "
            "set require_match: none for this sample"
        )
    if record.jets is None:
        jets = cluster(record.candidates, settings.radius, settings.cluster_pt_min)
    else:
        jets = stored(record.jets)
    jets = jets.where(select(jets, settings, cutflow))
    match = truth_match(jets, record.partons, require_match, settings.match_radius)
    if require_match != "none":
        cutflow.jets_unmatched += int(np.sum(match != 1))
        jets, match = jets.where(match == 1), match[match == 1]
    selected = len(np.unique(jets.event))
    empty = int(np.sum(record.candidates.counts() == 0))
    cutflow.events_read += len(record)
    cutflow.events_without_candidates += empty
    cutflow.events_without_selected_jet += len(record) - empty - selected
    cutflow.events_passed += selected
    cutflow.jets_passed += len(jets)
    cutflow.sum_of_weights += float(np.sum(record.weight))
    return jets, match


def table_columns(features: Sequence[Feature]) -> list[Column]:
    """Columns of the table: the jet's own, then the features that are not among those (mass is)."""
    own = {column.name for column in JET_COLUMNS}
    return [*JET_COLUMNS, *(feature.column() for feature in features if feature.name not in own)]


def jet_rows(
    record: CandidateRecord,
    jets: Jets,
    match: npt.NDArray[np.int8],
    features: Sequence[Feature],
    settings: FeatureSettings,
    weight: float,
) -> npt.NDArray[np.void]:
    """Rows of the table for the selected jets of one record.

    Raises
    ------
    FeatureValueError
        Names the feature, the file and the event of a value that is not finite.
    """
    columns = table_columns(features)
    rows = np.empty(len(jets), dtype=[(column.name, column.dtype) for column in columns])
    rows["run"] = record.run[jets.event]
    rows["luminosityBlock"] = record.luminosity_block[jets.event]
    rows["event"] = record.event[jets.event]
    rows["jet_rank"] = jets.rank
    for name in ("pt", "eta", "phi", "mass"):
        rows[name] = getattr(jets, name)
    rows["n_constituents"] = jets.constituents.counts()
    rows["truth_match"] = match
    rows["weight"] = record.weight[jets.event] * weight
    shared = Substructure(jets, settings)
    for feature in features:
        values = feature.compute(shared)
        if not np.isfinite(values).all():
            jet = int(np.argmin(np.isfinite(values)))
            raise FeatureValueError(
                f"{record.file}: feature {feature.name} is {values[jet]} for jet {jets.rank[jet]} of event "
                f"{rows['run'][jet]}:{rows['luminosityBlock'][jet]}:{rows['event'][jet]}"
            )
        rows[feature.name] = values
    return rows


def extract_features(
    path: str | Path,
    output: Path,
    settings: FeatureSettings,
    *,
    require_match: Match = "none",
    weight: float = 1.0,
    attributes: Mapping[str, str] | None = None,
) -> Cutflow:
    """Write the table of selected jets of one ROOT file.

    Parameters
    ----------
    path : str or Path
        ROOT file of a supported layout.
    output : Path
        HDF5 table, written under a temporary name until it is whole.
    settings : FeatureSettings
    require_match : {"none", "dark_quark", "top"}
        Keep only jets near such a parton.
    weight : float
        Factor on the generator weights.
    attributes : mapping of str to str
        Provenance to store in the table; the cutflow is added.

    Returns
    -------
    Cutflow
        All zero if the file was skipped.

    Raises
    ------
    InputFileError
        Unless `on_bad_file` is "skip": then a complete table without rows takes the place of the file's, with the
        reason in its attribute `bad_file`.
    UnknownFeatureError, TruthError, FeatureValueError, CutflowError
    """
    features = chosen_features(settings.features)
    columns = table_columns(features)
    try:
        if settings.checksums:
            verify(path, Path(settings.checksums))
        with TableWriter(output, columns, attributes or {}) as table:
            cutflow = Cutflow()
            records = read_candidates(
                path,
                chunk_size=settings.chunk_size,
                layout=settings.layout,
                apply_puppi_weight=settings.apply_puppi_weight,
                stored_jets=not settings.recluster,
            )
            chunks = math.ceil(count_events(path, settings.layout) / settings.chunk_size)
            for record in progress(records, total=chunks, description=f"chunks of {path}"):
                jets, match = select_jets(record, settings, require_match, cutflow)
                table.append(jet_rows(record, jets, match, features, settings, weight))
            generated = generated_weight(path, settings.layout)
            cutflow.sum_of_generated_weights = cutflow.sum_of_weights if generated is None else generated
            cutflow.check(str(path))
            table.finish({"cutflow": cutflow.to_json()})
        LOGGER.info("%s: %d jets in %d events", path, cutflow.jets_passed, cutflow.events_read)
    except InputFileError as error:
        if settings.on_bad_file == "fail":
            raise
        bad = BadFile(str(path), type(error).__name__, str(error), _promised_events(path, settings.layout))
        LOGGER.warning("skipped: %s", error)
        with TableWriter(output, columns, attributes or {}) as table:
            cutflow = Cutflow()
            table.finish({"cutflow": cutflow.to_json(), "bad_file": bad.to_json()})
    return cutflow


def _promised_events(path: str | Path, layout: str) -> int | None:
    """Events that the header of a bad file promises, if it can be read."""
    try:
        return count_events(path, layout)
    except InputFileError:
        return None
