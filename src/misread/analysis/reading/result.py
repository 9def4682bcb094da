"""What the readings of a study say of people, of models and of the given labels."""

from collections.abc import Mapping
from dataclasses import dataclass

from misread.analysis.reading.adjudicated import PeopleAfter
from misread.analysis.reading.answers import LabelReadings
from misread.analysis.reading.confusion import Confusion
from misread.analysis.reading.people import People
from misread.types import LabelArray


@dataclass(frozen=True, eq=False)
class PeopleResult:
    """What the readings say.

    Attributes:
        people: Error rates by the given labels, and against each model.
        adjudicated: The same after the decided verdicts; None if there are none.
        confusion: Given labels against people's answers.
        labels: What people called each image that they read: evidence on its label.
        predicted: By name of the predictions, (N,) int16 predicted class of every image.
    """

    people: People
    adjudicated: PeopleAfter | None
    confusion: Confusion
    labels: LabelReadings
    predicted: Mapping[str, LabelArray]
