"""Difficulty and suspicion from a panel: predictions of several models for the same images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from misread.analysis.scores import over_ranges
from misread.errors import PredictionsError
from misread.tables.predictions import PredictionSource, Provenance, row_blocks
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
        votes_given: (N,) int32 in 0..M, models that predict the given class.
        contradiction: (N,) float32 in [0, 1], suspicion: share of the models whose predicted class
            is not the given one.
        p_majority: (N,) float32 in [0, 1], mean probability of the majority class.
        p_given: (N,) float32 in [0, 1], mean probability of the given class.
        p_rival: (N,) float32 in [0, 1], the highest mean probability of any other class.
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
    votes_given: IndexArray
    contradiction: FloatArray
    p_majority: FloatArray
    p_given: FloatArray
    p_rival: FloatArray
    expected_entropy: FloatArray
    mutual_information: FloatArray

    def __len__(self) -> int:
        return len(self.index)

    @property
    def entropy(self) -> FloatArray:
        """(N,) float32 in [0, ln K], difficulty: entropy of the mean probabilities, in nats."""
        return self.expected_entropy + self.mutual_information

    @property
    def self_confidence(self) -> FloatArray:
        """(N,) float32 in [0, 1], suspicion: 1 minus the mean probability of the given class."""
        return 1 - self.p_given

    @property
    def margin(self) -> FloatArray:
        """(N,) float32 in [0, 1], suspicion: (1 - (p(given) - p(best other))) / 2, of the means."""
        return (1 - (self.p_given - self.p_rival)) / np.float32(2)


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
    check_panel(panel)
    count, models, given = len(panel[0].index), len(panel), panel[0].given
    majority, (votes, votes_given) = np.empty(count, np.int16), np.empty((2, count), np.int32)
    least, p_majority, p_given, p_rival, expected, mutual = np.empty((6, count), np.float32)

    def score(start: int, stop: int) -> None:
        read = [source.read(start, stop) for source in panel]
        for block in row_blocks(*read[0].shape):
            row = slice(start + block.start, start + block.stop)
            parts = [part[block] for part in read]
            mean, expected_entropy = _mean_and_entropy(parts)
            expected[row] = expected_entropy
            # Jensen: never negative but for rounding.
            mutual[row] = np.maximum(_entropy(mean) - expected_entropy, 0)
            predicted = np.stack([part.argmax(axis=1) for part in parts])
            votes_given[row] = (predicted == given[row]).sum(axis=0)
            majority[row], votes[row], least[row] = _majority(parts, predicted, mean)
            at = np.arange(len(mean))
            p_majority[row] = mean[at, majority[row]]
            p_given[row] = mean[at, given[row]]
            mean[at, given[row]] = 0
            p_rival[row] = mean.max(axis=1, initial=0)

    # The coarsest ranges, so that no file's row group is read more than about twice.
    over_ranges(score, PanelMean(panel).ranges(), threads)
    return PanelScores(
        models=models,
        index=panel[0].index,
        given=given,
        majority=majority,
        votes=votes,
        least_confidence=least,
        votes_given=votes_given,
        contradiction=((models - votes_given) / models).astype(np.float32),
        p_majority=p_majority,
        p_given=p_given,
        p_rival=p_rival,
        expected_entropy=expected,
        mutual_information=mutual,
    )


@dataclass(frozen=True)
class PanelMean:
    """The mean of a panel's probabilities, as predictions that are read a range at a time.

    Attributes:
        panel: One or more predictions of the same images.
    """

    panel: Sequence[PredictionSource]

    @property
    def provenance(self) -> Provenance:
        """That of the first member, with the panel as the model."""
        first = self.panel[0].provenance
        return replace(first, model="panel", recipe="mean", seed=0, repeat=None)

    @property
    def index(self) -> IndexArray:
        """(N,) int32, position of each image in its split."""
        return self.panel[0].index

    @property
    def given(self) -> LabelArray:
        """(N,) int16, given labels."""
        return self.panel[0].given

    def ranges(self) -> list[tuple[int, int]]:
        """Those of the member whose ranges are coarsest."""
        return min((source.ranges() for source in self.panel), key=len)

    def read(self, start: int, stop: int) -> FloatArray:
        """(stop - start, K) float32, the mean over the members."""
        if len(self.panel) == 1:
            return self.panel[0].read(start, stop)
        mean = np.zeros((stop - start, len(self.provenance.classes)))
        for source in self.panel:
            mean += source.read(start, stop)
        return np.asarray(mean / len(self.panel), np.float32)


def check_panel(panel: Sequence[PredictionSource]) -> None:
    """Refuse what can't be looked at together.

    Raises:
        PredictionsError: There are no predictions, some are in-sample, or they are of other images,
            labels or classes.
    """
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
