"""Difficulty and suspicion from a panel: predictions of several models for the same images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from misread.analysis.scores import over_ranges
from misread.errors import PredictionsError
from misread.tables.predictions import PredictionSource, row_blocks
from misread.types import FloatArray, IndexArray, LabelArray

DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PanelScores:
    """What M models together say of N images.

    Difficulties, higher is harder, and suspicions, higher is more suspicious, are marked so.

    Attributes:
        models: M, the number of models.
        index: (N,) int32, position of the image in its split; strictly increasing.
        given: (N,) int16, given label.
        majority: (N,) int16, the class that most models predict; of several the one with the
            highest mean probability, then the first.
        votes: (N,) int32 in 1..M, models that predict the majority class.
        least_confidence: (N,) float32 in [0, 1], the lowest probability that one of those models
            has for it.
        contradiction: (N,) float32 in [0, 1], suspicion: share of the models whose predicted class
            is not the given one.
        p_given: (N,) float32 in [0, 1], mean probability of the given class; 1 minus it is a
            suspicion.
        expected_entropy: (N,) float32 in [0, ln K], difficulty: mean entropy of the models, in
            nats. What each of them finds ambiguous.
        mutual_information: (N,) float32 in [0, ln min(M, K)], difficulty: entropy of the mean
            probabilities minus the expected entropy, in nats. What they disagree about.
    """

    models: int
    index: IndexArray
    given: LabelArray
    majority: LabelArray
    votes: IndexArray
    least_confidence: FloatArray
    contradiction: FloatArray
    p_given: FloatArray
    expected_entropy: FloatArray
    mutual_information: FloatArray

    def __len__(self) -> int:
        return len(self.index)


def score_panel(panel: Sequence[PredictionSource], threads: int | None = None) -> PanelScores:
    """Score images by the predictions of several models, a few ranges of rows at a time.

    Args:
        panel: M >= 1 held-out or cross-fitted predictions of the same images, in memory or files.
        threads: Number of threads; None for one per core. The result does not depend on it.

    Returns:
        The scores, in the order of the split. Sums over classes and models are float64.

    Raises:
        PredictionsError: There are none, some are in-sample, or they are of other images, labels
            or classes.
        ParameterError: The number of threads is below 1.

    Source: Houlsby et al. (2011), eq. 2, and Gal, Islam & Ghahramani (2017), section 4, for the
    mutual information; Depeweg et al. (2018) for the two parts of the entropy.

    Example:
        ```python
        scores = misread.score_panel([one.test, other.test, third.test])
        suspects = scores.index[scores.contradiction == 1]  # no model reads the given label
        ```
    """
    _check_panel(panel)
    count, models, given = len(panel[0].index), len(panel), panel[0].given
    majority, votes = np.empty(count, np.int16), np.empty(count, np.int32)
    least, against, p_given, expected, mutual = np.empty((5, count), np.float32)

    def score(start: int, stop: int) -> None:
        read = [source.read(start, stop) for source in panel]
        for block in row_blocks(*read[0].shape):
            row = slice(start + block.start, start + block.stop)
            parts = [part[block] for part in read]
            mean, expected_entropy = _mean_and_entropy(parts)
            expected[row] = expected_entropy
            # Jensen: never negative but for rounding.
            mutual[row] = np.maximum(_entropy(mean) - expected_entropy, 0)
            p_given[row] = mean[np.arange(len(mean)), given[row]]
            predicted = np.stack([part.argmax(axis=1) for part in parts])
            against[row] = (predicted != given[row]).mean(axis=0)
            majority[row], votes[row], least[row] = _majority(parts, predicted, mean)

    # The coarsest ranges, so that no file's row group is read more than about twice.
    coarsest = min(panel, key=lambda source: len(source.ranges()))
    over_ranges(score, coarsest.ranges(), threads)
    return PanelScores(
        models, panel[0].index, given, majority, votes, least, against, p_given, expected, mutual
    )


def _check_panel(panel: Sequence[PredictionSource]) -> None:
    if not panel:
        raise PredictionsError("panel must have the predictions of one model or more. Got none.")
    first = panel[0]
    for source in panel:
        source.provenance.require_out_of_sample()
        name = f"{source.provenance.name}: expected the"
        other = first.provenance
        if source.provenance.classes != other.classes:
            raise PredictionsError(f"{name} classes of {other.name}, found others.")
        prints = {source.provenance.items_fingerprint, other.items_fingerprint} - {""}
        same = source.provenance.split == other.split and len(prints) < 2
        if not same or not np.array_equal(source.index, first.index):
            raise PredictionsError(f"{name} images of {other.name}, found others.")
        if not np.array_equal(source.given, first.given):
            raise PredictionsError(f"{name} given labels of {other.name}, found others.")


def _entropy(probabilities: DoubleArray) -> DoubleArray:
    smallest = np.finfo(np.float64).tiny
    logs = np.log(np.maximum(probabilities, smallest))
    entropy: DoubleArray = np.maximum(-np.einsum("ij,ij->i", probabilities, logs), 0)
    return entropy


def _mean_and_entropy(parts: list[FloatArray]) -> tuple[DoubleArray, DoubleArray]:
    """(n, K) mean probabilities and (n,) mean entropy of the models.

    Each row is first made to sum to 1 exactly: a mean over models whose sums differ by rounding
    would have mutual information where there is none.
    """
    mean = np.zeros(parts[0].shape)
    entropy = np.zeros(len(mean))
    for part in parts:
        exact = part / part.sum(axis=1, dtype=np.float64, keepdims=True)
        mean += exact
        entropy += _entropy(exact)
    return mean / len(parts), entropy / len(parts)


def _majority(
    parts: list[FloatArray], predicted: IndexArray, mean: DoubleArray
) -> tuple[IndexArray, IndexArray, FloatArray]:
    """Majority class, votes for it and the lowest probability among those votes, each (n,).

    Args:
        parts: M times (n, K) probabilities.
        predicted: (M, n) predicted classes.
        mean: (n, K) mean probabilities.
    """
    at = np.arange(len(mean))
    agree = np.stack([(predicted == row).sum(axis=0) for row in predicted])  # (M, n)
    # Last key first: votes, then mean probability, then the lower class.
    order = np.lexsort((-predicted, mean[at, predicted], agree), axis=0)[-1]
    majority = predicted[order, at]
    confidence = np.stack([part[at, majority] for part in parts])
    least = np.where(predicted == majority, confidence, np.inf).min(axis=0)
    return majority, agree[order, at], least.astype(np.float32)
