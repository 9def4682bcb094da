"""People against a model: who errs more, on which images, and how many answers would settle it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from misread.analysis.intervals import Estimate
from misread.analysis.reading.consistency import consistency_limits
from misread.analysis.reading.estimate import (
    Census,
    basis_of,
    census_of,
    rest_errors,
    sample_of,
)
from misread.analysis.reading.limits import Basis, several_readers
from misread.analysis.reading.pooled import rounds_to_settle
from misread.analysis.reading.tally import ReaderTally
from misread.errors import ParameterError
from misread.tables.reading_plan import ReadingPlan

BoolArray = npt.NDArray[np.bool_]


class Better(StrEnum):
    """Who makes fewer errors on these images, as far as the interval says."""

    MODEL = "model"
    PEOPLE = "people"
    UNSETTLED = "unsettled"


@dataclass(frozen=True)
class Comparison:
    """One model against one reader, or against the mean of several; counts are of N images.

    Attributes:
        model: Name of the predictions.
        images: N.
        mistakes: Images that the model gets wrong: known, without an interval.
        inside: Whether all of them are hard items. Then `both` and `model_only` have no sampling
            error; else limits of `both`, `people_only` and what is made of them hold together.
        difference: Error rate of people minus that of the model, with its interval.
        better: Who is better, if the interval excludes 0.
        more: Answers of each reader that would settle it, if the rates went on as they were and the
            interval were an anytime one: a projection. 0 if it is settled; None if not even all
            images would, or there is no rate yet.
        both: Images that both get wrong.
        model_only: Images that only the model gets wrong.
        people_only: Images that only people get wrong.
        neither: The others.
        consistency: Error consistency, see `error_consistency`.
        read_right: Share of the model's mistakes that people read right.
        least_error: Error rate of people if they erred on the model's mistakes only: a lower bound
            of it, which knows nothing of the images that only people misread.
    """

    model: str
    images: int
    mistakes: int
    inside: bool
    difference: Estimate
    better: Better
    more: int | None
    both: Estimate
    model_only: Estimate
    people_only: Estimate
    neither: Estimate
    consistency: Estimate
    read_right: Estimate
    least_error: Estimate


def compare(
    plan: ReadingPlan,
    tallies: Sequence[ReaderTally],
    model: str,
    mistakes: BoolArray,
    rest: Estimate | None = None,
) -> Comparison:
    """Hold people against a model, over all N images of the split.

    Args:
        plan: The plan.
        tallies: What one reader got wrong, or several, whose mean is taken.
        model: Name of the predictions.
        mistakes: (N,) bool, the images that the model gets wrong.
        rest: Errors of these readers outside the census, if they are known already.

    Raises:
        ParameterError: There is no reader, or mistakes of another number of images.
    """
    images = plan.target.images
    if not tallies or mistakes.shape != (images,):
        raise ParameterError(
            f"expected one reader or more and mistakes ({images},). "
            f"Got {len(tallies)} and {mistakes.shape} instead."
        )
    count = int(mistakes.sum())
    rest = rest_errors(plan, tallies) if rest is None else rest
    total = census_of(plan, tallies).plus(rest, images=1)
    both, people_only, inside = _split_errors(plan, tallies, mistakes, rest)
    difference = Estimate(*((part - count) / images for part in _parts(total)))
    better = Better.UNSETTLED
    if difference.differs:
        better = Better.MODEL if difference.low > 0 else Better.PEOPLE
    return Comparison(
        model=model,
        images=images,
        mistakes=count,
        inside=inside,
        difference=difference,
        better=better,
        more=0 if difference.differs else _more(plan, tallies, count),
        both=both,
        model_only=_minus(count, both),
        people_only=people_only,
        neither=_minus(images - count, people_only),
        consistency=consistency_limits(both, people_only, count, images),
        read_right=_over(_minus(count, both), count),
        least_error=_over(both, images),
    )


def _split_errors(
    plan: ReadingPlan, tallies: Sequence[ReaderTally], mistakes: BoolArray, rest: Estimate
) -> tuple[Estimate, Estimate, bool]:
    """Errors of people among the model's mistakes and elsewhere, in images."""
    is_hard = np.zeros(len(mistakes), np.bool_)
    is_hard[list(plan.hard)] = True
    inside = not (mistakes & ~is_hard).any()
    nothing = Estimate(0.0, 0.0, 0.0)
    found = []
    for part, known in ((mistakes, nothing), (~mistakes, rest)):
        census = _census_among(tallies, part & is_hard)
        errors = known if inside else _rest_among(plan, tallies, part & ~is_hard)
        found.append(census.plus(errors, images=1))
    return found[0], found[1], inside


def _rest_among(plan: ReadingPlan, tallies: Sequence[ReaderTally], part: BoolArray) -> Estimate:
    """Errors of people in one of two parts of what isn't in the census.

    Limits are at alpha / 2, so that those of both parts hold together at alpha.
    """
    items, samples = int(part.sum()), [sample_of(tally, part) for tally in tallies]
    # Samples of a part have sizes that weren't planned: given its size one alone is exact still,
    # several together need anytime limits.
    basis = basis_of(plan, tallies) if len(tallies) == 1 else Basis.ANYTIME
    found = several_readers(samples, items, basis, plan.alpha / 2, plan.expected_rate)
    if np.isnan(found.value):
        # None of the part was drawn: the best guess is the rate elsewhere.
        return replace(found, value=_sample_rate(tallies) * items)
    return found


def _census_among(tallies: Sequence[ReaderTally], members: BoolArray) -> Census:
    parts = [tally.among(members) for tally in tallies]
    items = int(members.sum())
    wrong = float(np.mean([part.hard_wrong for part in parts]))
    known = float(np.mean([part.hard_known for part in parts]))
    return Census(items, wrong, items - known)


def _sample_rate(tallies: Sequence[ReaderTally]) -> float:
    wrong = sum(int(sample_of(tally).wrong.sum()) for tally in tallies)
    known = sum(int(sample_of(tally).known.sum()) for tally in tallies)
    return wrong / known if known else float("nan")


def _more(plan: ReadingPlan, tallies: Sequence[ReaderTally], mistakes: int) -> int | None:
    """Answers of each reader until the anytime interval of the difference excludes 0."""
    census, samples = census_of(plan, tallies), [sample_of(tally) for tally in tallies]
    rounds = min(len(sample) for sample in samples)
    wrong = np.sum([sample.wrong[:rounds] for sample in samples], axis=0)
    even = len(tallies) * (mistakes - census.value)
    if np.isnan(even):
        return None
    found = rounds_to_settle(wrong, len(tallies), plan.rest, even, plan.alpha, plan.expected_rate)
    unread = max(len(plan.hard) - tally.hard_known for tally in tallies)
    return None if found is None else max(1, found + unread)


def _parts(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def _minus(total: float, estimate: Estimate) -> Estimate:
    """What is left of a known total."""
    return Estimate(total - estimate.value, total - estimate.high, total - estimate.low)


def _over(estimate: Estimate, total: float) -> Estimate:
    """A share of a known total; NaN where there is nothing."""
    return Estimate(*(part / total if total else float("nan") for part in _parts(estimate)))
