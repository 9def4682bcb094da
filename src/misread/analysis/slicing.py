"""Error rates by a column of the metadata, from one model's outcomes."""

from dataclasses import dataclass

import numpy as np

from misread.analysis.groups import Groups, group_values
from misread.analysis.outcomes import Outcomes
from misread.analysis.slices import SliceErrors, Target, slice_errors
from misread.errors import MetadataError, ParameterError
from misread.tables.metadata import Metadata
from misread.types import Array

# The column that needs no metadata: the given label.
GIVEN = "given"


@dataclass(frozen=True)
class ColumnErrors:
    """Error rates by a column.

    Attributes:
        errors: The error rates.
        by: The column.
        binned: Whether the slices are quantiles of a number.
        cluster: The column that says which images belong together, None if nothing does.
        alone: Number of images without a value there; each counted as a cluster of its own.
    """

    errors: SliceErrors
    by: str
    binned: bool
    cluster: str | None
    alone: int


def slice_by_column(
    outcomes: Outcomes,
    metadata: Metadata | None,
    by: str,
    bins: int | None = None,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> ColumnErrors:
    """Error rates by a column of what is known of the images.

    Args:
        outcomes: Of N images by one model that never saw them.
        metadata: Of their split; may be None for `given`.
        by: The column; `given` slices by the given label.
        bins: Quantiles of a number, 0 for none; None means 5 for a number with more than 20 values,
            unless it is what images cluster by.
        level: Confidence that the intervals of all slices hold together, in (0, 1).
        seed: Seed of the bootstrap over clusters.

    Raises:
        MetadataError: There is no such column.
        ParameterError: `bins` or `level` can't be used, or there are too many slices.
    """
    groups = _group(outcomes, metadata, by, bins)
    cluster = None if metadata is None else metadata.cluster
    clusters, alone = _cluster(metadata, outcomes.index)
    target = Target.SAME_CLUSTERS if by == cluster and not groups.binned else None
    errors = slice_errors(
        outcomes.wrong, groups.names, groups.codes, clusters, target=target, level=level, seed=seed
    )
    return ColumnErrors(errors, by, groups.binned, cluster, alone)


def _group(outcomes: Outcomes, metadata: Metadata | None, by: str, bins: int | None) -> Groups:
    if by == GIVEN:
        classes = np.array(outcomes.provenance.classes, dtype=object)
        return group_values(outcomes.given.astype(np.int64), classes, bins)
    if metadata is None:
        raise MetadataError(f"by: expected metadata with the column {by!r}, found none")
    codes, values = metadata.values(by)
    if bins is None and by == metadata.cluster:
        bins = 0  # a writer's number is a name
    try:
        return group_values(codes[outcomes.index], values, bins)
    except ParameterError as error:
        raise ParameterError(f"by: {by!r}: {error}") from error


def _cluster(metadata: Metadata | None, index: Array) -> tuple[Array | None, int]:
    """(N,) the cluster of each image, and how many images have none and so are one each."""
    if metadata is None or metadata.cluster is None:
        return None, 0
    codes = metadata.values(metadata.cluster)[0][index]
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    return np.unique(codes, return_inverse=True)[1], int(alone.sum())
