"""Confident learning: how many labels of each class are wrong, and which ones may be."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from misread.analysis.scores import ImageScores, over_ranges
from misread.tables.predictions import PredictionSource, row_blocks
from misread.types import BoolArray, FloatArray, IntArray, LabelArray

# A probability this little below a threshold reaches it, and a given label this little less
# probable than the predicted one is not contradicted: float32 sums are no surer than that.
TOLERANCE = 1e-6


def class_thresholds(scores: ImageScores, classes: int) -> npt.NDArray[np.float64]:
    """How probable a class must be for an image to be counted into it.

    Returns:
        (K,) float64: the mean probability of the class among the images given it, at least 2e-6;
        infinite for a class that no image is given.

    Source: Northcutt, Jiang & Chuang (2021), eq. 2.
    """
    count = np.bincount(scores.given, minlength=classes)
    total = np.bincount(scores.given, weights=scores.p_given, minlength=classes)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, np.maximum(total / count, 2 * TOLERANCE), np.inf)


def confident_classes(
    source: PredictionSource,
    scores: ImageScores,
    thresholds: npt.NDArray[np.float64],
    threads: int | None = None,
) -> LabelArray:
    """The class that each image is confidently counted into.

    It is the one class whose probability reaches its threshold. Where several do it is the
    predicted class, as in cleanlab, even if that one doesn't reach its own; the paper takes the
    most probable of those that do.

    Only rows that the scores leave open are looked up in the source: the predicted class misses its
    threshold, and the second could reach one.

    Returns:
        (N,) int16 class, -1 where no class reaches its threshold.

    Source: Northcutt, Jiang & Chuang (2021), eq. 1.
    """
    bars = _round_up(thresholds - TOLERANCE)
    sure = scores.p_predicted >= bars[scores.predicted]
    confident = np.where(sure, scores.predicted, np.int16(-1))
    left_open = ~sure & (scores.p_second >= bars.min(initial=np.inf))

    def look_up(start: int, stop: int) -> None:
        probabilities = source.read(start, stop)
        rows = np.flatnonzero(left_open[start:stop])
        for block in row_blocks(len(rows), len(bars)):
            these = rows[block]
            reached = probabilities[these] >= bars
            number = np.count_nonzero(reached, axis=1)
            several = np.where(number > 1, scores.predicted[start + these], -1)
            confident[start + these] = np.where(number == 1, reached.argmax(axis=1), several)

    ranges = [(a, b) for a, b in source.ranges() if left_open[a:b].any()]
    over_ranges(look_up, ranges, threads)
    return confident


def _round_up(limits: npt.NDArray[np.float64]) -> FloatArray:
    """The least float32 numbers not below the limits, so that comparisons stay exact."""
    rounded = limits.astype(np.float32)
    return np.where(rounded < limits, np.nextafter(rounded, np.float32(np.inf)), rounded)


def contradicts(scores: ImageScores) -> BoolArray:
    """(N,) bool: another class is more probable than the given one, by more than rounding."""
    given = scores.p_given + np.float32(TOLERANCE)
    tie = (given == scores.p_predicted) & (scores.predicted < scores.given)
    contradicted: BoolArray = (scores.predicted != scores.given) & (
        (given < scores.p_predicted) | tie
    )
    return contradicted


@dataclass(frozen=True, eq=False)
class ConfidentJoint:
    """How many images of each given label are estimated to be of each class.

    P pairs of classes, ordered by given label, then by class; what isn't listed is 0. Every class
    is paired with itself.

    Attributes:
        classes: Number of classes, K.
        given: (P,) int16, given label.
        likely: (P,) int16, class that the images are confidently counted into.
        counted: (P,) int64, images counted; at least 1 where `likely` is `given`.
        estimate: (P,) int64, the same, scaled so that each given label keeps its number of images.
    """

    classes: int
    given: LabelArray
    likely: LabelArray
    counted: IntArray
    estimate: IntArray

    def matrix(self, calibrated: bool = True) -> IntArray:
        """(K, K) int64: the estimates, or what was counted; rows are given labels."""
        matrix = np.zeros((self.classes, self.classes), np.int64)
        matrix[self.given, self.likely] = self.estimate if calibrated else self.counted
        return matrix

    @cached_property
    def wrong(self) -> IntArray:
        """(K,) int64: of the images given each label, the number estimated to be of another class.

        An estimate without an interval: what the model confuses counts as the labels' fault, and
        no resampling of these images can tell that apart.
        """
        other = self.given != self.likely
        wrong = np.zeros(self.classes, np.int64)
        np.add.at(wrong, self.given[other], self.estimate[other])
        return wrong


def count_jointly(given: LabelArray, confident: LabelArray, classes: int) -> ConfidentJoint:
    """The confident joint, scaled row by row to the number of images given each label.

    Whole numbers are shared out by largest remainder; of equal remainders the later class gets
    more.

    Args:
        given: (N,) int16 given labels.
        confident: (N,) int16 classes as by `confident_classes`, -1 for none.
        classes: Number of classes, K.

    Source: Northcutt, Jiang & Chuang (2021), eq. 1 and 3; as in cleanlab, each class counts at
    least one image as its own.
    """
    sure = confident >= 0
    keys = given[sure].astype(np.int64) * classes + confident[sure]
    own = np.arange(classes, dtype=np.int64) * (classes + 1)
    # The own pairs are added so that they are listed, and taken off again where they were.
    pairs, counted = np.unique(np.concatenate([keys, own]), return_counts=True)
    row, likely = np.divmod(pairs, classes)
    counted = np.where(row == likely, np.maximum(counted - 1, 1), counted)

    images = np.bincount(given, minlength=classes)
    total = np.zeros(classes, np.int64)
    np.add.at(total, row, counted)
    estimate, remainder = np.divmod(counted * images[row], total[row])
    spare = images.copy()
    np.subtract.at(spare, row, estimate)
    order = np.lexsort((-likely, -remainder, row))
    first = np.searchsorted(row, np.arange(classes))
    place = np.arange(len(row)) - first[row]  # rank of order[i] in its row: rows stay together
    estimate[order] += place < spare[row]
    return ConfidentJoint(classes, row.astype(np.int16), likely.astype(np.int16), counted, estimate)


def prune_counts(joint: ConfidentJoint) -> IntArray:
    """(P,) int64: of each pair of the joint, how many images to flag; to keep on the diagonal.

    As in cleanlab, at least one image of a class stays: where the estimate leaves none, its other
    pairs give up an equal share of one image, rounded down.
    """
    own = joint.given == joint.likely
    kept = joint.estimate[own]
    listed = np.bincount(joint.given[joint.estimate > 0], minlength=joint.classes)
    missing = np.maximum(1 - kept, 0) / np.maximum(listed - 1, 1)
    left = np.maximum(joint.estimate - missing[joint.given], 0)
    counts: IntArray = left.astype(np.int64)  # rounds down
    counts[own] = np.maximum(kept, 1)
    return counts


def flag_by_class(scores: ImageScores, joint: ConfidentJoint) -> BoolArray:
    """(N,) bool: of each class the images of least self-confidence, as many as are estimated wrong.

    Of equal ones the first. A class with a single image is left alone.

    Source: "prune by class", Northcutt, Jiang & Chuang (2021), section 3.2.
    """
    images = np.bincount(scores.given, minlength=joint.classes)
    own = joint.given == joint.likely
    number = np.where(images > 1, images - prune_counts(joint)[own], 0)
    order = np.lexsort((scores.p_given, scores.given))
    first = np.cumsum(images) - images
    given = scores.given[order]
    flagged = np.zeros(len(scores), bool)
    flagged[order] = np.arange(len(order)) - first[given] < number[given]
    return flagged


def flag_by_noise_rate(
    source: PredictionSource,
    scores: ImageScores,
    joint: ConfidentJoint,
    threads: int | None = None,
) -> BoolArray:
    """(N,) bool: for each pair of given and likely class, the images most in favour of the latter.

    They are those with the largest p(likely) - p(given), as many as the joint estimates; of equal
    ones the first. A class with a single image is left alone. The source is read once.

    Source: "prune by noise rate", Northcutt, Jiang & Chuang (2021), section 3.2.
    """
    number = prune_counts(joint)
    images = np.bincount(scores.given, minlength=joint.classes)
    pairs = np.flatnonzero((number > 0) & (joint.given != joint.likely) & (images[joint.given] > 1))
    likely, number = joint.likely[pairs], number[pairs]
    # The pairs of class k are first[k]:first[k + 1], and the margins of row i for them lie
    # together from begin[i] on.
    first = np.searchsorted(joint.given[pairs], np.arange(joint.classes + 1))
    width = np.diff(first)[scores.given]
    begin = np.cumsum(width) - width
    margins = np.empty(int(width.sum()), np.float32)

    def gather(start: int, stop: int) -> None:
        probabilities = source.read(start, stop)
        rows = np.repeat(np.arange(stop - start), width[start:stop])
        low = begin[start] if start < stop else 0
        within = np.arange(len(rows)) - (begin[start:stop] - low)[rows]
        likely_of = likely[first[scores.given[start:stop]][rows] + within]
        margins[low : low + len(rows)] = (
            probabilities[rows, likely_of] - scores.p_given[start:stop][rows]
        )

    over_ranges(gather, source.ranges(), threads)
    flagged = np.zeros(len(scores), bool)
    by_class = np.split(np.argsort(scores.given, kind="stable"), np.cumsum(images)[:-1])

    def flag(label: int, _: int) -> None:
        rows, wanted = by_class[label], number[first[label] : first[label + 1]]
        if not len(wanted):
            return
        mine = margins[begin[rows][:, None] + np.arange(len(wanted))]  # (images, pairs)
        order = np.argsort(-mine, axis=0, kind="stable")
        chosen = np.arange(len(rows))[:, None] < wanted
        flagged[rows[order[chosen]]] = True

    over_ranges(flag, ((label, label + 1) for label in range(joint.classes)), threads)
    return flagged
