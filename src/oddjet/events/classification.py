"""Supervised neighbours: how much the distances could tell if the signal were known (appendix B of the paper)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddjet.arrays import Floats, Ints
from oddjet.events.layout import Events
from oddjet.events.neighbours import choose_k, vote_shares
from oddjet.events.point_sets import sets_2d, sets_3d, total_pt
from oddjet.events.settings import ClassificationSettings, GroundSettings
from oddjet.transport.point_sets import Sets, distances_within

# Bins of total pT in a window, each with as many background as signal events.
BINS = 10


class Fold(NamedTuple):
    """Scores of one fold's background and signal events, larger is more like signal, and the k that was chosen."""

    variant: str
    fold: int
    k: int
    background: Floats
    signal: Floats


class Variant(NamedTuple):
    """A space, and the window of total pT in GeV in which it is planed (None: all events as they are)."""

    name: str
    ground: Callable[[Events], Sets]
    window: tuple[float, float] | None


def variants(settings: ClassificationSettings, ground: GroundSettings) -> list[Variant]:
    """Give the columns of the paper's table 3 and, beyond it, 3D planed in the same windows."""

    def in_2d(events: Events) -> Sets:
        return sets_2d(events, ground)

    def in_3d(events: Events) -> Sets:
        return sets_3d(events, ground)

    planed = [
        Variant(f"{name}, planed {low:g} to {high:g} GeV", space, (low, high))
        for name, space in (("2D", in_2d), ("3D", in_3d))
        for low, high in settings.windows
    ]
    return [Variant("2D", in_2d, None), Variant("3D", in_3d, None), *planed]


def classify(
    background: Events,
    signal: Events,
    settings: ClassificationSettings,
    ground: GroundSettings,
    seed: int,
    threads: int = 1,
) -> Iterator[Fold]:
    """Train and test kNN on background against one signal, by folds.

    A planed variant takes, in bins of total pT within its window, as many background as signal events from all that are
    given; where fewer than `settings.minimum` of each are left, the variant is left out.

    Parameters
    ----------
    background, signal
        Events, shape (N, 19, 4); the first `settings.events` serve unplaned variants, all are there to be planed.
    settings, ground
        Numbers, windows; spaces.
    seed
        Of folds and planing.
    threads
        Threads that share the work.
    """
    for variant in variants(settings, ground):
        if variant.window is None:
            chosen = np.arange(settings.events), np.arange(settings.events)
        else:
            rng = np.random.default_rng([seed, 2])
            chosen = plane(total_pt(background), total_pt(signal), variant.window, settings.events, rng)
        parts = [events[rows[rows < len(events)]] for events, rows in zip((background, signal), chosen, strict=True)]
        if min(len(part) for part in parts) < (settings.minimum if variant.window else 1):
            continue
        truth = np.arange(len(parts[0]) + len(parts[1])) >= len(parts[0])
        distances = distances_within(variant.ground(np.concatenate(parts)), threads)
        yield from _folds(variant.name, distances, truth, settings, seed)


def plane(
    background: Floats, signal: Floats, window: tuple[float, float], most: int, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Choose events so that both kinds have the same numbers in bins of total pT.

    Parameters
    ----------
    background, signal
        Total pT in GeV, shapes (N,) and (M,).
    window
        Bounds in GeV; its bins are equally wide.
    most
        Events of each kind at most.
    rng
        Chooses among the events of a bin.

    Returns
    -------
    Rows of background and of signal events, as many of each.
    """
    edges = np.linspace(*window, BINS + 1)
    rows: tuple[list[Ints], list[Ints]] = ([], [])
    for low, high in pairwise(edges):
        inside = [rng.permutation(np.flatnonzero((values >= low) & (values < high))) for values in (background, signal)]
        number = min(len(found) for found in inside)
        for kept, found in zip(rows, inside, strict=True):
            kept.append(found[:number])
    pairs = [np.concatenate(kept) for kept in rows]
    # The same of both, so that the bins stay level.
    thinned = rng.permutation(len(pairs[0]))[:most]
    return pairs[0][thinned], pairs[1][thinned]


def _folds(
    name: str, distances: Floats, truth: NDArray[np.bool_], settings: ClassificationSettings, seed: int
) -> Iterator[Fold]:
    """One fold tests, the next one chooses k, the others vote; every fold has its share of both kinds."""
    rng = np.random.default_rng([seed, 3])
    fold_of = np.empty(len(truth), np.int64)
    for kind in (False, True):
        rows = rng.permutation(np.flatnonzero(truth == kind))
        fold_of[rows] = np.arange(len(rows)) % settings.folds
    for fold in range(settings.folds):
        test, validation = fold_of == fold, fold_of == (fold + 1) % settings.folds
        voters = ~test & ~validation
        labels = truth[voters]
        k = choose_k(distances[np.ix_(validation, voters)], labels, truth[validation], settings.votes).k
        shares = vote_shares(distances[np.ix_(test, voters)], labels, [k])[:, 0]
        yield Fold(name, fold, k, shares[~truth[test]], shares[truth[test]])
