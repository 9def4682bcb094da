"""Which images people misread, the model, or both: the two-by-two with its images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from misread.analysis.reading.tally import ReaderTally
from misread.tables.answer_counts import AnswerCounts
from misread.types import Array, IndexArray, LabelArray

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ReadingCells:
    """The n images that somebody read, those that most people misread first.

    Only images that were read are here: how many there are of each kind among all images is what
    `Comparison` estimates.

    Attributes:
        index: (n,) int32, position of the image in its split.
        answers: (n,) int32, how many answers count, 1 or more.
        wrong: (n,) int32, how many of them are wrong.
        mistake: (n,) bool, whether the model misreads it.
    """

    index: IndexArray
    answers: IndexArray
    wrong: IndexArray
    mistake: BoolArray

    def __len__(self) -> int:
        return len(self.index)

    @property
    def misread(self) -> BoolArray:
        """(n,) bool, whether more than half of the answers are wrong."""
        misread: BoolArray = 2 * self.wrong > self.answers
        return misread

    @property
    def by_kind(self) -> dict[str, IndexArray]:
        """Positions by cell: `both` wrong, only the `model`, only `people`, `neither`."""
        return {
            "both": self.both,
            "model": self.model_only,
            "people": self.people_only,
            "neither": self.neither,
        }

    @property
    def divided(self) -> IndexArray:
        """Positions of the images that half of their readers misread: they are in no cell."""
        divided: IndexArray = self.index[2 * self.wrong == self.answers]
        return divided

    @property
    def both(self) -> IndexArray:
        """Positions of the images that people and model misread."""
        return self.index[self.misread & self.mistake]

    @property
    def model_only(self) -> IndexArray:
        """Positions of those that only the model misreads."""
        return self.index[self._right & self.mistake]

    @property
    def people_only(self) -> IndexArray:
        """Positions of those that only people misread."""
        return self.index[self.misread & ~self.mistake]

    @property
    def neither(self) -> IndexArray:
        """Positions of those that were read, and that neither misreads."""
        return self.index[self._right & ~self.mistake]

    @property
    def _right(self) -> BoolArray:
        right: BoolArray = 2 * self.wrong < self.answers
        return right


def reading_cells(tallies: Sequence[ReaderTally], mistakes: BoolArray) -> ReadingCells:
    """Put every image that was read into a cell.

    Args:
        tallies: What one reader got wrong, or several.
        mistakes: (N,) bool, the images that the model gets wrong.
    """
    answers, wrong = np.zeros((2, len(mistakes)), np.int64)
    for tally in tallies:
        # Each item once in a tally, so that no number is lost.
        answers[tally.item] += tally.known
        wrong[tally.item] += tally.wrong
    index = np.flatnonzero(answers)
    return _cells(index, answers[index], wrong[index], mistakes)


def counted_cells(counts: AnswerCounts, labels: LabelArray, mistakes: BoolArray) -> ReadingCells:
    """The same of answers that are counted by image and class.

    Args:
        counts: The answers.
        labels: (N,) integers, the labels that they are held against.
        mistakes: (N,) bool, the images that the model gets wrong.
    """
    answers = counts.counts.sum(axis=1)
    right = counts.counts[np.arange(len(counts)), np.asarray(labels)[counts.index]]
    read = answers > 0
    return _cells(counts.index[read], answers[read], (answers - right)[read], mistakes)


def _cells(index: Array, answers: Array, wrong: Array, mistakes: BoolArray) -> ReadingCells:
    order = np.lexsort((-answers, -wrong / answers))
    return ReadingCells(
        index=index[order].astype(np.int32),
        answers=answers[order].astype(np.int32),
        wrong=wrong[order].astype(np.int32),
        mistake=mistakes[index[order]],
    )
