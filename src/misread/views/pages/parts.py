"""What several pages are made of: plain values that any renderer and any program can read."""

from dataclasses import dataclass

from misread.analysis import intervals
from misread.tables import Origin


@dataclass(frozen=True)
class Picture:
    """A reference to one image; who shows the page decides how: as part of a sprite, by a URL.

    Attributes:
        split: Name of the split.
        index: Position in the split.
    """

    split: str
    index: int


@dataclass(frozen=True)
class Drawing(Picture):
    """A reference to what a network drew of one image.

    Attributes:
        split: Name of the split.
        index: Position of the image in the split.
        run: Name of the network's run.
        role: `given` or `predicted`: the class as which it is drawn.
    """

    run: str
    role: str


@dataclass(frozen=True)
class Label:
    """A class by its number, which is safe in names and links, and by its name, which is not.

    Attributes:
        number: In 0..K-1.
        name: What the dataset calls it; can be any text.
    """

    number: int
    name: str


@dataclass(frozen=True)
class Share:
    """A share of N images, with its interval where it speaks of more than these images.

    Attributes:
        count: Number of images that have the property.
        total: N.
        value: The share, in [0, 1]; None of no images.
        low: Lower limit; None where there is no interval.
        high: Upper limit; None where there is no interval.
    """

    count: int
    total: int
    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, rate: intervals.Rate, *, interval: bool = True) -> "Share":
        """A rate as plain values, with or without its interval."""
        if not rate.total:
            return cls(rate.count, 0, None, None, None)
        limits = (rate.low, rate.high) if interval else (None, None)
        return cls(rate.count, rate.total, rate.value, *limits)

    @classmethod
    def of_count(cls, count: int, total: int) -> "Share":
        """A share that is known, without an interval."""
        return cls(count, total, count / total if total else None, None, None)


@dataclass(frozen=True)
class Interval:
    """A number with its interval.

    Attributes:
        value: The estimate; None where there is nothing to estimate.
        low: Lower limit.
        high: Upper limit.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Tile:
    """A misread image, with what the model and the panel say of it.

    Attributes:
        picture: The image.
        file: Name of its file; "" where images are no files.
        given: The given label.
        predicted: The predicted class.
        p_predicted: Probability of the predicted class, in [0, 1].
        p_given: Probability of the given class, in [0, 1].
        suggested: The suggested verdict; "" where the panel says nothing.
        suggested_label: The class suggested in place of the given one, if the verdict is `label`.
        decided: The verdict that a person gave; "" where nobody did.
        decided_label: The class that he named, if any.
    """

    picture: Picture
    file: str
    given: Label
    predicted: Label
    p_predicted: float
    p_given: float
    suggested: str
    suggested_label: Label | None
    decided: str
    decided_label: Label | None


# What an error rate and its interval speak of, by the predictions' origin.
TARGETS = {
    Origin.HELD_OUT: "As labelled. Intervals are 95% (Wilson), for new images of the same kind, "
    "drawn independently of each other.",
    Origin.CROSS_FITTED: "As labelled, each image read by a model that never saw it. Intervals are "
    "95% (Wilson), for new images of the same kind, drawn independently of each other.",
    Origin.IN_SAMPLE: "As labelled, on images that the model was trained on: what it could not "
    "even fit. This says nothing of new images, and so has no interval.",
}
