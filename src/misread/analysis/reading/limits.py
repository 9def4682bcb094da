"""Limits for the errors in a part of the items, from the answers of one reader or of several."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from misread.analysis.intervals import Estimate
from misread.analysis.reading.anytime import EXPECTED_RATE, LimitSequence, limit_sequence
from misread.analysis.reading.exact import exact_limits
from misread.analysis.reading.pooled import anytime_sum_limits, planned_limits

BoolArray = npt.NDArray[np.bool_]


class Basis(StrEnum):
    """What an interval relies on.

    `PLANNED`: reading stopped at the number of answers that was fixed beforehand. `ANYTIME`:
    nothing; it holds however the reading came to its end.
    """

    PLANNED = "planned"
    ANYTIME = "anytime"


@dataclass(frozen=True, eq=False)
class Sample:
    """One reader's answers to a simple random sample of a part of the items, in random order.

    Attributes:
        wrong: (m,) bool, errors; False where there is no answer.
        known: (m,) bool, whether there is an answer.
    """

    wrong: BoolArray
    known: BoolArray

    def __len__(self) -> int:
        return len(self.wrong)

    @property
    def worst(self) -> BoolArray:
        """(m,) bool, errors if every missing answer were one."""
        return self.wrong | ~self.known

    @property
    def rate(self) -> float:
        """Share of errors among the answers, NaN if there are none."""
        known = int(self.known.sum())
        return int(self.wrong.sum()) / known if known else float("nan")


def one_reader(
    sample: Sample, items: int, basis: Basis, alpha: float, expected_rate: float = EXPECTED_RATE
) -> Estimate:
    """Errors of one reader among all N items of a part, with limits.

    A missing answer is taken as right for the lower limit and as wrong for the upper one: no bet is
    placed on what was excluded.

    Args:
        sample: His answers.
        items: N.
        basis: Which limits.
        alpha: Largest probability that the limits miss.
        expected_rate: What the anytime limits bet on.

    Returns:
        N x / m, and the limits, in errors.
    """
    value = sample.rate * items if items else 0.0
    if basis == Basis.PLANNED:
        read = len(sample)
        low, _ = exact_limits(int(sample.wrong.sum()), read, items, alpha)
        _, high = exact_limits(int(sample.worst.sum()), read, items, alpha)
    else:
        low, high = narrowing(sample, items, alpha, expected_rate).last
    return Estimate(value, float(low), float(high))


def narrowing(
    sample: Sample, items: int, alpha: float, expected_rate: float = EXPECTED_RATE
) -> LimitSequence:
    """The anytime limits of one reader's errors after each of his answers."""
    found = limit_sequence(sample.wrong, items, alpha, expected_rate)
    if sample.known.all():
        return found
    worst = limit_sequence(sample.worst, items, alpha, expected_rate)
    return LimitSequence(found.low, worst.high, found.contradicts or worst.contradicts)


def several_readers(
    samples: Sequence[Sample],
    items: int,
    basis: Basis,
    alpha: float,
    expected_rate: float = EXPECTED_RATE,
) -> Estimate:
    """Mean errors of these J readers among all N items of a part, with limits.

    Args:
        samples: Their answers, each to a sample of his own.
        items: N.
        basis: `PLANNED` only if all samples have the size that was fixed beforehand; `ANYTIME`
            takes of each reader as many answers as the one has who gave fewest.
        alpha: Largest probability that the limits miss the mean of these readers.
        expected_rate: What the anytime limits bet on.
    """
    if len(samples) == 1:
        return one_reader(samples[0], items, basis, alpha, expected_rate)
    readers, rounds = len(samples), min(len(sample) for sample in samples)
    first = [Sample(sample.wrong[:rounds], sample.known[:rounds]) for sample in samples]
    wrong = np.sum([sample.wrong for sample in first], axis=0)
    worst = np.sum([sample.worst for sample in first], axis=0)
    known = sum(int(sample.known.sum()) for sample in first)
    value = float(wrong.sum()) / known * items if known else float("nan")
    if basis == Basis.PLANNED:
        low, _ = planned_limits(int(wrong.sum()), rounds, readers, items, alpha)
        _, high = planned_limits(int(worst.sum()), rounds, readers, items, alpha)
    else:
        low = anytime_sum_limits(wrong, readers, items, alpha, expected_rate)[0] / readers
        high = anytime_sum_limits(worst, readers, items, alpha, expected_rate)[1] / readers
    return Estimate(value if items else 0.0, low, high)
