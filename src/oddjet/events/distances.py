"""Scores that are distances of an event to background events, and observables to beat."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from oddjet.arrays import Floats
from oddjet.detectors.opening import Given, Opened
from oddjet.events.layout import Events
from oddjet.events.point_sets import missing_pt, multiplicity, sets_2d, sets_3d, sorted_pt, total_pt
from oddjet.events.protocol import EventScores, first_events, scored_together, training_events
from oddjet.events.rows import EventRows
from oddjet.events.settings import DistanceSettings, GroundSettings, ProtocolSettings
from oddjet.transport.linearised import barycentre, embed, nearest_embedded
from oddjet.transport.medoids import Restarts, find_medoids
from oddjet.transport.nearest import References
from oddjet.transport.point_sets import Sets, distance_matrix, distances_within

LOGGER = logging.getLogger("oddjet")
Score = Callable[[Events], Floats]
# Events whose distances to all references are in memory at once.
BLOCK = 1000
# Events whose linearised distances are compared with the exact ones.
COMPARED = 500
# The linearised distance needs means of coordinates: phi is not periodic there, whatever the settings say.
PLAIN = GroundSettings(wrap_phi=False)


class DistanceScores(EventScores):
    """Distances to background events, and observables to beat."""

    opener: ClassVar[str] = "oddjet.events.distances"

    kind: Literal["event_distances"]


class EventDistances:
    """All scores of `DistanceSettings.methods`, prepared with the references.

    Parameters
    ----------
    references
        Background events, shape (N, 19, 4).
    settings, ground
        Which scores, in which spaces.
    threads
        Threads that share the work; no score depends on them.
    """

    def __init__(
        self, references: Events, settings: DistanceSettings, ground: GroundSettings, threads: int = 1
    ) -> None:
        self.settings, self.ground, self.threads = settings, ground, threads
        self.references_2d = References(sets_2d(references, ground))
        self.references_3d = References(sets_3d(references, ground))
        self.scaled = [References(sets_3d(references, ground, scale)) for scale in settings.pt_scales]
        self.momenta = sorted_pt(references)
        # The template needs means of coordinates, and an angle has none: the linearised row takes phi as it is.
        self.plain = sets_3d(references, PLAIN)
        self.template = barycentre(self.plain)
        self.vectors = embed(self.plain, self.template)
        within = np.sqrt(distances_within(self.references_3d.sets, threads))
        restarts = Restarts(settings.medoid_restarts, sizes=settings.medoids)
        medoids = find_medoids(within, max(settings.medoids, default=1), restarts=restarts)
        self.medoids = [References(self.references_3d.sets[medoids[k - 1].members]) for k in settings.medoids]

    def scores(self, events: Events) -> dict[str, Floats]:
        """Score events: W2 (with its root) by method, in the order of `DistanceSettings.methods`; shape (n,) each."""
        in_2d, in_3d = sets_2d(events, self.ground), sets_3d(events, self.ground)
        found: dict[str, Floats] = {
            "total_pt": total_pt(events),
            "met": missing_pt(events),
            "multiplicity": multiplicity(events),
        }
        for name, sets, references in (("ot_2d", in_2d, self.references_2d), ("ot_3d", in_3d, self.references_3d)):
            found[name] = self.least(sets, references)
            found |= {f"{name}{how}": values for how, values in self.all_references(sets, references).items()}
        names = [name for name in self.settings.methods() if name.startswith("ot_3d_pt")]
        for name, scale, references in zip(names, self.settings.pt_scales, self.scaled, strict=True):
            found[name] = self.least(sets_3d(events, self.ground, scale), references)
        found["sorted_pt"] = np.sqrt(nearest_embedded(sorted_pt(events), self.momenta, 19).distances)
        found["ot_3d_linear"] = self.linear(events)
        for k, references in zip(self.settings.medoids, self.medoids, strict=True):
            found[f"ot_3d_medoids{k}"] = self.least(in_3d, references)
        return {name: found[name] for name in self.settings.methods()}

    def least(self, sets: Sets, references: References) -> Floats:
        """Distance to the nearest reference, by bounds."""
        found = references.nearest(sets, self.threads)
        share = found.solves.sum() / (len(sets) * len(references.sets))
        LOGGER.info("%d x %d distances: %.2f %% solved", len(sets), len(references.sets), 100 * share)
        return np.sqrt(found.distances)

    def all_references(self, sets: Sets, references: References) -> dict[str, Floats]:
        """Give what needs every distance, by the end of its name: mean, largest, least to the first N."""
        endings = ["_mean", "_max", *self.settings.fewer_endings()]
        found = {ending: np.empty(len(sets)) for ending in endings}
        for start in range(0, len(sets), BLOCK):
            rows = slice(start, start + BLOCK)
            distances = np.sqrt(distance_matrix(sets[rows], references.sets, self.threads))
            found["_mean"][rows], found["_max"][rows] = distances.mean(1), distances.max(1)
            for number, ending in zip(self.settings.fewer_references(), self.settings.fewer_endings(), strict=True):
                found[ending][rows] = distances[:, :number].min(1)
        return found

    def linear(self, events: Events) -> Floats:
        """Linearised distance to the nearest reference: one assignment an event, then Euclidean distances."""
        vectors = embed(sets_3d(events, PLAIN), self.template)
        return np.sqrt(nearest_embedded(vectors, self.vectors, len(self.template)).distances)


def prepare_distances(training: Path, settings: ProtocolSettings, threads: int = 1) -> EventDistances:
    """Take the first background events of a file as references."""
    references = first_events(training, settings.distances.references, ground=settings.ground)
    return EventDistances(references, settings.distances, settings.ground, threads)


def open_detector(given: Given) -> Opened:
    """Open all scores by distance; recorded is how linearised distances of test background agree with exact ones.

    Raises
    ------
    DetectorError
        A file is not given.
    EventError
        See `oddjet.events.protocol.first_events`.
    """
    settings = given.settings
    assert isinstance(settings, DistanceScores)
    background = first_events(given.background, settings.sets.total, ground=settings.ground)
    distances = prepare_distances(training_events(given), settings, given.threads)
    agreement = linear_agreement(distances, background[:COMPARED])
    rows = EventRows(settings.sets.total, settings.ground)
    return scored_together(distances.scores, settings.distances.methods(), rows, agreement)


def linear_agreement(distances: EventDistances, events: Events) -> Mapping[str, float]:
    """Compare linearised with exact 3D distances of events to the references, both with phi as it is.

    Returns
    -------
    mapping
        `pairs`: rank correlation over all pairs; `scores`: that of the least distances; `excess`: mean of linearised
        over exact distance, minus 1.
    """
    from scipy.stats import spearmanr

    exact = np.sqrt(distance_matrix(sets_3d(events, PLAIN), distances.plain, distances.threads))
    vectors = embed(sets_3d(events, PLAIN), distances.template)
    squared = np.square(vectors).sum(-1)[:, None] + np.square(distances.vectors).sum(-1)
    linear = np.sqrt(np.maximum(squared - 2 * vectors @ distances.vectors.T, 0.0) / len(distances.template))
    above = exact > 0
    return {
        "pairs": float(spearmanr(exact.ravel(), linear.ravel()).statistic),
        "scores": float(spearmanr(exact.min(1), linear.min(1)).statistic),
        "excess": float((linear[above] / exact[above]).mean() - 1),
    }
