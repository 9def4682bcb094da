"""From readings to what each reader got wrong, with exclusions or without."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from misread.analysis.reading.order import reading_order
from misread.errors import ReadingsError
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import NO_ANSWER, Purpose, Reader, Readings
from misread.types import IndexArray, LabelArray

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ReaderTally:
    """One reader's answers to n items of the study, in the order of his first sight of them.

    Attributes:
        reader: Who.
        item: (n,) int32, position of the item in the split.
        hard: (n,) bool, whether it is of the census.
        answer: (n,) int16, the answer that counts.
        known: (n,) bool, False where the answer was excluded and the item not read again.
        wrong: (n,) bool, whether the answer differs from the label; False where not known.
        finished: Whether he read exactly what was planned, and stopped there.
    """

    reader: Reader
    item: IndexArray
    hard: BoolArray
    answer: LabelArray
    known: BoolArray
    wrong: BoolArray
    finished: bool

    def __len__(self) -> int:
        return len(self.item)

    def among(self, members: BoolArray) -> "ReaderTally":
        """The answers to some items only.

        Args:
            members: (N,) bool, which items of the split.
        """
        rows = members[self.item]
        return ReaderTally(
            self.reader,
            self.item[rows],
            self.hard[rows],
            self.answer[rows],
            self.known[rows],
            self.wrong[rows],
            self.finished,
        )

    @property
    def hard_wrong(self) -> int:
        """Errors among the hard items that were read."""
        return int((self.wrong & self.hard).sum())

    @property
    def hard_known(self) -> int:
        """Number of hard items with an answer."""
        return int((self.known & self.hard).sum())

    @property
    def rest_wrong(self) -> BoolArray:
        """(m,) bool, errors in the sample, in the order of reading; missing ones taken as right."""
        return self.wrong[~self.hard]

    @property
    def rest_known(self) -> BoolArray:
        """(m,) bool, whether there is an answer, in the order of reading."""
        return self.known[~self.hard]


def usable_answers(plan: ReadingPlan, readings: Readings) -> BoolArray:
    """(M,) bool, the readings that the plan's rules, fixed beforehand, don't exclude."""
    too_fast = readings.rt_ms < plan.shortest_ms  # false where the time isn't known
    usable: BoolArray = (readings.answer != NO_ANSWER) & ~too_fast
    return usable & ~readings.unfocused if plan.exclude_unfocused else usable


def tally_readings(
    plan: ReadingPlan, labels: LabelArray, readings: Readings, *, exclude: bool = True
) -> tuple[ReaderTally, ...]:
    """What each reader got wrong.

    Args:
        plan: The plan that they were read by.
        labels: (N,) integers, the labels of the split that answers are held against.
        readings: The readings.
        exclude: Whether answers that are excluded by the plan's rules are left out, and those of
            items asked again are taken in their place. Else the first answers count, and no answer
            in time is an error.

    Returns:
        A tally for each reader, in the order of `readings.readers`.

    Raises:
        ReadingsError: The readings are of another split, or a reader read an item twice.
    """
    _check_fits(plan, labels, readings)
    answer, known = readings.answer.copy(), np.ones(len(readings), np.bool_)
    if exclude:
        known = usable_answers(plan, readings)
        _take_again(readings, answer, known)
    rows = np.flatnonzero(readings.purpose == Purpose.MAIN)
    rows = rows[np.lexsort((readings.position[rows], readings.reader[rows]))]
    is_hard = np.zeros(plan.target.images, np.bool_)
    is_hard[list(plan.hard)] = True
    wrong = known & (answer != np.asarray(labels)[readings.index])
    ends = np.searchsorted(readings.reader[rows], np.arange(len(readings.readers) + 1))
    tallies = []
    for number, reader in enumerate(readings.readers):
        mine = rows[ends[number] : ends[number + 1]]
        item = readings.index[mine]
        if len(np.unique(item)) < len(item):
            raise ReadingsError(
                f"reader {reader.name}: expected each image once outside of the repeats, found "
                f"#{_twice(item)} twice; mark the later one as a repeat"
            )
        finished = reader.number is not None and len(mine) == plan.answers
        tallies.append(
            ReaderTally(
                reader, item, is_hard[item], answer[mine], known[mine], wrong[mine], finished
            )
        )
    return tuple(tallies)


def check_follows(plan: ReadingPlan, readings: Readings) -> None:
    """Refuse readings that didn't follow the plan's orders: their intervals would mean nothing.

    Raises:
        ReadingsError: They are of another plan, or a reader saw other items than his order has.
    """
    if readings.design != plan.hash:
        raise ReadingsError(
            f"readings: expected those of the plan {plan.hash}. Got {readings.design or 'none'!r}."
        )
    for number, reader in enumerate(readings.readers):
        if reader.number is None:
            raise ReadingsError(
                f"reader {reader.name}: expected the number of his order. Got none."
            )
        order = reading_order(plan, reader.number)
        rows = readings.reader == number
        again = readings.purpose[rows] == Purpose.AGAIN
        position, first = readings.position[rows], readings.repeat_of[rows]
        # What is asked again has a place past the order's end, and the item of its first time.
        place = np.where(again, first, position)
        wrong = (place >= len(order)) | (again & (position < len(order)))
        at = np.where(wrong, 0, place)
        wrong |= order.item[at] != readings.index[rows]
        wrong |= order.repeat_of[at] != np.where(again, -1, first)
        if wrong.any():
            raise ReadingsError(
                f"reader {reader.name}: expected the items of order {reader.number}. Got image "
                f"#{readings.index[rows][wrong][0]} at position {position[wrong][0]}."
            )


def _check_fits(plan: ReadingPlan, labels: LabelArray, readings: Readings) -> None:
    images = plan.target.images
    if np.shape(labels) != (images,):
        raise ReadingsError(f"labels must be ({images},). Got {np.shape(labels)} instead.")
    if readings.split != plan.target.split or readings.classes != plan.target.classes:
        raise ReadingsError(
            f"readings: expected the plan's split {plan.target.split!r} and its classes. "
            f"Got {readings.split!r} with {', '.join(readings.classes[:10])}."
        )
    if len(readings) and readings.index.max() >= images:
        raise ReadingsError(
            f"readings: index must be below {images}. Got {readings.index.max()} instead."
        )


def _take_again(readings: Readings, answer: LabelArray, known: BoolArray) -> None:
    """Put the first usable answer to an item asked again where the excluded one was."""
    again = np.flatnonzero((readings.purpose == Purpose.AGAIN) & known)
    # The latest first: what is written last, the earliest, stays.
    again = again[np.argsort(-readings.position[again], kind="stable")]
    excluded = np.flatnonzero((readings.purpose == Purpose.MAIN) & ~known)
    if not (len(again) and len(excluded)):
        return
    keys = readings.key(readings.position)[excluded]
    excluded = excluded[np.argsort(keys)]
    keys.sort()
    wanted = readings.key(readings.repeat_of)[again]
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = keys[at] == wanted
    answer[excluded[at[found]]] = answer[again[found]]
    known[excluded[at[found]]] = True


def _twice(item: IndexArray) -> int:
    seen, counts = np.unique(item, return_counts=True)
    return int(seen[counts > 1][0])
