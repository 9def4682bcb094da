"""Some images of a view as columns for the page."""

import numpy as np
import numpy.typing as npt

from misread.tables.verdicts import VERDICTS
from misread.types import IndexArray
from misread.views.gallery.answers import TilesAnswer
from misread.views.gallery.columns import ModelColumns, ScoreColumns
from misread.views.gallery.gallery import Gallery
from misread.views.gallery.query import Query

MOST_TILES = 1_000
_DIGITS = 4


def tiles(gallery: Gallery, query: Query, start: int, count: int) -> TilesAnswer:
    """Columns of the images from `start` on, at most `MOST_TILES`, fewer at the view's end.

    Raises:
        ParameterError: The query names something that there isn't.
    """
    pinned = gallery.pin(query).query
    split = pinned.split or ""
    at = gallery.find(pinned).places[start : start + min(count, MOST_TILES)]
    model = model_at(gallery, pinned, at)
    scores = scores_at(gallery, split, at)
    decided = gallery.decisions.columns(split)
    return TilesAnswer(
        start=start,
        revision=decided.revision,
        index=at.tolist(),
        given=gallery.holdings.split(split).labels[at].tolist(),
        predicted=classes(model.predicted),
        p_predicted=numbers(model.p_predicted),
        p_given=numbers(model.p_given),
        difficulty=numbers(scores.difficulty),
        suspicion=numbers(scores.suspicion),
        suggested=names(scores.suggested),
        suggested_label=classes(scores.suggested_label),
        decided=names(decided.verdict[at]),
        decided_label=classes(decided.label[at]),
    )


def model_at(gallery: Gallery, pinned: Query, at: IndexArray) -> ModelColumns:
    """What the model of a pinned query says of some images."""
    found = gallery.model_columns(pinned)
    return ModelColumns.unknown(len(at)) if found is None else found.take(at)


def scores_at(gallery: Gallery, split: str, at: IndexArray) -> ScoreColumns:
    """The scores of some images of a split, as far as they are known."""
    found = gallery.scoring.known(split)
    return ScoreColumns.unknown(len(at)) if found is None else found.take(at)


def classes(labels: npt.NDArray[np.signedinteger]) -> list[int | None]:
    """Class numbers, None for -1."""
    return [None if label < 0 else label for label in labels.tolist()]


def numbers(values: npt.NDArray[np.floating]) -> list[float | None]:
    """Numbers with 4 digits after the point, None for NaN."""
    rounded = np.round(values.astype(np.float64), _DIGITS)
    return [None if value != value else value for value in rounded.tolist()]


def names(codes: npt.NDArray[np.int8]) -> list[str | None]:
    """Verdicts by their names, None for -1."""
    return [None if code < 0 else str(VERDICTS[code]) for code in codes.tolist()]
