"""What a model would say if it hadn't learned the label noise of its training labels.

A model that is trained on labels of which every tenth 4 is given as 9 learns to say so: of a clear
4 it says 9 with probability 0.1, whatever the label of this image is. Undoing that tells a flipped
label, which the model thinks quite possible, from a hard image.
"""

import numpy as np

from misread.analysis.scores import over_ranges
from misread.tables.predictions import PredictionSource, row_blocks
from misread.types import Array, FloatArray, LabelArray

# Below this a probability that was put right is rounding and luck.
_SMALLEST = 1e-3


def noise_matrix(read_as: LabelArray, given: LabelArray, classes: int) -> Array:
    """How often images that are read as one class are given another label.

    Args:
        read_as: (N,) int16, most probable classes, out-of-sample; best of images that are read
            surely, since a model's own confusions look like noise of the labels here.
        given: (N,) int16.
        classes: Number of classes K.

    Returns:
        (K, K) float64, rows sum to 1: entry (t, k) is the share given k among the images read as t,
        an estimate of P(given k | true t). One image that is given its class is added to each row,
        so that a class that nothing is read as has a row too.
    """
    counts = np.bincount(read_as.astype(np.int64) * classes + given, minlength=classes * classes)
    matrix = counts.reshape(classes, classes) + np.eye(classes)
    shares: Array = matrix / matrix.sum(axis=1, keepdims=True)
    return shares


def undo_noise(
    source: PredictionSource, matrix: Array, threads: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """Put the probabilities right, and take what they say of the given label.

    The model's probabilities are p = q T, with T the noise matrix and q what it would say of the
    true class (Patrini et al. 2017, section 4.1, theorem 2); so q = p T^-1, cut off below at 0.001
    and scaled to sum to 1. Where T can't be inverted well, probabilities are left as they are.

    Args:
        source: N out-of-sample predictions over K classes; a range of rows is read at a time.
        matrix: (K, K) float64, as `noise_matrix` gives it.
        threads: Number of threads; None for one per core. The result does not depend on it.

    Returns:
        Two (N,) float32: the probability of the given label put right, and the highest of any
        other class.
    """
    inverse = _inverse(matrix)
    given = source.given
    of_given, of_rival = np.empty((2, len(given)), np.float32)

    def put_right(start: int, stop: int) -> None:
        probabilities = source.read(start, stop)
        for block in row_blocks(*probabilities.shape):
            part = probabilities[block]
            # A product with K x K numbers takes its time: not with those that change nothing.
            right = np.maximum(part if inverse is None else part @ inverse, np.float32(_SMALLEST))
            right /= right.sum(axis=1, keepdims=True)
            row = slice(start + block.start, start + block.stop)
            at = np.arange(len(right))
            of_given[row] = right[at, given[row]]
            right[at, given[row]] = 0
            of_rival[row] = right.max(axis=1, initial=0)

    over_ranges(put_right, source.ranges(), threads)
    return of_given, of_rival


def _inverse(matrix: Array) -> FloatArray | None:
    """None where the noise outweighs the label, and nothing can be undone."""
    if np.any(np.diag(matrix) <= 0.5):  # half of a class's labels are wrong
        return None
    inverse: FloatArray = np.linalg.inv(matrix).astype(np.float32)
    return inverse
