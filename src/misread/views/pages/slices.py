"""Error rates by the columns of the metadata."""

from dataclasses import dataclass

from misread.analysis.slices import SliceError, target_text
from misread.analysis.slicing import ColumnErrors, slice_by_column
from misread.errors import ParameterError
from misread.tables import Origin, Provenance
from misread.tables.metadata import Metadata
from misread.views.pages.parts import Interval, Share
from misread.views.pages.study_tables import StudyTables


@dataclass(frozen=True)
class Slice:
    """The images with one value, or one range of values.

    Attributes:
        name: The value or range.
        error: Error rate; its interval holds together with those of all other slices.
        difference: To all other slices together, in [-1, 1]; None throughout if there are none.
        differs: Whether the interval of the difference excludes 0.
    """

    name: str
    error: Share
    difference: Interval
    differs: bool


@dataclass(frozen=True)
class SliceTable:
    """Error rates by one column.

    Attributes:
        split: Name of the split.
        run: Name of the run.
        column: Name of the column.
        binned: Whether the slices are quantiles of a number.
        slices: The worst first.
        hidden: Number of further slices.
        overall: Error rate of all images, its interval about the same as the slices'.
        target: What the intervals are about.
        level: Confidence that the intervals of all slices hold together.
    """

    split: str
    run: str
    column: str
    binned: bool
    slices: tuple[Slice, ...]
    hidden: int
    overall: Share
    target: str
    level: float


def build_slices(tables: StudyTables) -> tuple[SliceTable, ...]:
    """Error rates by each column of the metadata of each split, for out-of-sample predictions.

    Columns that name images rather than groups of them are left out, as are those with one value.
    """
    made: list[SliceTable] = []
    for provenance in tables.shown:
        metadata = tables.study.load_metadata(provenance.split)
        if metadata is None or provenance.origin == Origin.IN_SAMPLE:
            continue
        columns = [name for name in metadata.columns if _groups_images(metadata, name)]
        for column in columns[: tables.limits.columns]:
            found = _slice(tables, provenance, metadata, column)
            if found is not None and len(found.errors.slices) > 1:
                made.append(_table(provenance, found, tables.limits.slices))
    return tuple(made)


def _groups_images(metadata: Metadata, column: str) -> bool:
    """Whether a column's values have several images each, or are numbers that can be binned."""
    values = metadata.values(column)[1]
    return metadata.kind(column) in ("numbers", "whole numbers") or 2 * len(values) < len(metadata)


def _slice(
    tables: StudyTables, provenance: Provenance, metadata: Metadata, column: str
) -> ColumnErrors | None:
    outcomes = tables.outcomes(provenance)
    if not len(outcomes):
        return None
    try:
        return slice_by_column(outcomes, metadata, column)
    except ParameterError:
        return None  # too many values


def _table(provenance: Provenance, found: ColumnErrors, most: int) -> SliceTable:
    errors = found.errors
    clustered = errors.overall_clustered
    overall = clustered if clustered and errors.target == "new clusters" else errors.overall
    return SliceTable(
        split=provenance.split,
        run=provenance.run_name,
        column=found.by,
        binned=found.binned,
        slices=tuple(_slice_row(part) for part in errors.slices[:most]),
        hidden=max(0, len(errors.slices) - most),
        overall=Share.of(overall),
        target=target_text(errors, found.cluster),
        level=errors.level,
    )


def _slice_row(part: SliceError) -> Slice:
    difference, none = part.difference, part.difference.value != part.difference.value
    numbers = (difference.value, difference.low, difference.high)
    return Slice(
        name=part.name,
        error=Share.of(part.error),
        difference=Interval(*((None, None, None) if none else numbers)),
        differs=difference.differs,
    )
