"""Distances between all jets of a set, measured once for every metric."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from oddjet.errors import ImageError
from oddjet.images.distance_file import DistanceWriter
from oddjet.images.file import JET_COLUMNS, read_images
from oddjet.images.settings import DistanceSettings
from oddjet.transport.images import metric_of, pairwise

KEPT = ("run", "luminosityBlock", "event", "jet_rank", "pt", "mass", "weight")


def compute_distances(
    images: Path, output: Path, metric: str, settings: DistanceSettings, threads: int, attributes: Mapping[str, str]
) -> None:
    """Measure all pairs of the first jets of a file and write them.

    Parameters
    ----------
    images : Path
        File of `make_images`.
    output : Path
        Table of the jets, with a dataset `distances` beside it; see `DistanceTable`.
    metric : str
        See `oddjet.transport.images.metric_of`.
    settings : DistanceSettings
        Number of jets, root.
    threads : int
        Pairs are measured on so many.
    attributes : mapping of str to str
        Provenance.

    Raises
    ------
    ImageError
        The file has fewer than 4 jets.
    """
    batch = read_images(images, 0, settings.jets)
    if len(batch) < 4:
        raise ImageError(f"{images}: {len(batch)} jets are too few for distances; give more events or files")
    condensed = pairwise(batch.sparse, metric_of(metric, root=settings.root), threads)
    columns = [column for column in JET_COLUMNS if column.name in KEPT]
    with DistanceWriter(output, columns, {**attributes, "metric": metric}) as table:
        table.append(batch.jets[list(KEPT)])
        table.add(condensed)
        table.finish()
