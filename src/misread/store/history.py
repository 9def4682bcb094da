"""What a log of events comes to: which verdict stands on which image, and what can be undone.

The state is the fold of all decisions that aren't undone, in the order in which they were made. An
undo takes back the newest decision of its own tab; a redo takes back the undo, and puts the
decision back into its old place: what another tab decided since stays on top. A new decision of a
tab forgets what it could redo.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from misread.store.database import Batch
from misread.tables.verdicts import CODES, Verdicts
from misread.types import Array, IndexArray

CLEARED = -1
"""The code of a decision that takes a verdict away."""


# By name: a verdict is equal to its name, and making one for each event would take longest.
_CODES: dict[str | None, int] = {None: CLEARED, **{str(v): code for v, code in CODES.items()}}


class HistoryError(Exception):
    """Events that can't have come about by deciding, undoing and redoing."""


class _Column:
    """A growing array: appending costs no more than what is appended, on average."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self._data: Array = np.empty(64, dtype)
        self._length = 0

    def extend(self, values: Sequence[Any] | Array) -> None:
        end = self._length + len(values)
        if end > len(self._data):
            self._data = np.resize(self._data, max(end, 2 * len(self._data)))
        self._data[self._length : end] = values
        self._length = end

    @property
    def values(self) -> Array:
        return self._data[: self._length]


class _Ledger:
    """The decisions on one split: D decisions on I images in all, an image as often as decided."""

    def __init__(self, split: str, images: int) -> None:
        self.split, self.images = split, images
        self.toggles: list[tuple[int, int]] = []  # revision of each undo and redo, which decision
        # Of each decision: (D,)
        self.revision, self.person = _Column(np.int64), _Column(np.int32)
        self.code, self.label = _Column(np.int8), _Column(np.int16)
        self.decided_at, self.active = _Column(np.int64), _Column(np.bool_)
        self.end = _Column(np.int64)
        # Of each image of each decision: (I,)
        self.item, self.given, self.decision = (
            _Column(np.int32),
            _Column(np.int16),
            _Column(np.int32),
        )

    def place(self, revision: int) -> int:
        """Number of the decision of this revision."""
        return int(np.searchsorted(self.revision.values, revision))

    def items_of(self, decision: int) -> IndexArray:
        """The images of a decision."""
        ends = self.end.values
        start = ends[decision - 1] if decision else 0
        items: IndexArray = self.item.values[start : ends[decision]]
        return items

    def add(self, batch: Batch, people: Sequence[int], mine: Array) -> None:
        """Add those of a batch's decisions (E,) that are on this split."""
        counts = np.asarray(batch.counts)
        images = np.repeat(mine, counts)
        items, given = np.asarray(batch.items), np.asarray(batch.given)
        if len(items) != len(images) or len(given) != len(images):
            raise HistoryError("a decision has more or fewer labels than images")
        if {items.dtype.kind, given.dtype.kind} != {"i"}:
            raise HistoryError("a decision isn't about images")
        items, given, counts = items[images], given[images], counts[mine]
        if items.min() < 0 or items.max() >= self.images:
            raise HistoryError(f"a decision is about images beyond the {self.images} of its split")
        first = len(self.revision.values)
        self.item.extend(items)
        self.given.extend(given)
        self.decision.extend(np.repeat(np.arange(first, first + len(counts)), counts))
        self.end.extend(np.cumsum(counts) + (self.end.values[-1] if first else 0))
        self.revision.extend(np.asarray(batch.revision)[mine])
        self.person.extend(np.asarray(people)[mine])
        self.code.extend(np.asarray([_CODES[verdict] for verdict in batch.verdict])[mine])
        self.label.extend(np.asarray([-1 if x is None else x for x in batch.label])[mine])
        self.decided_at.extend(np.asarray(batch.decided_at)[mine])
        self.active.extend(np.ones(len(counts), bool))

    def toggle(self, revision: int, target: int) -> None:
        """Undo or redo a decision."""
        place = self.place(target)
        if place == len(self.revision.values) or self.revision.values[place] != target:
            raise HistoryError(f"event {revision} is about another split than its decision")
        self.toggles.append((revision, place))
        self.active.values[place] ^= True

    def state(self, as_of: int, people: Sequence[str]) -> Verdicts:
        """The verdicts that stood after a revision."""
        decisions = int(np.searchsorted(self.revision.values, as_of, side="right"))
        active = self.active.values[:decisions].copy()
        for revision, place in reversed(self.toggles):
            if revision <= as_of:
                break
            if place < decisions:
                active[place] ^= True
        rows = int(self.end.values[decisions - 1]) if decisions else 0
        standing = np.flatnonzero(active[self.decision.values[:rows]])
        # The place of the newest standing decision on each image. Not a plain assignment: NumPy
        # doesn't promise which of several values for one image stays.
        newest = np.full(self.images, -1, np.int64)
        np.maximum.at(newest, self.item.values[standing], standing)
        index = np.flatnonzero(newest >= 0)
        decision = self.decision.values[newest[index]]
        index = index[self.code.values[decision] != CLEARED]
        row = newest[index]
        decision = self.decision.values[row]
        names = np.array(people or [""], np.str_)
        return Verdicts(
            split=self.split,
            index=index.astype(np.int32),
            verdict=self.code.values[decision],
            label=self.label.values[decision],
            given=self.given.values[row],
            revision=self.revision.values[decision],
            decided_at=self.decided_at.values[decision],
            person=names[self.person.values[decision]],
        )


@dataclass
class _Tab:
    undo: list[int] = field(default_factory=list)  # revisions of decisions, the newest last
    redo: list[int] = field(default_factory=list)


class History:
    """All events so far, in a form from which any state follows in milliseconds.

    Attributes:
        revision: Of the newest event, 0 if there is none.
    """

    def __init__(self, images: dict[str, int]) -> None:
        self.revision = 0
        self._ledgers = {split: _Ledger(split, count) for split, count in images.items()}
        self._tabs: dict[str, _Tab] = {}
        self._people: dict[str, int] = {}

    def extend(self, batch: Batch) -> None:
        """Take up further events, in order.

        Raises:
            HistoryError: They can't have come about; nothing of this history holds any more.
        """
        toggled: list[tuple[str, int, int]] = []
        steps = zip(
            batch.revision, batch.tab, batch.kind, batch.target, batch.split, strict=True
        )  # fmt: skip
        for revision, name, kind, target, split in steps:
            tab = self._tabs.get(name) or self._tabs.setdefault(name, _Tab())
            if kind == "decide":
                tab.undo.append(revision)
                tab.redo.clear()
                continue
            back, forth = (tab.undo, tab.redo) if kind == "undo" else (tab.redo, tab.undo)
            if target is None or not back or back.pop() != target:
                raise HistoryError(f"event {revision} has nothing to {kind}")
            forth.append(target)
            toggled.append((split.name, revision, target))
        people = [self._people.setdefault(name, len(self._people)) for name in batch.person]
        decided = np.asarray([kind == "decide" for kind in batch.kind], bool)
        for name in {split.name for split in set(batch.split)}:
            mine = decided & np.asarray([split.name == name for split in batch.split], bool)
            if mine.any():
                self._ledgers[name].add(batch, people, mine)
        for name, revision, target in toggled:
            self._ledgers[name].toggle(revision, target)
        if batch.revision:
            self.revision = batch.revision[-1]

    def target(self, tab: str, kind: str) -> int | None:
        """Revision of what this tab would undo or redo, None if there is nothing."""
        stacks = self._tabs.get(tab, _Tab())
        stack = stacks.undo if kind == "undo" else stacks.redo
        return stack[-1] if stack else None

    def find(self, revision: int) -> tuple[str, IndexArray]:
        """Split and images of a decision."""
        for split, ledger in self._ledgers.items():
            place = ledger.place(revision)
            if place < len(ledger.revision.values) and ledger.revision.values[place] == revision:
                return split, ledger.items_of(place)
        raise KeyError(revision)

    def state(self, split: str, as_of: int) -> Verdicts:
        """The verdicts on a split that stood after a revision."""
        return self._ledgers[split].state(as_of, list(self._people))

    def touched(self, since: int) -> Iterator[tuple[str, Array, Array]]:
        """Split, images and the newest revision that touched them, of all events after one."""
        for split, ledger in self._ledgers.items():
            first = int(np.searchsorted(ledger.revision.values, since, side="right"))
            places = list(range(first, len(ledger.revision.values)))
            revisions = ledger.revision.values[first:].tolist()
            for revision, place in reversed(ledger.toggles):
                if revision <= since:
                    break
                places.append(place)
                revisions.append(revision)
            if not places:
                continue
            items = [ledger.items_of(place) for place in places]
            newest = np.zeros(ledger.images, np.int64)
            counts = [len(each) for each in items]
            np.maximum.at(newest, np.concatenate(items), np.repeat(revisions, counts))
            index = np.flatnonzero(newest)
            yield split, index, newest[index]
