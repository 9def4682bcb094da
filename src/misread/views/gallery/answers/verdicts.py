"""Decided verdicts, and what they do to errors."""

from dataclasses import dataclass

from misread.views.gallery.answers.start import ScoresState


@dataclass(frozen=True)
class RateAnswer:
    """A share of misread images, with its 95% interval.

    Attributes:
        count: Number of misread images.
        total: Number of images.
        rate: The share; None of no images.
        low: Lower end of the interval.
        high: Its upper end.
    """

    count: int
    total: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ErrorAnswer:
    """How often a model misreads a split, as labelled and after verdicts.

    Attributes:
        split: Name of the split.
        model: Name of the run, None if there is none.
        as_labelled: Error against the given labels; None without a model.
        after: Error against the adjudicated ones.
        lowest: The same, if all open images and labels turned out in the model's favour.
        highest: The same, if they turned out against it.
        decided: Number of images with a decided verdict.
        mistakes: Number of images misread, as labelled.
        reviewed_mistakes: How many of them have a decided verdict.
        reviewed_others: How many of the other images have one.
        changed_labels: Number of images whose adjudicated label is another class.
        unreadable: Number of images decided to be unreadable; they still count.
        caution: What to know before the error after verdicts is believed.
        warning: What correcting labels does to a split that models are tested on, "" for `train`.
    """

    split: str
    model: str | None
    as_labelled: RateAnswer | None
    after: RateAnswer | None
    lowest: RateAnswer | None
    highest: RateAnswer | None
    decided: int
    mistakes: int
    reviewed_mistakes: int
    reviewed_others: int
    changed_labels: int
    unreadable: int
    caution: str
    warning: str


@dataclass(frozen=True)
class DecidedAnswer:
    """What a decision, an undo or a redo came to.

    Attributes:
        revision: Its own.
        split: The split of the images; None where there was nothing to undo or redo.
        items: Their positions in it.
        decided: The verdict that each of them has now.
        decided_label: The label that was decided.
    """

    revision: int
    split: str | None
    items: list[int]
    decided: list[str | None]
    decided_label: list[int | None]


@dataclass(frozen=True)
class ChangesAnswer:
    """What happened to the verdicts since a revision.

    Attributes:
        revision: The newest one.
        changes: (split, index, verdict, label) of each image whose verdict changed, as it is now.
        scores: Whether each split's scores are known.
    """

    revision: int
    changes: list[tuple[str, int, str | None, int | None]]
    scores: dict[str, ScoresState]
