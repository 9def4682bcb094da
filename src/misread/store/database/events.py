"""The rows of the log."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

_COLUMNS = (
    "revision, event, tab, kind, target, split, items, given, verdict, label, person, decided_at, "
    "recorded_at"
)


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


class Events:
    """The events in an open file; `append` needs a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def after(self, revision: int) -> list[Event]:
        """Those with a higher revision, in order.

        Raises:
            sqlite3.DatabaseError: A row doesn't hold what it should.
        """
        return self._select("revision > ? ORDER BY revision", revision)

    def find(self, event: str) -> Event | None:
        """The one with this id, None if there is none."""
        found = self._select("event = ?", event)
        return found[0] if found else None

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

    def _select(self, condition: str, value: int | str) -> list[Event]:
        query = f"SELECT {_COLUMNS} FROM events WHERE {condition}"
        rows = self._connection.execute(query, (value,)).fetchall()
        if not rows:
            return []
        splits = {
            number: SplitRow(*row)
            for number, *row in self._connection.execute(
                "SELECT number, name, images, items_fingerprint, labels_fingerprint FROM splits"
            )
        }
        # Column by column: a loop over the rows takes twice as long.
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        try:
            columns[5] = [splits[number] for number in columns[5]]
            columns[6], columns[7] = _parse(columns[6]), _parse(columns[7])
            return list(map(Event._make, zip(*columns, strict=True)))
        except (ValueError, KeyError) as error:
            raise sqlite3.DatabaseError(f"an event can't be read: {error!r}") from error


def _parse(texts: Iterable[str | None]) -> list[list[int] | None]:
    """Lists from JSON, all at once since that is several times as fast."""
    parsed: list[list[int] | None] = json.loads("[" + ",".join(t or "null" for t in texts) + "]")
    return parsed
