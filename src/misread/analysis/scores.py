"""What one model's probabilities say of each image, in one pass over them."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from misread.errors import ParameterError
from misread.tables.predictions import PredictionSource, row_blocks
from misread.types import FloatArray, IndexArray, LabelArray

# Added to each probability before its logarithm, so that a zero contributes nothing: x log x is 0
# there. It changes no float32 above 1e-30.
_TINY = np.float32(1e-37)


@dataclass(frozen=True, eq=False)
class ImageScores:
    """What the scores of difficulty and suspicion are made of, one row per image.

    Attributes:
        index: (N,) int32, position of the image in its split; strictly increasing.
        given: (N,) int16, given label.
        predicted: (N,) int16, most probable class; the first one where several tie.
        p_predicted: (N,) float32 in [0, 1], its probability.
        p_second: (N,) float32 in [0, 1], probability of the next class; 0 where there is one class.
        p_given: (N,) float32 in [0, 1], probability of the given class.
        entropy: (N,) float32 in [0, ln K], entropy of the probabilities in nats.
    """

    index: IndexArray
    given: LabelArray
    predicted: LabelArray
    p_predicted: FloatArray
    p_second: FloatArray
    p_given: FloatArray
    entropy: FloatArray

    def __len__(self) -> int:
        return len(self.index)

    @property
    def p_other(self) -> FloatArray:
        """(N,) float32 in [0, 1], the largest probability of a class other than the given one."""
        return np.where(self.predicted == self.given, self.p_second, self.p_predicted)


def score_images(source: PredictionSource, threads: int | None = None) -> ImageScores:
    """Read the probabilities once and keep what every score of one model needs.

    Beside the result, memory holds a few ranges of rows. The result does not depend on the number
    of threads.

    Args:
        source: Predictions in memory or in a file, held-out or cross-fitted.
        threads: Number of threads; None for one per core.

    Returns:
        The scores, in the order of the source.

    Raises:
        PredictionsError: The predictions are in-sample.
        ParameterError: The number of threads is below 1.
    """
    source.provenance.require_out_of_sample()
    count = len(source.index)
    predicted = np.empty(count, np.int16)
    p_predicted, p_second, p_given, entropy = np.empty((4, count), np.float32)

    def score(start: int, stop: int) -> None:
        probabilities = source.read(start, stop)
        scratch = np.empty_like(probabilities[next(row_blocks(*probabilities.shape))])
        for block in row_blocks(*probabilities.shape):
            part = probabilities[block]
            row = slice(start + block.start, start + block.stop)
            at = np.arange(len(part))
            best, second, entropy[row] = _score_block(part, scratch[: len(part)])
            predicted[row] = best
            p_predicted[row] = part[at, best]
            p_second[row] = part[at, second] if part.shape[1] > 1 else 0
            p_given[row] = part[at, source.given[row]]

    over_ranges(score, source.ranges(), threads)
    return ImageScores(
        source.index, source.given, predicted, p_predicted, p_second, p_given, entropy
    )


def _score_block(
    part: FloatArray, scratch: FloatArray
) -> tuple[IndexArray, IndexArray, FloatArray]:
    """Best class, second class and entropy of rows that fit the cache, as does the scratch."""
    at = np.arange(len(part))
    best = part.argmax(axis=1)
    np.add(part, _TINY, out=scratch)
    highest = scratch[at, best]
    scratch[at, best] = -1
    second = scratch.argmax(axis=1)
    scratch[at, best] = highest
    np.log(scratch, out=scratch)
    entropy = -np.einsum("ij,ij->i", part, scratch)
    # Rows whose sum is a rounding above 1 have no negative entropy.
    return best, second, np.maximum(entropy, 0, out=entropy)


def over_ranges(
    work: Callable[[int, int], None], ranges: Iterable[tuple[int, int]], threads: int | None
) -> None:
    """Call `work(start, stop)` for each range, in several threads: NumPy lets them run at once.

    Raises:
        ParameterError: The number of threads is below 1.
    """
    if threads is None:
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    if threads < 1:
        raise ParameterError(f"threads must be 1 or more. Got {threads} instead.")
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda each: work(*each), ranges))
