"""People against a model: who errs more, on which images, and in which way."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from misread.analysis.intervals import Estimate
from misread.analysis.reading.answers import LabelReadings
from misread.analysis.reading.cells import ReadingCells, reading_cells
from misread.analysis.reading.comparison import Comparison
from misread.analysis.reading.confusion import Confusion, model_confusion
from misread.analysis.reading.result import PeopleResult
from misread.types import IndexArray, LabelArray
from misread.views.pages.parts import Interval, Label, Picture
from misread.views.pages.study_tables import StudyTables


@dataclass(frozen=True)
class ReadImage:
    """An image that readers and a model read.

    Attributes:
        picture: The image.
        file: Name of its file; "" where images are no files.
        given: The given label.
        predicted: The predicted class.
        called: What most readers called it, of those who did not call it its given label where
            these are more than half.
        votes: How many called it that.
        wrong: How many called it otherwise than its given label.
        answers: How many readers read it.
    """

    picture: Picture
    file: str
    given: Label
    predicted: Label
    called: Label
    votes: int
    wrong: int
    answers: int


@dataclass(frozen=True)
class VersusCell:
    """One cell of the two-by-two of people and a model.

    Attributes:
        kind: `both` wrong, `model` only, `people` only, or `neither`.
        images: How many of all N images, the mean over the readers, with its interval; without one
            where it is known.
        read: How many of the images that were read more than half of their readers put here.
        shown: Some of these: those that most readers misread first; of `neither` an even sample.
        hidden: Number of those not shown.
    """

    kind: str
    images: Interval
    read: int
    shown: tuple[ReadImage, ...]
    hidden: int


@dataclass(frozen=True)
class ConfusedPair:
    """How many of all N images are read as another class than given.

    Attributes:
        given: The given label.
        read_as: The answer or the predicted class.
        people: Images that people read so, estimated by weights, the mean over the readers.
        answers: How many answers of people that is from.
        model: Images that the model reads so.
    """

    given: Label
    read_as: Label
    people: float
    answers: int
    model: int


@dataclass(frozen=True)
class Versus:
    """People, all readers together, against one model.

    Attributes:
        model: Name of the run.
        origin: What the run's models had seen of the split.
        mistakes: Images that the model gets wrong.
        error: Its error rate on these images, which is known.
        inside: Whether all its mistakes are hard images, which everyone reads.
        difference: Error rate of people minus that of the model.
        better: `model` or `people` where the interval excludes 0, else `unsettled`.
        more: Answers of each reader that would settle it, a projection; 0 if it is settled, None
            if reading on would not settle it.
        consistency: Error consistency, Cohen's kappa.
        read_right: Share of the model's mistakes that people read right.
        least_error: Error rate of people if they misread nothing but the model's mistakes: a lower
            bound.
        cells: Both wrong, only the model, only people, neither.
        divided: Images that half of their readers misread, which are in no cell; at most as many
            as a cell shows.
        hidden_divided: Number of further ones.
        pairs: What people and the model take for what, the largest first.
        hidden_pairs: Number of further pairs.
    """

    model: str
    origin: str
    mistakes: int
    error: float
    inside: bool
    difference: Interval
    better: str
    more: int | None
    consistency: Interval
    read_right: Interval
    least_error: Interval
    cells: tuple[VersusCell, ...]
    divided: tuple[ReadImage, ...]
    hidden_divided: int
    pairs: tuple[ConfusedPair, ...]
    hidden_pairs: int


def build_versus(tables: StudyTables, result: PeopleResult, comparison: Comparison) -> Versus:
    """People against one of the models of a result."""
    split = result.people.plan.target.split
    labels = np.asarray(tables.dataset.splits[split].labels)
    predicted = result.predicted[comparison.model]
    cells = reading_cells(result.people.estimate.tallies, predicted != labels)
    numbers = {
        "both": comparison.both,
        "model": comparison.model_only,
        "people": comparison.people_only,
        "neither": comparison.neither,
    }
    pairs = build_pairs(tables, result.confusion, model_confusion(labels, predicted))
    most = tables.limits.confusions // 2
    run, origin = run_of(comparison.model, split)
    shown = cells.divided[: tables.limits.cell]
    return Versus(
        model=run,
        origin=origin,
        mistakes=comparison.mistakes,
        error=comparison.mistakes / comparison.images,
        inside=comparison.inside,
        difference=to_interval(comparison.difference),
        better=str(comparison.better),
        more=comparison.more,
        consistency=to_interval(comparison.consistency),
        read_right=to_interval(comparison.read_right),
        least_error=to_interval(comparison.least_error),
        cells=build_cells(
            tables,
            split,
            result.labels,
            cells,
            predicted,
            {kind: to_interval(number) for kind, number in numbers.items()},
        ),
        divided=build_images(tables, result.labels, split, shown, predicted),
        hidden_divided=len(cells.divided) - len(shown),
        pairs=tuple(pairs[:most]),
        hidden_pairs=max(0, len(pairs) - most),
    )


def run_of(predictions: str, split: str) -> tuple[str, str]:
    """The run and the origin in the name of predictions of a split."""
    run, _, origin = predictions.partition(f".{split}.")
    return run, origin


def known(value: float) -> float | None:
    """A number as pages have it: None for what isn't known."""
    return None if value != value else value


def to_interval(estimate: Estimate) -> Interval:
    """An estimate as plain values: None for what isn't known, no limits where it is certain."""
    if estimate.value != estimate.value:
        return Interval(None, None, None)
    if estimate.low == estimate.high:
        return Interval(estimate.value, None, None)
    return Interval(float(estimate.value), float(estimate.low), float(estimate.high))


def build_cells(
    tables: StudyTables,
    split: str,
    labels: LabelReadings,
    found: ReadingCells,
    predicted: LabelArray,
    numbers: Mapping[str, Interval],
) -> tuple[VersusCell, ...]:
    """The two-by-two with some of its images.

    Args:
        tables: The study's tables.
        split: Name of the split.
        labels: What people called each image.
        found: The images in their cells.
        predicted: (N,) predicted classes of the model.
        numbers: What is known of the number of images in each cell.
    """
    # Those that the model misreads or people read otherwise are shown first to last; of the many
    # that neither misreads, an even sample.
    most, made = tables.limits.cell, []
    for kind, index in found.by_kind.items():
        step = len(index) // most if kind == "neither" and len(index) > most else 1
        shown = np.sort(index)[::step][:most] if kind == "neither" else index[:most]
        made.append(
            VersusCell(
                kind=kind,
                images=numbers[kind],
                read=len(index),
                shown=build_images(tables, labels, split, shown, predicted),
                hidden=len(index) - len(shown),
            )
        )
    return tuple(made)


def build_images(
    tables: StudyTables, found: LabelReadings, split: str, index: IndexArray, predicted: LabelArray
) -> tuple[ReadImage, ...]:
    """Images that readers and a model read."""
    rows = {int(each): row for row, each in enumerate(found.index)}
    return tuple(
        _image(tables, found, split, rows[int(one)], int(predicted[one]))
        for one in index
        if int(one) in rows
    )


def _image(
    tables: StudyTables, found: LabelReadings, split: str, row: int, predicted: int
) -> ReadImage:
    index, answers = int(found.index[row]), int(found.answers[row])
    votes_given = int(found.votes_label[row])
    other = 2 * votes_given < answers
    return ReadImage(
        picture=Picture(split, index),
        file=tables.file(split, index),
        given=tables.labels[found.label[row]],
        predicted=tables.labels[predicted],
        called=tables.labels[found.majority[row] if other else found.label[row]],
        votes=int(found.votes[row]) if other else votes_given,
        wrong=answers - votes_given,
        answers=answers,
    )


def build_pairs(tables: StudyTables, people: Confusion, model: Confusion) -> list[ConfusedPair]:
    """What people and a model take for what else, the largest first."""
    counted: dict[tuple[int, int], list[float]] = {}
    answers: dict[tuple[int, int], int] = {}
    for place, confusion in enumerate((people, model)):
        for row in np.flatnonzero(confusion.label != confusion.read_as):
            pair = (int(confusion.label[row]), int(confusion.read_as[row]))
            counted.setdefault(pair, [0.0, 0.0])[place] = float(confusion.images[row])
            if confusion is people:
                answers[pair] = int(confusion.answers[row])
    order = sorted(counted, key=lambda pair: (-max(counted[pair]), -sum(counted[pair]), pair))
    return [
        ConfusedPair(
            tables.labels[given],
            tables.labels[read_as],
            counted[given, read_as][0],
            answers.get((given, read_as), 0),
            round(counted[given, read_as][1]),
        )
        for given, read_as in order
    ]
