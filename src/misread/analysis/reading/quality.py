"""How the readers answered: slips or misreadings, how fast, and what was excluded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from misread.analysis.intervals import Rate, clopper_pearson
from misread.analysis.reading.tally import BoolArray, ReaderTally, usable_answers
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import NO_ANSWER, Purpose, Reader, Readings
from misread.types import IntArray, LabelArray


@dataclass(frozen=True)
class Slips:
    """Items read twice: is the same said of them again?

    Attributes:
        pairs: Items with a usable answer both times.
        same: How many were answered the same both times, with the exact binomial interval.
        misreadings: Wrong both times, in the same way: what the reader sees is another class.
        slips: Wrong the first time and right the second: a slip of the finger or the eye.
        later_slips: Right the first time and wrong the second.
        changed: Wrong both times, in different ways.
        slip_share: Of those wrong the first time, the share that was right the second, with the
            exact binomial interval; NaN if there are none.
    """

    pairs: int
    same: Rate
    misreadings: int
    slips: int
    later_slips: int
    changed: int
    slip_share: Rate


@dataclass(frozen=True)
class ResponseTimes:
    """Quantiles of the time from onset to answer, in milliseconds; NaN if there are no answers.

    Browsers' times run some 10 to 40 ms long, by the same for one reader at one machine: compare
    them within a reader only.

    Attributes:
        answers: Number of answers; those taken back and those excluded aren't among them.
        low: The first decile.
        median: The median.
        high: The ninth decile.
    """

    answers: int
    low: float
    median: float
    high: float


@dataclass(frozen=True)
class ReaderTimes:
    """Response times of one reader, of all his answers and apart.

    Attributes:
        reader: Who.
        all: Of all answers.
        right: Where he answered as labelled.
        wrong: Where he answered otherwise.
        hard: To hard items.
        rest: To the others.
    """

    reader: Reader
    all: ResponseTimes
    right: ResponseTimes
    wrong: ResponseTimes
    hard: ResponseTimes
    rest: ResponseTimes


@dataclass(frozen=True)
class Exclusions:
    """First answers of one reader that the plan's rules exclude.

    Attributes:
        reader: Who.
        answers: Number of first answers.
        too_fast: Given within the plan's shortest time.
        unfocused: Given after the page had lost the focus, where the plan excludes those.
        unanswered: Without an answer in time.
        excluded: Excluded for any of these reasons.
        missing: Of these, not read again.
    """

    reader: Reader
    answers: int
    too_fast: int
    unfocused: int
    unanswered: int
    excluded: int
    missing: int


def find_slips(
    plan: ReadingPlan, labels: LabelArray, readings: Readings, hard: bool | None = None
) -> Slips:
    """Compare the answers to items that were shown twice by plan.

    Args:
        plan: The plan.
        labels: (N,) integers, the labels of the split.
        readings: The readings of all readers.
        hard: Only the hard items, only the others; None for all.
    """
    first, second = _pairs(plan, readings)
    if hard is not None:
        chosen = np.isin(readings.index[first], plan.hard) == hard
        first, second = first[chosen], second[chosen]
    right = np.asarray(labels)[readings.index[first]]
    before, after = readings.answer[first], readings.answer[second]
    wrong, wrong_again = before != right, after != right
    same = before == after
    slips = int((wrong & ~wrong_again).sum())
    return Slips(
        pairs=len(first),
        same=clopper_pearson(int(same.sum()), len(first), 1 - plan.alpha),
        misreadings=int((wrong & same).sum()),
        slips=slips,
        later_slips=int((~wrong & wrong_again).sum()),
        changed=int((wrong & wrong_again & ~same).sum()),
        slip_share=clopper_pearson(slips, int(wrong.sum()), 1 - plan.alpha),
    )


def _pairs(plan: ReadingPlan, readings: Readings) -> tuple[IntArray, IntArray]:
    """Rows of the first and the second time, where both answers are usable."""
    usable = usable_answers(plan, readings)
    second = np.flatnonzero((readings.purpose == Purpose.REPEAT) & usable)
    main = np.flatnonzero((readings.purpose == Purpose.MAIN) & usable)
    keys = readings.key(readings.position)[main]
    order = np.argsort(keys)
    wanted = readings.key(readings.repeat_of)[second]
    if not len(main):
        return second[:0], second[:0]
    at = np.minimum(np.searchsorted(keys[order], wanted), len(main) - 1)
    first = main[order[at]]
    found = readings.key(readings.position)[first] == wanted
    return first[found], second[found]


def response_times(
    plan: ReadingPlan, labels: LabelArray, readings: Readings
) -> tuple[ReaderTimes, ...]:
    """How fast each reader answered, in the order of `readings.readers`."""
    counted = usable_answers(plan, readings) & (readings.undone == 0) & ~np.isnan(readings.rt_ms)
    counted &= readings.purpose != Purpose.REPEAT
    wrong = readings.answer != np.asarray(labels)[readings.index]
    is_hard = np.zeros(plan.target.images, np.bool_)
    is_hard[list(plan.hard)] = True
    hard = is_hard[readings.index]
    rows = np.flatnonzero(counted)
    rows = rows[np.argsort(readings.reader[rows], kind="stable")]
    ends = np.searchsorted(readings.reader[rows], np.arange(len(readings.readers) + 1))
    found = []
    for number, reader in enumerate(readings.readers):
        mine = rows[ends[number] : ends[number + 1]]
        parts = [mine, *(mine[kind[mine]] for kind in (~wrong, wrong, hard, ~hard))]
        found.append(ReaderTimes(reader, *(_quantiles(readings.rt_ms[part]) for part in parts)))
    return tuple(found)


def _quantiles(times: npt.NDArray[np.float64]) -> ResponseTimes:
    if not len(times):
        return ResponseTimes(0, *(3 * [float("nan")]))
    return ResponseTimes(len(times), *np.quantile(times, [0.1, 0.5, 0.9]).tolist())


def count_exclusions(
    plan: ReadingPlan, readings: Readings, tallies: Sequence[ReaderTally]
) -> tuple[Exclusions, ...]:
    """What the plan's rules exclude of each reader's first answers.

    Args:
        plan: The plan.
        readings: The readings.
        tallies: Of the same readers in the same order, with exclusions.
    """
    main = readings.purpose == Purpose.MAIN
    unfocused = readings.unfocused & plan.exclude_unfocused

    def count(rows: BoolArray) -> list[int]:
        counts: list[int] = np.bincount(
            readings.reader[main & rows], minlength=len(readings.readers)
        ).tolist()
        return counts

    columns = (
        count(main),
        count(readings.rt_ms < plan.shortest_ms),
        count(unfocused),
        count(readings.answer == NO_ANSWER),
        count(~usable_answers(plan, readings)),
        [int((~tally.known).sum()) for tally in tallies],
    )
    return tuple(
        Exclusions(reader, *numbers)
        for reader, *numbers in zip(readings.readers, *columns, strict=True)
    )
