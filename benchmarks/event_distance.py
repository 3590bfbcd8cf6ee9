"""Measure exact transport between whole events against a loop of `ot.emd2`; prints lines `ratio NAME VALUE`.

Events have the layout of CMS ADC 2021, made here of random objects (about as many as W + jets has) or read from a file.
Both ways are timed from the events to W2^2, cost matrix included, on one thread, and agree to 1e-9. Processor time,
of ours the least of some rounds.

Example: python benchmarks/event_distance.py --events results/events/tables/background_test.h5
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import ot

from oddjet.events.layout import CLASSES, Events, read_events
from oddjet.events.point_sets import sets_2d, sets_3d
from oddjet.events.settings import GroundSettings
from oddjet.transport.nearest import References
from oddjet.transport.point_sets import Sets, distance_matrix
from timing import least

PLAIN = GroundSettings()
PAIRS = 30  # events a side for the loop of ot.emd2: 900 problems


def random_events(n: int, seed: int, full: bool = False) -> Events:
    """Events with random objects; `full`: every slot is taken."""
    rng = np.random.default_rng(seed)
    events = np.zeros((n, 19, 4))
    for kind, mean, low, edge in zip(CLASSES, (9, 0.8, 0.7, 3.0), (1, 3, 3, 15), (0, 3, 2.1, 4), strict=True):
        for event in events:
            number = kind.size if full else min(rng.poisson(mean), kind.size)
            pt = np.sort(low + rng.exponential(20, number))[::-1]
            angles = rng.uniform(-edge, edge, number), rng.uniform(-np.pi, np.pi, number)
            event[kind.start : kind.start + number] = np.stack([pt, *angles, np.full(number, kind.code)], axis=1)
    return events


def loop_3d(first: Events, second: Events) -> np.ndarray:
    """W2^2 of all pairs over all 19 slots, as one writes it down."""
    uniform = np.full(19, 1 / 19)
    return np.array([[ot.emd2(uniform, uniform, ot.dist(x[:, :3], y[:, :3])) for y in second] for x in first])


def loop_2d(first: Events, second: Events) -> np.ndarray:
    """W2^2 of all pairs over the objects that exist, weighted by pT."""

    def distance(x: np.ndarray, y: np.ndarray) -> float:
        x, y = x[x[:, 0] > 0], y[y[:, 0] > 0]
        return ot.emd2(x[:, 0] / x[:, 0].sum(), y[:, 0] / y[:, 0].sum(), ot.dist(x[:, 1:3], y[:, 1:3]))

    return np.array([[distance(x, y) for y in second] for x in first])


def compare(
    name: str,
    events: Events,
    ground: Callable[[Events], Sets],
    loop: Callable[[Events, Events], np.ndarray],
    rounds: int,
) -> None:
    few = events[:PAIRS], events[PAIRS : 2 * PAIRS]
    start = time.process_time()
    expected = loop(*few)
    theirs = (time.process_time() - start) / PAIRS**2
    first, second = events[: len(events) // 2], events[len(events) // 2 :]
    ours = least(lambda: distance_matrix(ground(first), ground(second)), rounds, 1) / (len(first) * len(second))
    worst = np.abs(distance_matrix(ground(few[0]), ground(few[1])) - expected).max()
    assert worst < 1e-9 * max(1.0, expected.max()), worst
    print(f"# {name}: ot.emd2 {1e6 * theirs:.0f} us, ours {1e6 * ours:.2f} us a pair, difference {worst:.0e}")
    print(f"ratio {name} {theirs / ours:.1f}", flush=True)


def search(name: str, events: Events, ground: Callable[[Events], Sets], rounds: int) -> None:
    tests, references = ground(events[: len(events) // 2]), ground(events[len(events) // 2 :])
    prepared = References(references)
    ours = least(lambda: prepared.nearest(tests), rounds, 1) / len(tests)
    brute = least(lambda: distance_matrix(tests, references).min(1), rounds, 1) / len(tests)
    found = prepared.nearest(tests)
    assert np.array_equal(found.distances, distance_matrix(tests, references).min(1))
    share = found.solves.sum() / (len(tests) * len(references))
    print(f"# {name}: {1e6 * brute:.0f} us all, {1e6 * ours:.0f} us an event by bounds, {100 * share:.2f} % solved")
    print(f"ratio {name} {brute / ours:.1f}", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=Path, help="events of the layout (default: random ones)")
    arguments.add_argument("--number", type=int, default=1000, help="events, half of them references")
    arguments.add_argument("--rounds", type=int, default=3, help="rounds, of which the fastest counts")
    given = arguments.parse_args()
    if given.events:
        events = read_events(given.events, 0, given.number)
    else:
        events = random_events(given.number, 1)
        # As the published events all have.
        events[events[..., 0].max(1) == 0, 0] = 1.0, 0.0, 0.0, 1
    objects = (events[..., 0] > 0).sum(1).mean()
    print(f"# {len(events)} events with {objects:.1f} points")

    def solid(some: Events) -> Sets:
        return sets_3d(some, PLAIN)

    def flat(some: Events) -> Sets:
        return sets_2d(some, PLAIN)

    compare("event_distance", events, solid, loop_3d, given.rounds)
    compare("event_distance_full", random_events(200, 2, full=True), solid, loop_3d, given.rounds)
    compare("event_distance_2d", events, flat, loop_2d, given.rounds)
    search("event_nearest", events, solid, given.rounds)
    search("event_nearest_2d", events, flat, given.rounds)


if __name__ == "__main__":
    main()
