"""Misread images as tiles: what the model says of each, and what the panel suggests."""

from collections.abc import Iterable

from misread.analysis.mistakes import MistakeTable
from misread.views.pages.parts import Picture, Tile
from misread.views.pages.study_tables import StudyTables


def make_tiles(
    tables: StudyTables, split: str, mistakes: MistakeTable, rows: Iterable[int]
) -> tuple[Tile, ...]:
    """Some of the mistakes of one model on one split.

    Args:
        tables: The study's tables.
        split: Name of the split.
        mistakes: All mistakes.
        rows: Which of them, in the order in which they are wanted.
    """
    return tuple(_make_tile(tables, split, mistakes, row) for row in rows)


def _make_tile(tables: StudyTables, split: str, mistakes: MistakeTable, row: int) -> Tile:
    labels, index = tables.labels, int(mistakes.index[row])
    place = tables.place(split, index)
    # A mistake of a network on its own training images may be none of the panel's.
    said = None if place is None else tables.audits[split].suggestions.get(place)
    decided, decided_label = tables.decided(split, index)
    return Tile(
        picture=Picture(split, index),
        file=tables.file(split, index),
        given=labels[mistakes.given[row]],
        predicted=labels[mistakes.predicted[row]],
        p_predicted=float(mistakes.p_predicted[row]),
        p_given=float(mistakes.p_given[row]),
        suggested="" if said is None else str(said.verdict),
        suggested_label=None if said is None or said.label is None else labels[said.label],
        decided=decided,
        decided_label=decided_label,
    )
