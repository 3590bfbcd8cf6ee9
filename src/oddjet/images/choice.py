"""The choice of reference jets by the distances between the jets of a sample."""

from __future__ import annotations

import numpy as np

from oddjet.errors import ImageError
from oddjet.images.distance_file import DistanceTable
from oddjet.images.references import References
from oddjet.images.settings import MedoidSettings
from oddjet.transport.medoids import Restarts, elbow, find_medoids, histogram, most_frequent


def find_references(table: DistanceTable, settings: MedoidSettings) -> References:
    """Choose the reference jets by the distances between them; every jet counts with its weight.

    Random ones are drawn by the absolute weight, a draw having no sign.

    Raises
    ------
    ImageError
        There are fewer jets, or fewer with a weight, than reference jets are asked for.
    TransportError
        The weights do not add up to more than 0.
    """
    jets = len(table.jets)
    if jets < max(settings.largest, settings.drawn):
        raise ImageError(
            f"{jets} jets are too few for {settings.largest} medoids; give more events or files, or lower "
            "images.medoids.largest"
        )
    weights = table.weights()
    restarts = Restarts(settings.restarts, settings.seed)
    found = find_medoids(table.matrix(), settings.largest, weights=weights, restarts=restarts)
    histograms = [histogram(medoids.nearest, settings.bins, weights) for medoids in found]
    peaks = [most_frequent(*counted) for counted in histograms]
    fitted = elbow(peaks)
    generator = np.random.default_rng(settings.seed)
    chances = None if np.ptp(weights) == 0 else np.abs(weights) / np.abs(weights).sum()
    if chances is not None and np.count_nonzero(chances) < settings.drawn:
        raise ImageError(f"fewer than {settings.drawn} of {jets} jets have a weight; lower images.medoids.drawn")
    draws = [generator.choice(jets, settings.drawn, replace=False, p=chances) for _ in range(settings.draws)]
    return References(
        table.metric,
        jets,
        [[int(member) for member in medoids.members] for medoids in found],
        [float(medoids.cost / weights.sum()) for medoids in found],
        peaks,
        [counts.tolist() for counts, _ in histograms],
        [largest for _, largest in histograms],
        fitted.point,
        fitted.suggested,
        [[int(member) for member in draw] for draw in draws],
    )
