"""The rows of readers and of what they answered."""

import sqlite3
from typing import ClassVar, NamedTuple

_READER = "number, plan, place, name, token, secret, seen, agreed_at, enrolled_at, forgotten_at"
_READING = (
    "number, event, reader, session, position, attempt, item, hard, purpose, repeat_of, answer, "
    "undoes, unsure, exposures, rt_ms, onset, unfocused, screen, zoom, received_at"
)


class ReaderRow(NamedTuple):
    """One reader of one plan.

    Attributes:
        number: His number in the file.
        plan: Hash of the plan.
        place: Which of the plan's orders he reads in.
        name: His pseudonym; unique in the plan.
        token: What his link is made of; unguessable.
        secret: 32 bytes that the names of his trials are made of.
        seen: What he says that he had seen before, see `tables.readings.Seen`.
        agreed_at: Milliseconds since 1970, UTC; None if he hasn't begun.
        enrolled_at: The same, of his link.
        forgotten_at: The same, of the deletion of his answers; None if they are there.
    """

    number: int
    plan: str
    place: int
    name: str
    token: str
    secret: bytes
    seen: str
    agreed_at: int | None
    enrolled_at: int
    forgotten_at: int | None


class ReadingRow(NamedTuple):
    """One answer.

    Attributes:
        number: Its number in the file, in the order of arrival; 0 for one that isn't written yet.
        event: Its id, made up by the page.
        reader: Number of the reader.
        session: Id of the sitting, made up by the page.
        position: Place in the reader's order; below 0 in practice.
        attempt: 1 for the first answer at this position, more after an undo.
        item: Position of the image in its split.
        hard: Whether the item is of the census.
        purpose: A `tables.readings.Purpose`.
        repeat_of: The earlier position that this one repeats, -1 for none.
        answer: The class, None where time ran out.
        undoes: Event of the answer that this one stands in for, None for a first one.
        unsure: Whether the reader marked it as a guess.
        exposures: How often the image had been shown.
        rt_ms: From onset to answer.
        onset: Milliseconds since 1970 at which the image was painted, by the reader's clock.
        unfocused: Whether the page had lost the focus.
        screen: As "1920x1080".
        zoom: Device pixels for each pixel of the page.
        received_at: Milliseconds since 1970, UTC, by the server's clock.
    """

    number: int
    event: str
    reader: int
    session: str
    position: int
    attempt: int
    item: int
    hard: int
    purpose: int
    repeat_of: int
    answer: int | None
    undoes: str | None
    unsure: int
    exposures: int
    rt_ms: float
    onset: int
    unfocused: int
    screen: str
    zoom: float
    received_at: int


class ReadingRows:
    """Readers and their answers in an open file; what changes them needs a transaction."""

    what: ClassVar[str] = "readings"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def readers(self, plan: str) -> list[ReaderRow]:
        """The readers of a plan, by their place; those who were forgotten too."""
        return self._readers("plan = ? ORDER BY place", plan)

    def reader_of(self, token: str) -> ReaderRow | None:
        """Whose link this is, None if it is nobody's."""
        found = self._readers("token = ? AND forgotten_at IS NULL", token)
        return found[0] if found else None

    def enrol(self, reader: ReaderRow) -> ReaderRow:
        """Add a reader; his own number is ignored."""
        marks = ", ".join("?" * (len(reader) - 1))
        names = _READER.removeprefix("number, ")
        statement = f"INSERT INTO readers ({names}) VALUES ({marks})"
        number = self._connection.execute(statement, reader[1:]).lastrowid
        return reader._replace(number=int(number or 0))

    def agree(self, number: int, seen: str, now: int) -> None:
        """Note what a reader said before he began; what he said first stands."""
        self._connection.execute(
            "UPDATE readers SET seen = ?, agreed_at = ? WHERE number = ? AND agreed_at IS NULL",
            (seen, now, number),
        )

    def forget(self, number: int, now: int) -> int:
        """Delete a reader's name, link and answers; how many answers there were.

        His place stays taken, so that nobody else reads in the same order.
        """
        self._connection.execute(
            "UPDATE readers SET name = '#' || number, token = '#' || number, secret = x'', "
            "seen = 'unknown', agreed_at = NULL, forgotten_at = ? WHERE number = ?",
            (now, number),
        )
        return self._connection.execute("DELETE FROM readings WHERE reader = ?", (number,)).rowcount

    def settings(self, plan: str) -> dict[str, str]:
        """How a plan's pages are served: what was kept, by name."""
        query = "SELECT name, value FROM reading_settings WHERE plan = ?"
        return dict(self._connection.execute(query, (plan,)).fetchall())

    def keep(self, plan: str, name: str, value: str) -> None:
        """Keep a setting, instead of what there was."""
        self._connection.execute(
            "INSERT OR REPLACE INTO reading_settings (plan, name, value) VALUES (?, ?, ?)",
            (plan, name, value),
        )

    def readings(self, reader: int) -> list[ReadingRow]:
        """All answers of a reader, in the order of their arrival."""
        query = f"SELECT {_READING} FROM readings WHERE reader = ? ORDER BY number"
        return [ReadingRow(*row) for row in self._connection.execute(query, (reader,))]

    def stamp(self) -> tuple[int, int, int]:
        """The newest answer, how many readers have agreed, and how many were forgotten."""
        found: tuple[int, int, int] = self._connection.execute(
            "SELECT (SELECT coalesce(max(number), 0) FROM readings), count(agreed_at), "
            "count(forgotten_at) FROM readers"
        ).fetchone()
        return found

    def find(self, event: str) -> ReadingRow | None:
        """The answer with this id, None if there is none."""
        query = f"SELECT {_READING} FROM readings WHERE event = ?"
        row = self._connection.execute(query, (event,)).fetchone()
        return None if row is None else ReadingRow(*row)

    def last_attempt(self, reader: int, position: int) -> int:
        """How often a position was answered."""
        query = "SELECT max(attempt) FROM readings WHERE reader = ? AND position = ?"
        return int(self._connection.execute(query, (reader, position)).fetchone()[0] or 0)

    def add(self, reading: ReadingRow) -> ReadingRow:
        """Add an answer; its own number is ignored."""
        marks = ", ".join("?" * (len(reading) - 1))
        names = _READING.removeprefix("number, ")
        statement = f"INSERT INTO readings ({names}) VALUES ({marks})"
        number = self._connection.execute(statement, reading[1:]).lastrowid
        return reading._replace(number=int(number or 0))

    def _readers(self, condition: str, value: str) -> list[ReaderRow]:
        query = f"SELECT {_READER} FROM readers WHERE {condition}"
        return [ReaderRow(*row) for row in self._connection.execute(query, (value,))]
