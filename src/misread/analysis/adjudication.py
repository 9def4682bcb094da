"""Labels and error rates after verdicts, beside those as labelled.

What a decided verdict does to an image:

| verdict | adjudicated label | is it a mistake? |
|---|---|---|
| none | the given label | as labelled |
| `model`, `fine` | the label that was upheld | if it is read as another class |
| `label`, right class said | that class | if it is read as another class |
| `label`, class not said | the given label, refuted | yes; in the best case only if read as given |
| `ambiguous`, `unreadable` | the given label, open | as labelled; no at best, yes at worst |

No image is left out: every rate is over all of them. The best and the worst case say how far the
answer to the open ones could move the rate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from misread.analysis.intervals import Rate, wilson
from misread.analysis.outcomes import Outcomes
from misread.errors import VerdictsError
from misread.tables.predictions import Provenance
from misread.tables.verdicts import CODES, Verdict, Verdicts
from misread.types import Array, LabelArray

BoolArray = npt.NDArray[np.bool_]

TARGET = "new images of the same kind, drawn independently, labelled and reviewed as these were"
"""What the intervals of errors after verdicts are about."""

LIMITS = "They know nothing of how the reviewed images were chosen, nor of mistaken verdicts."
"""What these intervals leave out."""


class Case(StrEnum):
    """How the images that verdicts leave open are taken.

    `AFTER`: as labelled, and answers to a refuted label as wrong. `LOWEST`, `HIGHEST`: at best and
    at worst for whoever answered.
    """

    AFTER = "after"
    LOWEST = "lowest"
    HIGHEST = "highest"


@dataclass(frozen=True, eq=False)
class AdjudicatedLabels:
    """The labels of all N images of a split after verdicts.

    Attributes:
        given: (N,) int16, the given labels.
        label: (N,) int16, the adjudicated ones; where no right class is known, the given ones.
        verdict: (N,) int8, code of the decided verdict, -1 where there is none.
        refuted: (N,) bool, the given label is said to be wrong, and no right class is said.
        open: (N,) bool, the image is said to be ambiguous or unreadable.
    """

    given: LabelArray
    label: LabelArray
    verdict: Array
    refuted: BoolArray
    open: BoolArray

    def __len__(self) -> int:
        return len(self.given)

    @property
    def changed(self) -> BoolArray:
        """(N,) bool: the adjudicated label is another than the given one."""
        changed: BoolArray = self.label != self.given
        return changed

    @property
    def reviewed(self) -> BoolArray:
        """(N,) bool: there is a decided verdict."""
        reviewed: BoolArray = self.verdict >= 0
        return reviewed

    def wrong(self, index: Array, answer: Array, case: Case = Case.AFTER) -> BoolArray:
        """Which answers are wrong after verdicts, by the table of this module.

        Args:
            index: (M,) integers, the image of each answer.
            answer: (M,) integers, the class that a model or a reader took it for.
            case: How open images are taken.

        Returns:
            (M,) bool.
        """
        refuted, unclear = self.refuted[index], self.open[index]
        wrong: BoolArray = (answer != self.label[index]) | refuted
        if case == Case.HIGHEST:
            wrong |= unclear
        elif case == Case.LOWEST:
            wrong &= ~unclear & ~(refuted & (answer != self.given[index]))
        return wrong


@dataclass(frozen=True)
class AdjudicatedError:
    """The error rate of one model as labelled, and after verdicts.

    The intervals are Wilson's. Their target is new images of the same kind (see `TARGET`).

    Attributes:
        provenance: The predictions.
        as_labelled: Against the given labels.
        after: Against the adjudicated ones, by the table of this module.
        lowest: The same in the best case for the model.
        highest: The same in the worst case.
        reviewed_mistakes: How many mistakes (as labelled) have a decided verdict.
        reviewed_others: How many of the other images have one.
        righted: How many mistakes (as labelled) are none after verdicts.
        added: How many other images are mistakes after verdicts.
    """

    provenance: Provenance
    as_labelled: Rate
    after: Rate
    lowest: Rate
    highest: Rate
    reviewed_mistakes: int
    reviewed_others: int
    righted: int
    added: int

    @property
    def mistakes(self) -> int:
        """Number of mistakes as labelled."""
        return self.as_labelled.count

    @property
    def others(self) -> int:
        """Number of images read as given."""
        return self.as_labelled.total - self.as_labelled.count

    @property
    def caution(self) -> str:
        """What to know before the error after verdicts is believed, in a sentence."""
        if not self.reviewed_mistakes + self.reviewed_others:
            return "No image has a decided verdict: there is nothing to hold beside the labels."
        if self.reviewed_mistakes == self.mistakes and self.reviewed_others == self.others:
            return "Every image was reviewed."
        if self.others and not self.reviewed_others:
            return (
                "Only mistakes were reviewed, and that can only lower the error: none of the "
                f"{self.others:,} images read as given was looked at, where a wrong label hides a "
                "mistake."
            )
        told = (
            f"{self.reviewed_mistakes:,} of {self.mistakes:,} mistakes and "
            f"{self.reviewed_others:,} of {self.others:,} images read as given were reviewed"
        )
        if self.reviewed_mistakes * self.others > self.reviewed_others * self.mistakes:
            return (
                f"{told}: the error after verdicts leans to the low side, since a wrong label "
                "among the latter hides a mistake."
            )
        return f"{told}; the labels of all others count as they are."


def adjudicate(given: LabelArray, verdicts: Verdicts) -> AdjudicatedLabels:
    """The labels of a split after verdicts.

    A verdict that upholds a label (`model`, `fine`) upholds the one that it was given against, even
    if the dataset was corrected since. One that refutes a label which isn't there any more, without
    a right class, says nothing of the present one: the image counts as not reviewed.

    Args:
        given: (N,) int16, the given labels of all images of the split.
        verdicts: The decided verdicts on it.

    Raises:
        VerdictsError: A verdict is about an image beyond the split.
    """
    if len(verdicts) and verdicts.index[-1] >= len(given):
        raise VerdictsError(
            f"{verdicts.split}: index must be below {len(given)}, the number of images. "
            f"Got {verdicts.index[-1]} instead."
        )
    codes, right = verdicts.spread(len(given))
    against = given.copy()
    against[verdicts.index] = np.where(verdicts.given < 0, against[verdicts.index], verdicts.given)
    wrong = codes == CODES[Verdict.LABEL]
    corrected = wrong & (right >= 0)
    refuted = wrong & ~corrected & (against == given)
    codes[wrong & ~corrected & ~refuted] = -1
    upheld = (codes == CODES[Verdict.MODEL]) | (codes == CODES[Verdict.FINE])
    return AdjudicatedLabels(
        given=given,
        label=np.select([corrected, upheld], [right, against], given),
        verdict=codes,
        refuted=refuted,
        open=(codes == CODES[Verdict.AMBIGUOUS]) | (codes == CODES[Verdict.UNREADABLE]),
    )


def adjudicated_error(
    outcomes: Outcomes, labels: AdjudicatedLabels, level: float = 0.95
) -> AdjudicatedError:
    """The error of one model as labelled, and after verdicts.

    Args:
        outcomes: Of M images of the split, all of them or some.
        labels: Of all its images.
        level: Confidence level of each interval, in (0, 1).

    Raises:
        VerdictsError: The outcomes are of other images or given labels than the adjudicated labels.
        ParameterError: The level is out of range.
    """
    rows, predicted = outcomes.index, outcomes.predicted
    beyond = len(rows) and rows[-1] >= len(labels)
    if beyond or not np.array_equal(labels.given[rows], outcomes.given):
        raise VerdictsError(
            f"{outcomes.provenance.name}: expected predictions of the images with the given labels "
            "that were adjudicated"
        )
    as_labelled = predicted != outcomes.given
    after, lowest, highest = (labels.wrong(rows, predicted, case) for case in Case)
    reviewed = labels.reviewed[rows]

    def rate(wrong: BoolArray) -> Rate:
        return wilson(int(wrong.sum()), len(wrong), level)

    return AdjudicatedError(
        provenance=outcomes.provenance,
        as_labelled=rate(as_labelled),
        after=rate(after),
        lowest=rate(lowest),
        highest=rate(highest),
        reviewed_mistakes=int((reviewed & as_labelled).sum()),
        reviewed_others=int((reviewed & ~as_labelled).sum()),
        righted=int((as_labelled & ~after).sum()),
        added=int((~as_labelled & after).sum()),
    )


def comparison_caution(errors: Sequence[AdjudicatedError]) -> str:
    """Why the errors of several models after verdicts can't be compared, "" if nothing is known.

    Verdicts on the mistakes of one model are in its favour: of the others, wrong labels may stand
    that they were never given the benefit of.
    """
    shares = [
        (error.reviewed_mistakes / error.mistakes, error.provenance.run_name)
        for error in errors
        if error.mistakes
    ]
    if len(shares) < 2 or min(shares)[0] == max(shares)[0]:
        return ""
    (least, less), (most, more) = min(shares), max(shares)
    return (
        f"{100 * most:.0f}% of the mistakes of {more} were reviewed and {100 * least:.0f}% of "
        f"those of {less}: compared after verdicts, the one that was reviewed more is favoured."
    )
