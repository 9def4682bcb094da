"""What one model does on one split: error rates, what is read as what, calibration."""

from dataclasses import dataclass

from misread.analysis.adjudication import LIMITS, TARGET, adjudicate, adjudicated_error
from misread.analysis.calibration import measure_calibration
from misread.analysis.evaluation import Evaluation
from misread.analysis.mistakes import find_mistakes
from misread.tables import Origin, Provenance
from misread.views.pages.parts import TARGETS, Interval, Label, Share, Tile
from misread.views.pages.study_tables import StudyTables
from misread.views.pages.tiles import make_tiles


@dataclass(frozen=True)
class ConfusionCell:
    """How many images of one given class are read as another.

    Attributes:
        given: The given class.
        predicted: The predicted class.
        count: Number of images, 1 or more.
    """

    given: Label
    predicted: Label
    count: int


@dataclass(frozen=True)
class Confusion:
    """What is read as what, without the pairs of classes that never occur.

    Attributes:
        classes: All classes, where they are few enough for a square; else empty.
        right: For each of `classes`, the number of its images that are read as given.
        cells: Pairs of different classes, the most frequent first.
        hidden: Number of further pairs that occur.
        hidden_images: Number of images in them.
    """

    classes: tuple[Label, ...]
    right: tuple[int, ...]
    cells: tuple[ConfusionCell, ...]
    hidden: int
    hidden_images: int


@dataclass(frozen=True)
class ClassError:
    """The errors among the images given one label.

    Attributes:
        given: The class.
        error: Error rate.
        read_as: The classes that they are read as, the most frequent first; at most three.
        hidden: Number of further classes that they are read as.
    """

    given: Label
    error: Share
    read_as: tuple[ConfusionCell, ...]
    hidden: int


@dataclass(frozen=True)
class ReliabilityBin:
    """Images whose predicted classes have similar probabilities.

    Attributes:
        confidence: Mean probability of the predicted class.
        doubt: 1 - confidence without the rounding: the share of mistakes that the model expects.
        misread: Share of mistakes.
    """

    confidence: float
    doubt: float
    misread: Share


@dataclass(frozen=True)
class Reliability:
    """How well a model's probabilities fit how often it is right.

    Attributes:
        bins: The reliability curve, least sure first.
        misread: Share of mistakes.
        expected: Share of mistakes that the probabilities promise.
        ece: Expected calibration error, plugged in, with the interval of what these bins can see on
            new images.
        ece_if_calibrated: What `ece` would be on average if the probabilities were right.
        ece_debiased: An estimate that is about 0 if they are right.
        p_value: How often right probabilities would give an `ece` as large as this.
    """

    bins: tuple[ReliabilityBin, ...]
    misread: Share
    expected: float
    ece: Interval
    ece_if_calibrated: float
    ece_debiased: float
    p_value: float


@dataclass(frozen=True)
class AfterVerdicts:
    """The error rate after people's verdicts, over all images; to stand beside that as labelled.

    Attributes:
        error: Error rate against the adjudicated labels.
        lowest: The same in the best case for the model, for what is still open.
        highest: The same in the worst case.
        reviewed_mistakes: How many mistakes, as labelled, have a verdict.
        reviewed_others: How many of the other images have one.
        righted: How many mistakes are none after verdicts.
        added: How many other images are mistakes after verdicts.
        target: What the intervals are about.
        caution: What to know before the rate is believed.
    """

    error: Share
    lowest: Share
    highest: Share
    reviewed_mistakes: int
    reviewed_others: int
    righted: int
    added: int
    target: str
    caution: str


@dataclass(frozen=True)
class Result:
    """One model on one split.

    Attributes:
        key: Names it within the study: `test.held-out`.
        run: Name of the run.
        split: Name of the split.
        origin: What the model had seen of it: `held-out`, `cross-fitted` or `in-sample`.
        error: Error rate, as labelled.
        loss: Mean of -ln(probability of the given class), in nats; None of no images.
        target: What rate and interval are about, in a sentence or two.
        after: The error rate after verdicts; None where nobody gave one.
        confusion: What is read as what.
        classes: Error of each class that has images; in the order of the classes, or where these
            are too many the worst first.
        hidden_classes: Number of further classes with images.
        reliability: Calibration; None for in-sample predictions and for no images.
        first: The most confident mistakes.
    """

    key: str
    run: str
    split: str
    origin: str
    error: Share
    loss: float | None
    target: str
    after: AfterVerdicts | None
    confusion: Confusion
    classes: tuple[ClassError, ...]
    hidden_classes: int
    reliability: Reliability | None
    first: tuple[Tile, ...]


def result_key(provenance: Provenance) -> str:
    """What names the shown predictions of a split within a study: `test.held-out`."""
    return f"{provenance.split}.{provenance.origin}"


def build_result(tables: StudyTables, provenance: Provenance) -> Result:
    """What one model does on one split.

    Args:
        tables: The study's tables.
        provenance: Which predictions.
    """
    outcomes, evaluation = tables.outcomes(provenance), tables.evaluation(provenance)
    seen = provenance.origin == Origin.IN_SAMPLE
    classes, hidden = _class_errors(tables, evaluation, interval=not seen)
    mistakes = find_mistakes(outcomes)
    shown = range(min(len(mistakes), tables.limits.preview))
    return Result(
        key=result_key(provenance),
        run=provenance.run_name,
        split=provenance.split,
        origin=str(provenance.origin),
        error=Share.of(evaluation.error, interval=not seen),
        loss=evaluation.loss if len(outcomes) else None,
        target=TARGETS[provenance.origin],
        after=_after_verdicts(tables, provenance, interval=not seen),
        confusion=_confusion(tables, evaluation),
        classes=classes,
        hidden_classes=hidden,
        reliability=None if seen or not len(outcomes) else _reliability(tables, provenance),
        first=make_tiles(tables, provenance.split, mistakes, shown),
    )


def _after_verdicts(
    tables: StudyTables, provenance: Provenance, *, interval: bool
) -> AfterVerdicts | None:
    verdicts = tables.verdicts(provenance.split)
    if not len(verdicts):
        return None
    labels = adjudicate(tables.dataset.splits[provenance.split].labels, verdicts)
    found = adjudicated_error(tables.outcomes(provenance), labels)
    return AfterVerdicts(
        error=Share.of(found.after, interval=interval),
        lowest=Share.of(found.lowest, interval=interval),
        highest=Share.of(found.highest, interval=interval),
        reviewed_mistakes=found.reviewed_mistakes,
        reviewed_others=found.reviewed_others,
        righted=found.righted,
        added=found.added,
        target=f"{TARGET}. {LIMITS}",
        caution=found.caution,
    )


def _class_errors(
    tables: StudyTables, evaluation: Evaluation, *, interval: bool
) -> tuple[tuple[ClassError, ...], int]:
    rows, most = list(evaluation.classes), tables.limits.classes
    if len(rows) > most:
        rows.sort(key=lambda row: (-row.error.value, -row.error.low))
    made = []
    for row in rows[:most]:
        given = tables.labels[row.given]
        read_as = tuple(ConfusionCell(given, tables.labels[k], n) for k, n in row.read_as[:3])
        hidden = len(row.read_as) - len(read_as)
        made.append(ClassError(given, Share.of(row.error, interval=interval), read_as, hidden))
    return tuple(made), max(0, len(rows) - most)


def _confusion(tables: StudyTables, evaluation: Evaluation) -> Confusion:
    labels, limits = tables.labels, tables.limits
    cells = [
        ConfusionCell(labels[row.given], labels[predicted], count)
        for row in evaluation.classes
        for predicted, count in row.read_as
    ]
    cells.sort(key=lambda cell: (-cell.count, cell.given.number, cell.predicted.number))
    square = len(labels) <= limits.matrix
    shown = cells if square else cells[: limits.confusions]
    right = {row.given: row.error.total - row.error.count for row in evaluation.classes}
    return Confusion(
        classes=labels if square else (),
        right=tuple(right.get(label.number, 0) for label in labels) if square else (),
        cells=tuple(shown),
        hidden=len(cells) - len(shown),
        hidden_images=sum(cell.count for cell in cells) - sum(cell.count for cell in shown),
    )


def _reliability(tables: StudyTables, provenance: Provenance) -> Reliability:
    found = measure_calibration(tables.outcomes(provenance))
    return Reliability(
        bins=tuple(
            ReliabilityBin(row.confidence, row.doubt, Share.of(row.misread)) for row in found.bins
        ),
        misread=Share.of(found.misread),
        expected=found.doubt,
        ece=Interval(found.ece.value, found.ece.low, found.ece.high),
        ece_if_calibrated=found.ece_if_calibrated,
        ece_debiased=found.ece_debiased,
        p_value=found.p_value,
    )
