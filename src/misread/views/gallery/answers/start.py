"""What the page needs before it can ask for anything."""

from dataclasses import dataclass
from typing import Literal


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
