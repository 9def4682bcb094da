"""Images: views, their tiles, one image, confusions."""

from dataclasses import dataclass

from misread.views.gallery.answers.start import ScoresState


@dataclass(frozen=True)
class GroupAnswer:
    """Images that stand together.

    Attributes:
        key: Number of the class; None for all in one.
        label: Name of the class, "" for all in one.
        start: Place of the first image in the view.
        count: Number of images, 1 or more.
    """

    key: int | None
    label: str
    start: int
    count: int


@dataclass(frozen=True)
class ViewAnswer:
    """What there is to show.

    Attributes:
        query: Names exactly this view.
        total: Number of images in it.
        of: Number of images of the split.
        revision: The newest revision of the verdicts.
        model: Name of the run whose predicted classes count, None if there is none.
        pending: The query needs scores that aren't known yet; it is as if they never were.
        note: Something to know about this view, "" if nothing.
        scores: Whether the split's scores are known.
        groups: In order; together all images of the view.
    """

    query: str
    total: int
    of: int
    revision: int
    model: str | None
    pending: bool
    note: str
    scores: ScoresState
    groups: list[GroupAnswer]


@dataclass(frozen=True)
class TilesAnswer:
    """Some images of a view, as columns of equal length.

    Attributes:
        start: Place of the first one in the view.
        revision: The newest revision of the verdicts.
        index: Position of each image in its split.
        given: Its given label.
        predicted: The model's predicted class.
        p_predicted: Its probability.
        p_given: Probability of the given label.
        difficulty: In nats.
        suspicion: In [0, 1].
        suggested: Suggested verdict.
        suggested_label: Class suggested instead of the given label.
        decided: Decided verdict, as it is now.
        decided_label: The label that was decided.
    """

    start: int
    revision: int
    index: list[int]
    given: list[int]
    predicted: list[int | None]
    p_predicted: list[float | None]
    p_given: list[float | None]
    difficulty: list[float | None]
    suspicion: list[float | None]
    suggested: list[str | None]
    suggested_label: list[int | None]
    decided: list[str | None]
    decided_label: list[int | None]


@dataclass(frozen=True)
class ItemsAnswer:
    """Positions in the split of some images of a view.

    Attributes:
        start: Place of the first one in the view.
        index: In the view's order.
    """

    start: int
    index: list[int]


@dataclass(frozen=True)
class ModelImageAnswer:
    """What one model says of one image.

    Attributes:
        run: Name of the run.
        origin: What it had seen of the split.
        predicted: Its predicted class.
        p_predicted: The probability of that.
        p_given: The probability of the given label.
        top: The most probable classes with their probabilities.
    """

    run: str
    origin: str
    predicted: int
    p_predicted: float
    p_given: float
    top: list[tuple[int, float]]


@dataclass(frozen=True)
class NeighbourAnswer:
    """A training image near to another image in the features of a network.

    Attributes:
        split: Name of the training split.
        index: Position in it.
        given: Its given label.
    """

    split: str
    index: int
    given: int


@dataclass(frozen=True)
class ReconstructionAnswer:
    """How far what a network draws of an image, from a capsule of its own, is from the image.

    Attributes:
        run: Name of the run.
        predicted: Its predicted class.
        error_given: Mean squared error as the given class, in [0, 1].
        error_predicted: The same as the predicted class.
        share_better: Share of the split's images that are drawn better, as predicted.
        drawn: Whether the drawings are kept; `/drawing/...` has them.
    """

    run: str
    predicted: int
    error_given: float
    error_predicted: float
    share_better: float
    drawn: bool


@dataclass(frozen=True)
class ReadingAnswer:
    """What one reader called an image.

    Attributes:
        reader: A pseudonym.
        answer: Number of the class.
        unsure: Whether he marked it as a guess.
        simulated: Whether a program answered: then it is evidence of nothing.
        blind: Whether he said that he had seen neither images nor mistakes.
    """

    reader: str
    answer: int
    unsure: bool
    simulated: bool
    blind: bool


@dataclass(frozen=True)
class ImageAnswer:
    """Everything about one image, and its place in a view.

    Attributes:
        split: Name of its split.
        index: Position in it.
        file: Name of its file, None where it comes from no file of its own.
        shape: Height, width and channels in pixels; empty where the image can't be read.
        given: Its given label.
        decided: Decided verdict.
        decided_label: The label that was decided.
        revision: The newest revision of the verdicts.
        position: Place in the view, None where it isn't in it.
        previous: Index of the image before it in the view, None if there is none.
        next: Index of the image after it, likewise.
        total: Number of images in the view.
        models: What each model says of it; out-of-sample ones first.
        scores: Whether the split's scores and the evidence are known.
        difficulty: In nats.
        suspicion: In [0, 1].
        evidence: What speaks for and against the given label, None while that isn't known.
        suggested: Suggested verdict.
        suggested_label: Class suggested instead of the given label.
        reason: Why the label wasn't flagged as wrong, "" if it was or nothing is known.
        reconstructions: What networks with a decoder draw of it.
        neighbours: The nearest training images, the nearest first.
        metadata: Names of columns with the image's values as text, None where it has none.
        readings: What each reader called it, who read it blind.
    """

    split: str
    index: int
    file: str | None
    shape: list[int]
    given: int
    decided: str | None
    decided_label: int | None
    revision: int
    position: int | None
    previous: int | None
    next: int | None
    total: int
    models: list[ModelImageAnswer]
    scores: ScoresState
    difficulty: float | None
    suspicion: float | None
    evidence: str | None
    suggested: str | None
    suggested_label: int | None
    reason: str
    reconstructions: list[ReconstructionAnswer]
    neighbours: list[NeighbourAnswer]
    metadata: list[tuple[str, str | None]]
    readings: list[ReadingAnswer]


@dataclass(frozen=True)
class ConfusionAnswer:
    """How often each given label was predicted as each class.

    Attributes:
        total: Number of images counted.
        cells: (given, predicted, number) off the diagonal, most frequent first.
        left_off: Number of further cells.
        diagonal: (class, number) of images that were predicted as given.
    """

    total: int
    cells: list[tuple[int, int, int]]
    left_off: int
    diagonal: list[tuple[int, int]]
