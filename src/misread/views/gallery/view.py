"""A view: the images of a split that a query asks for, in its order."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from misread.errors import ParameterError
from misread.tables.verdicts import CODES, Verdict
from misread.types import IndexArray, LabelArray
from misread.views.gallery.columns import (
    DecidedColumns,
    MetadataColumn,
    ModelColumns,
    ScoreColumns,
)
from misread.views.gallery.query import Query
from misread.views.gallery.sorting import grouped, order_by, shuffled

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class View:
    """The images that a query asks for.

    Attributes:
        query: The query, with everything named that it left open.
        places: (M,) int32, positions in the split, in order.
        groups: (class, first place in `places`, number) of each group; class -1 for all in one.
    """

    query: Query
    places: IndexArray
    groups: tuple[tuple[int, int, int], ...]

    def __len__(self) -> int:
        return len(self.places)

    @property
    def split(self) -> str:
        """Name of the split."""
        return self.query.split or ""

    @property
    def nbytes(self) -> int:
        """Bytes in memory, nearly."""
        return self.places.nbytes + 200 * len(self.groups)

    def find(self, index: int) -> int | None:
        """Place of an image in the view, None where it isn't in it."""
        found = np.flatnonzero(self.places == index)
        return int(found[0]) if len(found) else None


@dataclass(frozen=True, eq=False)
class Columns:
    """Everything that a query can ask about the N images of a split.

    Attributes:
        given: (N,) int16, given labels.
        model: What the query's model predicts; None if it names none or none is needed.
        scores: Difficulty, suspicion and suggestions; None if not known or not needed.
        decided: Decided verdicts; None if not needed.
        metadata: By name.
    """

    given: LabelArray
    model: ModelColumns | None
    scores: ScoreColumns | None
    decided: DecidedColumns | None
    metadata: dict[str, MetadataColumn]


def choose(query: Query, columns: Columns) -> Mask | None:
    """(N,) bool, which images a query asks for; None for all of them.

    Where what a filter looks at isn't known of an image, the filter leaves it out.

    Raises:
        ParameterError: A metadata column or value that there isn't.
    """
    masks: list[Mask] = []
    nothing = np.zeros(len(columns.given), np.bool_)
    if query.given is not None:
        masks.append(columns.given == query.given)
    model = columns.model
    if query.predicted is not None:
        masks.append(nothing if model is None else model.predicted == query.predicted)
    if query.right is not None:
        masks.append(nothing if model is None else _right(query.right, model, columns.given))
    if query.suggested is not None:
        code = CODES[Verdict(query.suggested)]
        masks.append(nothing if columns.scores is None else columns.scores.suggested == code)
    if query.decided is not None:
        masks.append(_decided(query.decided, columns.decided, len(nothing)))
    masks += [_has_value(name, text, columns.metadata) for name, text in query.meta]
    return np.logical_and.reduce(masks) if masks else None


def _right(right: bool, model: ModelColumns, given: LabelArray) -> Mask:
    same: Mask = model.predicted == given
    return same if right else ~same & (model.predicted >= 0)


def _decided(wanted: str, decided: DecidedColumns | None, images: int) -> Mask:
    verdict = np.full(images, -1, np.int8) if decided is None else decided.verdict
    if wanted == "none":
        return verdict < 0
    return verdict >= 0 if wanted == "any" else verdict == CODES[Verdict(wanted)]


def _has_value(name: str, text: str, metadata: dict[str, MetadataColumn]) -> Mask:
    if name not in metadata:
        there = ", ".join(metadata) or "none"
        raise ParameterError(f"meta: expected a column of the metadata ({there}). Got {name!a}.")
    column = metadata[name]
    code = column.find(text) if text else -1
    if code is None:
        raise ParameterError(f"meta.{name}: no image has the value {text!a}")
    mask: Mask = column.codes == code
    return mask


def sort(query: Query, columns: Columns) -> IndexArray:
    """(N,) int32, all images of a split in a query's order, grouped as it says.

    A sort whose numbers aren't known is one by index.
    """
    values, up = _values(query, columns), query.ascending
    if query.sort == "random":
        order = shuffled(len(columns.given), query.seed)
    elif values is not None:
        order = order_by(values, ascending=up)
    else:
        order = np.arange(len(columns.given), dtype=np.int32)
        up = up or query.sort != "index"
    if values is None and not up:
        order = order[::-1]
    return grouped(order, columns.given) if query.group == "given" else order


def _values(query: Query, columns: Columns) -> npt.NDArray[np.float32] | None:
    if query.sort == "confidence":
        return None if columns.model is None else columns.model.p_predicted
    if query.sort in ("difficulty", "suspicion") and columns.scores is not None:
        values: npt.NDArray[np.float32] = getattr(columns.scores, query.sort)
        return values
    return None
