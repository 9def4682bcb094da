"""The misread images of one split, a group for each given class, as in the post."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from misread.analysis.mistakes import MistakeTable, find_mistakes
from misread.tables import Origin, Provenance
from misread.types import IntArray
from misread.views.pages.parts import TARGETS, Label, Share, Tile
from misread.views.pages.results import result_key
from misread.views.pages.study_tables import StudyTables
from misread.views.pages.tiles import make_tiles


@dataclass(frozen=True)
class MistakeGroup:
    """The mistakes among the images given one label.

    Attributes:
        given: The class.
        error: Error rate of the class.
        tiles: The most confident mistakes, most confident first.
        hidden: Number of further mistakes.
    """

    given: Label
    error: Share
    tiles: tuple[Tile, ...]
    hidden: int


@dataclass(frozen=True)
class MistakesPage:
    """The mistakes of one model on one split.

    Attributes:
        key: Names it within the study, as in `Result`: `test.held-out`.
        run: Name of the run.
        models: Number of runs that predict the split, this one among them.
        split: Name of the split.
        origin: What the model had seen of it.
        error: Error rate, as labelled.
        target: What rate and interval are about.
        suggested: How many of the mistakes the panel suggests each verdict on; empty where there is
            no panel.
        groups: In the order of the classes; those without a mistake have none.
        hidden_groups: Number of further classes with mistakes.
        hidden: Number of mistakes that are not on the page.
    """

    key: str
    run: str
    models: int
    split: str
    origin: str
    error: Share
    target: str
    suggested: tuple[tuple[str, int], ...]
    groups: tuple[MistakeGroup, ...]
    hidden_groups: int
    hidden: int

    @property
    def title(self) -> str:
        """Heading of the page, and its name in a navigation."""
        return f"Misread {self.split} images: {self.run}"


def build_mistakes(tables: StudyTables, provenance: Provenance) -> MistakesPage:
    """The page of one model's mistakes on one split.

    Where there are too many, the most misread classes are shown, and of each the most confident
    mistakes: as many as fit, evenly.

    Args:
        tables: The study's tables.
        provenance: Which predictions.
    """
    evaluation = tables.evaluation(provenance)
    mistakes = find_mistakes(tables.outcomes(provenance))
    interval = provenance.origin != Origin.IN_SAMPLE
    wrong = [row for row in evaluation.classes if row.error.count]
    wrong.sort(key=lambda row: -row.error.count)
    shown = sorted(wrong[: tables.limits.groups], key=lambda row: row.given)
    most = fair_share([row.error.count for row in shown], tables.limits.tiles)
    rows_of = _by_given(mistakes)
    groups = []
    for row in shown:
        rows = rows_of[row.given]
        tiles = make_tiles(tables, provenance.split, mistakes, map(int, rows[:most]))
        error = Share.of(row.error, interval=interval)
        groups.append(
            MistakeGroup(tables.labels[row.given], error, tiles, max(0, len(rows) - most))
        )
    return MistakesPage(
        key=result_key(provenance),
        run=provenance.run_name,
        models=len({p.run_name for p in tables.predictions if p.split == provenance.split}),
        split=provenance.split,
        origin=str(provenance.origin),
        error=Share.of(evaluation.error, interval=interval),
        target=TARGETS[provenance.origin],
        suggested=_count_suggested(tables, provenance.split, mistakes),
        groups=tuple(groups),
        hidden_groups=len(wrong) - len(shown),
        hidden=len(mistakes) - sum(len(group.tiles) for group in groups),
    )


def fair_share(counts: Sequence[int], most: int) -> int:
    """How many of each group to show, so that all groups together show no more than `most`.

    Small groups are shown whole, and leave their room to the others.

    Example:
        >>> fair_share([2, 50, 50], 42)
        20
    """
    room = most
    for done, count in enumerate(sorted(counts)):
        share = room // (len(counts) - done)
        if count > share:
            return max(1, share)
        room -= count
    return max(counts, default=1)


def _by_given(mistakes: MistakeTable) -> dict[int, IntArray]:
    """The rows of each given class, most confident first."""
    order = np.argsort(mistakes.given, kind="stable")
    labels, starts = np.unique(mistakes.given[order], return_index=True)
    ends = [*starts[1:], len(order)]
    return {
        int(label): order[start:end]
        for label, start, end in zip(labels, starts, ends, strict=False)
    }


def _count_suggested(
    tables: StudyTables, split: str, mistakes: MistakeTable
) -> tuple[tuple[str, int], ...]:
    if split not in tables.audits:
        return ()
    suggestions = tables.audits[split].suggestions
    index = tables.audits[split].evidence.panel.index
    places = np.flatnonzero(np.isin(index, mistakes.index, assume_unique=True)).tolist()
    found = Counter(str(suggestions[place].verdict) for place in places if place in suggestions)
    return tuple(found.most_common())
