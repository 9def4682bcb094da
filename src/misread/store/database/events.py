"""The rows of the log."""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, NamedTuple

_COLUMNS = (
    "revision, event, tab, kind, target, split, items, given, verdict, label, person, decided_at, "
    "recorded_at"
)


_BATCH = "revision, tab, kind, target, verdict, label, person, decided_at, split, items, given"


class SplitRow(NamedTuple):
    """The images and given labels that events are about."""

    name: str
    images: int
    items_fingerprint: str
    labels_fingerprint: str


class Event(NamedTuple):
    """One row of the log.

    Attributes:
        revision: Its number, 1 up; 0 for one that isn't written yet.
        event: Its id, chosen by whoever asked for it.
        tab: Whose undo it belongs to.
        kind: `decide`, `undo` or `redo`.
        target: Revision of the decision that is undone or redone; None for a decision.
        split: The split.
        items: Images in increasing order; None for an undo or redo.
        given: Their labels at the time, None where they weren't told.
        verdict: Name of the verdict; None clears.
        label: The right class, None where none was said.
        person: Who decided, "" where it wasn't said.
        decided_at: Milliseconds since 1970, UTC.
        recorded_at: The same, of the writing: later where the decision was imported.
    """

    revision: int
    event: str
    tab: str
    kind: str
    target: int | None
    split: SplitRow
    items: list[int] | None
    given: list[int] | None
    verdict: str | None
    label: int | None
    person: str
    decided_at: int
    recorded_at: int


class Batch(NamedTuple):
    """E rows of the log in columns: many are read several times as fast as one by one.

    Attributes:
        revision: E numbers; so for `tab`, `kind`, `target`, `verdict`, `label`, `person` and
            `decided_at`, which are as in `Event`.
        split: E splits.
        counts: E numbers of images, 0 for an undo or redo.
        items: The images of all E rows, one row after another.
        given: Their labels at the time, -1 where they weren't told.
    """

    revision: Sequence[int] = ()
    tab: Sequence[str] = ()
    kind: Sequence[str] = ()
    target: Sequence[int | None] = ()
    split: Sequence[SplitRow] = ()
    verdict: Sequence[str | None] = ()
    label: Sequence[int | None] = ()
    person: Sequence[str] = ()
    decided_at: Sequence[int] = ()
    counts: Sequence[int] = ()
    items: Sequence[int] = ()
    given: Sequence[int] = ()


class Events:
    """The events in an open file; `append` needs a transaction."""

    what: ClassVar[str] = "verdicts"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def after(self, revision: int) -> Batch:
        """Those with a higher revision, in order.

        Raises:
            sqlite3.DatabaseError: A row doesn't hold what it should.
        """
        query = f"SELECT {_BATCH} FROM events WHERE revision > ? ORDER BY revision"
        rows = self._connection.execute(query, (revision,)).fetchall()
        if not rows:
            return Batch()
        *columns, numbers, items, given = zip(*rows, strict=True)
        with _explained():
            splits = self._splits()
            counts = [0 if text is None else text.count(",") + 1 for text in items]
            told = [
                text or "[" + ",".join(["-1"] * count) + "]"
                for text, count in zip(given, counts, strict=True)
            ]
            labels = _parse(told[place] for place, text in enumerate(items) if text is not None)
            about = [splits[number] for number in numbers]
            return Batch._make([*columns[:4], about, *columns[4:], counts, _parse(items), labels])

    def find(self, event: str) -> Event | None:
        """The one with this id, None if there is none."""
        query = f"SELECT {_COLUMNS} FROM events WHERE event = ?"
        row = self._connection.execute(query, (event,)).fetchone()
        if row is None:
            return None
        with _explained():
            items, given = (None if text is None else json.loads(text) for text in row[6:8])
            return Event._make([*row[:5], self._splits()[row[5]], items, given, *row[8:]])

    def append(self, event: Event) -> int:
        """Add an event; its own revision is ignored.

        Returns:
            The revision it got.
        """
        split = self._number(event.split)
        items, given = (
            None if values is None else json.dumps(values, separators=(",", ":"))
            for values in (event.items, event.given)
        )
        row = (*event[1:5], split, items, given, *event[8:])
        marks = ", ".join("?" * len(row))
        names = _COLUMNS.removeprefix("revision, ")
        cursor = self._connection.execute(f"INSERT INTO events ({names}) VALUES ({marks})", row)
        return int(cursor.lastrowid or 0)

    def _number(self, split: SplitRow) -> int:
        self._connection.execute(
            "INSERT OR IGNORE INTO splits (name, images, items_fingerprint, labels_fingerprint) "
            "VALUES (?, ?, ?, ?)",
            split,
        )
        row = self._connection.execute(
            "SELECT number FROM splits WHERE (name, images, items_fingerprint, labels_fingerprint) "
            "= (?, ?, ?, ?)",
            split,
        ).fetchone()
        return int(row[0])

    def _splits(self) -> dict[int, SplitRow]:
        rows = self._connection.execute(
            "SELECT number, name, images, items_fingerprint, labels_fingerprint FROM splits"
        )
        return {number: SplitRow(*row) for number, *row in rows}


def _parse(texts: Iterable[str | None]) -> list[int]:
    """The numbers of JSON lists, one list after another; one text is read faster than many."""
    parsed: list[int] = json.loads("[" + ",".join(text[1:-1] for text in texts if text) + "]")
    return parsed


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError) as error:
        raise sqlite3.DatabaseError(f"an event can't be read: {error!r}") from error
