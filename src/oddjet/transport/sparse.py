"""Sparse images: the occupied pixels of many jets in flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddjet.errors import TransportError


@dataclass(frozen=True)
class SparseImages:
    """Images of n jets.

    Attributes
    ----------
    indptr : int64 array, shape (n + 1,)
        Pixels of image i: `indptr[i]` to `indptr[i + 1]`.
    pixel : int64 array, shape (occupied,)
        row * pixels + column, ascending in each image.
    value : float64 array, shape (occupied,)
        Above 0; those of an image add up to 1.
    pixels : int
        Pixels a side.
    side : float
        Length of a side, in eta and phi.
    """

    indptr: NDArray[np.int64]
    pixel: NDArray[np.int64]
    value: NDArray[np.float64]
    pixels: int
    side: float

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def take(self, images: NDArray[np.integer[Any]]) -> SparseImages:
        """Give these images, in this order."""
        counts = np.diff(self.indptr)[images]
        indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        where = np.arange(indptr[-1]) + np.repeat(self.indptr[:-1][images] - indptr[:-1], counts)
        return SparseImages(indptr, self.pixel[where], self.value[where], self.pixels, self.side)

    def dense(self) -> NDArray[np.float32]:
        """Give all pixels, shape (n, pixels, pixels); rows go up with phi, columns with eta."""
        filled = np.zeros((len(self), self.pixels**2), np.float32)
        filled[np.repeat(np.arange(len(self)), np.diff(self.indptr)), self.pixel] = self.value
        return filled.reshape(-1, self.pixels, self.pixels)

    def mean(self, weights: NDArray[np.floating[Any]] | None = None) -> SparseImages:
        """Give the average image, as one image, by weights of shape (n,) if there are any.

        Pixels that weights of both signs leave below zero count as empty.
        """
        factors = np.ones(len(self)) if weights is None else np.asarray(weights, np.float64)
        summed = np.zeros(self.pixels**2)
        np.add.at(summed, self.pixel, self.value * np.repeat(factors, np.diff(self.indptr)))
        return sparse_images(summed.reshape(1, self.pixels, self.pixels), self.side)


def sparse_images(dense: NDArray[np.floating[Any]], side: float) -> SparseImages:
    """Take the pixels above 0 of dense images and divide by each image's sum.

    Parameters
    ----------
    dense
        Shape (n, pixels, pixels). Pixels at or below 0 (a network's output may have some) count as empty.
    side
        Length of a side, in eta and phi.

    Raises
    ------
    TransportError
        An image has no pixel above 0, or one that is not finite.
    """
    flat = np.asarray(dense, np.float64).reshape(len(dense), -1)
    if not np.isfinite(flat).all():
        bad = int(np.argmin(np.isfinite(flat).all(axis=1)))
        raise TransportError(f"image {bad} has a pixel that is not finite; look at the network that made it")
    image, occupied = np.nonzero(flat > 0)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(image, minlength=len(flat))))).astype(np.int64)
    return normalised(indptr, occupied.astype(np.int64), flat[image, occupied], dense.shape[1], side)


def normalised(
    indptr: NDArray[np.integer[Any]],
    pixel: NDArray[np.integer[Any]],
    value: NDArray[np.floating[Any]],
    pixels: int,
    side: float,
) -> SparseImages:
    """Make images of flat arrays, each divided by its sum in float64; see `SparseImages` for the arrays.

    `indptr` may start anywhere, as a slice of a longer one does; `pixel` and `value` start with the first image.

    Raises
    ------
    TransportError
        An image is empty, or a value is not above 0.
    """
    begins = np.asarray(indptr, np.int64) - int(indptr[0])
    counts = np.diff(begins)
    if len(counts) and counts.min() < 1:
        raise TransportError(f"image {int(np.argmin(counts))} has no pixel above 0: nothing to compare")
    values = np.asarray(value, np.float64)
    if not (values > 0).all():
        raise TransportError(f"pixel values must be above 0, not {values[np.argmin(values > 0)]}")
    totals = np.add.reduceat(values, begins[:-1]) if len(counts) else np.empty(0)
    return SparseImages(
        begins,
        np.asarray(pixel, np.int64),
        values / np.repeat(totals, counts),
        pixels,
        side,
    )


def concatenated(parts: Sequence[SparseImages]) -> SparseImages:
    """Put images one after the other.

    Raises
    ------
    TransportError
        There are none, or they differ in size.
    """
    sizes = {(part.pixels, part.side) for part in parts}
    if len(sizes) != 1:
        raise TransportError(f"images of {len(sizes)} different sizes cannot be put together: {sorted(sizes)}")
    counts = np.concatenate([np.diff(part.indptr) for part in parts])
    return SparseImages(
        np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        np.concatenate([part.pixel for part in parts]),
        np.concatenate([part.value for part in parts]),
        parts[0].pixels,
        parts[0].side,
    )
