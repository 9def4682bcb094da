"""What stands side by side: models, pairs of them, people, the literature."""

from dataclasses import dataclass

from misread.views.pages.parts import Interval, Label, Picture, Share


@dataclass(frozen=True)
class ComparedModel:
    """One model, or the mean prediction of all that stand side by side.

    Attributes:
        run: Name of the run; of the mean `mean of all models`, or `mean of these 2 models` where
            models were named.
        kind: `model`; `folds` for the mean of a cross-fit's networks; `panel` for that of all
            models.
        origin: What its networks had seen of the split.
        error: Error rate, as labelled.
        networks: Number of networks that were trained; None if that isn't known.
        parameters: Trainable parameters of all of them; None if that isn't known.
        epochs: Passes over the training images; None if that isn't known, or for several models.
        images: Number of images that each network was trained on, without those held out for the
            scale of its scores; None likewise.
        seconds: Time of all trainings; None if that isn't known.
    """

    run: str
    kind: str
    origin: str
    error: Share
    networks: int | None
    parameters: int | None
    epochs: int | None
    images: int | None
    seconds: float | None


@dataclass(frozen=True)
class ComparedImage:
    """An image that only one of two models misreads.

    Attributes:
        picture: The image.
        file: Name of its file; "" where images are no files.
        given: The given label.
        read_as: What the one that misreads it makes of it.
        p_read_as: The probability that it gives that class, in [0, 1].
        p_given: The probability that it gives the given class.
        p_other: The probability that the other one, which reads it right, gives the given class.
    """

    picture: Picture
    file: str
    given: Label
    read_as: Label
    p_read_as: float
    p_given: float
    p_other: float


@dataclass(frozen=True)
class OnlyOne:
    """The images that one of two models misreads and the other doesn't.

    Attributes:
        images: How many.
        shown: Some of these, those that it is surest of first; empty where a page has no room.
        hidden: Number of those not shown.
    """

    images: int
    shown: tuple[ComparedImage, ...]
    hidden: int


@dataclass(frozen=True)
class ComparedPair:
    """One model against the reference, image by image.

    Attributes:
        run: The model.
        difference: Its error rate minus the reference's.
        p_value: McNemar's exact test.
        corrected: The same, corrected for all comparisons of the page.
        better: `better` or `worse` than the reference where the corrected p-value is 0.05 or less,
            else `unsettled`.
        consistency: Error consistency, Cohen's kappa.
        both: Number of images that both misread.
        only: Those that only the model misreads.
        only_reference: Those that only the reference misreads.
    """

    run: str
    difference: Interval
    p_value: float
    corrected: float
    better: str
    consistency: Interval
    both: int
    only: OnlyOne
    only_reference: OnlyOne


@dataclass(frozen=True)
class TrainingGroup:
    """Trainings of one recipe that differ in nothing but chance.

    Attributes:
        name: Model and recipe.
        runs: Names of the runs.
        mean: Mean error rate on these images; the interval is over trainings, and missing for
            fewer than 3.
        deviation: Standard deviation of their error rates.
    """

    name: str
    runs: tuple[str, ...]
    mean: Interval
    deviation: float


@dataclass(frozen=True)
class PeopleAgainst:
    """People, all readers together, against one of the models.

    Attributes:
        run: The model.
        difference: Error rate of people minus the model's.
        better: `model` or `people` where the interval excludes 0, else `unsettled`.
        consistency: Error consistency, Cohen's kappa.
    """

    run: str
    difference: Interval
    better: str
    consistency: Interval


@dataclass(frozen=True)
class ComparedPeople:
    """The readers of the reader study, beside the models.

    Attributes:
        readers: Their number.
        simulated: Whether they are programs.
        answers: Images that each of them read, repeats not among them, all together.
        error: Their mean error rate over all images, for these images and these readers.
        basis: What its interval relies on: `planned` or `anytime`.
        against: Against each model.
    """

    readers: int
    simulated: bool
    answers: int
    error: Interval
    basis: str
    against: tuple[PeopleAgainst, ...]


@dataclass(frozen=True)
class QuotedRate:
    """An error rate of the literature: quoted, not measured here.

    Attributes:
        name: Of what.
        error: With the exact interval of as many mistakes in as many images.
        source: Who reported it.
    """

    name: str
    error: Share
    source: str
