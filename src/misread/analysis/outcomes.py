"""What one model makes of each image: read once, whatever its origin and its size."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from misread.analysis.scores import over_ranges
from misread.tables.predictions import PredictionSource, Provenance, row_blocks
from misread.types import FloatArray, IndexArray, LabelArray

DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Predicted class and a few probabilities of N images, without the N x K table.

    Attributes:
        provenance: Where the predictions come from.
        index: (N,) int32, position of each image in its split; strictly increasing.
        given: (N,) int16, given labels in [0, K).
        predicted: (N,) int16, most probable class; the first one where several tie.
        p_predicted: (N,) float32 in [0, 1], its probability.
        p_given: (N,) float32 in [0, 1], probability of the given class.
        doubt: (N,) float64 in [0, 1], 1 minus the probability of the predicted class, as the share
            of all others: so that 1e-9 isn't rounded away beside a one in float32.
    """

    provenance: Provenance
    index: IndexArray
    given: LabelArray
    predicted: LabelArray
    p_predicted: FloatArray
    p_given: FloatArray
    doubt: DoubleArray

    def __len__(self) -> int:
        return len(self.index)

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        """(N,) bool: predicted as another class than given."""
        wrong: npt.NDArray[np.bool_] = self.predicted != self.given
        return wrong


def read_outcomes(source: PredictionSource | Outcomes, threads: int | None = None) -> Outcomes:
    """Read the probabilities once, a range of rows at a time; outcomes are given back as they are.

    Args:
        source: Predictions in memory or in a file, of any origin.
        threads: Number of threads; None for one per core. The result does not depend on it.

    Raises:
        PredictionsError: The file is damaged.
        ParameterError: The number of threads is below 1.
    """
    if isinstance(source, Outcomes):
        return source
    count, given = len(source.index), source.given
    predicted, doubt = np.empty(count, np.int16), np.empty(count, np.float64)
    p_predicted, p_given = np.empty((2, count), np.float32)

    def read(start: int, stop: int) -> None:
        probabilities = source.read(start, stop)
        for block in row_blocks(*probabilities.shape):
            part = probabilities[block]
            row = slice(start + block.start, start + block.stop)
            at = np.arange(len(part))
            predicted[row] = best = part.argmax(axis=1)
            p_predicted[row] = highest = part[at, best]
            p_given[row] = part[at, given[row]]
            total = part.sum(axis=1, dtype=np.float64)
            doubt[row] = np.maximum(0.0, total - highest) / total

    over_ranges(read, source.ranges(), threads)
    return Outcomes(source.provenance, source.index, given, predicted, p_predicted, p_given, doubt)
