"""What the gallery answers: one frozen dataclass for each answer, which is its JSON object.

Classes are numbers. A list has None where something isn't known of an image.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class ScoresState:
    """Whether difficulty, suspicion and suggested verdicts of a split are known.

    Attributes:
        state: `ready`; `pending`, being computed; `none`, nothing to compute them from.
        reason: Why there are none, "" otherwise.
    """

    state: Literal["ready", "pending", "none"]
    reason: str = ""


@dataclass(frozen=True)
class MetadataAnswer:
    """A column of the metadata.

    Attributes:
        name: Its name.
        kind: `text`, `whole numbers`, `numbers` or `yes/no`.
        values: The most frequent values with their number of images.
        distinct: Number of distinct values.
        missing: Number of images without one.
    """

    name: str
    kind: str
    values: list[tuple[str, int]]
    distinct: int
    missing: int


@dataclass(frozen=True)
class SplitAnswer:
    """A split of the study's dataset.

    Attributes:
        images: Number of images.
        cell: (width, height) in pixels of a cell of its sprites; None where each image is fetched
            by itself.
        scores: Whether its scores are known.
        metadata: Its columns.
    """

    images: int
    cell: tuple[int, int] | None
    scores: ScoresState
    metadata: list[MetadataAnswer]


@dataclass(frozen=True)
class ModelAnswer:
    """Predictions of one split.

    Attributes:
        run: Name of the run, as queries take it.
        model: Name of the model.
        split: Name of the split.
        origin: `held-out`, `cross-fitted` or `in-sample`.
        created: ISO 8601 time.
    """

    run: str
    model: str
    split: str
    origin: str
    created: str


@dataclass(frozen=True)
class SortAnswer:
    """What images can be sorted by.

    Attributes:
        key: As queries take it.
        order: `asc` or `desc`: its usual order.
        needs: What it is computed from: `model`, `scores` or nothing.
    """

    key: str
    order: Literal["asc", "desc"]
    needs: Literal["model", "scores"] | None


@dataclass(frozen=True)
class StudyAnswer:
    """The study.

    Attributes:
        id: The same for as long as the study is of the same images, and another for another study.
        name: Of its folder.
        dataset: Name of the dataset.
        note: How the study came about, "" if there is nothing to know.
        path: Its folder.
    """

    id: str
    name: str
    dataset: str
    note: str
    path: str


@dataclass(frozen=True)
class BootAnswer:
    """What the page needs before it can ask for anything.

    Attributes:
        version: Of misread.
        token: What writes must bring.
        revision: The newest revision of the verdicts.
        writable: Whether verdicts can be saved.
        study: The study.
        classes: K names.
        splits: By name.
        models: Newest first.
        sorts: What images can be sorted by.
        verdicts: What can be decided.
        default: The split and model of a query that names none.
    """

    version: str
    token: str
    revision: int
    writable: bool
    study: StudyAnswer
    classes: list[str]
    splits: dict[str, SplitAnswer]
    models: list[ModelAnswer]
    sorts: list[SortAnswer]
    verdicts: list[str]
    default: dict[str, str | None]


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
class ReadingAnswer:
    """What one reader called an image.

    Attributes:
        reader: A pseudonym.
        answer: Number of the class.
        unsure: Whether he marked it as a guess.
        simulated: Whether a program answered: then it is evidence of nothing.
    """

    reader: str
    answer: int
    unsure: bool
    simulated: bool


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


def plain(answer: object) -> Any:
    """An answer as JSON takes it: dataclasses as objects, without copying their lists."""
    if dataclasses.is_dataclass(answer):
        names = (field.name for field in dataclasses.fields(answer))
        return {name: plain(getattr(answer, name)) for name in names}
    if isinstance(answer, dict):
        return {key: plain(value) for key, value in answer.items()}
    if isinstance(answer, list) and answer and dataclasses.is_dataclass(answer[0]):
        return [plain(value) for value in answer]
    return answer
