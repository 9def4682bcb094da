"""Models, people and the literature on one split."""

from dataclasses import dataclass

import numpy as np

from misread.analysis.comparing.models import Comparison
from misread.analysis.comparing.quoted import Quoted
from misread.analysis.reading import comparison as reading
from misread.analysis.reading.people import People
from misread.analysis.reading.result import PeopleResult


@dataclass(frozen=True, eq=False)
class PeopleCompared:
    """People beside the models.

    Attributes:
        people: What the reader study says.
        against: People against each model of the comparison, in its order.
    """

    people: People
    against: tuple[reading.Comparison, ...]


@dataclass(frozen=True, eq=False)
class CompareResult:
    """What is known of one split, side by side.

    Attributes:
        split: Name of the split.
        comparison: The models.
        chosen: Whether the reference was asked for, rather than being the oldest run.
        selected: Whether models were named, rather than all of the study taken.
        people: People; None where nobody has read this split by a plan.
        quoted: Error rates of the literature.
        left_out: Names of predictions that aren't of all images.
    """

    split: str
    comparison: Comparison
    chosen: bool
    selected: bool
    people: PeopleCompared | None
    quoted: tuple[Quoted, ...]
    left_out: tuple[str, ...]


def compare_people(
    found: PeopleResult | None, split: str, comparison: Comparison
) -> PeopleCompared | None:
    """Hold the readers of a study together against each model, exactly as `people` does.

    Args:
        found: What the study's readings say; None if nothing.
        split: Name of the comparison's split.
        comparison: The models, over all images of the split.

    Returns:
        None where these aren't readings of that split.
    """
    if found is None or found.people.plan.target.split != split:
        return None
    plan, estimate = found.people.plan, found.people.estimate
    against = []
    for model in comparison.models:
        name = model.outcomes.provenance.name
        wrong = np.asarray(model.outcomes.wrong)
        mean = estimate.counted_tallies
        against.append(reading.compare(plan, mean, name, wrong, estimate.together.rest))
    return PeopleCompared(found.people, tuple(against))
