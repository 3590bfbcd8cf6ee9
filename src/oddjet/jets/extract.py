"""From a ROOT file to a table of jets and their features, chunk by chunk, with a cutflow that adds up."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from oddjet.errors import InputFileError, JetError, UnreachableFileError
from oddjet.io.candidates import CandidateRecord
from oddjet.io.checksums import verify
from oddjet.io.chunks import Reading
from oddjet.io.cutflow import BadFile, Cutflow
from oddjet.io.jet_columns import RECONSTRUCTED
from oddjet.io.root import EventFile, open_events
from oddjet.io.tables import Column, TableWriter
from oddjet.io.weights import SUM_TOLERANCE
from oddjet.jets.check import FastjetCheck
from oddjet.jets.closure import Closure
from oddjet.jets.clustering import Jets, cluster, stored
from oddjet.jets.features import Feature, Substructure, chosen_features
from oddjet.jets.matching import check_found, truth_match
from oddjet.jets.settings import FeatureSettings, Match
from oddjet.program import progress

LOGGER = logging.getLogger("oddjet")

JET_COLUMNS = (
    *RECONSTRUCTED,
    Column("truth_match", "i1", "1", "1 if the jet matches the kind asked for, 0 if not, -1 without truth."),
    Column("weight", "f4", "1", "Generator weight times the weight of the sample."),
)


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


def select_jets(
    record: CandidateRecord,
    settings: FeatureSettings,
    require_match: Match,
    cutflow: Cutflow,
    closure: Closure | None = None,
) -> tuple[Jets, npt.NDArray[np.int8]]:
    """Jets of one record that pass every cut, and their truth match; adds the record to `cutflow`.

    Parameters
    ----------
    record : CandidateRecord
    settings : FeatureSettings
    require_match : {"none", "dark_quark", "dark_jet", "top"}
    cutflow : Cutflow
    closure : Closure, optional
        Compares with the file's own jets, if there are any.

    Raises
    ------
    JetError
        A match is required and the file has no truth.
    """
    if settings.recluster or record.jets is None:
        jets = cluster(record.candidates, settings.radius, settings.cluster_pt_min, settings.clustering)
        if closure is not None and record.jets is not None:
            closure.add(jets, record.jets)
    else:
        jets = stored(record.jets)
    jets = jets.where(select(jets, settings, cutflow))
    match = truth_match(jets, record, require_match, settings.match_radius)
    if require_match != "none":
        cutflow.jets_unmatched += int(np.sum(match != 1))
        jets, match = jets.where(match == 1), match[match == 1]
    selected = len(np.unique(jets.event))
    empty = int(np.sum(record.candidates.counts() == 0))
    lost = record.losses
    left_out = lost.events if lost.left_out else 0
    cutflow.events_read += len(record) + left_out
    cutflow.events_bad_candidate += left_out
    cutflow.candidates_bad += lost.candidates
    cutflow.events_without_candidates += empty
    cutflow.events_without_selected_jet += len(record) - empty - selected
    cutflow.events_passed += selected
    cutflow.jets_passed += len(jets)
    cutflow.sum_of_weights += float(np.sum(record.weight)) + lost.weight
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
    JetError
        Names the feature, the file and the event of a value that is not finite.
    """
    columns = table_columns(features)
    rows = np.empty(len(jets), dtype=[(column.name, column.dtype) for column in columns])
    rows["run"] = record.run[jets.event]
    rows["luminosityBlock"] = record.luminosity_block[jets.event]
    rows["event"] = record.event[jets.event]
    rows["entry"] = record.entry[jets.event]
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
            raise JetError(
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
    require_match : {"none", "dark_quark", "dark_jet", "top"}
        Keep only jets near such a parton, or made of dark decay products by more than half.
    weight : float
        Factor on the generator weights.
    attributes : mapping of str to str
        Provenance to store in the table; the cutflow is added, `reading` (JSON: the layout and the branches that were
        used) and, where the file has jets of its own, `closure` (JSON: how ours compare).

    Returns
    -------
    Cutflow
        All zero if the file was skipped.

    Raises
    ------
    UnreachableFileError
        The network, a server or a permission is in the way; whatever `on_bad_file` says.
    InputFileError
        Unless `on_bad_file` is "skip": then a complete table without rows takes the place of the file's, with the
        reason in its attribute `bad_file`.
    JetError, TableError
    """
    columns = table_columns(chosen_features(settings.features))
    promised = None
    try:
        if settings.checksums:
            verify(path, Path(settings.checksums))
        with (
            open_events(path, settings.layout, settings.network_seconds) as file,
            TableWriter(output, columns, attributes or {}) as table,
        ):
            promised = file.entries
            cutflow, told = _fill(table, file, settings, require_match, weight)
            table.finish({"cutflow": cutflow.to_json(), **told})
        LOGGER.info("%s: %d jets in %d events", path, cutflow.jets_passed, cutflow.events_read)
        if not cutflow.jets_passed:
            LOGGER.warning("%s: no jet passes; %s", path, cutflow.largest_loss())
    except UnreachableFileError:
        # Nothing is wrong with the file: an empty table in its place would be taken for finished at every later run.
        raise
    except InputFileError as error:
        if settings.on_bad_file == "fail":
            raise
        bad = BadFile(str(path), type(error).__name__, str(error), promised)
        LOGGER.warning("skipped: %s", error)
        with TableWriter(output, columns, attributes or {}) as table:
            cutflow = Cutflow()
            table.finish({"cutflow": cutflow.to_json(), "bad_file": bad.to_json()})
    return cutflow


def reading_of(settings: FeatureSettings, require_match: Match) -> Reading:
    """Say what the settings ask of a file."""
    return Reading(
        apply_puppi_weight=settings.apply_puppi_weight,
        stored_jets=not settings.recluster,
        decays=require_match == "dark_jet",
        bad_candidates=settings.bad_candidates,
        max_bad_events=settings.max_bad_event_fraction,
    )


def _fill(
    table: TableWriter, file: EventFile, settings: FeatureSettings, require_match: Match, weight: float
) -> tuple[Cutflow, dict[str, str]]:
    """Append the jets of a file to its table; give the cutflow and what the table says of the reading."""
    features = chosen_features(settings.features)
    cutflow, closure, check = Cutflow(), Closure(), FastjetCheck(settings)
    reader, records = file.chunks(reading_of(settings, require_match), settings.chunk_size)
    chunks = math.ceil(file.entries / settings.chunk_size)
    for record in progress(records, total=chunks, description=f"chunks of {file.path}"):
        jets, match = select_jets(record, settings, require_match, cutflow, closure)
        check.add(record, jets)
        table.append(jet_rows(record, jets, match, features, settings, weight))
    check_found(reader, require_match, cutflow.events_read)
    generated = file.generated_weight()
    cutflow.sum_of_generated_weights = cutflow.sum_of_weights if generated is None else generated[0]
    if generated is not None and generated[0] < cutflow.sum_of_weights * (1 - SUM_TOLERANCE):
        LOGGER.warning(
            "%s: %s adds up to %g, less than the %g of the events in the file, so it is not what they were generated "
            "with: give no cross_section, or repair it",
            file.path,
            generated[1],
            generated[0],
            cutflow.sum_of_weights,
        )
    cutflow.check(file.path)
    told = {**reader.used(), "generated": "the events read" if generated is None else generated[1]}
    compared = closure.report(file.path)
    if reader.first_bad is not None:
        LOGGER.warning(
            "%s: %d candidates without a momentum, the first: %s; left out: the %s (features.bad_candidates)",
            file.path,
            cutflow.candidates_bad,
            reader.first_bad,
            settings.bad_candidates,
        )
    return cutflow, {"reading": json.dumps(told), **({"closure": compared} if compared else {})}
