"""Error rates by a metadata column, from a study."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from misread.analysis.groups import Groups, group_values
from misread.analysis.slices import SliceErrors, Target, slice_errors
from misread.errors import MetadataError, ParameterError
from misread.store import Study
from misread.tables import Predictions, Provenance
from misread.tables.metadata import Metadata
from misread.types import Array
from misread.views.mistakes import save_png
from misread.views.slices import draw_slices

GIVEN = "given"


@dataclass(frozen=True)
class Slices:
    """Error rates by a column, and the picture of them.

    Attributes:
        errors: The error rates.
        by: The column.
        binned: Whether the slices are quantiles of a number.
        cluster: The column that says which images belong together, None if nothing does.
        alone: Number of images without a value there; each counted as a cluster of its own.
        provenance: Where the predictions come from.
        path: The picture.
    """

    errors: SliceErrors
    by: str
    binned: bool
    cluster: str | None
    alone: int
    provenance: Provenance
    path: Path


def slices(
    study: Study,
    by: str,
    split: str = "test",
    model: str | None = None,
    *,
    bins: int | None = None,
    level: float = 0.95,
    seed: int = 0,
    save: Path | None = None,
) -> Slices:
    """Error rates by a column of a study's metadata, worst first, with a picture.

    Args:
        study: Where predictions and metadata are.
        by: The column; `given` slices by the given label, without any metadata.
        split: Which split.
        model: Only predictions of this model (`convnet`) or run (`convnet-short-s0`); None takes
            the newest.
        bins: Quantiles of a number, 0 for none; None means 5 for a number with more than 20 values,
            unless it is what images cluster by.
        level: Confidence that the intervals of all slices hold together, in (0, 1).
        seed: Seed of the bootstrap over clusters.
        save: A `.png` file; None for one in the study's figures.

    Raises:
        StudyError: There are no such predictions.
        PredictionsError: They are in-sample.
        MetadataError: There is no such column.
        ParameterError: `bins`, `level` or `save` can't be used, or there are too many slices.
    """
    if save is not None and Path(save).suffix.lower() != ".png":
        raise ParameterError(f"save: expected a .png file. Got {str(save)!r} instead.")
    predictions = study.newest_out_of_sample(split, model)
    if not len(predictions):
        raise ParameterError(f"split: expected one with images. Got {split!r} instead.")
    metadata = study.load_metadata(split)
    groups = _groups(study, predictions, metadata, by, bins)
    cluster = None if metadata is None else metadata.cluster
    clusters, alone = _clusters(metadata, predictions.index)
    target = Target.SAME_CLUSTERS if by == cluster and not groups.binned else None
    wrong = predictions.predicted != predictions.given
    errors = slice_errors(
        wrong, groups.names, groups.codes, clusters, target=target, level=level, seed=seed
    )
    provenance = predictions.provenance
    name = f"{provenance.name}.by-{re.sub(r'[^A-Za-z0-9_-]+', '_', by)}.png"
    path = study.figures / name if save is None else Path(save)
    title = f"Error rate by {'given label' if by == GIVEN else by}"
    figure = draw_slices(errors, title, provenance.name, cluster)
    try:
        save_png(figure, path)
    except OSError as error:
        raise ParameterError(f"save: can't write {path}: {error.strerror}") from error
    return Slices(errors, by, groups.binned, cluster, alone, provenance, path)


def _groups(
    study: Study, predictions: Predictions, metadata: Metadata | None, by: str, bins: int | None
) -> Groups:
    if by == GIVEN:
        codes = predictions.given.astype(np.int64)
        return group_values(codes, np.array(predictions.classes, dtype=object), bins)
    if metadata is None:
        split = predictions.provenance.split
        raise MetadataError(
            f"{study.path}: expected metadata of the {split} split, found none; "
            "`misread import metadata FILE` brings some, --by given needs none"
        )
    codes, values = metadata.values(by)
    if bins is None and by == metadata.cluster:
        bins = 0  # a writer's number is a name
    try:
        return group_values(codes[predictions.index], values, bins)
    except ParameterError as error:
        raise ParameterError(f"by: {by!r}: {error}") from error


def _clusters(metadata: Metadata | None, index: Array) -> tuple[Array | None, int]:
    """(N,) the cluster of each image, and how many images have none and so are one each."""
    if metadata is None or metadata.cluster is None:
        return None, 0
    codes = metadata.values(metadata.cluster)[0][index]
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    return np.unique(codes, return_inverse=True)[1], int(alone.sum())
