"""Orders of images by a number, computed fast enough to be done while somebody waits."""

import numpy as np
import numpy.typing as npt

from misread.types import Array, IndexArray, LabelArray

_TOP = np.uint32(0x8000_0000)


def order_by(values: Array, *, ascending: bool) -> IndexArray:
    """Places of images sorted by a number; ties keep their places, and NaN comes last either way.

    Args:
        values: (N,) float32.
        ascending: Whether the lowest come first.

    Returns:
        (N,) int32.
    """
    # As whole numbers floats keep their order, once the sign is dealt with. With the place in the
    # lower half one plain sort is stable, and several times as fast as a stable argsort.
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    keys = np.where(bits & _TOP, ~bits, bits | _TOP)
    # -0.0 and 0.0 are one number.
    keys[values == 0] = _TOP
    if not ascending:
        keys = ~keys
    keys[np.isnan(values)] = np.uint32(0xFFFF_FFFF)
    packed = keys.astype(np.uint64) << np.uint64(32)
    packed |= np.arange(len(values), dtype=np.uint64)
    packed.sort()
    return packed.astype(np.uint32).view(np.int32)


def shuffled(images: int, seed: int) -> IndexArray:
    """(N,) int32, places in a random order that the seed fixes."""
    return np.random.default_rng(seed).permutation(np.arange(images, dtype=np.int32))


def grouped(order: IndexArray, given: LabelArray) -> IndexArray:
    """The order with each class's images together: classes ascending, each in the same order.

    Args:
        order: (N,) int32, places.
        given: (N,) int16, class of each place.
    """
    # NumPy sorts 16-bit numbers by radix: linear in N, and stable.
    return order[np.argsort(given[order], kind="stable")]


def runs(labels: LabelArray) -> list[tuple[int, int, int]]:
    """The groups of equal labels in a row.

    Args:
        labels: (N,) int16, sorted.

    Returns:
        (label, first place, number) of each group.
    """
    starts = np.flatnonzero(np.diff(labels, prepend=labels[:1] - 1))
    counts = np.diff(starts, append=len(labels))
    keys: npt.NDArray[np.int16] = labels[starts]
    return list(zip(keys.tolist(), starts.tolist(), counts.tolist(), strict=True))
