"""A detector together with the jets that it was made for: from candidates to scores with the feature stage's code.

Candidates as users have them, awkward or numpy, become the record that the files of the workflow are read into.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import awkward as ak
import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ValidationError

from oddjet.detectors.file import load as load_detector
from oddjet.detectors.protocol import Detector
from oddjet.errors import DetectorError, SelectionError
from oddjet.io.candidates import CandidateRecord, Particles
from oddjet.io.cutflow import Cutflow
from oddjet.io.root import EventFile
from oddjet.io.tables import Column
from oddjet.jets.clustering import Jets
from oddjet.jets.corrections import Corrections
from oddjet.jets.extract import JET_COLUMNS, jet_rows, select, select_jets, table_columns
from oddjet.jets.features import chosen_features
from oddjet.jets.selection import Selection
from oddjet.jets.settings import COLUMNS, Efp, FeatureSettings
from oddjet.messages import describe_validation
from oddjet.selection.settings import SelectionSettings

FIELDS = ("pt", "eta", "phi", "mass")


def candidate_record(candidates: ak.Array | NDArray[np.floating[Any]]) -> CandidateRecord:
    """Make a record of one weight and run 1, with the position of each event as its number.

    Parameters
    ----------
    candidates
        Awkward array of events * candidates with the fields pt, eta, phi (GeV, 1, rad) and mass (GeV; massless
        without), or numpy array (events, candidates, 3 or 4) of the same, in this order, padded with pT 0; of one event
        (candidates, 3 or 4).

    Raises
    ------
    DetectorError
        The array has another shape or lacks a field, or a candidate has no momentum (NaN, infinite, pT below 0).
    """
    ragged = _from_numpy(candidates) if isinstance(candidates, np.ndarray) else candidates
    if not isinstance(ragged, ak.Array) or ragged.ndim != 2 or not set(FIELDS[:3]) <= set(ragged.fields):
        named = isinstance(ragged, ak.Array)
        found = f"{ragged.ndim} axes with the fields {ragged.fields}" if named else type(ragged).__name__
        raise DetectorError(
            "candidates: an awkward array events * candidates with the fields pt, eta, phi, mass is wanted, or a numpy "
            f"array (events, candidates, 4), not {found}"
        )
    # Of a masked array the candidates that are there; a missing event is one without candidates.
    ragged = ak.drop_none(ak.fill_none(ragged, [], axis=0), axis=1)
    names = [name for name in FIELDS if name in ragged.fields]
    columns = {name: np.asarray(ak.flatten(ragged[name]), dtype=np.float64) for name in names}
    for name, values in columns.items():
        bad = ~np.isfinite(values) | (name == "pt") & (values < 0)
        if bad.any():
            first = int(np.argmax(bad))
            raise DetectorError(f"candidates: {name} of candidate {first} is {values[first]:g}; leave it out")
    offsets = np.concatenate([[0], np.cumsum(np.asarray(ak.num(ragged)))]).astype(np.int64)
    phi = (columns["phi"] + np.pi) % (2 * np.pi) - np.pi
    mass = np.maximum(columns.get("mass", np.zeros(len(phi))), 0.0)
    particles = Particles(offsets, columns["pt"], columns["eta"], phi, mass)
    count = len(particles)
    return CandidateRecord(
        file="candidates",
        entry=np.arange(count),
        run=np.ones(count, np.uint32),
        luminosity_block=np.ones(count, np.uint32),
        event=np.arange(count, dtype=np.uint64),
        weight=np.ones(count),
        candidates=particles.where(particles.pt > 0),
        partons=None,
    )


def _from_numpy(values: NDArray[np.floating[Any]]) -> ak.Array:
    padded = values[None] if values.ndim == 2 else values
    if padded.ndim != 3 or padded.shape[2] not in (3, 4) or padded.dtype.kind not in "fiu":
        raise DetectorError(
            f"candidates: a numpy array (events, candidates, 4) of pt, eta, phi, mass is wanted, not one of shape "
            f"{values.shape} and type {values.dtype}"
        )
    return ak.zip({name: ak.from_regular(padded[:, :, index]) for index, name in enumerate(FIELDS[: padded.shape[2]])})


# Awkward or numpy candidates, or a feature table: a structured array, or columns by name.
Scored: TypeAlias = "ak.Array | NDArray[Any] | Mapping[str, ArrayLike]"

LOGGER = logging.getLogger("oddjet")

IN_WINDOW = Column("in_window", "i1", "1", "1 if the jet passes the cuts that the detector's training jets passed.")
MEAN_SCORE = Column("mean_score", "f8", "1", "Mean of the scores of all seeds; larger is more anomalous.")


class Tagger:
    """Scores candidates, records of a file, or a table of features.

    Parameters
    ----------
    detector : Detector
        From a `model.pt`.
    settings : FeatureSettings, optional
        How its training jets were made; those of its card if not given.
    pt_min : float, optional
        Jets at or below this pT (GeV) are not scored; without it all that are clustered are.

    Raises
    ------
    CorrectionError
        A payload that corrected its training jets cannot be used.
    DetectorError
        No feature of the registry is the column that the detector sees, the card holds settings of another version, or
        `pt_min` is no pT.
    """

    def __init__(
        self, detector: Detector, settings: FeatureSettings | None = None, pt_min: float | None = None
    ) -> None:
        self.detector = detector
        self._told = settings is not None or bool(detector.card.jets)
        given = _settings_of(detector) if settings is None else settings
        names = detector.card.scaler.names
        lacking = [name for name in given.not_computed(names) if name not in COLUMNS]
        if lacking and self._told:
            raise DetectorError(
                f"{detector.name}: sees the column {lacking[0]}, which no feature of jets is; a detector of images or "
                "events scores tables alone"
            )
        needed = tuple(entry for entry in given.features if _provides(entry, names))
        #: Settings of the feature stage, with the features that the detector sees alone.
        self.settings = given.model_copy(update={"features": needed})
        self._features = chosen_features(needed)
        seen = {name: text for name, text in given.keep.items() if name in names}
        missing = SelectionSettings(missing_triggers=given.selection.missing_triggers)
        self._kept = Selection(given.model_copy(update={"selection": missing, "keep": seen}))
        self._cuts = Selection(given.model_copy(update={"keep": given.kept_in_cuts()}))
        # Of jets alone: a score has no weight.
        of_jets = given.corrections.model_copy(update={"weights": {}})
        self._corrections = Corrections(of_jets, given.eta_max)
        if pt_min is not None and not 0 <= pt_min < math.inf:
            raise DetectorError(f"pt_min: a pT of at least 0 GeV is wanted, not {pt_min:g}")
        lowest = self.settings.cluster_pt_min if pt_min is None else max(pt_min, self.settings.cluster_pt_min)
        every = {"pt_min": lowest, "pt_max": math.inf, "eta_max": math.inf, "max_jets": None}
        self._every = self.settings.model_copy(update=every)

    def branches(self, file: EventFile) -> tuple[str, ...]:
        """Return the branches to read from a file beside candidates, for columns that the detector sees and for cuts.

        Where the file lacks one that cuts alone name, `in_window` is without the cuts: a line in the log says so.

        Raises
        ------
        SelectionError
            The file lacks a branch of a column that the detector sees.
        """
        kept = (*self._kept.readable(file), *self._corrections.readable(file))
        try:
            cuts = self._cuts.readable(file)
        except SelectionError as error:
            LOGGER.warning("%s; in_window says nothing of the training jets' cuts on branches", error)
            return kept
        return tuple(dict.fromkeys([*kept, *cuts]))

    def columns(self) -> list[Column]:
        """Return the columns of what `score` gives for candidates."""
        seeds = ", ".join(map(str, self.detector.seeds))
        score = Column("score", f"({len(self.detector.seeds)},)f8", "1", f"Score of each seed: {seeds}.")
        own = [column for column in JET_COLUMNS if column.name != "truth_match"]
        return [*own, IN_WINDOW, MEAN_SCORE, score]

    def score(self, candidates: Scored) -> NDArray[np.void]:
        """Cluster candidates into jets and score them, or score the rows of a feature table.

        Parameters
        ----------
        candidates
            Awkward array of events * candidates with the fields pt, eta, phi and mass (GeV, 1, rad, GeV), or numpy
            array (events, candidates, 4) of these, padded with pT 0. Or a table: a structured array (n,), or columns by
            name, with the columns of the detector's scaler in physical units.

        Returns
        -------
        Structured array, a row a jet. Of candidates: event (its position), jet_rank, pt, eta, phi, mass,
        n_constituents, ..., `in_window` (1 where the jet passes the cuts of the training jets; the score of another is
        an extrapolation), `score` (S,), a seed each, and `mean_score`; larger is more anomalous. Of a table: `score`
        and `mean_score`, in the order of its rows.

        Raises
        ------
        DetectorError, DatasetError
            The array is neither, lacks a field or column, or a value is not finite.
        """
        if isinstance(candidates, np.ndarray) and candidates.dtype.names is not None:
            return self._score_table(candidates)
        if isinstance(candidates, Mapping) or hasattr(candidates, "to_records"):
            return self._score_table(_structured(candidates))
        if isinstance(candidates, ak.Array) and candidates.ndim == 1 and candidates.fields:
            return self._score_table(_structured({name: candidates[name] for name in candidates.fields}))
        return self.score_record(candidate_record(candidates))

    def score_record(self, record: CandidateRecord) -> NDArray[np.void]:
        """Score the jets of a chunk of events: rows of `columns`.

        Raises
        ------
        DetectorError
            The detector's file does not say how its jets were made.
        JetError
            A feature of a jet is not finite.
        """
        if not self._told:
            raise DetectorError(
                f"{self.detector.name}: its file does not say how its jets were made (radius, cuts, features); train "
                "it again with this version, or give the settings of the feature stage"
            )
        if record.columns is None and self._kept.branches():
            raise DetectorError(
                f"{self.detector.name}: sees {next(iter(self._kept.kept))}, which is made of branches of a file; score "
                "files, or a table with that column"
            )
        jets, match = select_jets(
            record, self._every, "none", Cutflow(), selection=self._kept, corrections=self._corrections
        )
        inside = select(jets, self.settings, Cutflow()) & self._pass_cuts(jets, record)
        rows = jet_rows(record, jets, match, self._features, self._every, 1.0, self._kept)
        scored = np.empty(len(rows), [(column.name, column.dtype) for column in self.columns()])
        for name in scored.dtype.names or ():
            if name in (rows.dtype.names or ()):
                scored[name] = rows[name]
        scored["in_window"] = inside
        _fill(scored, self.detector.score(rows))
        return scored

    def _pass_cuts(self, jets: Jets, record: CandidateRecord) -> NDArray[np.bool_]:
        """Tell which jets pass the cuts of the training jets; all where a branch of these is not there."""
        if not all(record.columns is not None and record.columns.holds(name) for name in self._cuts.required()):
            return np.ones(len(jets), bool)
        passed = np.isin(record.entry, self._cuts.of_events(record, Cutflow()).entry)[jets.event]
        return passed & self._cuts.of_jets(jets, record, Cutflow())

    def feature_columns(self) -> list[Column]:
        """Return the columns of the table that the feature stage would write for this detector."""
        return table_columns(self._features, self._kept)

    def _score_table(self, table: NDArray[np.void]) -> NDArray[np.void]:
        scored = np.empty(len(table), [("mean_score", "f8"), ("score", "f8", (len(self.detector.seeds),))])
        _fill(scored, self.detector.score(table))
        return scored


def load(path: str | Path, settings: FeatureSettings | None = None, pt_min: float | None = None) -> Tagger:
    """Read a detector's `model.pt`, of any kind, as something that scores candidates.

    Nothing in the file is executed: it holds tensors, numbers and text.

    Parameters
    ----------
    path : str or Path
        The file that a training wrote.
    settings, pt_min
        See `Tagger`.

    Raises
    ------
    DetectorError
        The file is missing, damaged, or of another version.
    """
    return Tagger(load_detector(Path(path)), settings, pt_min)


def _settings_of(detector: Detector) -> FeatureSettings:
    given = dict(detector.card.jets)
    try:
        return FeatureSettings.model_validate(given)
    except ValidationError as error:
        words = " ".join(describe_validation(error, given).split())
        raise DetectorError(
            f"{detector.name}: the settings of its jets are of another version ({words}); train it again"
        ) from error


def _provides(entry: str | Efp, names: tuple[str, ...]) -> bool:
    if isinstance(entry, Efp):
        return any(entry.efp.provides(name) for name in names)
    return entry in names


def _structured(table: Any) -> NDArray[np.void]:  # noqa: ANN401  a data frame or columns by name
    if not isinstance(table, Mapping):
        return np.asarray(table.to_records(index=False))
    columns = {name: np.asarray(values) for name, values in table.items()}
    lengths = {len(values) if values.ndim == 1 else -1 for values in columns.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise DetectorError("the columns of the table are not all of one length and dimension")
    rows = np.empty(lengths.pop(), [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        rows[name] = values
    return rows


def _fill(scored: NDArray[np.void], scores: NDArray[np.float64]) -> None:
    scored["score"] = scores
    scored["mean_score"] = scores.mean(axis=1)
