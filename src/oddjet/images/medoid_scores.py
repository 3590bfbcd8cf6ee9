"""Scores of jets of the semivisible-jet analysis: how far their images are from medoids of background training jets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import squareform

from oddjet.errors import ImageError
from oddjet.images.settings import MedoidMethod
from oddjet.images.store import ImageLibrary
from oddjet.transport.images import cross, metric_of, pairwise
from oddjet.transport.medoids import Restarts, find_medoids
from oddjet.transport.sparse import SparseImages


class MedoidScorer:
    """Scores jets by the distance of their image to the medoids of training jets, each seed with jets of its own.

    Parameters
    ----------
    library : ImageLibrary
        Images of all jets that will be asked for, and of the training jets.
    train : structured array, shape (n,)
        Training jets, rows of the dataset's table; each counts with its weight.
    method : MedoidMethod
    seeds : sequence of int
        One column of scores each.
    threads : int

    Raises
    ------
    ImageError
        There are fewer training jets than medoids.
        A training jet has no image.
    TransportError
        The weights of the jets of a seed do not add up to more than 0.
    """

    def __init__(
        self, library: ImageLibrary, train: NDArray[np.void], method: MedoidMethod, seeds: Sequence[int], threads: int
    ) -> None:
        self._library, self._method, self._threads = library, method, threads
        self._metric = metric_of(method.metric)
        if len(train) < max(method.medoids, 2):
            raise ImageError(f"{len(train)} training jets are too few for {method.medoids} medoids")
        self._medoids = [self._find(train, seed) for seed in seeds]

    def __call__(self, jets: NDArray[np.void]) -> NDArray[np.float64]:
        """Score jets: float64 array of shape (n, seeds), larger is farther from the background."""
        images = self._library.of(jets).sparse
        scores = np.empty((len(jets), len(self._medoids)))
        for column, medoids in enumerate(self._medoids):
            to = cross(images, medoids, self._metric, self._threads)
            scores[:, column] = to.min(axis=1) if self._method.combination == "min" else to.sum(axis=1)
        return scores

    def _find(self, train: NDArray[np.void], seed: int) -> SparseImages:
        drawn = np.random.default_rng(seed).permutation(len(train))[: self._method.jets]
        chosen = train[np.sort(drawn)]
        images = self._library.of(chosen).sparse
        matrix = squareform(pairwise(images, self._metric, self._threads))
        most = self._method.medoids
        found = find_medoids(
            matrix, most, weights=chosen["weight"], restarts=Restarts(self._method.restarts, seed, (most,))
        )
        return images.take(found[-1].members)
