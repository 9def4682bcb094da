"""What people's answers say of single images: evidence on their labels, and the crowd's error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from misread.analysis.intervals import Rate, clopper_pearson
from misread.analysis.reading.tally import ReaderTally
from misread.tables.answer_counts import AnswerCounts, count_by_image
from misread.tables.readings import NO_ANSWER
from misread.types import IndexArray, LabelArray


@dataclass(frozen=True, eq=False)
class LabelReadings:
    """How readers took each image that they read, those who contradict its label most first.

    Attributes:
        index: (n,) int32, position of the image in its split.
        label: (n,) int16, its given label.
        answers: (n,) int32, number of answers, 1 or more.
        votes_label: (n,) int32, how many of them are the label.
        majority: (n,) int16, the class that most of the others called it; the label if there are no
            others. Of several the first.
        votes: (n,) int32, how many called it that.
        simulated: Whether programs gave some of the answers: then they are evidence of nothing.
    """

    index: IndexArray
    label: LabelArray
    answers: IndexArray
    votes_label: IndexArray
    majority: LabelArray
    votes: IndexArray
    simulated: bool

    def __len__(self) -> int:
        return len(self.index)

    @property
    def contradicted(self) -> npt.NDArray[np.bool_]:
        """(n,) bool, whether more readers called it one other class than called it its label."""
        other = self.majority != self.label
        contradicted: npt.NDArray[np.bool_] = other & (self.votes > self.votes_label)
        return contradicted


def tallied_answers(tallies: Sequence[ReaderTally], classes: tuple[str, ...]) -> AnswerCounts:
    """The answers that count in the estimate, by image and class."""
    known = [tally.known & (tally.answer != NO_ANSWER) for tally in tallies]
    pairs = list(zip(tallies, known, strict=True))
    return count_by_image(
        classes,
        np.concatenate([np.empty(0, np.int32), *(one.item[rows] for one, rows in pairs)]),
        np.concatenate([np.empty(0, np.int16), *(one.answer[rows] for one, rows in pairs)]),
        any(tally.reader.simulated for tally in tallies),
    )


def label_readings(counts: AnswerCounts, labels: LabelArray) -> LabelReadings:
    """What readers called each image, beside its given label.

    Readers who call an image something else are evidence that its label is wrong, or that the image
    is ambiguous; a single reader's answer may be a slip.

    Args:
        counts: Answers by image and class.
        labels: (N,) integers, the given labels of the split.

    Returns:
        The images with an answer, by falling share of answers that aren't the label; then by rising
        position.
    """
    answered = counts.counts.sum(axis=1) > 0
    table, index = counts.counts[answered], counts.index[answered]
    label = np.asarray(labels)[index].astype(np.int16)
    at = np.arange(len(index))
    votes_label = table[at, label]
    others = table.copy()
    others[at, label] = 0
    majority, votes = others.argmax(axis=1), others.max(axis=1, initial=0)
    majority = np.where(votes > 0, majority, label)
    votes = np.where(votes > 0, votes, votes_label)
    answers = table.sum(axis=1)
    order = np.argsort(votes_label / answers, kind="stable")
    return LabelReadings(
        index=index[order],
        label=label[order],
        answers=answers[order].astype(np.int32),
        votes_label=votes_label[order],
        majority=majority[order].astype(np.int16),
        votes=votes[order].astype(np.int32),
        simulated=counts.simulated,
    )


def crowd_error(counts: AnswerCounts, labels: LabelArray, alpha: float = 0.05) -> Rate:
    """Share of all answers that aren't the given label.

    Its interval is the exact binomial one and about these images, each as often as it was
    answered, read by other people like these. It holds if answers are independent (Hoeffding
    1956), and is too narrow where the same few people gave many: a table of counts doesn't say who
    gave which.

    Args:
        counts: Answers by image and class.
        labels: (N,) integers, the given labels of the split.
        alpha: 1 minus the confidence.
    """
    right = counts.counts[np.arange(len(counts)), np.asarray(labels)[counts.index]].sum()
    total = int(counts.counts.sum())
    return clopper_pearson(total - int(right), total, 1 - alpha)
