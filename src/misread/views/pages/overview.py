"""The overview of a study: its dataset, its models, how often they misread, and what."""

from dataclasses import dataclass

from misread.datasets import Split
from misread.datasets.images import describe
from misread.tables import Origin
from misread.views.audit import Audit
from misread.views.pages.models import ModelFacts, TrainingCurve, build_curves, build_models
from misread.views.pages.parts import Share
from misread.views.pages.results import Result, build_result
from misread.views.pages.slices import SliceTable, build_slices
from misread.views.pages.study_tables import StudyTables


@dataclass(frozen=True)
class SplitFacts:
    """One split of the dataset.

    Attributes:
        name: Its name.
        images: Number of images.
        size: Size and kind of the images in words.
        items_fingerprint: Of the images.
        labels_fingerprint: Of the given labels.
    """

    name: str
    images: int
    size: str
    items_fingerprint: str
    labels_fingerprint: str


@dataclass(frozen=True)
class DatasetFacts:
    """The dataset.

    Attributes:
        name: Its name.
        classes: Number of classes.
        licence: Licence of the images; "" if that isn't known.
        notes: What there is to know of how it was read, such as files that were left out.
        splits: Its splits.
    """

    name: str
    classes: int
    licence: str
    notes: tuple[str, ...]
    splits: tuple[SplitFacts, ...]


@dataclass(frozen=True)
class ErrorRow:
    """How often one run misreads one split.

    Attributes:
        run: Name of the run.
        split: Name of the split.
        origin: What the run's models had seen of it.
        mean: Whether these are the mean over the networks of a cross-fit.
        error: Error rate, as labelled.
        loss: Mean of -ln(probability of the given class), in nats; None of no images.
    """

    run: str
    split: str
    origin: str
    mean: bool
    error: Share
    loss: float | None


@dataclass(frozen=True)
class AuditFacts:
    """What the panel suggests for one split, in figures.

    Attributes:
        split: Name of the split.
        models: Number of predictions in the panel.
        images: Number of images that it predicts.
        listed: Number of images that one of its models misreads or that are suspicious.
        suggested: Number of listed images by suggested verdict.
    """

    split: str
    models: int
    images: int
    listed: int
    suggested: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Overview:
    """What a study says as a whole.

    Attributes:
        title: Name of the dataset.
        note: How the study came about, where there is something to know.
        dataset: The dataset.
        models: All runs that have predictions, newest first.
        errors: How often each run misreads each split; out-of-sample ones first, and within a split
            those that misread least.
        results: In detail, one for each split and origin.
        audits: What the panel suggests, for each split that has one.
        curves: How trainings went.
        slices: Error rates by metadata.
        readings_problem: Why what people read can't be shown; "" if it can, or nobody has read.
    """

    title: str
    note: str
    dataset: DatasetFacts
    models: tuple[ModelFacts, ...]
    errors: tuple[ErrorRow, ...]
    results: tuple[Result, ...]
    audits: tuple[AuditFacts, ...]
    curves: tuple[TrainingCurve, ...]
    slices: tuple[SliceTable, ...]
    readings_problem: str


def build_overview(tables: StudyTables) -> Overview:
    """What a study says as a whole; a study without predictions has facts and no results."""
    dataset = tables.dataset
    facts = DatasetFacts(
        name=dataset.name,
        classes=len(dataset.classes),
        licence=dataset.licence or "",
        notes=dataset.notes,
        splits=tuple(_split_facts(tables, split) for split in dataset.splits.values()),
    )
    return Overview(
        title=dataset.name,
        note=tables.study.note,
        dataset=facts,
        models=build_models(tables),
        errors=_errors(tables),
        results=tuple(build_result(tables, provenance) for provenance in tables.shown),
        audits=tuple(_audit_facts(audit) for audit in tables.audits.values()),
        curves=build_curves(tables),
        slices=build_slices(tables),
        readings_problem=tables.readings_problem,
    )


def _split_facts(tables: StudyTables, split: Split) -> SplitFacts:
    shape, known = split.image_shape, tables.study.splits[split.name]
    return SplitFacts(
        name=split.name,
        images=len(split),
        size="sizes not read" if shape is None else describe(shape),
        items_fingerprint=known.items_fingerprint,
        labels_fingerprint=known.labels_fingerprint,
    )


def _audit_facts(audit: Audit) -> AuditFacts:
    return AuditFacts(
        split=audit.split.name,
        models=len(audit.evidence.members),
        images=len(audit),
        listed=len(audit.listed),
        suggested=tuple(audit.counts.items()),
    )


def _errors(tables: StudyTables) -> tuple[ErrorRow, ...]:
    rows = []
    order = [Origin.HELD_OUT, Origin.CROSS_FITTED, Origin.IN_SAMPLE]
    splits = list(tables.dataset.splits)
    for provenance in tables.predictions:
        evaluation = tables.evaluation(provenance)
        rows.append(
            ErrorRow(
                run=provenance.run_name,
                split=provenance.split,
                origin=str(provenance.origin),
                mean=provenance.is_mean,
                error=Share.of(evaluation.error, interval=provenance.origin != Origin.IN_SAMPLE),
                loss=evaluation.loss if evaluation.error.total else None,
            )
        )
    rows.sort(
        key=lambda row: (
            order.index(Origin(row.origin)), splits.index(row.split), row.error.value or 0.0
        )
    )  # fmt: skip
    return tuple(rows)
