"""Votes of the nearest events: k chosen on a validation set, the share of anomalous neighbours as the score."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats
from oddjet.detectors.opening import Given, Opened
from oddjet.events.augmentations import NAMES, augment
from oddjet.events.layout import Events
from oddjet.events.point_sets import sets_3d
from oddjet.events.protocol import EventScores, first_events, scored_together, training_events
from oddjet.events.rows import EventRows
from oddjet.events.settings import (
    NEIGHBOUR_METHODS,
    GroundSettings,
    NeighbourSettings,
    ObjectSettings,
    ProtocolSettings,
    VoteSettings,
)
from oddjet.transport.point_sets import distance_matrix

BLOCK = 1000


class NeighbourScores(EventScores):
    """Votes of the nearest neighbours among background events and augmented ones."""

    opener: ClassVar[str] = "oddjet.events.neighbours"

    kind: Literal["event_neighbours"]


class Choice(NamedTuple):
    """A number of neighbours, and the AUC on validation events of all that were tried."""

    k: int
    aucs: dict[int, float]


def vote_shares(distances: Floats, labels: NDArray[np.bool_], numbers: list[int]) -> Floats:
    """Share of anomalous events among the k nearest.

    Parameters
    ----------
    distances
        Distances to the voters, shape (n, M); of equal ones the earlier counts as nearer.
    labels
        Which voters are anomalous, shape (M,).
    numbers
        Values of k, M at most.

    Returns
    -------
    Shape (n, len(numbers)).
    """
    order = np.argsort(distances, axis=1, kind="stable")[:, : max(numbers)]
    votes = np.cumsum(labels[order], axis=1)
    return np.asarray(votes[:, np.array(numbers) - 1] / np.array(numbers))


def choose_k(distances: Floats, labels: NDArray[np.bool_], truth: NDArray[np.bool_], votes: VoteSettings) -> Choice:
    """Choose the k with the largest AUC on validation events, the smallest of equals.

    Parameters
    ----------
    distances
        Of validation events to voters, shape (n, M).
    labels, truth
        Which voters and which validation events are anomalous, shapes (M,) and (n,).
    votes
        Values of k to try.
    """
    numbers = votes.numbers(len(labels))
    shares = vote_shares(distances, labels, numbers)
    aucs = {k: rank_auc(shares[~truth, column], shares[truth, column]) for column, k in enumerate(numbers)}
    return Choice(max(aucs, key=lambda k: (aucs[k], -k)), aucs)


def rank_auc(background: Floats, signal: Floats) -> float:
    """P(signal > background) + P(equal) / 2, for choices within a training; figures of merit come from elsewhere."""
    ordered = np.sort(background)
    below = np.searchsorted(ordered, signal, "left") + np.searchsorted(ordered, signal, "right")
    return float(below.mean() / (2 * len(background)))


class AugmentedNeighbours:
    """The paper's weakly supervised score: neighbours among background events and augmented ones in 3D.

    Parameters
    ----------
    background, others
        Background events that vote as such, and others that are augmented, as many: shape (n, 19, 4) each.
    settings, ground
        Share for the validation and values of k; space.
    seed
        Of augmentations and of the split.
    objects
        What the events were selected with.
    threads
        Threads that share the work.
    """

    def __init__(
        self,
        background: Events,
        others: Events,
        settings: NeighbourSettings,
        ground: GroundSettings,
        seed: int,
        objects: ObjectSettings,
        threads: int = 1,
    ) -> None:
        augmented, self.kinds = augment(others, seed, objects)
        events = np.concatenate([background, augmented])
        labels = np.arange(len(events)) >= len(background)
        order = np.random.default_rng([seed, 1]).permutation(len(events))
        n_validation = round(settings.validation_share * len(events))
        validation, training = order[:n_validation], order[n_validation:]
        self._ground, self._threads = ground, threads
        self.voters, self.labels = sets_3d(events[training], ground), labels[training]
        self.choice = choose_k(self.distances(events[validation]), self.labels, labels[validation], settings.votes)

    def distances(self, events: Events) -> Floats:
        """W2^2 of events to all voters."""
        return distance_matrix(sets_3d(events, self._ground), self.voters, self._threads)

    def scores(self, events: Events) -> Floats:
        """Share of augmented events among the chosen number of neighbours: shape (n,)."""
        blocks = [events[start : start + BLOCK] for start in range(0, len(events), BLOCK)]
        return np.concatenate([vote_shares(self.distances(b), self.labels, [self.choice.k])[:, 0] for b in blocks])

    def record(self) -> dict[str, object]:
        """Say what was chosen, and how many events went through which augmentation."""
        counts = np.bincount(self.kinds, minlength=len(NAMES)).tolist()
        return {"k": self.choice.k, "auc_by_k": self.choice.aucs, "augmented": dict(zip(NAMES, counts, strict=True))}


def open_detector(given: Given) -> Opened:
    """Open the votes of the neighbours; recorded is the k that was chosen; raises as `first_events` does."""
    settings = given.settings
    assert isinstance(settings, NeighbourScores)
    neighbours = prepare_neighbours(training_events(given), settings, settings.objects, given.threads)
    (name,) = NEIGHBOUR_METHODS
    rows = EventRows(settings.sets.total)
    return scored_together(
        lambda events: {name: neighbours.scores(events)}, NEIGHBOUR_METHODS, rows, neighbours.record()
    )


def prepare_neighbours(
    training: Path, settings: ProtocolSettings, objects: ObjectSettings, threads: int = 1
) -> AugmentedNeighbours:
    """Take the background events of a file behind the references, so that the scores share none."""
    number, start = settings.neighbours.events, settings.distances.references
    background = first_events(training, number, start)
    others = first_events(training, number, start + number)
    return AugmentedNeighbours(
        background, others, settings.neighbours, settings.ground, settings.seed, objects, threads
    )
