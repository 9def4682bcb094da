"""The verdicts that people decided: an append-only log with undo per tab."""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from misread.errors import ParameterError, StudyError
from misread.store.database import FILE, Batch, Database, Event, Events, SplitRow, damaged
from misread.store.history import History, HistoryError
from misread.store.record import SplitRecord
from misread.tables.verdicts import Verdict, Verdicts

_LONGEST = 200  # characters of an id or a name
_REMEMBERED = 8  # states


@dataclass(frozen=True)
class Decision:
    """One decision on one or several images.

    Attributes:
        split: Their split.
        items: Their positions in it, each once.
        verdict: What is the matter with them, or its name; None takes a verdict away.
        label: The right class where the verdict is `label`; None where it wasn't said.
        event: An id of its own, chosen by the caller: what is sent twice counts once.
        given: Their labels, in the order of `items`; kept with the verdict. None if unknown.
        person: Who decided, "" if that isn't to be said.
        decided_at: Milliseconds since 1970, UTC; None for now.
    """

    split: str
    items: Sequence[int]
    verdict: Verdict | str | None
    label: int | None
    event: str
    given: Sequence[int] | None = None
    person: str = ""
    decided_at: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The verdict that an image has now, after an event touched it.

    Attributes:
        split: Its split.
        index: Its position there.
        verdict: The verdict, None for none.
        label: The right class, if it was said.
        revision: Of the newest event that touched it.
    """

    split: str
    index: int
    verdict: Verdict | None
    label: int | None
    revision: int


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo or redo came to.

    Attributes:
        revision: Its own.
        split: The split of the decision that was undone or redone.
        items: The images of that decision.
        verdicts: The verdict that each of them has now, None for none.
        labels: The right class of each of them, None where none was said.
    """

    revision: int
    split: str
    items: tuple[int, ...]
    verdicts: tuple[Verdict | None, ...]
    labels: tuple[int | None, ...]


class VerdictLog:
    """The decided verdicts of a study, for any number of threads and processes.

    Nothing is ever changed or removed, only added: `state` is what the events come to, `as_of` what
    they came to before. An undo undoes the newest decision of its tab. When a method that writes
    has returned, what it wrote survives a killed process and a power cut.

    `StudyError` is raised throughout if the file is damaged, of a newer version of misread, about
    other images, held by another process for 10 seconds, or can't be written.
    """

    def __init__(self, folder: Path, splits: Mapping[str, SplitRecord], classes: int) -> None:
        self._lock = threading.RLock()
        self._database = Database(folder / FILE)
        self._splits = {
            name: SplitRow(name, each.images, each.items_fingerprint, each.labels_fingerprint)
            for name, each in splits.items()
        }
        self._classes = classes
        self._generation = -1
        self._forget()

    def decide(
        self,
        split: str,
        items: Sequence[int],
        verdict: Verdict | str | None,
        label: int | None = None,
        *,
        event: str,
        tab: str,
        given: Sequence[int] | None = None,
        person: str = "",
    ) -> int:
        """Decide a verdict on one or several images.

        Args:
            split: Their split.
            items: Their positions in it, each once.
            verdict: What is the matter with them; None takes a verdict away.
            label: The right class where the verdict is `label`; None where it wasn't said.
            event: An id of its own, chosen by the caller: what is sent twice counts once.
            tab: Whose undo it belongs to.
            given: Their labels, in the order of `items`; kept with the verdict. None if unknown.
            person: Who decided, "" if that isn't to be said.

        Returns:
            The revision; the one of the first time if this event was sent before.

        Raises:
            ParameterError: Split, items, label or verdict don't exist or fit together, or the
                event's id stands for something else already.
        """
        decision = Decision(split, items, verdict, label, event, given, person)
        return self.decide_all([decision], tab=tab)[0]

    def decide_all(self, decisions: Sequence[Decision], *, tab: str) -> list[int]:
        """Decide several verdicts at once: all are recorded, or none; see `decide`."""
        now = time.time_ns() // 1_000_000
        wanted = [self._event(decision, tab, now) for decision in decisions]
        if not wanted:
            return []
        with self._lock, self._database.writing(Events) as events:
            return [self._append(events, event) for event in wanted]

    def undo(self, tab: str, *, event: str) -> Undone | None:
        """Undo the newest decision of this tab that isn't undone; None if there is none.

        Raises:
            ParameterError: The event's id stands for something else already.
        """
        return self._back_or_forth("undo", tab, event)

    def redo(self, tab: str, *, event: str) -> Undone | None:
        """Redo what this tab undid last; None if there is nothing, or it decided since.

        Raises:
            ParameterError: The event's id stands for something else already.
        """
        return self._back_or_forth("redo", tab, event)

    def state(self, split: str, as_of: int | None = None) -> Verdicts:
        """The verdicts on a split that stand now, or that stood after a revision.

        Raises:
            ParameterError: There is no such split or revision.
        """
        self._check_split(split)
        with self._lock:
            history = self._read()
            revision = history.revision if as_of is None else as_of
            if not 0 <= revision <= history.revision:
                raise ParameterError(
                    f"as_of must be in 0..{history.revision}, the newest revision. "
                    f"Got {revision} instead."
                )
            key = (split, revision)
            if key not in self._states:
                self._states[key] = history.state(split, revision)
            self._states.move_to_end(key)
            while len(self._states) > _REMEMBERED:
                self._states.popitem(last=False)
            return self._states[key]

    def revision(self) -> int:
        """Number of the newest event, 0 if there is none."""
        with self._lock:
            return self._read().revision

    def changes(self, since: int) -> list[Change]:
        """The verdicts that images have now, of all images that events after `since` touched."""
        with self._lock:
            touched = list(self._read().touched(since))
            found = []
            for split, index, revisions in touched:
                state = self.state(split)
                for item, revision in zip(index.tolist(), revisions.tolist(), strict=True):
                    verdict, label = state.find(item) or (None, None)
                    found.append(Change(split, item, verdict, label, revision))
            return found

    def close(self) -> None:
        """Close the file; it is opened again when it is next needed."""
        with self._lock:
            self._database.close()

    # Reading

    def _forget(self) -> None:
        self._history = History({name: split.images for name, split in self._splits.items()})
        self._states: OrderedDict[tuple[str, int], Verdicts] = OrderedDict()

    def _read(self) -> History:
        """The history with the newest events."""
        events = self._database.events(self._history.revision)
        if self._generation != self._database.generation:
            if self._history.revision:
                self._forget()
                events = self._database.events()
            self._generation = self._database.generation
        self._take(events)
        return self._history

    def _take(self, events: Batch) -> None:
        for split in set(events.split):
            known = self._splits.get(split.name)
            if known is None or split[:3] != known[:3]:
                raise StudyError(
                    f"{self._database.path}: holds verdicts on other images than the study's "
                    f"{split.name!r} split; it belongs to another study: move it away"
                )
        try:
            self._history.extend(events)
        except (HistoryError, ValueError, KeyError) as error:
            self._forget()
            self._generation = -1
            raise damaged(self._database.path, str(error)) from error

    # Writing

    def _append(self, events: Events, event: Event) -> int:
        before = events.find(event.event)
        if before is None:
            return events.append(event)
        same = all(
            getattr(before, name) == getattr(event, name)
            for name in ("tab", "kind", "split", "items", "given", "verdict", "label", "person")
        )
        if not same:
            raise ParameterError(
                f"event {event.event!r}: stands for something else already; give each decision an "
                "id of its own"
            )
        return before.revision

    def _back_or_forth(self, kind: str, tab: str, event: str) -> Undone | None:
        _check_text("tab", tab)
        _check_text("event", event)
        with self._lock:
            if not self._database.exists():
                return None
            with self._database.writing(Events) as events:
                before = events.find(event)
                if before is not None and (before.kind, before.tab) != (kind, tab):
                    raise ParameterError(f"event {event!r}: stands for something else already")
                if before is None:
                    # Nobody else can add an event now: this is what is on top.
                    self._read()
                    target = self._history.target(tab, kind)
                    if target is None:
                        return None
                    split = self._splits[self._history.find(target)[0]]
                    now = time.time_ns() // 1_000_000
                    added = Event(
                        0, event, tab, kind, target, split, None, None, None, None, "", now, now
                    )
                    revision = events.append(added)
                else:
                    target, revision = before.target or 0, before.revision
            return self._undone(revision, target)

    def _undone(self, revision: int, target: int) -> Undone:
        split, items = self._read().find(target)
        state = self.state(split)
        found = [state.find(item) or (None, None) for item in items.tolist()]
        return Undone(
            revision,
            split,
            tuple(items.tolist()),
            tuple(verdict for verdict, _ in found),
            tuple(label for _, label in found),
        )

    def _event(self, decision: Decision, tab: str, now: int) -> Event:
        """The checked event of a decision."""
        self._check_split(decision.split)
        split = self._splits[decision.split]
        items, given = _sorted(decision, split.images, self._classes)
        verdict, label = decision.verdict, decision.label
        if verdict is not None:
            verdict = _known(verdict)
        if label is not None:
            if verdict != Verdict.LABEL:
                raise ParameterError(
                    f"label goes with the verdict `label` only. Got verdict {verdict!s} with label "
                    f"{label} instead."
                )
            if not _is_whole(label) or not 0 <= label < self._classes:
                raise ParameterError(
                    f"label must be in 0..{self._classes - 1}. Got {label!r} instead."
                )
            if given is not None and label in given:
                raise ParameterError(
                    f"label must be another class than the given one: image "
                    f"{items[given.index(label)]} is given {label} already"
                )
        for name, text in (("tab", tab), ("event", decision.event)):
            _check_text(name, text)
        _check_text("person", decision.person, least=0)
        decided_at = now if decision.decided_at is None else decision.decided_at
        return Event(
            0, decision.event, tab, "decide", None, split, items, given,
            None if verdict is None else str(verdict), None if label is None else int(label),
            decision.person, decided_at, now,
        )  # fmt: skip

    def _check_split(self, split: str) -> None:
        if split not in self._splits:
            raise ParameterError(
                f"split must be one of {', '.join(self._splits)}. Got {split!r} instead."
            )


def _known(verdict: str) -> Verdict:
    try:
        return Verdict(verdict)
    except ValueError:
        raise ParameterError(
            f"verdict must be one of {', '.join(Verdict)}. Got {verdict!r} instead."
        ) from None


def _sorted(decision: Decision, images: int, classes: int) -> tuple[list[int], list[int] | None]:
    """Items in increasing order, and their given labels in the same."""
    items, given = list(decision.items), decision.given
    if not items or len(set(items)) != len(items):
        raise ParameterError("items must be one image or more, each once.")
    for item in items:
        if not _is_whole(item) or not 0 <= item < images:
            raise ParameterError(f"items must be in 0..{images - 1}. Got {item!r} instead.")
    order = sorted(range(len(items)), key=items.__getitem__)
    if given is None:
        return [int(items[place]) for place in order], None
    labels = list(given)
    if len(labels) != len(items) or not all(_is_whole(x) and 0 <= x < classes for x in labels):
        raise ParameterError(
            f"given must be a label in 0..{classes - 1} for each of the {len(items)} items."
        )
    return [int(items[place]) for place in order], [int(labels[place]) for place in order]


def _is_whole(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _check_text(name: str, text: object, least: int = 1) -> None:
    if not (isinstance(text, str) and least <= len(text) <= _LONGEST and text.isprintable()):
        raise ParameterError(
            f"{name} must be a text of {least} to {_LONGEST} printable characters. "
            f"Got {text!r:.60} instead."
        )
