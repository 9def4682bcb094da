"""Where a reader stops by a plan's width: as it comes about, and as it is to be expected."""

import numpy as np
import numpy.typing as npt

from misread.analysis.reading.anytime import anytime_limits
from misread.analysis.reading.exact import DoubleArray
from misread.tables.reading_plan import ReadingPlan
from misread.types import IntArray


def interval_widths(
    plan: ReadingPlan, unread: npt.ArrayLike, read: npt.ArrayLike, wrong: npt.ArrayLike
) -> DoubleArray:
    """Width of one reader's anytime interval after some answers, by the last set alone.

    Args:
        plan: The plan.
        unread: Hard images without an answer; integers of any shape, as the others.
        read: Images outside the census that were read.
        wrong: Errors among these.

    Returns:
        float64, as a share of all images.
    """
    low, high = anytime_limits(wrong, read, plan.rest, plan.alpha, plan.expected_rate)
    widths: DoubleArray = (high - low + np.asarray(unread)) / plan.target.images
    return widths


def stop_at_width(
    plan: ReadingPlan, hard: npt.NDArray[np.bool_], wrong: npt.NDArray[np.bool_]
) -> int | None:
    """After how many answers the plan's width is reached; None if it isn't.

    Args:
        plan: A plan with a width.
        hard: (n,) bool, whether each answer is to a hard image, in the order of reading.
        wrong: (n,) bool, whether it is an error.
    """
    read = np.cumsum(~hard)
    widths = interval_widths(plan, len(plan.hard) - np.cumsum(hard), read, np.cumsum(wrong & ~hard))
    return _first(plan, widths)


def expect_stop(plan: ReadingPlan, rate: float) -> int | None:
    """After how many answers the plan's width is to be expected; None if not before its end.

    A projection: it takes the errors outside the census to come as often as `rate` says, rounded to
    whole ones, and the hard images to be spread evenly over the first half.

    Args:
        plan: A plan with a width.
        rate: Share of the images outside the census that are misread, in [0, 1].
    """
    done = np.arange(1, plan.answers + 1)
    hard = _hard_after(plan, done)
    read = np.minimum(done - hard, plan.rest)
    wrong = np.round(rate * read).astype(np.int64)
    return _first(plan, interval_widths(plan, len(plan.hard) - hard, read, wrong))


def fewest_answers(plan: ReadingPlan) -> int:
    """Images outside the census after which a width can be reached at the earliest."""
    read = np.arange(plan.sample + 1)
    first = _first(plan, interval_widths(plan, 0, read, np.zeros_like(read)))
    return plan.answers if first is None else first - 1


def _hard_after(plan: ReadingPlan, done: IntArray) -> IntArray:
    half = max(plan.answers // 2, len(plan.hard), 1)
    return np.minimum(done * len(plan.hard) // half, len(plan.hard))


def _first(plan: ReadingPlan, widths: DoubleArray) -> int | None:
    narrow = widths <= (plan.width or 0)
    return int(np.argmax(narrow)) + 1 if narrow.any() else None
