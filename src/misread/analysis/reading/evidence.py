"""What readers who saw neither label nor prediction called the images of a panel."""

from dataclasses import dataclass

import numpy as np

from misread.analysis.reading.answers import LabelReadings
from misread.types import BoolArray, IndexArray, LabelArray


@dataclass(frozen=True, eq=False)
class ReaderEvidence:
    """What readers called each of N images; nothing of most, where a sample was read.

    Attributes:
        answers: (N,) int32, number of answers, 0 where nobody read the image.
        votes_given: (N,) int32, how many of them are the given label.
        called: (N,) int16, the class that most of the others called it; the given label if there
            are no others.
        votes: (N,) int32, how many called it that, 0 if there are no others.
    """

    answers: IndexArray
    votes_given: IndexArray
    called: LabelArray
    votes: IndexArray

    @property
    def contradicted(self) -> BoolArray:
        """(N,) bool, whether more readers called it one other class than called it its label."""
        contradicted: BoolArray = self.votes > self.votes_given
        return contradicted


def place_readings(
    found: LabelReadings, index: IndexArray, given: LabelArray
) -> ReaderEvidence | None:
    """Put what readers called images beside a panel's rows.

    Args:
        found: What readers called each image that they read.
        index: (N,) int32, the panel's images, rising.
        given: (N,) int16, their given labels.

    Returns:
        The evidence; None where it is none: programs gave the answers, or to no image of the panel.
    """
    if found.simulated or not len(index):
        return None
    at = np.minimum(np.searchsorted(index, found.index), len(index) - 1)
    there = index[at] == found.index
    if not there.any():
        return None
    answers, votes_given, votes = np.zeros((3, len(index)), np.int32)
    called = given.copy()
    rows = at[there]
    answers[rows], votes_given[rows] = found.answers[there], found.votes_label[there]
    other = found.majority[there] != found.label[there]
    called[rows] = np.where(other, found.majority[there], given[rows])
    votes[rows] = np.where(other, found.votes[there], 0)
    return ReaderEvidence(answers, votes_given, called, votes)
