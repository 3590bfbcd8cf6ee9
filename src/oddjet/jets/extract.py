"""From a ROOT file to a table of jets and their features, chunk by chunk, with a cutflow that adds up."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from oddjet.addresses import is_remote
from oddjet.errors import InputFileError, JetError, UnreachableFileError
from oddjet.io.atomic import refuse_own_input
from oddjet.io.candidates import CandidateRecord
from oddjet.io.checksums import verify
from oddjet.io.chunks import Reading
from oddjet.io.cutflow import BadFile, Cutflow
from oddjet.io.root import EventFile, Opening, open_events
from oddjet.io.tables import Column, TableWriter
from oddjet.io.weights import SUM_TOLERANCE
from oddjet.jets.check import FastjetCheck
from oddjet.jets.closure import Closure
from oddjet.jets.clustering import Jets, cluster, stored
from oddjet.jets.columns import RECONSTRUCTED, rows_of
from oddjet.jets.corrections import Corrections
from oddjet.jets.cutflow import BLOCKS
from oddjet.jets.features import Feature, Substructure, chosen_features
from oddjet.jets.matching import check_found, check_truth, truth_match
from oddjet.jets.selection import Selection
from oddjet.jets.settings import FeatureSettings, Match
from oddjet.program import progress
from oddjet.selection import golden
from oddjet.selection.settings import SampleSelection

# Events that cuts are tried on before a run.
TRIED = 100

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
        ("jets_subleading_pt_low", _without_subleading(jets, settings.subleading_pt_min)),
    ):
        setattr(cutflow, name, getattr(cutflow, name) + int(np.sum(keep & fails)))
        keep &= ~fails
    return keep


def _without_subleading(jets: Jets, least: float | None) -> npt.NDArray[np.bool_]:
    """Which jets are of events without a second jet above `least`, in GeV; none of them where it is None."""
    if least is None:
        return np.zeros(len(jets), bool)
    return ~np.isin(jets.event, jets.event[(jets.rank == 1) & (jets.pt > least)])


def select_jets(
    record: CandidateRecord,
    settings: FeatureSettings,
    require_match: Match,
    cutflow: Cutflow,
    closure: Closure | None = None,
    selection: Selection | None = None,
    corrections: Corrections | None = None,
) -> tuple[Jets, npt.NDArray[np.int8]]:
    """Jets of one record that pass every cut, and their truth match; adds them to `cutflow`.

    Parameters
    ----------
    record : CandidateRecord
        With the events that pass alone: `oddjet.jets.selection.Selection.of_events`.
    settings : FeatureSettings
    require_match : {"none", "dark_quark", "dark_jet", "top", "w"}
    cutflow : Cutflow
    closure : Closure, optional
        Compares with the file's own jets, if there are any.
    selection : Selection, optional
        Cuts on jets beside those of the settings.
    corrections : Corrections, optional
        Of the jets, before any cut on them.

    Raises
    ------
    CorrectionError
        A payload has no value for a jet.
    JetError
        A match is required and the file has no truth.
    SelectionError
        A clause of the cut on jets cannot be evaluated.
    """
    if settings.recluster or record.jets is None:
        jets = cluster(record.candidates, settings.radius, settings.cluster_pt_min, settings.clustering)
        if closure is not None and record.jets is not None:
            closure.add(jets, record.jets)
    else:
        jets = stored(record.jets, raw=corrections is not None and corrections.of_jets)
    if corrections is not None:
        jets = corrections.corrected(jets, record)
    jets = jets.where(select(jets, settings, cutflow))
    match = truth_match(jets, record, require_match, settings.match_radius)
    if require_match != "none":
        cutflow.jets_unmatched += int(np.sum(match != 1))
        jets, match = jets.where(match == 1), match[match == 1]
    if selection is not None:
        passed = selection.of_jets(jets, record, cutflow)
        jets, match = jets.where(passed), match[passed]
    selected = len(np.unique(jets.event))
    empty = int(np.sum(record.candidates.counts() == 0))
    cutflow.events_without_candidates += empty
    cutflow.events_without_selected_jet += len(record) - empty - selected
    cutflow.events_passed += selected
    cutflow.jets_passed += len(jets)
    return jets, match


def table_columns(
    features: Sequence[Feature], selection: Selection | None = None, corrections: Corrections | None = None
) -> list[Column]:
    """Columns of the table: the jet's own, the features not among those (mass is), what is kept, varied weights."""
    own = {column.name for column in JET_COLUMNS}
    kept = selection.columns() if selection else []
    kept += corrections.columns() if corrections else []
    return [*JET_COLUMNS, *(feature.column() for feature in features if feature.name not in own), *kept]


def jet_rows(
    record: CandidateRecord,
    jets: Jets,
    match: npt.NDArray[np.int8],
    features: Sequence[Feature],
    settings: FeatureSettings,
    weight: float,
    selection: Selection | None = None,
    corrections: Corrections | None = None,
) -> npt.NDArray[np.void]:
    """Rows of the table for the selected jets of one record.

    Raises
    ------
    JetError
        Names the feature, the file and the event of a value that is not finite.
    """
    rows = rows_of(table_columns(features, selection, corrections), record, jets)
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
    if selection is not None:
        selection.fill(rows, jets, record)
    if corrections is not None:
        corrections.fill(rows, jets, record, weight)
    return rows


def extract_features(
    path: str | Path,
    output: Path,
    settings: FeatureSettings,
    *,
    own: SampleSelection | None = None,
    require_match: Match = "none",
    weight: float = 1.0,
    variation: str | None = None,
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
    own : SampleSelection, optional
        Cuts of the sample's own, and its golden JSON.
    require_match : {"none", "dark_quark", "dark_jet", "top", "w"}
        Keep only jets near such a parton, or made of dark decay products by more than half.
    weight : float
        Factor on the generator weights.
    variation : str, optional
        Of the corrections, in the place of the nominal ones.
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
    CorrectionError, JetError, TableError
    SelectionError
        A cut or a kept column names no branch of the file, or cannot be evaluated; whatever `on_bad_file` says.
    """
    refuse_own_input(output, [path])
    selection = Selection(settings, own)
    corrections = Corrections(settings.corrections, settings.eta_max, variation)
    columns = table_columns(chosen_features(settings.features), selection, corrections)
    promised = None
    try:
        if settings.checksums:
            verify(path, Path(settings.checksums))
        with (
            open_events(path, opening_of(settings)) as file,
            TableWriter(output, columns, attributes or {}) as table,
        ):
            promised = file.entries
            cutflow, told = _fill(table, file, settings, (selection, corrections), require_match, weight)
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


def try_selection(path: str | Path, settings: FeatureSettings, own: SampleSelection) -> None:
    """Evaluate cuts and kept columns on the first `TRIED` events of a file.

    Raises
    ------
    InputFileError, SelectionError, JetError
        As `extract_features`.
    """
    selection = Selection(settings, own)
    with open_events(path, opening_of(settings)) as file:
        reading = reading_of(settings, "none", selection.readable(file))
        for record in file.chunks(reading, TRIED)[1]:
            # Of jets without a cut on their pT, so that there are some in a few events.
            jets = cluster(record.candidates, settings.radius, settings.cluster_pt_min, settings.clustering)
            selection.of_events(record, Cutflow())
            jets = jets.where(selection.of_jets(jets, record, Cutflow()))
            selection.fill(np.empty(len(jets), [(column.name, "f8") for column in selection.columns()]), jets, record)
            return


def reading_of(settings: FeatureSettings, require_match: Match, branches: tuple[str, ...] = ()) -> Reading:
    """Say what the settings ask of a file; `branches` are those of `Selection.readable`."""
    return Reading(
        apply_puppi_weight=settings.apply_puppi_weight,
        stored_jets=not settings.recluster,
        decays=require_match == "dark_jet",
        bad_candidates=settings.bad_candidates,
        max_bad_events=settings.max_bad_event_fraction,
        branches=branches,
    )


def opening_of(settings: FeatureSettings) -> Opening:
    """Say how files are opened under the settings."""
    return Opening(
        settings.layout,
        tuple(layout.layout(name) for name, layout in settings.layouts.items()),
        settings.network_seconds,
        settings.prefixes,
    )


def _fill(
    table: TableWriter,
    file: EventFile,
    settings: FeatureSettings,
    of_sample: tuple[Selection, Corrections],
    require_match: Match,
    weight: float,
) -> tuple[Cutflow, dict[str, str]]:
    """Append the jets of a file to its table; give the cutflow and what the table says of the reading."""
    features = chosen_features(settings.features)
    selection, corrections = of_sample
    cutflow, closure, check = Cutflow(), Closure(), FastjetCheck(settings)
    branches = tuple(dict.fromkeys([*selection.readable(file), *corrections.readable(file)]))
    reading = reading_of(settings, require_match, branches)
    reader, records = file.chunks(reading, settings.chunk_size)
    if file.entries:
        check_truth(reader, require_match)
    chunks = math.ceil(file.entries / settings.chunk_size)
    for record in progress(records, total=chunks, description=f"chunks of {file.path}"):
        passed = selection.of_events(record, cutflow)
        jets, match = select_jets(passed, settings, require_match, cutflow, closure, selection, corrections)
        check.add(passed, jets)
        table.append(jet_rows(passed, jets, match, features, settings, weight, selection, corrections))
    check_found(reader, require_match, cutflow.events_read)
    generated = file.generated_weight()
    if generated is None and file.layout.generated and file.layout.declared:
        LOGGER.warning(
            "%s: has no %s, which the layout %s names: a cross section is divided by the weights of the events in the "
            "file, without those that a skim left out",
            file.path,
            "/".join((file.layout.generated[0], *file.layout.generated[1])),
            file.layout.name,
        )
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
    if selection.certified is not None:
        selection.remember(file.luminosity_blocks())
    blocks = selection.luminosity_blocks()
    if blocks is not None:
        cutflow.luminosity_blocks_read, cutflow.luminosity_blocks_certified = map(golden.count, blocks)
    cutflow.check(file.path)
    told = {**reader.used(), "generated": "the events read" if generated is None else generated[1]}
    # Where a file on a network came from; the path of one on this machine is in the record of the inputs.
    told |= {"served": ", ".join(file.served)} if is_remote(file.path) else {}
    compared = closure.report(file.path)
    if reader.first_bad is not None:
        LOGGER.warning(
            "%s: %d candidates without a momentum, %d events left out for a candidate, %d for a stored jet, %d for a "
            "generator particle; the first: %s (features.bad_candidates: %s)",
            file.path,
            cutflow.candidates_bad,
            cutflow.events_bad_candidate,
            cutflow.events_bad_jet,
            cutflow.events_bad_particle,
            reader.first_bad,
            settings.bad_candidates,
        )
    more = {"closure": compared} if compared else {}
    if blocks is not None:
        more |= {name: golden.to_json(one) for name, one in zip(BLOCKS, blocks, strict=True)}
    return cutflow, {"reading": json.dumps(told), **more}
