"""The choice of reference jets by the distances between the jets of a sample."""

from __future__ import annotations

import numpy as np

from oddjet.images.distance_file import DistanceTable
from oddjet.images.ensemble_settings import MedoidSettings
from oddjet.images.references import ReferenceJetError, References
from oddjet.transport.medoids import elbow, find_medoids, histogram, most_frequent


def find_references(table: DistanceTable, settings: MedoidSettings) -> References:
    """Choose the reference jets by the distances between them.

    Raises
    ------
    ReferenceJetError
        There are fewer jets than medoids are asked for.
    """
    jets = len(table.jets)
    if jets < max(settings.largest, settings.drawn):
        raise ReferenceJetError(
            f"{jets} jets are too few for {settings.largest} medoids; simulate more events or lower "
            "images.medoids.largest"
        )
    found = find_medoids(table.matrix(), settings.largest)
    histograms = [histogram(medoids.nearest, settings.bins) for medoids in found]
    peaks = [most_frequent(*counted) for counted in histograms]
    fitted = elbow(peaks)
    generator = np.random.default_rng(settings.seed)
    draws = [generator.choice(jets, settings.drawn, replace=False) for _ in range(settings.draws)]
    return References(
        table.metric,
        jets,
        [[int(member) for member in medoids.members] for medoids in found],
        [medoids.cost / jets for medoids in found],
        peaks,
        [counts.tolist() for counts, _ in histograms],
        [largest for _, largest in histograms],
        fitted.point,
        fitted.suggested,
        [[int(member) for member in draw] for draw in draws],
    )
