"""What answers say of the images that were read, where no plan says which ones were left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from misread.analysis.intervals import Rate
from misread.analysis.reading.answers import LabelReadings, crowd_error, label_readings
from misread.analysis.reading.cells import ReadingCells, counted_cells
from misread.analysis.reading.confusion import Confusion, answer_confusion
from misread.analysis.reading.consistency import error_consistency
from misread.errors import ReadingsError
from misread.tables.answer_counts import AnswerCounts, add_counts, count_answers
from misread.tables.readings import Reader, Readings
from misread.types import LabelArray


@dataclass(frozen=True)
class ReaderAnswers:
    """One reader's answers to the images that he read.

    Attributes:
        reader: Who.
        answers: Number of answers, the first to each image.
        wrong: How many of them differ from the given label.
    """

    reader: Reader
    answers: int
    wrong: int


@dataclass(frozen=True, eq=False)
class ModelOnRead:
    """A model on the images that people read.

    Attributes:
        model: Name of the predictions.
        images: Number of these images that it predicted.
        mistakes: How many of them it misreads.
        cells: Whether people misread an image, the model, or both.
        consistency: Error consistency over all answers, each beside the model's reading of its
            image; NaN where it is undefined.
    """

    model: str
    images: int
    mistakes: int
    cells: ReadingCells
    consistency: float


@dataclass(frozen=True, eq=False)
class Described:
    """What was answered, counted; nothing is said of images that nobody read.

    Attributes:
        split: Name of the split.
        images: N, number of its images.
        names: Tables that the answers are from.
        simulated: Whether programs gave some of them.
        readers: Each reader, as far as they are known; counts don't say who answered.
        counts: All answers by image and class.
        error: Share of the answers that differ from the given label; see `crowd_error` for what its
            interval takes for granted.
        labels: What people called each image: evidence on its label.
        pairs: Number of pairs of answers to the same image.
        agreeing: How many of these pairs are the same class.
        confusion: Given labels against answers; its images are numbers of answers.
        models: Each model on the images that were read.
        predicted: By name of the predictions, (N,) int16 predicted class of every image.
    """

    split: str
    images: int
    names: tuple[str, ...]
    simulated: bool
    readers: tuple[ReaderAnswers, ...]
    counts: AnswerCounts
    error: Rate
    labels: LabelReadings
    pairs: int
    agreeing: int
    confusion: Confusion
    models: tuple[ModelOnRead, ...]
    predicted: Mapping[str, LabelArray]


def describe_answers(
    split: str,
    labels: LabelArray,
    readings: Mapping[str, Readings],
    counts: Mapping[str, AnswerCounts],
    predicted: Mapping[str, LabelArray],
) -> Described:
    """Count what people answered, and how models read the same images.

    Args:
        split: Name of the split.
        labels: (N,) integers, its given labels.
        readings: Tables of readings of it, by name.
        counts: Tables of counts of it, by name.
        predicted: By name of the predictions, (N,) predicted class of every image.

    Raises:
        ReadingsError: There are no answers, or they are of images beyond the split.
    """
    parts = [*map(count_answers, readings.values()), *counts.values()]
    whole = add_counts(parts)
    if not whole.counts.sum():
        raise ReadingsError("readings: expected some answers. Got none")
    whole.table(len(labels))  # checks that images are of the split
    by_image = whole.counts.sum(axis=1)
    agreeing = (whole.counts.astype(np.int64) * (whole.counts - 1)).sum() // 2
    return Described(
        split=split,
        images=len(labels),
        names=(*readings, *counts),
        simulated=whole.simulated,
        readers=tuple(
            each for table in readings.values() for each in _readers(table, labels)
        ),
        counts=whole,
        error=crowd_error(whole, labels),
        labels=label_readings(whole, labels),
        pairs=int((by_image.astype(np.int64) * (by_image - 1)).sum() // 2),
        agreeing=int(agreeing),
        confusion=answer_confusion(whole, labels),
        models=tuple(_model(name, read, whole, labels) for name, read in predicted.items()),
        predicted=predicted,
    )  # fmt: skip


def _readers(readings: Readings, labels: LabelArray) -> Sequence[ReaderAnswers]:
    found = []
    for each in readings.readers:
        mine = count_answers(readings.of([each.name]))
        error = crowd_error(mine, labels)
        found.append(ReaderAnswers(each, error.total, error.count))
    return found


def _model(
    name: str, predicted: LabelArray, counts: AnswerCounts, labels: LabelArray
) -> ModelOnRead:
    cells = counted_cells(counts, labels, predicted != labels)
    answers, wrong = cells.answers.astype(np.int64), cells.wrong.astype(np.int64)
    on_mistakes, both = int(answers[cells.mistake].sum()), int(wrong[cells.mistake].sum())
    return ModelOnRead(
        model=name,
        images=len(cells),
        mistakes=int(cells.mistake.sum()),
        cells=cells,
        consistency=error_consistency(
            both, int(wrong.sum()) - both, on_mistakes - both, int(answers.sum())
        ),
    )
