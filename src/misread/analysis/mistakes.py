"""Which images a model misreads, and as what."""

from dataclasses import dataclass

import numpy as np

from misread.analysis.outcomes import Outcomes, read_outcomes
from misread.tables.predictions import PredictionSource
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


def find_mistakes(predictions: PredictionSource | Outcomes) -> MistakeTable:
    """The images whose predicted class differs from the given label.

    Args:
        predictions: N predictions of one model, in memory or in a file; or what was read of them.

    Returns:
        The mistakes by falling probability of the predicted class; ties keep the split's order.
    """
    found = read_outcomes(predictions)
    rows = np.flatnonzero(found.wrong)
    rows = rows[np.argsort(-found.p_predicted[rows], kind="stable")]
    return MistakeTable(
        index=found.index[rows],
        given=found.given[rows],
        predicted=found.predicted[rows],
        p_predicted=found.p_predicted[rows],
        p_given=found.p_given[rows],
    )
