"""Files of reference jets: the medoids of a sample for every k, where the elbow is, random sets to compare with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from oddjet.errors import ImageError
from oddjet.io.atomic import write_text


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
    elbow : int
        The number of medoids that the break suggests.
    random : list of list of int
        Random sets.
    """

    metric: str
    jets: int
    medoids: list[list[int]]
    costs: list[float]
    peaks: list[float]
    histograms: list[list[float]]
    largest: list[float]
    breaking: float
    elbow: int
    random: list[list[int]]


def write_references(path: Path, references: References) -> None:
    """Write them as JSON."""
    write_text(path, json.dumps(asdict(references), indent=1) + "\n")


def read_references(path: Path) -> References:
    """Read what `write_references` wrote; raises `ImageError` for anything else."""
    try:
        return References(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ImageError(f"{path}: holds no reference jets ({error}); run find_medoids") from error
