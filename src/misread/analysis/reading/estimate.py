"""How often people read these images otherwise than labelled: each reader, these, and people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from misread.analysis.intervals import Estimate
from misread.analysis.reading.anytime import anytime_limits
from misread.analysis.reading.limits import Basis, Sample, narrowing, one_reader, several_readers
from misread.analysis.reading.tally import ReaderTally
from misread.errors import ParameterError
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import Reader
from misread.types import Array, IntArray

# Fewer readers say too little of other people.
FEWEST_FOR_PEOPLE = 5
# A reader counts in the mean of several from this share of the planned answers on: by then he has
# been shown every hard image. Whoever gives fewest limits all others.
FEWEST_SHARE = 0.5


@dataclass(frozen=True)
class Census:
    """Errors among the hard items, which are all to be read; of several readers, the mean.

    Attributes:
        items: C, number of hard items.
        wrong: Errors among those that were read.
        unread: Items without an answer.
    """

    items: int
    wrong: float
    unread: float

    @property
    def value(self) -> float:
        """Errors, those of the unread at the rate of the others; NaN if none was read."""
        if not self.unread:
            return self.wrong
        read = self.items - self.unread
        return self.wrong / read * self.items if read else float("nan")

    def plus(self, rest: Estimate, images: int) -> Estimate:
        """The error rate of all N images: no bet is placed on unread hard items."""
        return Estimate(
            value=(self.value + rest.value) / images,
            low=(self.wrong + rest.low) / images,
            high=(self.wrong + self.unread + rest.high) / images,
        )


@dataclass(frozen=True)
class ReaderEstimate:
    """One reader's error rate over the N images of the split.

    Attributes:
        reader: Who.
        census: Errors among the hard items.
        read: m, answers outside of them.
        wrong: x, errors among these.
        missing: How many of them were excluded and not asked again.
        rest: Errors among all items outside the census, with limits.
        error: Error rate; its interval is about these N images and this reader.
        anytime: The same with the limits that hold however the reading ended.
        basis: What the interval of `error` relies on.
        contradicts: Whether anytime limits of different times have nothing in common: the reader's
            error rate changed as he went on, or one chance in 1/alpha.
    """

    reader: Reader
    census: Census
    read: int
    wrong: int
    missing: int
    rest: Estimate
    error: Estimate
    anytime: Estimate
    basis: Basis
    contradicts: bool

    @property
    def answers(self) -> int:
        """Hard items and others that were read, repeats not among them."""
        return round(self.census.items - self.census.unread) + self.read - self.missing


@dataclass(frozen=True)
class TogetherEstimate:
    """The mean error rate of J readers over the N images.

    Attributes:
        readers: J.
        census: Mean errors among the hard items.
        rest: Mean errors among all items outside the census, with limits.
        error: Mean error rate; its interval is about these images and these readers.
        basis: What the interval relies on.
        rounds: Answers of each reader outside the census that it uses.
        longest: The most such answers that one of them gave: where it is more than `rounds`, the
            others' further answers aren't used.
        shortest: Who gave the fewest, and so limits it.
        people: Mean error rate of people like these, approximately: Student's interval over the
            readers. None for fewer than `FEWEST_FOR_PEOPLE`.
    """

    readers: int
    census: Census
    rest: Estimate
    error: Estimate
    basis: Basis
    rounds: int
    longest: int
    shortest: Reader
    people: Estimate | None


@dataclass(frozen=True, eq=False)
class Narrowing:
    """How one reader's interval narrowed as his answers came in.

    Attributes:
        answers: (n + 1,) int64, 0 to n answers, hard items and others.
        low: (n + 1,) float64, lower limit of his error rate over the N images after so many.
        high: (n + 1,) float64, upper limit.
    """

    answers: IntArray
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]


def narrow(plan: ReadingPlan, tally: ReaderTally) -> Narrowing:
    """The anytime interval of one reader's error rate after each of his answers.

    For the owner after the end: a reader who sees it could stop by it.

    Args:
        plan: The plan.
        tally: What he got wrong.
    """
    sequence = narrowing(sample_of(tally), plan.rest, plan.alpha, plan.expected_rate)
    hard = np.append(False, tally.hard)
    drawn = np.arange(len(tally) + 1) - np.cumsum(hard)
    wrong = np.cumsum(np.append(False, tally.wrong & tally.hard))
    unread = len(plan.hard) - np.cumsum(np.append(False, tally.known & tally.hard))
    images = plan.target.images
    return Narrowing(
        answers=np.arange(len(tally) + 1),
        low=(wrong + sequence.low[drawn]) / images,
        high=(wrong + unread + sequence.high[drawn]) / images,
    )


def sample_of(tally: ReaderTally, members: Array | None = None) -> Sample:
    """A reader's answers outside the census, or those to some of these items.

    Args:
        tally: All his answers.
        members: (N,) bool, which items; None for all.
    """
    part = tally if members is None else tally.among(members)
    return Sample(part.rest_wrong, part.rest_known)


def basis_of(plan: ReadingPlan, tallies: Sequence[ReaderTally]) -> Basis:
    """What the interval of these readers may rely on.

    A plan that stops at a width stops where the answers say so: its intervals are anytime ones,
    even of a reader who came to the last planned answer.
    """
    planned = plan.width is None and all(tally.finished for tally in tallies)
    return Basis.PLANNED if planned else Basis.ANYTIME


def census_of(plan: ReadingPlan, tallies: Sequence[ReaderTally]) -> Census:
    """The hard items of one reader, or the mean of several."""
    wrong = float(np.mean([tally.hard_wrong for tally in tallies]))
    known = float(np.mean([tally.hard_known for tally in tallies]))
    return Census(len(plan.hard), wrong, len(plan.hard) - known)


def rest_errors(plan: ReadingPlan, tallies: Sequence[ReaderTally]) -> Estimate:
    """Errors of one reader among all items outside the census, or the mean of several."""
    samples = [sample_of(tally) for tally in tallies]
    return several_readers(
        samples, plan.rest, basis_of(plan, tallies), plan.alpha, plan.expected_rate
    )


def estimate_reader(plan: ReadingPlan, tally: ReaderTally) -> ReaderEstimate:
    """The error rate of one reader.

    The point estimate is (K_C + N_R x / m) / N: unbiased at a number of answers fixed beforehand,
    not at one that the answers decided.

    Args:
        plan: The plan.
        tally: What he got wrong.
    """
    census, sample, basis = census_of(plan, [tally]), sample_of(tally), basis_of(plan, [tally])
    images, items = plan.target.images, plan.rest
    sequence = narrowing(sample, items, plan.alpha, plan.expected_rate)
    low, high = sequence.last
    always = Estimate(sample.rate * items if items else 0.0, float(low), float(high))
    rest = always
    if basis == Basis.PLANNED:
        rest = one_reader(sample, items, basis, plan.alpha)
    return ReaderEstimate(
        reader=tally.reader,
        census=census,
        read=len(sample),
        wrong=int(sample.wrong.sum()),
        missing=int((~sample.known).sum()),
        rest=rest,
        error=census.plus(rest, images),
        anytime=census.plus(always, images),
        basis=basis,
        contradicts=sequence.contradicts,
    )


def estimate_together(plan: ReadingPlan, tallies: Sequence[ReaderTally]) -> TogetherEstimate:
    """The mean error rate of these readers, and of people.

    Args:
        plan: The plan.
        tallies: What one reader or more got wrong.

    Raises:
        ParameterError: There is no reader.
    """
    if not tallies:
        raise ParameterError("readers: expected one or more. Got none.")
    census, basis = census_of(plan, tallies), basis_of(plan, tallies)
    rest = rest_errors(plan, tallies)
    sizes = [len(sample_of(tally)) for tally in tallies]
    shortest = int(np.argmin(sizes))
    return TogetherEstimate(
        readers=len(tallies),
        census=census,
        rest=rest,
        error=census.plus(rest, plan.target.images),
        basis=basis,
        rounds=sizes[shortest],
        longest=max(sizes),
        shortest=tallies[shortest].reader,
        people=estimate_people([_point(plan, tally) for tally in tallies], plan.alpha),
    )


def count_together(plan: ReadingPlan, tallies: Sequence[ReaderTally]) -> tuple[bool, ...]:
    """Which readers count in the mean of these readers.

    Whoever gave at least half of the planned answers, or stopped where the plan's width was
    reached; all of them while nobody has, and where there is no plan. It goes by numbers of
    answers, never by whether they are right, but for the width, which the plan fixed beforehand.

    Args:
        plan: The plan.
        tallies: What the readers got wrong.
    """
    enough = tuple(
        len(tally) >= FEWEST_SHARE * plan.answers or _stopped_at_width(plan, tally)
        for tally in tallies
    )
    planned = all(tally.reader.number is not None for tally in tallies)
    return enough if planned and any(enough) else (True,) * len(tallies)


def _stopped_at_width(plan: ReadingPlan, tally: ReaderTally) -> bool:
    return width_reached(
        plan,
        hard_unread=len(plan.hard) - tally.hard_known,
        read=len(tally.rest_wrong),
        wrong=int(tally.rest_wrong.sum()),
        missing=int((~tally.rest_known).sum()),
    )


def estimate_people(rates: Sequence[float], alpha: float = 0.05) -> Estimate | None:
    """The mean error rate of people from whom these readers are taken to be a random draw.

    Student's interval, cut off at 0 and 1. It is approximate: with 5 to 20 readers it held in 94 to
    95% of simulated studies where all people were alike, and in 90% where one in ten was careless.

    Args:
        rates: (J,) estimates of each reader's error rate.
        alpha: 1 minus the confidence.

    Returns:
        The estimate; None for fewer than `FEWEST_FOR_PEOPLE` readers.
    """
    count = len(rates)
    if count < FEWEST_FOR_PEOPLE:
        return None
    mean = float(np.mean(rates))
    half = float(stdtrit(count - 1, 1 - alpha / 2) * np.std(rates, ddof=1) / np.sqrt(count))
    return Estimate(mean, max(0.0, mean - half), min(1.0, mean + half))


def width_reached(
    plan: ReadingPlan, *, hard_unread: int, read: int, wrong: int, missing: int = 0
) -> bool:
    """Whether the plan's width is reached, so that this reader's reading stops.

    It is the program that looks, not the reader; numbers that it keeps are enough, so that it can
    look after every answer. The set of the last answer alone is looked at: what all sets have in
    common, which is shown afterwards, is no wider.

    Args:
        plan: The plan.
        hard_unread: Hard items without an answer.
        read: Items outside the census that were read.
        wrong: Errors among these.
        missing: How many of these have no answer that counts.
    """
    if plan.width is None:
        return False
    low, high = anytime_limits(
        [wrong, wrong + missing], read, plan.rest, plan.alpha, plan.expected_rate
    )
    return bool(high[1] - low[0] + hard_unread <= plan.width * plan.target.images)


def _point(plan: ReadingPlan, tally: ReaderTally) -> float:
    census, items = census_of(plan, [tally]), plan.rest
    rest = sample_of(tally).rate * items if items else 0.0
    return (census.value + rest) / plan.target.images
