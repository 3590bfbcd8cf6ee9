"""Measure exact transport between jet images; prints lines `ratio NAME VALUE`.

The straightforward way is `ot.emd2` on the occupied pixels of two images, with the ground costs looked up in the same
table; both give the same distances (compared before anything is timed). Times are processor times of one thread, costs
included, in microseconds a distance. Then the whole of what the analysis needs is timed on all threads: all pairs of
1000 jets with their medoids for k = 1 to 10, and 100,000 jets against 5 medoids. Jets are QCD jets from Pythia; where
more are needed than were simulated, they are repeated.

Example: python benchmarks/image_distance.py --events 400
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import ot
import wasserstein
from scipy.spatial.distance import squareform

from oddjet.dataset.settings import Fractions
from oddjet.images.make import make_images
from oddjet.images.settings import ImageJetSettings
from oddjet.images.store import read_images
from oddjet.simulation.generate import simulate_sample
from oddjet.simulation.settings import Process, SimulationSettings
from oddjet.transport.images import Metric, cross, distances, ground_costs, metric_of, pairwise
from oddjet.transport.medoids import find_medoids
from oddjet.transport.sparse import SparseImages
from timing import least

METRICS = ("wass1", "wass0p5", "wass2", "wass5")
REPEATS = 3


def simulated_images(events: int) -> SparseImages:
    """Images of QCD jets above 450 GeV."""
    settings = ImageJetSettings(fractions=Fractions(train=0.98, validation=0.01, test=0.01))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "qcd.root"
        process = Process.model_validate({"name": "qcd", "pthat_min": 450})
        simulate_sample(path, process, SimulationSettings(), sample="qcd", part=0, events=events, seed=1, attributes={})
        outputs = {part: Path(name) / f"{part}.h5" for part in ("train", "validation", "test")}
        make_images([str(path)], outputs, settings)
        return read_images(outputs["train"]).sparse


def straightforward(images: SparseImages, pairs: np.ndarray, metric: Metric, solver: Callable) -> np.ndarray:
    """One `solver(masses, masses, costs)` a pair."""
    table = ground_costs(images.pixels, images.side, metric.power)
    found = []
    for one, two in pairs:
        first, second = (slice(*images.indptr[image : image + 2]) for image in (one, two))
        (r1, c1), (r2, c2) = (np.divmod(images.pixel[where], images.pixels) for where in (first, second))
        costs = table[np.abs(r1[:, None] - r2), np.abs(c1[:, None] - c2)]
        found.append(solver(images.value[first], images.value[second], costs))
    return np.array(found)


def compare(images: SparseImages, n: int) -> None:
    """Time our distances and those of others, pair by pair."""
    rng = np.random.default_rng(2)
    pairs = rng.integers(0, len(images), (n, 2))
    for name in METRICS:
        metric = metric_of(name, root=False)
        emd = wasserstein.EMD(beta=1.0, norm=True)
        expected = straightforward(images, pairs[:100], metric, ot.emd2)
        difference = np.abs(distances(images, images, pairs[:100], metric) - expected).max()
        ours = least(lambda m=metric: distances(images, images, pairs, m), REPEATS) / n
        pot = least(lambda m=metric: straightforward(images, pairs[: n // 4], m, ot.emd2), REPEATS) / (n // 4)
        package = least(lambda m=metric, e=emd: straightforward(images, pairs[: n // 4], m, e), REPEATS) / (n // 4)
        print(
            f"{name}: ours {1e6 * ours:.1f} us, ot.emd2 {1e6 * pot:.1f} us, wasserstein {1e6 * package:.1f} us, "
            f"largest difference {difference:.1e}"
        )
        print(f"ratio image_distance{'' if name == METRICS[0] else f'_{name}'} {pot / ours:.2f}")


def whole(images: SparseImages, threads: int) -> None:
    """Time the medoids of 1000 jets and the scores of 100,000, wall time."""
    rng = np.random.default_rng(3)
    metric = metric_of("wass1")
    # Repeated jets would be at distance 0 of one another, which is too easy: as few as possible.
    chosen = images.take(np.resize(rng.permutation(len(images)), 1000))
    start = time.monotonic()
    condensed = pairwise(chosen, metric, threads)
    measured = time.monotonic() - start
    medoids = find_medoids(squareform(condensed), 10)
    found = time.monotonic() - start
    print(f"1000 jets on {threads} threads: distances {measured:.1f} s, with medoids of k = 1 to 10 {found:.1f} s")
    many = images.take(rng.integers(0, len(images), 100_000))
    start = time.monotonic()
    cross(many, chosen.take(medoids[4].members), metric, threads)
    print(f"100,000 jets against 5 medoids on {threads} threads: {time.monotonic() - start:.1f} s")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=1500, help="simulated events (default: %(default)s)")
    arguments.add_argument("--pairs", type=int, default=4000, help="pairs that are timed (default: %(default)s)")
    arguments.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads (default: all)")
    given = arguments.parse_args()
    images = simulated_images(given.events)
    print(f"{len(images)} images, {np.diff(images.indptr).mean():.1f} occupied pixels")
    compare(images, given.pairs)
    whole(images, given.threads)


if __name__ == "__main__":
    main()
