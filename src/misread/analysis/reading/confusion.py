"""Which classes people take for which, weighted so that it is about all images of the split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from misread.analysis.reading.tally import ReaderTally
from misread.tables.answer_counts import AnswerCounts
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import NO_ANSWER
from misread.types import Array, IntArray, LabelArray

DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Confusion:
    """Images by label and answer; only pairs that occur, since K x K may be too many.

    Attributes:
        label: (P,) int16, the label.
        read_as: (P,) int16, the answer.
        images: (P,) float64, how many of the N images, estimated by weights for people.
        answers: (P,) int64, how many answers that is from; of a model, as many as images.
    """

    label: LabelArray
    read_as: LabelArray
    images: DoubleArray
    answers: IntArray

    def matrix(self, classes: int) -> DoubleArray:
        """(K, K) float64, rows are labels and columns answers."""
        matrix = np.zeros((classes, classes))
        matrix[self.label, self.read_as] = self.images
        return matrix


def people_confusion(
    plan: ReadingPlan, tallies: Sequence[ReaderTally], labels: LabelArray
) -> Confusion:
    """Labels against answers, the mean of these readers.

    An answer to a hard item stands for C / c images, c the number that this reader answered: for
    one once he has read all. Any other answer stands for N_R / m images. Without weights the hard
    items, read on purpose, would make people look far worse than they are.

    Args:
        plan: The plan.
        tallies: What the readers answered.
        labels: (N,) integers, the labels of the split.

    Returns:
        The confusion; its images sum to N where every reader answered some of either kind.
    """
    label, answer, weight = [], [], []
    for tally in tallies:
        known = tally.known & (tally.answer != NO_ANSWER)
        hard = tally.hard[known]
        sizes = np.bincount(hard.astype(np.int64), minlength=2)
        each = np.array([plan.rest, len(plan.hard)]) / np.maximum(sizes, 1)
        label.append(np.asarray(labels)[tally.item[known]])
        answer.append(tally.answer[known])
        weight.append(each[hard.astype(np.int64)] / len(tallies))
    return _confusion(*(np.concatenate(part) if part else np.empty(0) for part in
                        (label, answer, weight)))  # fmt: skip


def answer_confusion(counts: AnswerCounts, labels: LabelArray) -> Confusion:
    """Labels against answers, without weights: `images` are numbers of answers.

    Args:
        counts: The answers by image and class.
        labels: (N,) integers, the labels of the split.
    """
    row, answer = np.nonzero(counts.counts)
    label = np.asarray(labels)[counts.index[row]]
    number = counts.counts[row, answer]
    return _confusion(label, answer, number, number)


def model_confusion(labels: LabelArray, predicted: LabelArray) -> Confusion:
    """Labels against predicted classes: known for every image, each of weight 1."""
    return _confusion(np.asarray(labels), np.asarray(predicted), np.ones(len(labels)))


def _confusion(
    label: Array, read_as: Array, weight: Array, number: Array | None = None
) -> Confusion:
    pairs = (label.astype(np.int64) << 16) + read_as.astype(np.int64)
    found, place = np.unique(pairs, return_inverse=True)
    images = np.asarray(np.bincount(place, weight, len(found)), np.float64)
    answers = np.bincount(place, number, len(found)).astype(np.int64)
    return Confusion(
        (found >> 16).astype(np.int16), (found & 0xFFFF).astype(np.int16), images, answers
    )
