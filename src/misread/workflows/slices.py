"""Error rates by a metadata column, from a study."""

import re
from dataclasses import dataclass
from pathlib import Path

from misread.analysis.outcomes import read_outcomes
from misread.analysis.slices import SliceErrors
from misread.analysis.slicing import GIVEN, slice_by_column
from misread.errors import MetadataError, ParameterError
from misread.store import Study
from misread.tables import Provenance
from misread.views.pictures import check_png, save_picture
from misread.views.slices import draw_slices


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
    check_png(save)
    predictions = study.newest_out_of_sample(split, model)
    if not len(predictions):
        raise ParameterError(f"split: expected one with images. Got {split!r} instead.")
    metadata = study.load_metadata(split)
    if metadata is None and by != GIVEN:
        raise MetadataError(
            f"{study.path}: expected metadata of the {split} split, found none; "
            "`misread import metadata FILE` brings some, --by given needs none"
        )
    found = slice_by_column(read_outcomes(predictions), metadata, by, bins, level=level, seed=seed)
    provenance = predictions.provenance
    name = f"{provenance.name}.by-{re.sub(r'[^A-Za-z0-9_-]+', '_', by)}.png"
    path = study.figures / name if save is None else Path(save)
    title = f"Error rate by {'given label' if by == GIVEN else by}"
    figure = draw_slices(found.errors, title, provenance.name, found.cluster)
    save_picture(figure, path)
    return Slices(found.errors, by, found.binned, found.cluster, found.alone, provenance, path)
