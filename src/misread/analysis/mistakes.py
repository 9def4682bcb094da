"""Which images a model misreads, and as what."""

from dataclasses import dataclass

import numpy as np

from misread.tables import Predictions
from misread.types import FloatArray, IndexArray, IntArray, LabelArray


@dataclass(frozen=True, eq=False)
class MistakeTable:
    """The M mistakes of one model on one split, most confident first.

    Attributes:
        index: (M,) int32, position of the image in the split.
        given: (M,) int16, given label.
        predicted: (M,) int16, most probable class.
        p_predicted: (M,) float32 in [0, 1], probability of the predicted class.
        p_given: (M,) float32 in [0, 1], probability of the given class.
    """

    index: IndexArray
    given: LabelArray
    predicted: LabelArray
    p_predicted: FloatArray
    p_given: FloatArray

    def __len__(self) -> int:
        return len(self.index)

    def of_class(self, given: int) -> "MistakeTable":
        """The mistakes among the images given this label, in the same order."""
        return self._pick(np.flatnonzero(self.given == given))

    def first(self, count: int) -> "MistakeTable":
        """The `count` most confident ones, or all if there are fewer."""
        return self._pick(np.arange(min(count, len(self))))

    def _pick(self, rows: IntArray) -> "MistakeTable":
        return MistakeTable(
            self.index[rows],
            self.given[rows],
            self.predicted[rows],
            self.p_predicted[rows],
            self.p_given[rows],
        )


def find_mistakes(predictions: Predictions) -> MistakeTable:
    """The images whose predicted class differs from the given label.

    Args:
        predictions: N predictions of one model.

    Returns:
        The mistakes by falling probability of the predicted class; ties keep the split's order.
    """
    rows = np.flatnonzero(predictions.predicted != predictions.given)
    predicted = predictions.predicted[rows]
    confidence = predictions.probabilities[rows, predicted]
    order = np.argsort(-confidence, kind="stable")
    rows, predicted, confidence = rows[order], predicted[order], confidence[order]
    given = predictions.given[rows]
    return MistakeTable(
        index=predictions.index[rows],
        given=given,
        predicted=predicted,
        p_predicted=confidence,
        p_given=predictions.probabilities[rows, given],
    )
