"""What the nearest training images say of a given label."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from misread.tables import Neighbours
from misread.types import FloatArray, LabelArray

# Counts held at once: images x classes.
_MOST_COUNTS = 1 << 22


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """The given labels of the nearest training images of N images, over one or more networks.

    Attributes:
        count: Neighbours of each image, those of all networks together.
        networks: Number of networks.
        given: (N,) float32 in [0, 1], share of them that are given the image's own label.
        read_as: (N,) float32 in [0, 1], share that are given the class the image is read as.
        rival: (N,) int16, the class most of the others are given.
        of_rival: (N,) float32 in [0, 1], share that are given it.
    """

    count: int
    networks: int
    given: FloatArray
    read_as: FloatArray
    rival: LabelArray
    of_rival: FloatArray

    def number(self, share: float) -> int:
        """How many of the neighbours a share of them is."""
        return round(float(share) * self.count)

    @property
    def disagreement(self) -> FloatArray:
        """(N,) float32 in [0, 1]: share of the nearest training images with another given label.

        Higher is more suspicious. The k-nearest-neighbour rule (Cover & Hart 1967) in the feature
        space of a network that never saw the image; as evidence on labels: Wilson (1972), Bahri et
        al. (2020), *Deep k-NN for noisy labels*.
        """
        return 1 - self.given


def look_around(
    tables: Sequence[Neighbours],
    train_labels: LabelArray,
    given: LabelArray,
    read_as: LabelArray,
    classes: int,
) -> Neighbourhood:
    """Count the labels among each image's nearest training images.

    Args:
        tables: One or more, of the same N images; a network's each.
        train_labels: Given labels of the training split.
        given: (N,) int16, given labels of the images.
        read_as: (N,) int16, the class that each is read as.
        classes: Number of classes K.

    Returns:
        Shares over all networks together. Memory for a chunk of counts and the result.
    """
    columns = [table.neighbours for table in tables]
    count = sum(column.shape[1] for column in columns)
    shares = np.zeros((3, len(given)), np.float32)
    rival = np.zeros(len(given), np.int16)
    size = max(1, _MOST_COUNTS // classes)
    for start in range(0, len(given), size):
        chunk = slice(start, start + size)
        labels = train_labels[np.concatenate([column[chunk] for column in columns], axis=1)]
        rows = np.arange(len(labels))
        flat = (rows[:, None] * classes + labels).ravel()
        counts = np.bincount(flat, minlength=len(rows) * classes).reshape(-1, classes)
        shares[0, chunk] = counts[rows, given[chunk]]
        shares[1, chunk] = counts[rows, read_as[chunk]]
        counts[rows, given[chunk]] = -1
        rival[chunk] = counts.argmax(axis=1)
        shares[2, chunk] = np.maximum(counts.max(axis=1), 0)
    shares /= max(1, count)
    return Neighbourhood(count, len(tables), shares[0], shares[1], rival, shares[2])
