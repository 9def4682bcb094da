"""Everything that a reader study says, from its plan, its labels, its readings and some models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import numpy.typing as npt

from misread.analysis.reading.comparison import Comparison, compare
from misread.analysis.reading.estimate import (
    ReaderEstimate,
    TogetherEstimate,
    count_together,
    estimate_reader,
    estimate_together,
)
from misread.analysis.reading.quality import (
    Exclusions,
    ReaderTimes,
    Slips,
    count_exclusions,
    find_slips,
    response_times,
)
from misread.analysis.reading.tally import ReaderTally, tally_readings, usable_answers
from misread.errors import ReadingsError
from misread.tables.reading_plan import ReadingPlan
from misread.tables.readings import Readings
from misread.types import LabelArray


@dataclass(frozen=True)
class PeopleEstimate:
    """Error rates of people, apart and together, and against each model.

    Attributes:
        tallies: What each reader got wrong.
        readers: Each reader's error rate.
        counted: Which of them count in what is said of them together, see `count_together`.
        together: The mean of those.
        against: For each model, the readers together.
        apart: For each model, each reader.
    """

    tallies: tuple[ReaderTally, ...]
    readers: tuple[ReaderEstimate, ...]
    counted: tuple[bool, ...]
    together: TogetherEstimate
    against: tuple[Comparison, ...]
    apart: tuple[tuple[Comparison, ...], ...]

    @property
    def counted_tallies(self) -> tuple[ReaderTally, ...]:
        """What those readers got wrong who count together."""
        return tuple(compress(self.tallies, self.counted))


@dataclass(frozen=True)
class People:
    """What a reader study says.

    Attributes:
        plan: The plan.
        simulated: Whether any of the readers is a program: then nothing here is about people.
        estimate: With the plan's exclusions.
        without_exclusions: With every first answer as it was given.
        blind: The mean of those readers who said that they had seen neither images nor mistakes;
            None where all say so, or nobody.
        left_out: Readers whom the owner left out.
        exclusions: What each reader's exclusions were.
        slips: Of the items shown twice: all, the hard ones, the others.
        times: Each reader's response times.
    """

    plan: ReadingPlan
    simulated: bool
    estimate: PeopleEstimate
    without_exclusions: PeopleEstimate
    blind: TogetherEstimate | None
    left_out: tuple[str, ...]
    exclusions: tuple[Exclusions, ...]
    slips: tuple[Slips, Slips, Slips]
    times: tuple[ReaderTimes, ...]


def measure_people(
    plan: ReadingPlan,
    labels: LabelArray,
    readings: Readings,
    models: Mapping[str, npt.NDArray[np.bool_]],
    left_out: Sequence[str] = (),
) -> People:
    """Everything that the readings say of people and models on the plan's images.

    Args:
        plan: The plan.
        labels: (N,) integers, the given labels, which answers are held against.
        readings: The readings of one reader or more.
        models: By name of the predictions, (N,) bool, the images that they get wrong by the same
            labels.
        left_out: Readers whom the owner left out, to be told of.

    Raises:
        ReadingsError: There are no readings, or they don't fit the plan.
        ParameterError: Mistakes of another number of images.
    """
    if not len(readings):
        raise ReadingsError("readings: expected some. Got none; `misread read` collects them")
    # A reader who hasn't answered yet says nothing.
    present = np.bincount(readings.reader, minlength=len(readings.readers)) > 0
    if not present.all():
        names = [reader.name for reader in readings.readers]
        readings = readings.of([name for name, here in zip(names, present, strict=True) if here])
    estimate = plain = _estimate(plan, labels, readings, models, exclude=True)
    if not usable_answers(plan, readings).all():
        plain = _estimate(plan, labels, readings, models, exclude=False)
    return People(
        plan=plan,
        simulated=readings.simulated,
        estimate=estimate,
        without_exclusions=plain,
        blind=_blind(plan, estimate),
        left_out=tuple(left_out),
        exclusions=count_exclusions(plan, readings, estimate.tallies),
        slips=(
            find_slips(plan, labels, readings),
            find_slips(plan, labels, readings, hard=True),
            find_slips(plan, labels, readings, hard=False),
        ),
        times=response_times(plan, labels, readings),
    )


def _blind(plan: ReadingPlan, estimate: PeopleEstimate) -> TogetherEstimate | None:
    mean = estimate.counted_tallies
    blind = [tally for tally in mean if tally.reader.blind]
    return estimate_together(plan, blind) if 0 < len(blind) < len(mean) else None


def _estimate(
    plan: ReadingPlan,
    labels: LabelArray,
    readings: Readings,
    models: Mapping[str, npt.NDArray[np.bool_]],
    exclude: bool,
) -> PeopleEstimate:
    tallies = tally_readings(plan, labels, readings, exclude=exclude)
    readers = tuple(estimate_reader(plan, tally) for tally in tallies)
    counted = count_together(plan, tallies)
    mean = tuple(compress(tallies, counted))
    together = estimate_together(plan, mean)
    return PeopleEstimate(
        tallies=tallies,
        readers=readers,
        counted=counted,
        together=together,
        against=tuple(
            compare(plan, mean, name, wrong, together.rest) for name, wrong in models.items()
        ),
        apart=tuple(
            tuple(
                compare(plan, [tally], name, wrong, reader.rest)
                for tally, reader in zip(tallies, readers, strict=True)
            )
            for name, wrong in models.items()
        ),
    )
