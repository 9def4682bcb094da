"""Error rates of people and models after the decided verdicts, beside those as labelled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np

from misread.analysis.adjudication import AdjudicatedLabels, BoolArray, Case
from misread.analysis.intervals import Estimate
from misread.analysis.reading.comparison import Comparison, compare
from misread.analysis.reading.estimate import estimate_reader, estimate_together
from misread.analysis.reading.people import PeopleEstimate
from misread.analysis.reading.tally import ReaderTally
from misread.errors import VerdictsError
from misread.tables.reading_plan import ReadingPlan
from misread.types import LabelArray


@dataclass(frozen=True)
class RateAfter:
    """An error rate over the N images of the split, four times.

    Attributes:
        as_labelled: Against the given labels.
        after: Against the adjudicated ones.
        lowest: The same at best: what verdicts leave open is nobody's error.
        highest: The same at worst: it is everybody's.
    """

    as_labelled: Estimate
    after: Estimate
    lowest: Estimate
    highest: Estimate


@dataclass(frozen=True, eq=False)
class PeopleAfter:
    """What a reader study says after the decided verdicts.

    The plan stays what it was: its hard images are those that models misread as labelled, and each
    reader's sample of the others is as random for these labels as for those.

    Attributes:
        labels: The adjudicated labels.
        readers: Each reader.
        together: The mean of those readers who count together.
        models: Each model, in the order of `against`: known, so that limits are the value.
        against: Each model against the readers together, after verdicts.
        caution: What to know before a comparison after verdicts is believed, in a sentence.
    """

    labels: AdjudicatedLabels
    readers: tuple[RateAfter, ...]
    together: RateAfter
    models: tuple[RateAfter, ...]
    against: tuple[Comparison, ...]
    caution: str


def measure_after(
    plan: ReadingPlan,
    measured: PeopleEstimate,
    labels: AdjudicatedLabels,
    predicted: Mapping[str, LabelArray],
) -> PeopleAfter:
    """Hold the same answers against the labels after verdicts.

    Args:
        plan: The plan.
        measured: What the readings say as labelled.
        labels: The adjudicated labels of all N images.
        predicted: By name of the predictions, (N,) predicted class of every image; as in
            `measured.against`.

    Raises:
        VerdictsError: The labels are of another number of images.
    """
    if len(labels) != plan.target.images:
        raise VerdictsError(
            f"labels: expected those of {plan.target.images} images. Got {len(labels)}."
        )
    tallies = {case: judge(measured.tallies, labels, case) for case in Case}
    mean = {case: tuple(compress(found, measured.counted)) for case, found in tallies.items()}
    together = {case: estimate_together(plan, found).error for case, found in mean.items()}
    images = np.arange(len(labels))
    return PeopleAfter(
        labels=labels,
        readers=tuple(
            RateAfter(before.error, *(estimate_reader(plan, tallies[case][place]).error
                                      for case in Case))
            for place, before in enumerate(measured.readers)
        ),
        together=RateAfter(measured.together.error, *(together[case] for case in Case)),
        models=tuple(
            RateAfter(
                _known(read != labels.given),
                *(_known(labels.wrong(images, read, case)) for case in Case),
            )
            for read in predicted.values()
        ),
        against=tuple(
            compare(plan, mean[Case.AFTER], name, labels.wrong(images, read))
            for name, read in predicted.items()
        ),
        caution=_caution(plan, measured.tallies, labels, predicted),
    )  # fmt: skip


def judge(
    tallies: Sequence[ReaderTally], labels: AdjudicatedLabels, case: Case
) -> tuple[ReaderTally, ...]:
    """The same answers, held against the labels after verdicts."""
    return tuple(
        replace(each, wrong=each.known & labels.wrong(each.item, each.answer, case))
        for each in tallies
    )


def _known(wrong: BoolArray) -> Estimate:
    return Estimate(*(3 * [float(wrong.mean())]))


def _caution(
    plan: ReadingPlan,
    tallies: Sequence[ReaderTally],
    labels: AdjudicatedLabels,
    predicted: Mapping[str, LabelArray],
) -> str:
    """Whose errors the verdicts are about: they can only be in favour of whoever made them."""
    by_people = np.zeros(len(labels), np.bool_)
    for tally in tallies:
        by_people[tally.item[tally.wrong]] = True
    split = f".{plan.target.split}."
    whose = [(name.partition(split)[0], read != labels.given) for name, read in predicted.items()]
    counts = [
        (f"that {name} misreads", int((wrong & labels.reviewed).sum()), int(wrong.sum()))
        for name, wrong in (*whose, ("a reader", by_people))
        if wrong.any()
    ]
    if not counts:
        return ""
    if all(reviewed == total for _, reviewed, total in counts):
        return (
            "Every error of people and models was reviewed; a wrong label that all of them read as "
            "given hides an error still."
        )
    told = ", ".join(f"{reviewed:,} of the {total:,} {name}" for name, reviewed, total in counts)
    return (
        f"Reviewed of the images: {told}. After verdicts, whoever's errors were reviewed more is "
        "favoured."
    )
