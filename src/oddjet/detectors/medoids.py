"""Distance of jet images to medoids of background training jets, each seed with jets of its own.

It is made while jets are scored and has no file: the medoids are found among the images of the training jets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from oddjet.detectors.registry import DetectorSettings
from oddjet.errors import DetectorError, ImageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from oddjet.detectors.opening import Given, Opened
    from oddjet.images.store import ImageLibrary
    from oddjet.transport.sparse import SparseImages

Metric = Annotated[
    str,
    Field(
        pattern=r"^(mae|mse|wass\d+(p\d+)?)$",
        description="mae, mse, or wass and the power p of the transport cost: wass1, wass0p5",
    ),
]


class MedoidMethod(DetectorSettings):
    """Distance of a jet's image to medoids of background training jets."""

    opener: ClassVar[str] = "oddjet.detectors.medoids"

    kind: Literal["medoids"] = Field(description="distance to reference jets")
    metric: Metric = Field(default="wass1", description="distance between images, see images.ensembles.metrics")
    medoids: int = Field(default=5, ge=1, le=50, description="number of reference jets")
    combination: Literal["min", "sum"] = Field(default="min", description="smallest distance, or sum over the medoids")
    restarts: int = Field(
        default=5,
        ge=0,
        description="random starts for k medoids, beside that from k - 1; the best is kept",
    )
    jets: int = Field(
        default=1000, ge=2, le=20_000, description="training jets, drawn anew for every seed, that medoids are found in"
    )


def open_detector(given: Given) -> Opened:
    """Find the medoids of every seed; jets are scored by the distance of their image to them, shape (n, S).

    Raises
    ------
    DetectorError
        There is no training table, or there are no images.
    ImageError
        There are fewer training jets than medoids, or one has no image.
    TransportError
        The weights of the jets of a seed do not add up to more than 0.
    """
    import numpy as np

    from oddjet.detectors.opening import Method, one_method
    from oddjet.images.store import KEY, ImageLibrary
    from oddjet.io.tables import read_table
    from oddjet.transport.images import cross, metric_of

    settings = given.settings
    assert isinstance(settings, MedoidMethod)
    if given.train is None or not given.images:
        raise DetectorError(f"{given.method}: medoids are found among --train, by --images; give both")
    library, metric = ImageLibrary(given.images), metric_of(settings.metric)
    train = read_table(given.train, needed=[*(KEY.names or ()), "weight"])
    if len(train) < max(settings.medoids, 2):
        raise ImageError(f"{len(train)} training jets are too few for {settings.medoids} medoids")
    medoids = [training_medoids(library, train, settings, seed, given.threads) for seed in given.seeds]

    def score(jets: NDArray[np.void]) -> NDArray[np.float64]:
        images = library.of(jets).sparse
        scores = np.empty((len(jets), len(medoids)))
        for column, found in enumerate(medoids):
            to = cross(images, found, metric, given.threads)
            scores[:, column] = to.min(axis=1) if settings.combination == "min" else to.sum(axis=1)
        return scores

    return one_method(Method(given.method, given.seeds, (1,) * len(given.seeds)), score)


def training_medoids(
    library: ImageLibrary, train: NDArray[np.void], settings: MedoidMethod, seed: int, threads: int
) -> SparseImages:
    """Return the images of the medoids of training jets (n,) that a seed draws; each jet counts with its weight."""
    import numpy as np
    from scipy.spatial.distance import squareform

    from oddjet.transport.images import metric_of, pairwise
    from oddjet.transport.medoids import Restarts, find_medoids

    drawn = np.random.default_rng(seed).permutation(len(train))[: settings.jets]
    chosen = train[np.sort(drawn)]
    images = library.of(chosen).sparse
    matrix = squareform(pairwise(images, metric_of(settings.metric), threads))
    restarts = Restarts(settings.restarts, seed, (settings.medoids,))
    found = find_medoids(matrix, settings.medoids, weights=chosen["weight"], restarts=restarts)
    return images.take(found[-1].members)
