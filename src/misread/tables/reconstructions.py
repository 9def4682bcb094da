"""What a network with a decoder drew of the images that it read."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from misread.errors import PredictionsError
from misread.tables.evidence import check_array, check_index
from misread.tables.predictions import Provenance
from misread.types import Array, ByteArray, FloatArray, IndexArray, LabelArray

# Two drawings of an image are nearly the same where their mean squared difference is less than this
# share of its error. Of nine misread images in ten it is at most 0.10 where a decoder draws a blob
# whatever the class, and at least 0.32 where one is trained: docs/capsules.md.
_ALIKE = 0.15
_ALIKE_IMAGES = 0.9
# Fewer misread images say nothing.
_FEWEST = 5


@dataclass(frozen=True, eq=False)
class Reconstructions:
    """How well a network draws N images from their capsules, and the drawings of P of them.

    An error is the mean over pixels and channels of the squared difference between an image and its
    drawing, both with values in [0, 1].

    Attributes:
        index: (N,) int32, position of each image in its split; strictly increasing.
        given: (N,) int16, given label.
        predicted: (N,) int16, the network's predicted class.
        error_given: (N,) float32 in [0, 1], error as the given class: with its capsule alone.
        error_predicted: (N,) float32 in [0, 1], error as the predicted class.
        drawn: (P,) int32, positions in the split of the images whose drawings are kept; strictly
            increasing, and each in `index`.
        as_given: (P, H, W, C) uint8, drawings as the given class.
        as_predicted: (P, H, W, C) uint8, drawings as the predicted class.
        provenance: Of the network's predictions of the split.

    Raises:
        PredictionsError: The arrays don't fit together.
    """

    index: IndexArray
    given: LabelArray
    predicted: LabelArray
    error_given: FloatArray
    error_predicted: FloatArray
    drawn: IndexArray
    as_given: ByteArray
    as_predicted: ByteArray
    provenance: Provenance

    def __post_init__(self) -> None:
        classes = len(self.provenance.classes)
        for field in ("given", "predicted"):
            self._check(field, (len(self.index),), np.int16)
            labels = getattr(self, field)
            if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
                raise PredictionsError(
                    f"{self.provenance.run_name}: {field} must be classes from 0 to {classes - 1}."
                )
        for field in ("error_given", "error_predicted"):
            self._check(field, (len(self.index),), np.float32)
            errors = getattr(self, field)
            # Written so that NaN is refused as well.
            if not np.all((errors >= 0) & (errors <= 1)):
                raise PredictionsError(f"{self.provenance.run_name}: {field} must be in [0, 1].")
        check_index(self.provenance, self.index)
        check_index(self.provenance, self.drawn, "drawn")
        if not np.isin(self.drawn, self.index).all():
            raise PredictionsError(f"{self.provenance.run_name}: drawn must be part of index.")
        shape = self.as_given.shape
        if len(shape) != 4 or shape[3] not in (1, 3):
            shape = (len(self.drawn), *shape[1:3], 1)
        for field in ("as_given", "as_predicted"):
            self._check(field, (len(self.drawn), *shape[1:]), np.uint8)

    def _check(self, field: str, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
        check_array(self.provenance, field, getattr(self, field), shape, dtype)

    def __len__(self) -> int:
        return len(self.index)

    def row(self, index: int) -> int | None:
        """The row of the image at this position of the split; None if there is none."""
        return _find(self.index, index)

    def drawings(self, index: int) -> tuple[ByteArray, ByteArray] | None:
        """The image's drawings as the given and as the predicted class; None if none are kept."""
        row = _find(self.drawn, index)
        return None if row is None else (self.as_given[row], self.as_predicted[row])

    def share_better(self, errors: FloatArray) -> Array:
        """The share of all images that are drawn better, as the predicted class, than with these.

        Args:
            errors: (M,) float32.

        Returns:
            (M,) float64 in [0, 1].
        """
        return np.searchsorted(self._ordered, errors) / max(1, len(self))

    @cached_property
    def draws_alike(self) -> bool:
        """Whether the network draws nearly the same image for every class: it learned too little.

        By the misread images whose drawings are kept, as the given and as the predicted class;
        False where these are too few to tell.
        """
        rows = np.searchsorted(self.index, self.drawn)
        wrong = self.given[rows] != self.predicted[rows]
        if wrong.sum() < _FEWEST:
            return False
        one, other = (each[wrong] / np.float32(255) for each in (self.as_given, self.as_predicted))
        apart = np.square(one - other).mean(axis=(1, 2, 3))
        alike = apart < _ALIKE * self.error_predicted[rows[wrong]]
        return bool(alike.mean() >= _ALIKE_IMAGES)

    @cached_property
    def _ordered(self) -> FloatArray:
        return np.sort(self.error_predicted)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))


def _find(positions: IndexArray, index: int) -> int | None:
    row = int(np.searchsorted(positions, index))
    return row if row < len(positions) and positions[row] == index else None
