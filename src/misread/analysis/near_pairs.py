"""All pairs of images within a distance of each other: complete, in bounded memory.

A projection onto orthonormal directions never lengthens a difference (Bessel's inequality): images
whose projections lie farther apart than the distance are farther apart themselves. The few pairs
that are left are compared pixel by pixel, so that none is missed and none is guessed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from misread.errors import ParameterError
from misread.types import ByteArray, FloatArray, IntArray

LARGEST = 255
MOST_PAIRS = 1_000_000

# Frequencies a side of the projection, and directions of the first comparison: more of either take
# longer than the candidates they save.
_FREQUENCIES = 8
_DIRECTIONS = 32
_ROWS, _COLUMNS = 1024, 8192
_BLOCK_BYTES = 1 << 24

# As a share of the longest vector, 255 sqrt(n). Projections are rounded to float32 twice, each time
# by less than 1e-7 of it.
_MARGIN = 1e-6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Near:
    """M pairs of images.

    Attributes:
        first: (M,) int64, row of an image.
        second: (M,) int64, row of a later one.
        distance: (M,) float64 in [0, 1], root mean square difference of their pixel values as a
            share of 255.
    """

    first: IntArray
    second: IntArray
    distance: Floats


def project(images: ByteArray) -> FloatArray:
    """The lowest frequencies of each image: a projection onto orthonormal directions.

    Args:
        images: (N, H, W) or (N, H, W, C) uint8.

    Returns:
        (N, F) float32 with F = min(8, H) x min(8, W) x C coefficients. Two rows are no farther
        apart, as the root of the sum of squares, than the images are.

    Source: the cosine transform, whose low frequencies hold most of what differs between images
    (Ahmed, Natarajan & Rao 1974).
    """
    count, height, width = images.shape[:3]
    planes = images.reshape(count, height, width, -1)
    found = np.einsum("fh,nhwc,gw->nfgc", _cosines(height), planes, _cosines(width), optimize=True)
    coefficients: FloatArray = found.reshape(count, -1).astype(np.float32)
    return coefficients


@lru_cache
def _cosines(length: int) -> Floats:
    """The first rows of the orthonormal cosine transform, (min(8, length), length)."""
    rows: Floats = dct(np.eye(length), axis=0, norm="ortho")[:_FREQUENCIES]
    return rows


def near_pairs(
    coefficients: FloatArray, size: int, distance: float, read: Callable[[IntArray], ByteArray]
) -> Near:
    """All pairs of images that are within a distance of each other.

    Args:
        coefficients: (N, F) float32, as `project` gives them.
        size: Values of an image, H x W x C.
        distance: Largest root mean square difference, as a share of 255, in [0, 1].
        read: Gives the images of some rows, (M, size) uint8.

    Returns:
        The pairs, in no particular order.

    Raises:
        ParameterError: There are more than a million.
    """
    points = _rotate(coefficients)
    radius = LARGEST * np.sqrt(size) * (distance + _MARGIN)
    first, second, distances, total = [], [], [], 0
    for a, b in _candidates(points, radius):
        found = _compare(a, b, size, read)
        near = found <= distance
        first.append(a[near])
        second.append(b[near])
        distances.append(found[near])
        total += int(near.sum())
        if total > MOST_PAIRS:
            raise ParameterError(
                f"distance: there are more than {MOST_PAIRS:,} pairs of images within {distance:g} "
                "of each other; choose a smaller distance"
            )
    nothing = np.empty(0, np.int64)
    return Near(
        np.concatenate([nothing, *first]),
        np.concatenate([nothing, *second]),
        np.concatenate([nothing.astype(np.float64), *distances]),
    )


def _rotate(coefficients: FloatArray) -> FloatArray:
    """Principal directions first: the first few then tell most pairs apart."""
    mean = coefficients.mean(axis=0, dtype=np.float64)
    scatter = np.zeros((coefficients.shape[1],) * 2)
    step = max(1, _BLOCK_BYTES // (8 * coefficients.shape[1]))
    for start in range(0, len(coefficients), step):
        centred = coefficients[start : start + step] - mean
        scatter += centred.T @ centred
    directions = np.linalg.eigh(scatter)[1][:, ::-1]
    rotated = np.empty_like(coefficients)
    for start in range(0, len(coefficients), step):
        rotated[start : start + step] = (coefficients[start : start + step] - mean) @ directions
    return rotated


def _candidates(points: FloatArray, radius: float) -> Iterator[tuple[IntArray, IntArray]]:
    """Pairs whose projections are within the radius, a bounded number at a time.

    Rows stand in the order of the first direction: further along than the radius, none is near.
    Squared distances are a matrix product, |a|^2 + |b|^2 - 2ab, of the first few directions.
    """
    order = np.argsort(points[:, 0], kind="stable")
    points = points[order]
    along = points[:, 0].astype(np.float64)
    left, right, slack = _factors(points[:, :_DIRECTIONS])
    limit = np.float32(radius * radius + slack)
    for start in range(0, len(points), _ROWS):
        end = min(start + _ROWS, len(points))
        last = int(np.searchsorted(along, along[end - 1] + radius, side="right"))
        for begin in range(start, last, _COLUMNS):
            squares = left[start:end] @ right[begin : min(begin + _COLUMNS, last)].T
            a, b = np.nonzero(squares <= limit)
            a, b = a + start, b + begin
            once = a < b
            yield from _closer(points, order, a[once], b[once], radius)


def _factors(points: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Two matrices whose product is all squared distances, and a bound on its rounding error.

    Source of the bound: Higham (2002), section 3.1: a sum of n float32 products is off by at most
    n 2^-24 / (1 - n 2^-24) of the sum of their sizes.
    """
    norms = np.einsum("ij,ij->i", points, points, dtype=np.float64)[:, None]
    ones = np.ones_like(norms)
    left = np.hstack([-2.0 * points, norms, ones]).astype(np.float32)
    right = np.hstack([points, ones, norms]).astype(np.float32)
    terms = left.shape[1] + 2  # norms are rounded, too
    slack = 4 * float(norms.max(initial=0)) * terms * 2.0**-24 * 1.01
    return left, right, slack


def _closer(
    points: FloatArray, order: IntArray, a: IntArray, b: IntArray, radius: float
) -> Iterator[tuple[IntArray, IntArray]]:
    """Those candidates that all directions leave, as rows of the images."""
    step = max(1, _BLOCK_BYTES // (8 * points.shape[1]))
    for start in range(0, len(a), step):
        some_a, some_b = a[start : start + step], b[start : start + step]
        difference = points[some_a].astype(np.float64) - points[some_b]
        near = np.einsum("ij,ij->i", difference, difference) <= radius * radius
        some_a, some_b = order[some_a[near]], order[some_b[near]]
        yield np.minimum(some_a, some_b), np.maximum(some_a, some_b)


def _compare(a: IntArray, b: IntArray, size: int, read: Callable[[IntArray], ByteArray]) -> Floats:
    """Distances of pairs of images; sums of squared bytes are exact in float64."""
    distances = np.empty(len(a))
    step = max(1, _BLOCK_BYTES // (8 * size))
    for start in range(0, len(a), step):
        block = slice(start, start + step)
        # Each image is read once: it may have to be decoded.
        rows, places = np.unique(np.concatenate([a[block], b[block]]), return_inverse=True)
        images = read(rows).astype(np.float64)
        first, second = np.split(places, 2)
        difference = images[first] - images[second]
        squares = np.einsum("ij,ij->i", difference, difference)
        distances[block] = np.sqrt(squares / size) / LARGEST
    return distances
