"""What people answered, counted: readings that follow no plan."""

from dataclasses import dataclass

from misread.analysis.reading.confusion import model_confusion
from misread.analysis.reading.described import Described, ModelOnRead
from misread.views.pages.calls import CalledOther, called_other
from misread.views.pages.parts import Interval, Share
from misread.views.pages.people import SIMULATED
from misread.views.pages.study_tables import StudyTables
from misread.views.pages.versus import (
    ConfusedPair,
    ReadImage,
    VersusCell,
    build_cells,
    build_images,
    build_pairs,
    known,
    run_of,
)


@dataclass(frozen=True)
class AnswersRow:
    """One reader's answers to the images that he read.

    Attributes:
        reader: A pseudonym.
        seen: What he said that he had seen before: `nothing`, `images`, `mistakes` or `unknown`.
        wrong: Of his answers, those that differ from the given label.
    """

    reader: str
    seen: str
    wrong: Share


@dataclass(frozen=True)
class ModelRow:
    """A model on the images that people read.

    Attributes:
        model: Name of the run.
        origin: What the run's models had seen of the split.
        wrong: Of these images, those that it misreads.
        consistency: Error consistency over all answers; None where it is undefined.
        cells: Both wrong, only the model, only people, neither; of the images that were read.
        divided: Images that half of their readers misread, which are in none of the four.
        hidden_divided: Number of further ones.
        pairs: What people take for what in answers, and the model in images, the largest first.
        hidden_pairs: Number of further pairs.
    """

    model: str
    origin: str
    wrong: Share
    consistency: float | None
    cells: tuple[VersusCell, ...]
    divided: tuple[ReadImage, ...]
    hidden_divided: int
    pairs: tuple[ConfusedPair, ...]
    hidden_pairs: int


@dataclass(frozen=True)
class DescribedPage:
    """What people answered; nothing is said of images that nobody read.

    Attributes:
        split: Name of the split.
        images: N.
        read: Images that somebody read.
        tables: Names of the tables that the answers are from.
        simulated: "", or what it means that programs gave some answers.
        wrong: Of all answers, those that differ from the given label.
        readers: Each reader; none where only counts of answers are known.
        hidden_readers: Number of further readers.
        agreement: Of the pairs of answers to the same image, those that are the same class; None
            if there are none.
        models: Each model on the images that were read.
        hidden_models: Number of further models.
        called_other: Images that readers call something else than labelled.
        hidden_called: Number of further ones.
    """

    split: str
    images: int
    read: int
    tables: tuple[str, ...]
    simulated: str
    wrong: Share
    readers: tuple[AnswersRow, ...]
    hidden_readers: int
    agreement: Share | None
    models: tuple[ModelRow, ...]
    hidden_models: int
    called_other: tuple[CalledOther, ...]
    hidden_called: int


def build_described(tables: StudyTables, found: Described) -> DescribedPage:
    """The page of readings that follow no plan.

    Args:
        tables: The study's tables.
        found: What was answered.
    """
    limits = tables.limits
    called, hidden_called = called_other(tables, found.labels, found.split, limits.called)
    rows = [
        AnswersRow(
            each.reader.name, str(each.reader.seen), Share.of_count(each.wrong, each.answers)
        )
        for each in found.readers
    ]
    return DescribedPage(
        split=found.split,
        images=found.images,
        read=len(found.labels),
        tables=found.names,
        simulated=SIMULATED if found.simulated else "",
        wrong=Share.of(found.error, interval=False),
        readers=tuple(rows[: limits.readers]),
        hidden_readers=max(0, len(rows) - limits.readers),
        agreement=Share.of_count(found.agreeing, found.pairs) if found.pairs else None,
        models=tuple(_model(tables, found, each) for each in found.models[: limits.versus]),
        hidden_models=max(0, len(found.models) - limits.versus),
        called_other=called,
        hidden_called=hidden_called,
    )


def _model(tables: StudyTables, found: Described, each: ModelOnRead) -> ModelRow:
    predicted, cells = found.predicted[each.model], each.cells
    labels = tables.dataset.splits[found.split].labels
    read = cells.index
    pairs = build_pairs(tables, found.confusion, model_confusion(labels[read], predicted[read]))
    most, divided = tables.limits.confusions // 2, cells.divided[: tables.limits.cell]
    run, origin = run_of(each.model, found.split)
    numbers = {
        kind: Interval(float(len(index)), None, None) for kind, index in cells.by_kind.items()
    }
    return ModelRow(
        model=run,
        origin=origin,
        wrong=Share.of_count(each.mistakes, each.images),
        consistency=known(each.consistency),
        cells=build_cells(tables, found.split, found.labels, cells, predicted, numbers),
        divided=build_images(tables, found.labels, found.split, divided, predicted),
        hidden_divided=len(cells.divided) - len(divided),
        pairs=tuple(pairs[:most]),
        hidden_pairs=max(0, len(pairs) - most),
    )
