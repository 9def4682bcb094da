"""Some images of a view as columns for the page."""

from misread.types import IndexArray
from misread.views.gallery.answers import TilesAnswer
from misread.views.gallery.columns import ModelColumns, ScoreColumns
from misread.views.gallery.gallery import Gallery
from misread.views.gallery.lists import class_numbers, rounded, verdict_names
from misread.views.gallery.query import Query

MOST_TILES = 1_000


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
        predicted=class_numbers(model.predicted),
        p_predicted=rounded(model.p_predicted),
        p_given=rounded(model.p_given),
        difficulty=rounded(scores.difficulty),
        suspicion=rounded(scores.suspicion),
        suggested=verdict_names(scores.suggested),
        suggested_label=class_numbers(scores.suggested_label),
        decided=verdict_names(decided.verdict[at]),
        decided_label=class_numbers(decided.label[at]),
    )


def model_at(gallery: Gallery, pinned: Query, at: IndexArray) -> ModelColumns:
    """What the model of a pinned query says of some images."""
    found = gallery.model_columns(pinned)
    return ModelColumns.unknown(len(at)) if found is None else found.take(at)


def scores_at(gallery: Gallery, split: str, at: IndexArray) -> ScoreColumns:
    """The scores of some images of a split, as far as they are known."""
    found = gallery.scoring.known(split)
    return ScoreColumns.unknown(len(at)) if found is None else found.take(at)
