"""Decided verdicts as columns, as they stand now or stood at a revision."""

import os
from collections.abc import Sequence

import numpy as np

from misread.errors import ParameterError
from misread.store.verdict_log import VerdictLog
from misread.tables.verdicts import Verdict
from misread.views.gallery.answers import DecidedAnswer
from misread.views.gallery.columns import DecidedColumns
from misread.views.gallery.holdings import Holdings
from misread.views.gallery.lists import class_numbers, verdict_names
from misread.views.gallery.memo import Memo

MOST_DECIDED = 100_000
_BYTES = 32 << 20

_Change = tuple[str, int, str | None, int | None]


class Decisions:
    """The decided verdicts of a study.

    Args:
        holdings: The study's tables.
    """

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings
        self._columns = Memo[DecidedColumns](_BYTES, lambda columns: columns.verdict.nbytes * 3)

    @property
    def log(self) -> VerdictLog:
        """Where they are kept."""
        return self._holdings.study.verdicts

    @property
    def writable(self) -> bool:
        """Whether verdicts can be saved."""
        return os.access(self._holdings.study.path, os.W_OK | os.X_OK)

    def revision(self) -> int:
        """The newest revision."""
        return self.log.revision()

    def columns(self, split: str, as_of: int | None = None) -> DecidedColumns:
        """The verdicts of a split, as they are now or stood at a revision.

        Raises:
            ParameterError: There is no such split or revision.
        """
        images = len(self._holdings.split(split))
        revision = self.revision() if as_of is None else as_of

        def read() -> DecidedColumns:
            return DecidedColumns(*self.log.state(split, revision).spread(images), revision)

        return self._columns.get((split, revision), read)

    def changes(self, since: int) -> tuple[int, list[_Change]]:
        """The newest revision, and each image's verdict that changed since another one."""
        # The revision comes first: what happens in between is told twice rather than never.
        revision = self.revision()
        found = [] if since >= revision else self.log.changes(since)
        return revision, [
            (change.split, change.index, _text(change.verdict), change.label) for change in found
        ]

    def decide(
        self,
        split: str,
        items: Sequence[int],
        verdict: str | None,
        label: int | None,
        *,
        event: str,
        tab: str,
    ) -> DecidedAnswer:
        """Decide a verdict on one or several images; it is on disk once this returns.

        Args:
            split: Their split.
            items: Their positions in it, 1 to `MOST_DECIDED`, each once.
            verdict: What is the matter with them; None takes a verdict away.
            label: The right class where the verdict is `label`; None where it wasn't said.
            event: An id of its own: what is sent twice counts once.
            tab: Whose undo it belongs to.

        Raises:
            ParameterError: Something doesn't exist or fit together.
            StudyError: It can't be saved.
        """
        labels = self._holdings.split(split).labels
        _check_items(items, len(labels))
        given = labels[list(items)].tolist()
        chosen = None if verdict is None else _known(verdict)
        revision = self.log.decide(
            split,
            items,
            chosen,
            label,
            event=event,
            tab=tab,
            given=given,
        )
        # As columns rather than one by one: there may be a hundred thousand.
        now, at = self.columns(split), np.array(items)
        return DecidedAnswer(
            revision=revision,
            split=split,
            items=list(items),
            decided=verdict_names(now.verdict[at]),
            decided_label=class_numbers(now.label[at]),
        )

    def step(self, kind: str, tab: str, event: str) -> DecidedAnswer:
        """Undo (`undo`) or redo (`redo`) what a tab decided last.

        Raises:
            ParameterError: The event's id stands for something else already.
            StudyError: It can't be saved.
        """
        move = self.log.undo if kind == "undo" else self.log.redo
        done = move(tab, event=event)
        if done is None:
            return DecidedAnswer(self.revision(), None, [], [], [])
        return DecidedAnswer(
            revision=done.revision,
            split=done.split,
            items=list(done.items),
            decided=[_text(verdict) for verdict in done.verdicts],
            decided_label=list(done.labels),
        )


def _check_items(items: Sequence[int], images: int) -> None:
    if not 1 <= len(items) <= MOST_DECIDED:
        raise ParameterError(
            f"items: expected 1 to {MOST_DECIDED:,} images. Got {len(items):,} instead."
        )
    if min(items) < 0 or max(items) >= images:
        raise ParameterError(f"items: expected images from 0 to {images - 1}")


def _known(verdict: str) -> Verdict:
    if verdict not in tuple(Verdict):
        raise ParameterError(
            f"verdict: expected {', '.join(Verdict)} or null. Got {verdict[:80]!a} instead."
        )
    return Verdict(verdict)


def _text(verdict: Verdict | None) -> str | None:
    return None if verdict is None else str(verdict)
