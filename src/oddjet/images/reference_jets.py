"""Reference jets: the medoids of a sample for every k, where the elbow is, and random sets to compare with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pydantic import ConfigDict, TypeAdapter

from oddjet.errors import ImageError
from oddjet.images.distances import DistanceTable
from oddjet.images.settings import MedoidSettings
from oddjet.io.atomic import write_text
from oddjet.io.failures import one_line
from oddjet.transport.medoids import Restarts, elbow, find_medoids, histogram, most_frequent


@dataclass(frozen=True)
class References:
    """Reference jets of one sample and metric; jets are positions in the file of images.

    Attributes
    ----------
    metric : str
    jets : int
        Number of jets among which they were chosen.
    medoids : list of list of int
        Those of k = 1, 2, ...
    costs, peaks : list of float
        Mean distance to the nearest medoid, and its most frequent value, for each k.
    histograms, largest : list of list of float, list of float
        Distances to the nearest medoid for each k: sums of weights from 0 to the largest.
    breaking : float
        Where the two lines through the peaks meet.
    chance : float
        Probability that one straight line is joined so well by two.
    elbow : int or None
        The number of medoids that the break suggests; None where the curve has no elbow.
    random : list of list of int
        Random sets.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)

    metric: str
    jets: int
    medoids: list[list[int]]
    costs: list[float]
    peaks: list[float]
    histograms: list[list[float]]
    largest: list[float]
    breaking: float
    chance: float
    elbow: int | None
    random: list[list[int]]


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
        fitted.chance,
        fitted.suggested,
        [[int(member) for member in draw] for draw in draws],
    )


def write_references(path: Path, references: References) -> None:
    """Write them as JSON."""
    write_text(path, json.dumps(asdict(references), indent=1) + "\n")


def read_references(path: Path) -> References:
    """Read what `write_references` wrote; raises `ImageError` for anything else."""
    try:
        found = TypeAdapter(References).validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: holds no reference jets ({one_line(error)}); run find_medoids") from error
    groups = (*found.medoids, *found.random)
    number = len(found.medoids)
    same = {number, len(found.costs), len(found.peaks), len(found.histograms), len(found.largest)} == {number}
    if not (
        found.medoids
        and found.random
        and same
        and all(group and 0 <= min(group) <= max(group) < found.jets for group in groups)
    ):
        raise ImageError(f"{path}: its reference jets do not fit together; run find_medoids again")
    return found
