"""The confusion matrix of a view, as a list of its cells."""

import dataclasses

import numpy as np

from misread.views.gallery.answers import ConfusionAnswer
from misread.views.gallery.gallery import Gallery
from misread.views.gallery.query import Query

# Of a thousand classes there may be a million cells, which nobody looks through.
MOST_CELLS = 2_000


def confusion(gallery: Gallery, query: Query) -> ConfusionAnswer:
    """How often each given label was predicted as each class, among the images of a view.

    The query's own filters by given label, predicted class and right or wrong are left out, so
    that one can go from cell to cell.

    Raises:
        ParameterError: The query names something that there isn't.
    """
    wider = dataclasses.replace(
        query, given=None, predicted=None, right=None, sort="index", order=None, group="none"
    )
    pinned = gallery.pin(wider).query
    model = gallery.model_columns(pinned)
    if model is None:
        return ConfusionAnswer(0, [], 0, [])
    places = gallery.find(pinned).places
    places = places[model.predicted[places] >= 0]
    given = gallery.holdings.split(pinned.split or "").labels[places].astype(np.int64)
    predicted = model.predicted[places].astype(np.int64)
    classes = len(gallery.dataset.classes)
    right = given == predicted
    diagonal = np.bincount(given[right], minlength=classes)
    cells, counts = np.unique(given[~right] * classes + predicted[~right], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_CELLS]
    rows, columns = np.divmod(cells[order], classes)
    return ConfusionAnswer(
        total=len(places),
        cells=list(zip(rows.tolist(), columns.tolist(), counts[order].tolist(), strict=True)),
        left_off=len(cells) - len(order),
        diagonal=[(int(k), int(diagonal[k])) for k in np.flatnonzero(diagonal)],
    )
