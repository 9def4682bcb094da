"""How many networks came to read each image as given in training, as far as means tell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from misread.tables import Dynamics
from misread.types import IntArray

DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Learning:
    """How the networks that were trained on N images came to read them as given.

    Tables keep means over networks, in which one that never read an image as given counts with the
    epoch after its last. They don't always tell how many read it.

    Attributes:
        least: (N,) int64, at least so many networks read the image as given at some time.
        most: (N,) int64, at most so many did.
        epoch: (N,) float64, mean first epoch of those that did; NaN where `least` isn't `most`, or
            nobody did.
        forgotten: (N,) int64, how often it was forgotten, by all networks together.
    """

    least: IntArray
    most: IntArray
    epoch: DoubleArray
    forgotten: IntArray


def count_learners(dynamics: Sequence[Dynamics]) -> Learning:
    """How many networks of these tables, one or more, read each image as given."""
    least = np.zeros(len(dynamics[0]), np.int64)
    most, epochs, forgotten = least.copy(), least.copy(), least.copy()
    for table in dynamics:
        networks, never = table.networks, table.epochs + 1
        firsts = _whole(table.first_learned * np.float64(networks))
        # A network that read the image as given did so 1 to `epochs` epochs before `never`.
        early = np.clip(networks * never - firsts, 0, networks * table.epochs)
        fewest = -(-early // max(table.epochs, 1))
        least += fewest
        most += np.minimum(early, networks)
        epochs += firsts - (networks - fewest) * never
        forgotten += _whole(table.forgotten * np.float64(networks))
    known = (least == most) & (most > 0)
    mean = np.divide(epochs, most, out=np.full(len(most), np.nan), where=known)
    return Learning(least, most, mean, forgotten)


def _whole(sums: DoubleArray) -> IntArray:
    """Sums over networks, which are whole but for the rounding of float32."""
    found: IntArray = np.rint(sums).astype(np.int64)
    return found
